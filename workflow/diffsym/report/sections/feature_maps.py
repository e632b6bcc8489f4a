"""Section on the feature maps of the first network blocks for diffraction images."""

import numpy as np
from markupsafe import Markup

from diffsym.report import figures
from diffsym.report.results import Arrays, Experiment, Results
from diffsym.report.sections.blocks import (
    Block,
    Cell,
    FigureBlock,
    Section,
    TableBlock,
    text_or_empty,
)
from diffsym.report.typesetting import formula_html, label_plotly, thousands

MIN_WIDTH = 1140
"""Pixels below which maps would be too small to see anything."""


def feature_maps(results: Results) -> Section | None:
    """Maps of the first blocks of networks with streams, and how much these maps repeat."""
    # A network that recognises none of the structures has no maps.
    shown = [
        (experiment, arrays)
        for experiment in results.experiments
        if (arrays := results.feature_maps.get(experiment.name)) and len(arrays["structure_ids"])
    ]
    if not shown:
        return None
    blocks: list[Block] = [
        FigureBlock(
            f"feature-maps-{experiment.name}-{block}",
            figures.feature_maps.feature_maps(
                [label_plotly(int(number)) for number in arrays["space_groups"]],
                arrays["images"],
                arrays[f"{block}_maps"],
                arrays[f"{block}_channels"],
            ),
            Markup(
                "{}, split <code>{}</code>, {}: the image along x and {} of the {} feature maps "
                "for {}, labelled by channel number. Shown are the maps with the highest contrast "
                "(standard deviation over the pixels, mean over these structures), highest first. "
                "Each map is scaled from its minimum (black) to its maximum."
            ).format(
                experiment.label,
                experiment.split,
                block.replace("_", " "),
                len(arrays[f"{block}_channels"]),
                thousands(int(arrays[f"{block}_count"])),
                _names(results, arrays["structure_ids"].tolist()),
            ),
            min_width=MIN_WIDTH,
        )
        for experiment, arrays in shown
        for block in arrays["blocks"].tolist()
    ]
    return Section(
        "feature-maps",
        "Feature maps",
        "What the first blocks see",
        "Maps that resemble each other are redundant. After Fig. 6 of Tiong et al. (2020): for "
        "each of up to four crystal systems, those of highest symmetry, the first test structure "
        "that the first ensemble member recognises.",
        [*blocks, _redundancy_table(shown)],
    )


def _names(results: Results, structure_ids: list[str]) -> Markup:
    """Structures in words, by name and formula."""
    structures = results.structures.set_index("structure_id")
    return Markup(", ").join(
        Markup("{} ({})").format(
            text_or_empty(structures["name"][identifier]) or identifier,
            formula_html(structures["formula"][identifier]),
        )
        for identifier in structure_ids
    )


def _redundancy_table(shown: list[tuple[Experiment, Arrays]]) -> TableBlock:
    """How much the maps of each block resemble each other."""
    rows: list[list[Cell]] = []
    for experiment, arrays in shown:
        for block in arrays["blocks"].tolist():
            correlations = arrays[f"{block}_correlations"]
            # Undefined for a structure whose maps are flat.
            known = correlations[np.isfinite(correlations)]
            rows.append(
                [
                    experiment.label,
                    experiment.split,
                    block.replace("_", " "),
                    thousands(int(arrays[f"{block}_count"])),
                    thousands(int(arrays[f"{block}_flat"])),
                    f"{known.mean():.3f}" if len(known) else "",
                    f"{known.min():.3f} … {known.max():.3f}" if len(known) else "",
                ]
            )
    return TableBlock(
        ["model", "split", "block", "maps", "flat", "mean |r|", "lowest … highest"],
        rows,
        "Redundancy: correlation r between the pixels of two maps of a structure, its absolute "
        "value averaged over all pairs of maps of the block, not only those above, and over the "
        "structures; next to it the lowest and highest value of a structure. 1: all maps are "
        "alike. Flat maps, constant for all structures, have no correlation.",
        numeric=range(3, 7),
        title="How much the maps repeat each other",
    )

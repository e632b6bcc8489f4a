"""Section on electron-diffraction patterns: raw images, spot and shaped patterns of structures."""

from collections.abc import Sequence

from markupsafe import Markup, escape

from diffsym.report import figures
from diffsym.report.results import Results
from diffsym.report.sections.blocks import FigureBlock, Section, text_or_empty
from diffsym.report.typesetting import formula_html, label_plotly

BEAMS = {"cartesian": ("x", "y", "z"), "lattice": ("a", "b", "c")}
"""Axes that the beam travels along, by the setting `beam`."""


def patterns(results: Results) -> Section | None:
    """Patterns of one structure from each of several crystal systems."""
    galleries = results.plan.galleries()
    if not galleries:
        return None
    return Section(
        "patterns",
        "Electron diffraction",
        "Electron-diffraction patterns",
        "Electrons along a crystal axis produce an image of spots. Models see the images along "
        "three axes and nothing else: no cell, no composition.",
        [_gallery(results, names) for names in galleries.values()],
    )


def _gallery(results: Results, names: Sequence[str]) -> FigureBlock:
    """Patterns of the chosen structures with the settings shared by some descriptors."""
    descriptor, gallery = results.descriptors[names[0]], results.gallery(names[0])
    structures = results.structures.set_index("structure_id")
    beams = BEAMS[descriptor.settings.beam]
    titles = [
        f"{escape(text_or_empty(row['name']) or identifier)} "
        f"({formula_html(row['formula'])}, {label_plotly(row['space_group'])})"
        for identifier in gallery["structure_ids"].tolist()
        for row in [structures.loc[identifier]]
    ]
    return FigureBlock(
        f"patterns-{names[0]}",
        figures.patterns.pattern_gallery(
            titles, beams, descriptor.axis, gallery["spot"], gallery["shaped"]
        ),
        Markup(
            "Structures from several crystal systems, each the first of its system's most common "
            "space group, as {} {} them. Grey: images along {}, {} and {}; u is the next of these "
            "axes, v is perpendicular to it. Spot pattern: the three as red, green and blue. "
            "Shaped pattern: lines added between nearby spots. Wavelength {:g} Å; brightness is "
            "the intensity relative to the strongest spot other than the direct beam, to the power "
            "{:g}. After Figs. 1(b) and 5 of Tiong et al. (2020)."
        ).format(
            Markup(" and ").join(Markup("<code>{}</code>").format(name) for name in names),
            "shows" if len(names) == 1 else "show",
            *beams,
            descriptor.settings.wavelength,
            descriptor.settings.exponent,
        ),
        min_width=figures.style.PANELS_WIDTH,
    )

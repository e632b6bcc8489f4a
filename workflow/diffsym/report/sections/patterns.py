"""Section on electron-diffraction patterns: raw images, spot and shaped patterns of structures."""

import json
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from markupsafe import Markup, escape

from diffsym import tables
from diffsym.descriptors import descriptor_of, electron
from diffsym.report import figures
from diffsym.report.inputs import DescriptorInputs, Study, first_of_commonest
from diffsym.report.sections.blocks import FigureBlock, Section, text_or_empty
from diffsym.report.typesetting import formula_html, label_plotly
from diffsym.structures.space_groups import CRYSTAL_SYSTEMS, crystal_system

SHOWN_SYSTEMS = 6
"""Number of crystal systems for which a structure is shown."""
BEAMS = {"cartesian": ("x", "y", "z"), "lattice": ("a", "b", "c")}
"""Axes that the beam travels along, by the setting `beam`."""


def patterns(study: Study) -> Section | None:
    """Patterns of one structure from each of several crystal systems."""
    # Descriptors that differ only in the pattern share a gallery.
    galleries: dict[str, list[str]] = {}
    for name, descriptor in study.inputs.descriptors.items():
        if descriptor.kind == "electron":
            key = json.dumps(_common_settings(descriptor), sort_keys=True)
            galleries.setdefault(key, []).append(name)
    if not galleries:
        return None
    return Section(
        "patterns",
        "Electron diffraction",
        "Electron-diffraction patterns",
        "Electrons along a crystal axis produce an image of spots. Models see the images along "
        "three axes and nothing else: no cell, no composition.",
        [_gallery(study, names) for names in galleries.values()],
    )


def _common_settings(descriptor: DescriptorInputs) -> dict[str, Any]:
    """Settings of a descriptor except its pattern."""
    return {key: value for key, value in descriptor.settings.items() if key != "pattern"}


def _gallery(study: Study, names: Sequence[str]) -> FigureBlock:
    """Patterns of the chosen structures with the settings shared by some descriptors."""
    descriptor = study.inputs.descriptors[names[0]]
    structures = tables.read_table(study.inputs.structures, tables.STRUCTURES)
    structures = structures.take(
        pc.index_in(pa.array(chosen_structures(study)), structures["structure_id"])
    )
    spot, shaped = (
        electron.compute(
            structures, descriptor_of({**descriptor.settings, "pattern": pattern})
        ).values
        for pattern in ("spot", "shaped")
    )
    beams = BEAMS[descriptor.settings["beam"]]
    titles = [
        f"{escape(text_or_empty(row['name']) or row['structure_id'])} "
        f"({formula_html(row['formula'])}, {label_plotly(row['space_group'])})"
        for row in structures.to_pylist()
    ]
    return FigureBlock(
        f"patterns-{names[0]}",
        figures.patterns.pattern_gallery(titles, beams, descriptor.axis, spot, shaped),
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
            descriptor.settings["wavelength"],
            descriptor.settings["exponent"],
        ),
        min_width=figures.style.PANELS_WIDTH,
    )


def chosen_structures(study: Study) -> list[str]:
    """Identifiers of the structures shown, in the order of the crystal systems.

    For each of the systems with the most structures, the first structure of its most common space
    group, among those that have every electron-diffraction pattern.
    """
    described = study.described("electron")
    systems = described["space_group"].map(crystal_system)
    commonest = systems.value_counts().index[:SHOWN_SYSTEMS]
    return [
        first_of_commonest(described[systems == system])["structure_id"]
        for system in CRYSTAL_SYSTEMS
        if system in commonest
    ]

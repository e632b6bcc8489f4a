"""Sections on the descriptors: one structure as networks see it."""

from pathlib import Path

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray
from scipy.sparse import csr_array

from diffsym import tables
from diffsym.report import figures
from diffsym.report.results import Results
from diffsym.report.sections.blocks import Block, FigureBlock, Section, text_or_empty
from diffsym.report.typesetting import formula_html, symbol_html, thousands
from diffsym.settings.patterns import Pattern, spectral_lines


def pair_distribution(results: Results) -> Section | None:
    """One pair distribution function as the networks see it."""
    blocks: list[Block] = []
    for name, descriptor in results.descriptors.items():
        if descriptor.kind != "pdf":
            continue
        X = _example_values(results, descriptor.table)
        blocks += [
            FigureBlock(
                f"descriptor-{name}",
                figures.descriptors.pdf_example(descriptor.axis, X),
                Markup(
                    "<code>{}</code> for {}: the reduced pair distribution function scaled to "
                    "0 … 1 (<b>X</b>, {} values, above) and the products of all its pairs of "
                    "values (<b>X</b>², {} values, below). After Fig. 1 of Liu et al. (2019)."
                ).format(
                    name, _example_name(results), len(X), thousands(len(X) * (len(X) - 1) / 2)
                ),
                half=True,
            ),
            FigureBlock(
                f"descriptor-map-{name}",
                figures.descriptors.quadratic_map(descriptor.axis, X),
                "The same products against their two distances. Correlations between distances "
                "carry symmetry that single distances do not; the lower triangle would repeat "
                "the upper one.",
                half=True,
            ),
        ]
    if not blocks:
        return None
    return Section(
        "pair-distribution",
        "PDF",
        "The pair distribution function",
        "A pair distribution function shows how often two atoms are a distance r apart. Models see "
        "nothing else: no cell, no composition.",
        blocks,
    )


def powder(results: Results) -> Section | None:
    """One powder pattern as the networks see it."""
    blocks: list[Block] = [
        FigureBlock(
            f"descriptor-{name}",
            figures.descriptors.powder_example(
                descriptor.axis, _example_values(results, descriptor.table)
            ),
            Markup(
                "<code>{}</code> for {}: {} intensities, the strongest scaled to 1{}. Noise and "
                "background, if used in training, are redrawn in each epoch and not shown. "
                "Compare Fig. 1 of Vecsei et al. (2019)."
            ).format(
                name,
                _example_name(results),
                thousands(len(descriptor.axis)),
                _radiation(descriptor.settings),
            ),
        )
        for name, descriptor in results.descriptors.items()
        if descriptor.kind == "powder"
    ]
    if not blocks:
        return None
    return Section(
        "powder",
        "Powder pattern",
        "The powder pattern",
        "A powder has crystals in all orientations, so its diffraction pattern keeps only the "
        "lengths of the scattering vectors. Models see nothing else: no cell, no composition.",
        blocks,
    )


def ideal(results: Results) -> Section | None:
    """One ideal profile as the networks see it."""
    blocks: list[Block] = []
    for name, descriptor in results.descriptors.items():
        if descriptor.kind != "ideal":
            continue
        profile = _example_values(results, descriptor.table)
        blocks.append(
            FigureBlock(
                f"descriptor-{name}",
                figures.descriptors.ideal_example(descriptor.axis, profile),
                Markup(
                    "<code>{}</code> for {}: the sum of |F|² in each of {} bins of 1/d, the "
                    "largest scaled to 1; {} bins are not empty. See Ozaki et al. (2025), section "
                    "2.5."
                ).format(
                    name,
                    _example_name(results),
                    thousands(len(profile)),
                    thousands(int(np.count_nonzero(profile))),
                ),
            )
        )
    if not blocks:
        return None
    return Section(
        "ideal",
        "Ideal profile",
        "The ideal profile",
        "Lines without width and without instrumental effects: no wavelength, line width, "
        "background or Lorentz and polarisation factor. Measured patterns are converted to this "
        "form before a model sees them.",
        blocks,
    )


def _example_values(results: Results, path: Path) -> NDArray[np.float64]:
    """Values of a descriptor for the structure shown."""
    table = tables.read_table(path)
    row = table["structure_id"].to_pylist().index(results.example["structure_id"])
    values = tables.descriptor_values(table.slice(row, 1))
    dense = values.toarray() if isinstance(values, csr_array) else values
    return dense[0].astype(np.float64)


def _example_name(results: Results) -> Markup:
    """Name, formula and space group of the structure shown."""
    example = results.example
    return Markup("{} ({}, {})").format(
        text_or_empty(example["name"]) or example["structure_id"],
        formula_html(example["formula"]),
        symbol_html(int(example["space_group"])),
    )


def _radiation(settings: Pattern) -> str:
    """Wavelength of a powder pattern in words; each line of a source with its weight."""
    lines = spectral_lines(settings.wavelength)
    if len(lines) == 1:
        return f", at a wavelength of {lines[0][0]:g} Å"
    return ", at wavelengths of " + " and ".join(
        f"{wavelength:g} Å (weight {weight:g})" for wavelength, weight in lines
    )

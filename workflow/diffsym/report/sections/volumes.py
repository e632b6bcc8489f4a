"""Sections on primitive cells: volumes and densities, and the errors of predicted volumes."""

from collections.abc import Sequence

from markupsafe import Markup

from diffsym.evaluation.published import PUBLISHED
from diffsym.evaluation.scores import VOLUME_SCORES, Fit
from diffsym.evaluation.volumes import SHOWN_SHARE
from diffsym.report import figures
from diffsym.report.results import Experiment, Results
from diffsym.report.sections.blocks import (
    Block,
    Cell,
    FigureBlock,
    Section,
    TableBlock,
    minus,
    percent,
    percent_interval,
    with_half_width,
)
from diffsym.report.typesetting import thousands

VOLUME_COLUMNS = {
    "lower_quartile": "lower quartile",
    "median": "median",
    "upper_quartile": "upper quartile",
    "within_5_percent": "within ±5 %",
    "within_10_percent": "within ±10 %",
}
"""Column headings of the volume scores."""


def cells(results: Results) -> Section | None:
    """Volumes and densities, which filters limit and networks predict."""
    in_series = {run for runs in results.plan.series().values() for run in runs}
    chosen = [
        experiment
        for experiment in results.experiments
        if experiment.name in in_series or experiment.settings.filter or experiment.part.volume
    ]
    if not chosen:
        return None
    classes = {number for experiment in chosen for number in experiment.scores.classes}
    inside = results.structures[results.structures["space_group"].isin(classes)]
    return Section(
        "cells",
        "Cells",
        "Volumes and densities",
        "Volumes of primitive cells and densities of atoms are nearly log-normal. Structures far "
        "from the mean can be left out of training, and networks can also learn the volume.",
        [
            FigureBlock(
                "cell-distributions",
                figures.volumes.cell_distributions(
                    inside["primitive_volume"].to_numpy(), inside["number_density"].to_numpy()
                ),
                Markup(
                    "Logarithms of the volume <i>V</i> of the primitive cell and of the number "
                    "density of its <i>n</i> atoms, weighted by occupancy: {} structures in {} "
                    "space groups, with the maximum-likelihood normal distribution. After "
                    "Fig. 1 of Ozaki et al. (2025)."
                ).format(thousands(len(inside)), len(classes)),
            )
        ],
    )


def volumes(results: Results) -> Section | None:
    """Errors of the predicted volumes."""
    predicting = [experiment for experiment in results.experiments if experiment.part.volume]
    if not predicting:
        return None
    return Section(
        "volumes",
        "Volumes",
        "The volume of the primitive cell",
        Markup(
            "The error of a predicted volume <i>V</i>′ is <i>V</i>′/<i>V</i> − 1. The ensemble’s "
            "volume is the geometric mean over its members, which predict ln <i>V</i>."
        ),
        [
            FigureBlock(
                "volume-errors",
                figures.volumes.volume_errors(predicting),
                Markup(
                    "Errors of the ensembles’ standardised ln <i>V</i> on the test set; "
                    "<i>σ<sub>U</sub></i> is the standard deviation of ln <i>V</i> in training. "
                    "Lines: expected counts per bin of the Cauchy and normal distributions fitted "
                    "by maximum likelihood. The {} of the structures with the largest errors are "
                    "not shown but are included in the fits. After Fig. 3 of Ozaki et al. (2025)."
                ).format(f"{1 - SHOWN_SHARE:.0%}".replace("%", "\u202f%")),
                min_width=figures.style.PANELS_WIDTH,
            ),
            _volume_fits_table(predicting),
            _volume_errors_table(results, predicting),
            *_published_volume_tables(),
        ],
    )


def _volume_fits_table(experiments: Sequence[Experiment]) -> TableBlock:
    """Parameters of the fitted distributions."""
    names = ("Cauchy", "normal")
    parameters = ("location", "scale", "ln likelihood")
    rows: list[list[Cell]] = []
    for experiment in experiments:
        volume = experiment.part.volume
        assert volume is not None
        errors = volume.standardised_error
        rows.append(
            [
                experiment.split,
                experiment.label,
                f"{volume.ln_volume.deviation:.3f}",
                *(text for fit in (errors.cauchy, errors.normal) for text in _fit_cells(fit)),
            ]
        )
    return TableBlock(
        [
            "split",
            "model",
            Markup("<i>σ<sub>U</sub></i>"),
            *(f"{name}: {word}" for name in names for word in parameters),
        ],
        rows,
        "Fitted to the errors of the standardised ln V. The distribution with the higher "
        "likelihood fits better. Location and scale of the normal distribution are its "
        "mean and standard deviation.",
        numeric=range(2, 3 + len(names) * len(parameters)),
        title="Distributions of the error",
    )


def _fit_cells(fit: Fit) -> list[Cell]:
    """Parameters of one distribution."""
    return [
        minus(f"{fit.location:.4f}"),
        minus(f"{fit.scale:.4f}"),
        minus(f"{fit.log_likelihood:.1f}"),
    ]


def _volume_errors_table(results: Results, experiments: Sequence[Experiment]) -> TableBlock:
    """Quartiles and shares: of each experiment on one test set, and of series on several."""
    answers = {"ensemble": "ensemble", "baseline": "training mean"}
    rows: list[list[Cell]] = [
        [
            f"{experiment.label}, {experiment.split}",
            answers[who],
            *(
                minus(percent_interval(getattr(getattr(experiment.part.volume, who), name)))
                for name in VOLUME_SCORES
            ),
        ]
        for experiment in experiments
        for who in answers
    ]
    rows += [
        [
            f"{name}, {len(one.splits)} test sets",
            answers[who],
            *(
                f"{with_half_width(getattr(getattr(one.volume, who), score))}\u202f%"
                for score in VOLUME_SCORES
            ),
        ]
        for name, one in results.series.items()
        if one.volume
        for who in answers
    ]
    return TableBlock(
        ["", "volume", *(VOLUME_COLUMNS[name] for name in VOLUME_SCORES)],
        rows,
        "Relative error of the predicted volume. Half of the structures lie between the "
        "quartiles. Brackets: bootstrap intervals; ±: 95 % interval over the test sets. Training "
        "mean: always predicting the geometric mean of the training volumes, which is all that is "
        "known without a diffraction pattern.",
        numeric=range(2, 2 + len(VOLUME_SCORES)),
        title="Errors of the volume",
    )


def _published_volume_tables() -> list[Block]:
    """Published quartiles."""
    return [
        TableBlock(
            ["model", *(VOLUME_COLUMNS[key] for key in vars(model.volume))],
            [[model.model, *(minus(percent(error)) for error in vars(model.volume).values())]],
            f"Data: {publication.data}; test: {publication.split}. Targets, obtained "
            "on other data.",
            numeric=range(1, 1 + len(vars(model.volume))),
            title=f"Published: {publication.reference}",
        )
        for publication in PUBLISHED
        for model in publication.models
        if model.volume
    ]

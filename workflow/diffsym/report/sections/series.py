"""Section on series: ensemble members against their mean, over disjoint test sets."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from diffsym.evaluation.published import PUBLISHED
from diffsym.evaluation.scores import MACRO_SCORES, Effect, MeanOverSets, Series
from diffsym.evaluation.series import MEANS
from diffsym.report.results import Results
from diffsym.report.sections.blocks import (
    Block,
    Section,
    TableBlock,
    with_half_width,
)
from diffsym.report.typesetting import thousands

SCORE_NAMES = {"precision": "precision", "recall": "recall", "f1": "F₁", "accuracy": "accuracy"}
"""Macro scores as displayed."""
MEAN_NAMES = {"specific_mean": "specific mean", "ensemble_mean": "ensemble mean"}


def held_out_sets(results: Results) -> Section | None:
    """Members against their mean, over the disjoint test sets of each series."""
    series = results.series
    if not series:
        return None
    blocks: list[Block] = []
    unfiltered = {n: one for n, one in series.items() if one.settings.filter is None}
    if unfiltered:
        blocks += [_macro_table(unfiltered), *_published_macro_tables()]
    if len(unfiltered) < len(series):
        blocks.append(_filter_table(series))
    if results.effects:
        blocks.append(_effects_table(results.effects))
    return Section(
        "held-out-sets",
        "Test sets",
        "Several test sets",
        "The same experiment is repeated on disjoint test sets; the spread shows how reliable its "
        "scores are.",
        blocks,
    )


def _macro_table(series: Mapping[str, Series]) -> TableBlock:
    """Macro scores of each series, in the rows of Table 3 of Ozaki et al. 2025."""
    means = MEAN_NAMES | {"baseline": "label frequency"}
    return TableBlock(
        ["macro score / %", "", *series],
        [
            [
                SCORE_NAMES[score],
                means[mean],
                *(with_half_width(_score(one, mean, score)) for one in series.values()),
            ]
            for score in MACRO_SCORES
            for mean in means
        ],
        Markup(
            "Means over the test sets ({}) ± half the width of their 95 % intervals (Student’s t). "
            "Specific mean: of the members’ scores. Ensemble mean: score of the mean probability. "
            "All space groups are weighted equally; one that is never predicted has precision 0. "
            "Label frequency: always predicting the most frequent training class. After Table 3 of "
            "Ozaki et al. (2025)."
        ).format(
            ", ".join(
                f"{name}: {len(one.splits)} sets, {one.settings.members} members"
                for name, one in series.items()
            )
        ),
        numeric=range(2, 2 + len(series)),
        title="Specific and ensemble means",
    )


def _published_macro_tables() -> list[Block]:
    """The same scores from the literature."""
    return [
        TableBlock(
            ["macro score / %", "", *(model.model for model in publication.models)],
            [
                [
                    SCORE_NAMES[score],
                    MEAN_NAMES[mean],
                    *(
                        with_half_width(getattr(getattr(model, mean), score))
                        for model in publication.models
                    ),
                ]
                for score in ("precision", "recall", "f1")
                for mean in MEANS
            ],
            f"Data: {publication.data}; test: {publication.split}. Targets, obtained "
            "on other data.",
            numeric=range(2, 2 + len(publication.models)),
            title=f"Published: {publication.reference}",
        )
        for publication in PUBLISHED
        if publication.models[0].specific_mean
    ]


def _filter_table(series: Mapping[str, Series]) -> TableBlock:
    """Scores when outliers are left out of training."""
    scores = ("precision", "recall", "f1")
    return TableBlock(
        [
            "series",
            "filter",
            "training structures",
            *(
                f"{SCORE_NAMES[score]}, {MEAN_NAMES[mean]} / %"
                for score in scores
                for mean in MEANS
            ),
        ],
        [
            [
                name,
                one.settings.filter or "none",
                _range(one.counts.train),
                *(with_half_width(_score(one, mean, score)) for score in scores for mean in MEANS),
            ]
            for name, one in series.items()
        ],
        "Training without outliers in volume or density. All series are tested on sets without "
        "outliers. After Table 2 of Ozaki et al. (2025) and Table SXI of its supplement.",
        numeric=range(2, 3 + len(scores) * len(MEANS)),
        title="Leaving outliers out of training",
    )


def _score(series: Series, mean: str, score: str) -> MeanOverSets:
    """A macro score of a series, averaged as `mean` says."""
    return getattr(getattr(series, mean), score)


def _range(counts: Sequence[int]) -> str:
    """Smallest and largest count, "31 041" or "30 980 … 31 041"."""
    return " … ".join(thousands(count) for count in sorted({min(counts), max(counts)}))


def _effects_table(differences: Sequence[Effect]) -> TableBlock:
    """Differences due to an ensemble, a second task and a filter."""
    return TableBlock(
        ["effect of", "series", "compared with", *(SCORE_NAMES[score] for score in MACRO_SCORES)],
        [
            [
                entry.effect,
                f"{entry.series}, {MEAN_NAMES[entry.mean]}",
                f"{entry.reference}, {MEAN_NAMES[entry.reference_mean]}",
                *(
                    with_half_width(getattr(entry.differences, score), sign="+")
                    for score in MACRO_SCORES
                ),
            ]
            for entry in differences
        ],
        "Differences of macro scores in percentage points, taken test set by test set, with 95 % "
        "intervals. An interval that includes zero is compatible with no effect.",
        numeric=range(3, 3 + len(MACRO_SCORES)),
        title="Effects",
    )

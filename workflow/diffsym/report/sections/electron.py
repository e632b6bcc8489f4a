"""Section on experiments with electron-diffraction patterns, after Tiong et al. 2020."""

from collections.abc import Sequence

from markupsafe import Markup

from diffsym.evaluation.published import TIONG_2020
from diffsym.evaluation.scores import PublishedGain
from diffsym.report import figures
from diffsym.report.electron import (
    Gain,
    electron_experiments,
    gains,
    number_of_classes,
)
from diffsym.report.results import Experiment, Results
from diffsym.report.sections.blocks import (
    Block,
    Cell,
    FigureBlock,
    Section,
    TableBlock,
    percent_interval,
    points_interval,
)

PLOT_WIDTH = 720
"""Pixels needed by two panels, and by legends with two entries per row."""
MATRICES_WIDTH = 1150
"""Pixels needed by the titles of three matrices side by side."""


def electron(results: Results) -> Section | None:
    """Accuracy by number of groups, space group and crystal system, and the gain from shaping."""
    experiments = electron_experiments(results)
    if not experiments:
        return None
    patterns = {
        name: descriptor.settings.pattern
        for name, descriptor in results.descriptors.items()
        if descriptor.kind == "electron"
    }
    found = gains(experiments, patterns)
    return Section(
        "electron",
        "Shaped patterns",
        "Space groups from electron-diffraction patterns",
        Markup(
            "The more space groups there are, the lower the accuracy. Do lines between spots "
            "help, and does MSDN? Patterns: {}."
        ).format(
            Markup(", ").join(
                Markup("<code>{}</code> is a {} pattern").format(name, pattern)
                for name, pattern in patterns.items()
            )
        ),
        [
            _classes_block(experiments),
            *_decomposition_blocks(experiments),
            *(_gain_blocks(found) if found else []),
        ],
    )


def _classes_block(experiments: Sequence[Experiment]) -> FigureBlock:
    """Accuracy against the number of groups."""
    published = [model for model in TIONG_2020.models if model.top_1 is not None]
    return FigureBlock(
        "electron-classes",
        figures.electron.accuracy_by_classes(experiments, published),
        f"Top-1 accuracy against the number of space groups; after Fig. 3(a) of Tiong et al. "
        f"(2020). Bars: bootstrap intervals. Dotted: always predicting the most frequent training "
        f"class. Stars: their MSDN on shaped patterns of other data ({TIONG_2020.data}), a "
        f"target where this study has as many groups.",
        min_width=PLOT_WIDTH,
    )


def _decomposition_blocks(experiments: Sequence[Experiment]) -> list[Block]:
    """Top-k accuracy, accuracy by space group and crystal system, and wrong predictions."""
    largest = max(map(number_of_classes, experiments))
    return [
        FigureBlock(
            "electron-top-k",
            figures.electron.top_k_by_classes(experiments),
            "Top-k accuracy for each number of space groups; after Fig. 3(b) to (e) of Tiong et "
            "al. (2020). Bars: bootstrap intervals.",
            min_width=PLOT_WIDTH,
        ),
        FigureBlock(
            "electron-recall",
            figures.electron.recall_by_class_set(experiments),
            "Share of each group’s test structures with a correct top-1 prediction. The "
            "background colour marks the crystal system. Recalls of rare groups are based on few "
            "structures: hover for the number. After Fig. 4(a) and (b) of Tiong et al. (2020).",
            min_width=figures.electron.CLASS_WIDTH * largest + 120,
        ),
        FigureBlock(
            "electron-systems",
            figures.electron.accuracy_by_system(experiments),
            "Top-1 accuracy on the test structures of each crystal system; after Fig. 4(c) and (d) "
            "of Tiong et al. (2020).",
            min_width=PLOT_WIDTH,
        ),
        FigureBlock(
            "electron-wrong-answers",
            figures.confusion.wrong_answers_by_system(experiments),
            "Where wrong predictions go, in percent of the test structures of the true system: on "
            "the diagonal another group of the same system, elsewhere a group of another system. "
            "After Fig. 4(e) and (f) of Tiong et al. (2020).",
            min_width=MATRICES_WIDTH,
        ),
    ]


def _gain_blocks(found: Sequence[Gain]) -> list[Block]:
    """Gains from shaping and MSDN, as a figure and a table."""
    published, theirs = next((model, model.gain) for model in TIONG_2020.models if model.gain)
    return [
        FigureBlock(
            "electron-gain",
            figures.electron.gain_bars(found),
            "Gain over the best network on spot patterns, chosen by validation accuracy: from "
            "shaping the patterns (MSVGG on shaped patterns minus that network), from MSDN (MSDN "
            "minus MSVGG, both on shaped patterns), and from both. Bars: bootstrap intervals of "
            "the differences on the same test structures; an interval that includes zero is "
            "compatible with no effect.",
            min_width=PLOT_WIDTH,
        ),
        TableBlock(
            [
                "split",
                "space groups",
                "spot patterns, best network",
                "A₁",
                "shaped, MSVGG: A₁",
                "shaped, MSDN: A₁",
                *(f"{name} / %p" for name in figures.electron.GAIN_NAMES.values()),
            ],
            [_gain_row(gain) for gain in found],
            "Test accuracies, and their differences in percentage points (%p). On other data "
            f"({TIONG_2020.data}) Tiong et al. (2020) report {_in_percentage_points(theirs)} "
            f"percentage points for {published.n_classes} groups.",
            numeric=[1, 3, 4, 5, 6, 7, 8],
            title="Gain over spot patterns",
        ),
    ]


def _gain_row(gain: Gain) -> list[Cell]:
    """Accuracies and differences on one split and class set."""
    return [
        gain.spot.split,
        str(number_of_classes(gain.spot)),
        gain.spot.label,
        *(percent_interval(e.part.accuracy[0]) for e in (gain.spot, gain.shaped, gain.msdn)),
        *(points_interval(entry) for entry in gain.differences.values()),
    ]


def _in_percentage_points(gain: PublishedGain) -> str:
    """A published gain in words: "17 = 10 (shaping) + 7 (MSDN)"."""
    total, shaping, msdn = (f"{100 * share:.0f}" for share in (gain.total, gain.shaping, gain.msdn))
    return f"{total} = {shaping} (shaping) + {msdn} (MSDN)"

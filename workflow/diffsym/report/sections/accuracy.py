"""Sections on accuracy: top-k accuracy, and recall of each space group."""

from markupsafe import Markup

from diffsym.report import figures
from diffsym.report.results import Results
from diffsym.report.sections.blocks import FigureBlock, Section
from diffsym.report.typesetting import thousands
from diffsym.report.views import by_task


def top_k(results: Results) -> Section:
    """Top-k accuracy."""
    settings = results.experiments[0].scores.settings
    width = figures.style.least_width(results.experiments)
    return Section(
        "top-k",
        "Accuracy",
        "How many guesses it takes",
        Markup(
            "<i>A<sub>k</sub></i>, the top-<i>k</i> accuracy, is the share of test structures "
            "whose space group is among the <i>k</i> most probable."
        ),
        [
            FigureBlock(
                "top-k-accuracy",
                figures.accuracy.top_k_accuracy(results.experiments),
                Markup(
                    "Test accuracy of each ensemble (probabilities averaged over its members) and, "
                    "below, the gain from each further prediction; after Fig. 2 of Liu et al. "
                    "(2019). Bars: {:.0f} % bootstrap intervals from {} resamples of the split's "
                    "groups (entries, formulae or structure types). They cover the choice of test "
                    "structures, not of training structures. Dotted: always predicting the most "
                    "frequent training classes."
                ).format(100 * settings.confidence, thousands(settings.resamples)),
                min_width=width,
            ),
            FigureBlock(
                "top-n-accuracy",
                figures.accuracy.top_n_accuracy(results.experiments),
                "The same for up to ten predictions, after Fig. 5(a) of Vecsei et al. (2019).",
                min_width=width,
            ),
            FigureBlock(
                "crystal-system-accuracy",
                figures.accuracy.crystal_system_accuracy(results.experiments),
                "Space-group accuracy within each crystal system. Hover for the accuracy of the "
                "crystal system itself, from the summed probabilities of its groups.",
                min_width=width,
            ),
        ],
    )


def recall(results: Results) -> Section:
    """Recall of each space group."""
    return Section(
        "recall",
        "Recall",
        "Which space groups are recognised",
        "Recall is the share of a group's test structures whose top-1 prediction is correct.",
        [
            FigureBlock(
                f"recall-{task.words('-')}",
                figures.accuracy.recall_by_space_group(experiments),
                Markup(
                    "Split <code>{}</code>: recall against space-group number. Marker area: the "
                    "group's frequency in training; colour: crystal system. After Fig. 3 of Liu "
                    "et al. (2019). Recalls of rare groups are based on few test structures: hover "
                    "for the number."
                ).format(task.words()),
            )
            for task, experiments in by_task(results.experiments).items()
        ],
    )

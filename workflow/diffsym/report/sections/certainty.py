"""Sections on probabilities: calibration, and the gain from rejecting predictions."""

from diffsym.report import figures
from diffsym.report.results import Results
from diffsym.report.sections.blocks import (
    FigureBlock,
    Section,
    TableBlock,
    percent,
    percent_interval,
)


def calibration(results: Results) -> Section:
    """Calibration of the probabilities."""
    return Section(
        "calibration",
        "Calibration",
        "Can the probabilities be trusted?",
        "A calibrated model that says 70 % is right seven times out of ten.",
        [
            FigureBlock(
                "reliability",
                figures.certainty.reliability(results.experiments),
                "Top: top-1 accuracy against the predicted probability, in bins of equal width. "
                "Below the dotted line a model is overconfident. Bottom: how often each "
                "confidence occurs.",
                min_width=figures.style.least_width(results.experiments),
            ),
            TableBlock(
                ["split", "model", "expected calibration error", "log loss / nat", "A₁"],
                [
                    [
                        experiment.split,
                        experiment.label,
                        percent(experiment.part.calibration.expected_calibration_error),
                        f"{experiment.part.log_loss:.2f}",
                        percent_interval(experiment.part.accuracy[0]),
                    ]
                    for experiment in results.experiments
                ],
                "Test set. The expected calibration error is the mean distance between accuracy "
                "and confidence over the bins, weighted by their counts.",
                numeric=[2, 3, 4],
            ),
        ],
    )


def certainty(results: Results) -> Section:
    """Accuracy gained by leaving uncertain structures unclassified."""
    return Section(
        "certainty",
        "Certainty",
        "Leaving uncertain structures out",
        "The certainty of a prediction is its probability. A model that may reject predictions "
        "below a threshold is more accurate, on fewer structures.",
        [
            FigureBlock(
                "certainty-histograms",
                figures.certainty.certainty_histograms(results.experiments),
                "Certainty of correct and wrong top-1 predictions, stacked; after Fig. 5(b) "
                "and (c) of Vecsei et al. (2019).",
                min_width=figures.style.PANELS_WIDTH,
            ),
            FigureBlock(
                "certainty-thresholds",
                figures.certainty.certainty_thresholds(results.experiments),
                "Structures below the threshold stay unclassified. Marked: the threshold that "
                "leaves half of them unclassified, and the accuracy on the other half with its "
                "bootstrap interval; after Fig. 5(d) and (e) of Vecsei et al. (2019).",
                min_width=figures.style.PANELS_WIDTH,
            ),
            TableBlock(
                [
                    "split",
                    "model",
                    "A₁ of all",
                    "threshold",
                    "A₁ of the most certain half",
                    "label frequency, same half",
                ],
                [
                    [
                        experiment.split,
                        experiment.label,
                        percent_interval(experiment.part.accuracy[0]),
                        f"{half.threshold:.2f}",
                        percent_interval(half.accuracy),
                        percent_interval(half.baseline),
                    ]
                    for experiment in results.experiments
                    for half in [experiment.part.certainty.half_unclassified]
                ],
                "Test set. Structures exactly at the threshold count in part, so that exactly one "
                "half is classified. Last column: always predicting the most frequent "
                "training class for the structures of that half.",
                numeric=[2, 3, 4, 5],
            ),
        ],
    )

"""Section on networks: the cost of a prediction, and the accuracy."""

from diffsym.report.records import History
from diffsym.report.results import Experiment, Results
from diffsym.report.sections.blocks import (
    Cell,
    Section,
    TableBlock,
    percent_interval,
)
from diffsym.report.typesetting import thousands


def networks(results: Results) -> Section | None:
    """Parameters and operations of the networks that recorded them in training."""
    counted = [e for e in results.experiments if e.histories and e.histories[0].flops]
    if not counted:
        return None
    return Section(
        "networks",
        "Networks",
        "What networks cost",
        "Parameters take memory, operations take time. Neither says how well a network learns.",
        [
            TableBlock(
                [
                    "model",
                    "split",
                    "space groups",
                    "parameters",
                    "GFLOPs",
                    "members",
                    "training, s",
                    "share of the processor's speed, %",
                    "test A₁",
                ],
                [_row(experiment) for experiment in counted],
                "Parameters: trainable ones of one member; shared ones count once. GFLOPs: 10⁹ "
                "operations for one prediction by one member, two per multiply-add of convolutions "
                "and fully connected layers. Training: processor time of all epochs of the first "
                "member, validation included; its speed, three times the operations of a "
                "prediction for each structure trained on, as a share of that of large matrix "
                "products in single precision in the same process. Training in bfloat16 may pass "
                "100 %. Accuracy: ensemble, with bootstrap interval.",
                numeric=range(2, 9),
            )
        ],
    )


def _row(experiment: Experiment) -> list[Cell]:
    """One network."""
    history = experiment.histories[0]
    return [
        experiment.label,
        experiment.split,
        str(len(experiment.scores.classes)),
        thousands(history.parameters or 0),
        f"{(history.flops or 0) / 1e9:.3g}",
        str(experiment.settings.members),
        f"{sum(history.processor_seconds):.0f}" if history.processor_seconds else "–",
        _share(history),
        percent_interval(experiment.part.accuracy[0]),
    ]


def _share(history: History) -> str:
    """Speed of a training as a share of that of matrix products, in percent."""
    if history.training_rate is None or not history.matmul_rate:
        return "–"
    return f"{100 * history.training_rate / history.matmul_rate:.0f}"

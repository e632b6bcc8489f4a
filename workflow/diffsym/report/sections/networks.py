"""Section on networks: the cost of a prediction, and the accuracy."""

from diffsym.report.inputs import Experiment, Study
from diffsym.report.sections.blocks import (
    Cell,
    Section,
    TableBlock,
    percent_interval,
    thousands,
)


def networks(study: Study) -> Section | None:
    """Parameters and operations of the networks that recorded them in training."""
    counted = [e for e in study.experiments if e.histories and "flops" in e.histories[0]]
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
                    "test A₁",
                ],
                [_row(experiment) for experiment in counted],
                "Parameters: trainable ones of one member; shared ones count once. GFLOPs: 10⁹ "
                "operations for one prediction by one member, two per multiply-add of convolutions "
                "and fully connected layers. Accuracy: ensemble, with bootstrap interval.",
                numeric=range(2, 7),
            )
        ],
    )


def _row(experiment: Experiment) -> list[Cell]:
    """One network."""
    history = experiment.histories[0]
    return [
        experiment.label,
        experiment.split,
        str(len(experiment.metrics["classes"])),
        thousands(history["parameters"]),
        f"{history['flops'] / 1e9:.3g}",
        str(experiment.inputs.members),
        percent_interval(experiment.test["accuracy"][0]),
    ]

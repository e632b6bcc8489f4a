"""Section on networks: what a prediction costs, beside how often it is right."""

from diffsym.report.inputs import Experiment, Study
from diffsym.report.sections.blocks import (
    Cell,
    Section,
    TableBlock,
    percent_interval,
    thousands,
)


def networks(study: Study) -> Section | None:
    """Parameters and operations of the networks whose trainings counted them."""
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
                "Parameters: those of one member that training changes; shared ones count once. "
                "GFLOPs: thousand million operations of one prediction of one member, two for each "
                "multiply-add of convolutions and fully connected layers. Accuracy: of the "
                "ensemble, with its bootstrap interval.",
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

"""What the study trains, in which order, and how its time is shared out.

The settings of every experiment come from `config/gpu_study.yaml`; they travel to the machine with
the GPU as one JSON file, so that nothing there has to read a configuration.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diffsym.files import read_json, write_json
from diffsym.settings import as_plain, settings_of
from diffsym.settings.descriptors.base import Descriptor
from diffsym.settings.models.base import Model
from diffsym.settings.training import Training

# Sections of the configuration that an experiment holds.
SECTIONS = ("descriptor", "model", "training")

# Seconds that a network needs after its training, for predictions and files; but no more than this
# part of its time.
OVERHEAD = 12.0
OVERHEAD_PART = 0.3
# Seconds that are kept for ensembles at the end, and that a network gets at least: with less, what
# is compiled would hardly be used. Of a shorter study, these parts of it.
ENSEMBLE, ENSEMBLE_PART = 15.0, 0.1
SHORTEST, SHORTEST_PART = 20.0, 0.05


@dataclass(frozen=True)
class Experiment:
    """What a network is trained on and how.

    Attributes
    ----------
    descriptor, model, training
        The named sections.
    split
        Name of the split, as in the luggage's table of labels.
    classes
        Space-group numbers, rising.
    seed
        Of member 0; member m has seed + m.
    """

    descriptor: Descriptor
    split: str
    classes: tuple[int, ...]
    model: Model
    training: Training
    seed: int


@dataclass(frozen=True)
class Network:
    """A member of an experiment's ensemble, and its share of the time.

    Attributes
    ----------
    experiment
        Name of the experiment.
    member
        Number of the member.
    share
        Of the time, in units of the sum over all networks that are still to be trained.
    """

    experiment: str
    member: int
    share: float

    @property
    def name(self) -> str:
        """Name of its folder and of its rows in the results."""
        return f"{self.experiment}-{self.member}"


@dataclass(frozen=True)
class Attempt:
    """How a network is trained, where that differs from its section.

    Attributes
    ----------
    backend
        Of Keras; None: the fastest.
    precision
        None: that of the training's section.
    """

    backend: str | None = None
    precision: str | None = None


# Experiments whose networks are timed with every backend; the others take the faster one.
COMPARED = ("gpu_liu2019", "gpu_park2017")
# In the order in which they are trained.
NETWORKS = (
    Network("gpu_liu2019", 0, 16),
    Network("gpu_park2017", 0, 19),
    Network("gpu_spgvolnet_1", 0, 11),
    Network("gpu_liu2019_prototype", 0, 9),
    Network("gpu_park2017_prototype", 0, 11),
    Network("gpu_spgvolnet_prototype", 0, 8),
    Network("gpu_msdn", 0, 18),
    Network("gpu_liu2019", 1, 6),
    Network("gpu_liu2019", 2, 6),
)


def seconds_for(network: Network, waiting: Sequence[Network], seconds_left: float) -> float:
    """Seconds that a network may take, its overhead included.

    Time that earlier networks have not used, or have used too much, is shared by all that wait.

    Parameters
    ----------
    network
        One of `waiting`.
    waiting
        All networks that are still to be trained.
    seconds_left
        Of the whole study.
    """
    return seconds_left * network.share / sum(other.share for other in waiting)


def training_seconds(seconds: float, loaded: float) -> float:
    """Seconds that are left to train a network after its data were loaded.

    Parameters
    ----------
    seconds
        That the network may take.
    loaded
        That have gone by.
    """
    return max(seconds - loaded - min(OVERHEAD, OVERHEAD_PART * seconds), 1.0)


def ensemble_seconds(study_seconds: float) -> float:
    """Seconds of a study that are kept for averaging networks."""
    return min(ENSEMBLE, ENSEMBLE_PART * study_seconds)


def shortest_seconds(study_seconds: float) -> float:
    """Seconds below which a study begins no further network."""
    return min(SHORTEST, SHORTEST_PART * study_seconds)


def next_network(waiting: Sequence[Network], ready: Mapping[str, bool]) -> Network | None:
    """Return the first network whose descriptors are ready; None: wait for them.

    Parameters
    ----------
    waiting
        Networks in their order.
    ready
        Name of each experiment -> whether its descriptors are.
    """
    return next((network for network in waiting if ready[network.experiment]), None)


def next_attempt(answer: Mapping[str, Any], backend: str, usable: Sequence[str]) -> Attempt:
    """How a network is trained after a failure.

    Parameters
    ----------
    answer
        Of the process that failed: `error`, and `late` if it was ended because its time was over.
    backend
        That was used.
    usable
        Backends whose rate is known.
    """
    if answer.get("late"):
        return Attempt(backend)  # from its checkpoint
    if "finite" in answer["error"]:
        return Attempt(backend, "float32")
    others = [name for name in usable if name != backend]
    return Attempt(others[0]) if others else Attempt(backend, "float32")


def rate_key(experiment: Experiment) -> str:
    """What the speed of a network depends on; experiments that share it are measured once."""
    parts = [experiment.model, experiment.training, experiment.descriptor]
    return json.dumps([as_plain(part) for part in parts], sort_keys=True)


def feature_kind(experiment: Experiment) -> str:
    """Which features of `diffsym.gpu_study.features` an experiment is fed with."""
    return str(experiment.descriptor.kind)


def plain_experiment(experiment: Experiment) -> dict[str, Any]:
    """An experiment as what JSON knows."""
    return {
        **vars(experiment),
        "classes": list(experiment.classes),
        **{part: as_plain(getattr(experiment, part)) for part in SECTIONS},
    }


def write_plan(
    path: str | Path, experiments: Mapping[str, Experiment], provenance: Mapping[str, Any]
) -> None:
    """Write the settings of all experiments, and what they were made from, as JSON."""
    sections = {name: plain_experiment(experiment) for name, experiment in experiments.items()}
    write_json(path, {"experiments": sections, "provenance": dict(provenance)})


def read_plan(path: str | Path) -> tuple[dict[str, Experiment], dict[str, Any]]:
    """Read what `write_plan` wrote: experiments by name, and provenance."""
    content = read_json(path)
    experiments = {
        name: Experiment(
            **{
                **section,
                "classes": tuple(section["classes"]),
                **{part: settings_of(section[part]) for part in SECTIONS},
            }
        )
        for name, section in content["experiments"].items()
    }
    return experiments, content["provenance"]

"""A process that keeps one of Keras' backends on the GPU and trains one network after the other.

It reads tasks, a JSON object a line, from its standard input, and answers each with one line on its
standard output; everything else that is printed goes to the standard error stream. A process for
all networks of a backend spares the time of starting one and of sending the same descriptors to the
device again.
"""

import argparse
import json
import logging
import os
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from diffsym.datasets.on_device import DevicePartition, DevicePatterns, to_device
from diffsym.descriptors import powder
from diffsym.descriptors.powder_noise import pattern_keys
from diffsym.errors import DiffsymError
from diffsym.files import read_json, write_json
from diffsym.gpu_study.features import (
    ABSENT,
    PRESENT,
    imaged_rows,
    open_features,
    powder_margin,
    shape_of,
)
from diffsym.gpu_study.lean import read_lean
from diffsym.gpu_study.luggage import LABELS, NO_ROLE, PLAN, STRUCTURES, read_labels
from diffsym.gpu_study.plan import (
    Experiment,
    Network,
    feature_kind,
    read_plan,
    training_seconds,
)
from diffsym.gpu_study.processes import end_with_parent
from diffsym.gpu_study.scores import scores_of
from diffsym.gpu_study.weights import build, load_half, save_half
from diffsym.keras_backend import configure, keras, resolve_precision, used_device
from diffsym.models.complexity import complexity
from diffsym.models.networks import (
    IMAGE_PREDICTION_BATCH,
    PREDICTION_BATCH,
    predict,
    predicts_volumes,
)
from diffsym.models.predictions import Answers
from diffsym.models.training import Run, compiled, make_optimizer, train_member
from diffsym.settings import as_plain
from diffsym.tables import ROLES

log = logging.getLogger(__name__)

# Epochs that a network on images gets at least; the number of images follows.
IMAGE_EPOCHS = 12
# How long steps on one batch are timed, and how often a checkpoint is written, seconds.
TIMED = 1.5
CHECKPOINT_SECONDS = 10.0


class SameBatch(keras.utils.PyDataset):
    """The same batch again and again: steps that never wait for their input."""

    def __init__(self, batch: tuple[Any, Any, Any], steps: int) -> None:
        super().__init__()
        self.batch = batch
        self.steps = steps

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, index: int) -> tuple[Any, Any, Any]:
        return self.batch


class Stopwatch(keras.callbacks.Callback):
    """Seconds of the training steps of each epoch, without validation and checkpoint."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []
        self.started = 0.0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Start."""
        self.started = time.perf_counter()

    def on_test_begin(self, logs: Any = None) -> None:  # noqa: ARG002
        """Stop when the device has finished the steps that it was given."""
        keras.ops.convert_to_numpy(self.model.trainable_variables[-1].value)
        self.seconds.append(time.perf_counter() - self.started)


@dataclass
class Study:
    """Luggage, features and results, and what of them is on the device."""

    luggage: Path
    results: Path
    on_device: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def plan(self) -> tuple[dict[str, Experiment], dict[str, Any]]:
        """Experiments by name, and provenance."""
        return read_plan(self.luggage / PLAN)

    @cached_property
    def labels(self) -> pa.Table:
        """What networks learn, and which structures train."""
        return read_labels(self.luggage / LABELS)

    @cached_property
    def structure_ids(self) -> pa.ChunkedArray:
        """Identifiers of all structures."""
        return read_lean(self.luggage / STRUCTURES)["structure_id"]

    @property
    def features(self) -> Path:
        """Folder of the descriptors."""
        return self.results / "features"

    def experiment(self, name: str) -> Experiment:
        """Settings of an experiment."""
        return self.plan[0][name]


def sent(study: Study, kind: str, n: int) -> Any:
    """Return the first n features of a kind as they are on the device, where they stay."""
    kept = study.on_device.get(kind)
    if kept is None or kept.shape[0] < n:
        study.on_device.pop(kind, None)
        features, _ = open_features(study.features, kind)
        kept = study.on_device[kind] = to_device(features[:n])
    return kept


def places_of(study: Study, experiment: Experiment) -> NDArray[np.int64]:
    """Row in the features of each structure of the labels, -1 where it has no descriptor."""
    kind = feature_kind(experiment)
    _, state = open_features(study.features, kind)
    n = len(state)
    places = np.full(study.labels.num_rows, -1, np.int64)
    if kind == "electron":
        # Only those that come before the first one that is missing: a random part of all.
        missing = np.flatnonzero(state == ABSENT)
        n = int(missing[0]) if len(missing) else n
        rows = imaged_rows(study.labels["space_group"].to_numpy(), experiment, len(state))[:n]
    else:
        rows = np.arange(n)
    present = np.asarray(state[:n]) == PRESENT
    places[rows[present]] = np.flatnonzero(present)
    return places


class Parts(NamedTuple):
    """Parts of a split by role, and the rows of their structures in the labels."""

    parts: dict[str, DevicePartition]
    rows: dict[str, NDArray[np.int64]]


def partitions_of(
    study: Study, experiment: Experiment, *, seed: int, most_training: int | None = None
) -> Parts:
    """Parts of an experiment's split, with their descriptors on the device.

    Parameters
    ----------
    study, experiment
        What to open.
    seed
        Of the noise of rendered training patterns.
    most_training
        Images are taken in their random order up to this number of training structures, and all
        parts end there; None: all that are computed.
    """
    places = places_of(study, experiment)
    if most_training is not None:
        places = _cut(study, experiment, places, most_training)
    kind = feature_kind(experiment)
    features = sent(study, kind, int(places.max()) + 1)
    space_groups = study.labels["space_group"].to_numpy()
    roles = study.labels[f"role:{experiment.split}"].to_numpy()
    usable = (places >= 0) & np.isin(space_groups, experiment.classes) & (roles != NO_ROLE)
    identifiers = study.structure_ids.combine_chunks()
    source = json.dumps(
        [study.plan[1].get("structures_sha256"), as_plain(experiment.descriptor)], sort_keys=True
    )
    opened = Parts({}, {})
    for number, role in enumerate(ROLES):
        rows = opened.rows[role] = np.flatnonzero(usable & (roles == number))
        if role == "train" and not len(rows):
            raise DiffsymError(f"{experiment.split}: no training structure has a descriptor")
        ids = identifiers.take(pa.array(rows))
        common: dict[str, Any] = {
            "features": features,
            "rows": places[rows],
            "source": source,
            "labels": np.searchsorted(experiment.classes, space_groups[rows]).astype(np.int32),
            "folds": np.zeros(len(rows), np.int8),
            "structure_ids": ids,
            "classes": experiment.classes,
        }
        if experiment.model.has_volume:
            common["ln_volumes"] = study.labels["ln_volume"].to_numpy()[rows]
        if kind == "powder":
            role_seed = seed if role == "train" else 0
            settings: Any = experiment.descriptor
            opened.parts[role] = DevicePatterns(
                two_theta=powder.axis(settings),
                margin=powder_margin(settings),
                augmentation=settings.augmentation,
                keys=pattern_keys(ids.to_pylist(), seed=role_seed, epoch=0),
                seed=role_seed,
                **common,
            )
        else:
            opened.parts[role] = DevicePartition(**common)
    return opened


def _cut(
    study: Study, experiment: Experiment, places: NDArray[np.int64], most_training: int
) -> NDArray[np.int64]:
    """Forget the features behind those of the first so many training structures."""
    trains = study.labels[f"role:{experiment.split}"].to_numpy() == ROLES.index("train")
    of_training = np.sort(places[trains & (places >= 0)])
    if len(of_training) <= most_training:
        return places
    return np.where(places < of_training[most_training], places, -1)


def recipe_for(study: Study, experiment: Experiment, seed: int) -> dict[str, Any]:
    """What the network of an experiment is built from, see `diffsym.gpu_study.weights.build`."""
    recipe: dict[str, Any] = {
        "model": as_plain(experiment.model),
        "size": _input_size(experiment),
        "classes": list(experiment.classes),
        "seed": seed,
    }
    if experiment.model.has_volume:
        trains = study.labels[f"role:{experiment.split}"].to_numpy() == ROLES.index("train")
        inside = np.isin(study.labels["space_group"].to_numpy(), experiment.classes)
        volumes = study.labels["ln_volume"].to_numpy()[trains & inside].astype(float)
        recipe["ln_volume"] = [float(volumes.mean()), float(volumes.std())]
    return recipe


def _input_size(experiment: Experiment) -> int | list[int]:
    """Values of a descriptor as the network takes it; of an image height, width and channels."""
    kind = feature_kind(experiment)
    settings: Any = experiment.descriptor
    if kind == "powder":  # rendered, without the margins of its features
        return len(powder.axis(settings))
    (_, *size), _ = shape_of(kind, settings, 0)
    return size if kind == "electron" else size[0]


class Trial(NamedTuple):
    """A network on random numbers of the right shape, so that no descriptor need be there."""

    model: keras.Model
    views: list[keras.Model]
    batch: tuple[Any, Any, Any]
    predicted: tuple[Any, Any, Any]


def trial_of(study: Study, experiment: Experiment) -> Trial:
    """Build the network of an experiment as `train` does, and batches to train on and predict."""
    keras.config.set_dtype_policy(resolve_precision(experiment.training.precision))
    recipe = recipe_for(study, experiment, experiment.seed)
    model = build(recipe)
    settings = experiment.training
    optimizer = make_optimizer(model, settings)
    views = [compiled(model, optimizer, loss, settings) for loss in settings.losses]
    volumes = predicts_volumes(model)
    images = isinstance(recipe["size"], list)
    return Trial(
        model,
        views,
        _random_batch(recipe, int(experiment.training.batch_size), volumes),
        _random_batch(recipe, IMAGE_PREDICTION_BATCH if images else PREDICTION_BATCH, volumes),
    )


def compile_ahead(study: Study, *, experiment: str) -> dict[str, Any]:
    """Compile all that training and testing the network of an experiment will need.

    The compiled code goes to the folder that processes of this backend share, so another process
    can do this while a network trains.
    """
    began = time.perf_counter()
    trial = trial_of(study, study.experiment(experiment))
    for view in trial.views:
        view.fit(
            SameBatch(trial.batch, 1),
            validation_data=SameBatch(trial.predicted, 1),
            verbose=0,
            shuffle=False,
        )
    trial.model.predict(SameBatch(trial.predicted, 1), verbose=0)
    return {"compile_seconds": time.perf_counter() - began}


def measure_rate(study: Study, *, experiment: str) -> dict[str, Any]:
    """Structures a second that a network trains on when it never waits for its input."""
    began = time.perf_counter()
    trial = trial_of(study, study.experiment(experiment))
    batch_size = len(trial.batch[0])
    view = trial.views[0]
    view.fit(SameBatch(trial.batch, 2), verbose=0, shuffle=False)
    compile_seconds = time.perf_counter() - began
    steps = 4
    while True:
        started = time.perf_counter()
        view.fit(SameBatch(trial.batch, steps), verbose=0, shuffle=False)
        spent = time.perf_counter() - started
        if spent >= TIMED / 2:
            break
        steps = min(steps * 8, max(steps + 1, round(steps * TIMED / spent)))
    return {
        "rate": steps * batch_size / spent,
        "compile_seconds": compile_seconds,
        "device": used_device(),
        "backend": keras.backend.backend(),
    }


def _random_batch(recipe: dict[str, Any], n: int, volumes: bool) -> tuple[Any, Any, Any]:
    """Descriptors on the device, labels and weights of n structures that do not exist."""
    generator = np.random.default_rng(0)
    size = recipe["size"]
    inputs = (
        generator.integers(0, 256, (n, *size), np.uint8)
        if isinstance(size, list)
        else generator.random((n, size), np.float32)
    )
    labels: Any = generator.integers(0, len(recipe["classes"]), n).astype(np.int32)
    weights: Any = np.ones(n, np.float32)
    if volumes:
        labels = {"class": labels, "ln_volume": generator.random(n, np.float32) + 5}
        weights = {"class": weights, "ln_volume": weights}
    return to_device(inputs), labels, weights


def train(
    study: Study,
    *,
    experiment: str,
    member: int,
    seconds: float,
    rate: float,
    precision: str | None = None,
) -> dict[str, Any]:
    """Train a network for its share of the time, and write what came out.

    Parameters
    ----------
    study
        What to train on, and where to write.
    experiment, member
        Which network.
    seconds
        That this may take, from now on.
    rate
        Structures a second without waiting for input, see `measure_rate`.
    precision
        Instead of that of the training's section.

    Returns
    -------
    dict
        What `result.json` holds: numbers of the training and scores of the stored weights.
    """
    began = time.perf_counter()
    of = study.experiment(experiment)
    precision = precision or str(of.training.precision)
    keras.config.set_dtype_policy(precision)
    folder = study.results / "networks" / Network(experiment, member, 0).name
    seed = of.seed + member
    attempt = attempt_at(folder, precision, images_for(rate, seconds))
    parts, rows = partitions_of(
        study,
        of,
        seed=seed,
        most_training=attempt["images"] if feature_kind(of) == "electron" else None,
    )
    recipe = recipe_for(study, of, seed)
    model = build(recipe)
    watch = Stopwatch()
    loaded = time.perf_counter() - began
    log.info("%s: %.1f s until data were on the device", folder.name, loaded)
    history = train_member(
        model,
        parts["train"],
        parts["validation"],
        of.training,
        seed=seed,
        run=Run(
            checkpoint=folder / "checkpoint.npz",
            seconds=training_seconds(seconds, loaded),
            checkpoint_seconds=CHECKPOINT_SECONDS,
            callbacks=[watch],
        ),
    )
    trained = time.perf_counter() - began - loaded
    save_half(model, recipe, folder / "weights.h5")
    write_json(folder / "history.json", history)
    stored, _ = load_half(folder / "weights.h5")
    counts = np.bincount(parts["train"].labels, minlength=len(of.classes))
    # The first epoch also compiles, so its speed tells nothing.
    fed = len(parts["train"]) / float(np.median(watch.seconds[1:])) if watch.seconds[1:] else None
    result = {
        "experiment": experiment,
        "member": member,
        "model": of.model.kind,
        "split": of.split,
        "n_classes": len(of.classes),
        "backend": keras.backend.backend(),
        "device": used_device(),
        "precision": precision,
        "batch_size": of.training.batch_size,
        "structures": {role: len(part) for role, part in parts.items()},
        "epochs": len(history["loss"]),
        "kept_epoch": history["kept_epoch"],
        "validation_accuracy": max(history["val_accuracy"], default=None),
        "validation_accuracy_of_stored_weights": _accuracy(stored, parts["validation"]),
        "seconds": {"load": loaded, "train": trained},
        "structures_per_second": fed,
        "structures_per_second_without_input": rate,
        "input_share": (
            None if fed is None or precision != of.training.precision else max(0.0, 1 - fed / rate)
        ),
        "weights_bytes": (folder / "weights.h5").stat().st_size,
        **complexity(model)._asdict(),
        "test": _test_scores(
            study, of, parts["test"], rows["test"], checked(predict(stored, parts["test"])), counts
        ),
    }
    result["seconds"]["evaluate"] = time.perf_counter() - began - loaded - trained
    write_json(folder / "result.json", result)
    (folder / "checkpoint.npz").unlink(missing_ok=True)
    return result


def _accuracy(model: keras.Model, part: DevicePartition) -> float | None:
    """Share of right first answers; None without structures."""
    if not len(part):
        return None
    return float((predict(model, part).probabilities.argmax(axis=1) == part.labels).mean())


def images_for(rate: float, seconds: float) -> int:
    """Structures whose images a network can train on for `IMAGE_EPOCHS` epochs in its time.

    A fifth of the time goes into validation, and some into loading and compiling.
    """
    return max(1, int(0.8 * rate * training_seconds(seconds, 0.2 * seconds) / IMAGE_EPOCHS))


def attempt_at(folder: Path, precision: str, images: int) -> dict[str, Any]:
    """How a network is trained; as in an earlier call that was cut off, so that it can go on."""
    now = {"backend": keras.backend.backend(), "precision": precision, "images": images}
    path = folder / "attempt.json"
    before = read_json(path) if path.exists() else now
    if any(before[key] != now[key] for key in ("backend", "precision")):
        before = now
    write_json(path, before)
    return before


def checked(answers: Answers) -> Answers:
    """Answers of a network; DiffsymError if one of them is not a number."""
    if not np.isfinite(answers.probabilities).all():
        raise DiffsymError("the network's answers are not finite numbers")
    return answers


def _test_scores(
    study: Study,
    experiment: Experiment,
    test: DevicePartition,
    rows: NDArray[np.int64],
    answers: Answers,
    training_counts: NDArray[np.int64],
) -> dict[str, Any]:
    """Scores on the test part."""
    if not len(test):
        raise DiffsymError("no test structure has a descriptor")
    clusters = study.labels[f"cluster:{experiment.split}"].to_numpy()[rows]
    return scores_of(
        answers,
        test.labels.astype(np.int64),
        clusters,
        experiment.classes,
        training_counts,
        test.ln_volumes,
    )


def evaluate_ensemble(study: Study, *, experiment: str) -> dict[str, Any]:
    """Scores of the mean of all stored members of an experiment, and of each of them."""
    of = study.experiment(experiment)
    keras.config.set_dtype_policy(resolve_precision(of.training.precision))
    paths = sorted((study.results / "networks").glob(f"{experiment}-*/weights.h5"))
    parts, rows = partitions_of(study, of, seed=of.seed)
    answers = [checked(predict(load_half(path)[0], parts["test"])) for path in paths]
    counts = np.bincount(parts["train"].labels, minlength=len(of.classes))
    mean = Answers(np.mean([answer.probabilities for answer in answers], axis=0))
    scores = _test_scores(study, of, parts["test"], rows["test"], mean, counts)
    result = {"experiment": experiment, "members": len(paths), "test": scores}
    write_json(study.results / "networks" / f"{experiment}-ensemble.json", result)
    return result


TASKS: dict[str, Callable[..., dict[str, Any]]] = {
    "compile": compile_ahead,
    "rate": measure_rate,
    "train": train,
    "ensemble": evaluate_ensemble,
}


def main() -> None:
    """Do tasks until the standard input ends."""
    parser = argparse.ArgumentParser(description="Train networks, one task a line of JSON.")
    parser.add_argument("--luggage", type=Path, required=True)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    end_with_parent()
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    configure(threads=arguments.threads, deterministic=False)
    study = Study(arguments.luggage, arguments.results)
    print(json.dumps({"device": used_device()}), file=answers, flush=True)
    for line in sys.stdin:
        task = json.loads(line)
        try:
            answer = TASKS[task.pop("do")](study, **task)
        except Exception as error:  # noqa: BLE001 - the study goes on with the next network
            traceback.print_exc()
            expected = isinstance(error, DiffsymError)
            answer = {"error": f"{type(error).__name__}: {error}", "expected": expected}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()

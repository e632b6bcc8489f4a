"""Mistakes that only show when several sections are combined.

Each check yields one sentence per mistake: the key, what is wrong, and what to do. References are
checked first; the other checks rely on them.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple, get_args

from diffsym.config.base import Section, nearest
from diffsym.config.datasets import DisjointSets
from diffsym.config.descriptors import (
    Descriptor,
    ElectronDescriptor,
    IdealDescriptor,
    PdfDescriptor,
    PowderDescriptor,
)
from diffsym.config.models import (
    ImageNetwork,
    Logistic,
    Model,
    SpgVolNet,
    StreamNetwork,
    Training,
)
from diffsym.config.patterns import Pattern
from diffsym.config.study import Configuration, Experiment


def broken_references(configuration: Configuration) -> list[str]:
    """One sentence for every name that refers to no section."""
    return [
        f"{reference.where}: '{reference.name}' is not a section of {reference.section}"
        f"{nearest(reference.name, sections)}"
        for references in (
            _references_of_structures,
            _references_of_report,
            _references_of_sweeps,
            _references_of_splits,
            _references_of_experiments,
        )
        for reference in references(configuration)
        if reference.name not in (sections := getattr(configuration, reference.section))
    ]


def impossible_combinations(configuration: Configuration) -> list[str]:
    """One sentence for every value that other sections rule out."""
    mistakes = [
        sentence
        for check in (
            _patterns_beyond_the_reflections,
            _preferred_orientation_without_an_axis,
            _profiles_beyond_the_reflections,
            _disjoint_sets_without_a_profile,
            _members_beside_folds,
        )
        for sentence in check(configuration)
    ]
    return mistakes + [
        sentence
        for parts in _experiments(configuration)
        for check in (
            _network_without_training,
            _training_of_a_regression,
            _measured_patterns_for_another_model,
            _products_of_too_many_values,
            _target_of_a_regression,
            _target_of_a_network_with_volume,
            _members_of_a_regression,
            _images_for_another_model,
            _another_descriptor_for_an_image_network,
            _another_cost_for_streams,
            _cross_validation_of_a_regression,
            _untrained_groups_for_another_model,
        )
        for sentence in check(parts)
    ]


class _Reference(NamedTuple):
    """A key that names a section: where the key is, the name, and what it is a section of."""

    where: str
    name: str
    section: str


def _references_of_structures(configuration: Configuration) -> Iterator[_Reference]:
    for index, name in enumerate(configuration.structures.sources):
        yield _Reference(f"structures.sources[{index}]", name, "sources")


def _references_of_report(configuration: Configuration) -> Iterator[_Reference]:
    for section in ("experiments", "sweeps"):
        for index, name in enumerate(getattr(configuration.report, section)):
            yield _Reference(f"report.{section}[{index}]", name, section)


def _references_of_sweeps(configuration: Configuration) -> Iterator[_Reference]:
    for name, sweep in configuration.sweeps.items():
        yield _Reference(f"sweeps.{name}.base", sweep.base, "experiments")


def _references_of_splits(configuration: Configuration) -> Iterator[_Reference]:
    for name, split in configuration.splits.items():
        if isinstance(split, DisjointSets):
            yield _Reference(f"splits.{name}.descriptor", split.descriptor, "descriptors")
            yield _Reference(f"splits.{name}.classes", split.classes, "class_sets")
            yield _Reference(f"splits.{name}.filter", split.filter, "filters")


def _references_of_experiments(configuration: Configuration) -> Iterator[_Reference]:
    for name, experiment in configuration.experiments.items():
        where = f"experiments.{name}"
        yield _Reference(f"{where}.descriptor", experiment.descriptor, "descriptors")
        yield _Reference(f"{where}.split", experiment.split, "splits")
        yield _Reference(f"{where}.classes", experiment.classes, "class_sets")
        yield _Reference(f"{where}.model", experiment.model, "models")
        if experiment.training is not None:
            yield _Reference(f"{where}.training", experiment.training, "trainings")
        for index, measured in enumerate(experiment.measured):
            yield _Reference(f"{where}.measured[{index}]", measured, "measured")
        if experiment.filter is not None:
            yield _Reference(f"{where}.filter", experiment.filter, "filters")
        if experiment.untrained is not None:
            yield _Reference(f"{where}.untrained", experiment.untrained, "class_sets")


def _patterns(configuration: Configuration) -> Iterator[tuple[str, Pattern]]:
    """All sections on powder patterns that are computed, each with its place."""
    for section in ("descriptors", "measured"):
        for name, pattern in getattr(configuration, section).items():
            if isinstance(pattern, Pattern):
                yield f"{section}.{name}", pattern


def _patterns_beyond_the_reflections(configuration: Configuration) -> Iterator[str]:
    limit = configuration.reflections.d_star_max
    for where, pattern in _patterns(configuration):
        if pattern.d_star_max > limit:
            yield (
                f"{where}.two_theta_max: the pattern ends at 1/d = {pattern.d_star_max:.4f} "
                f"1/A and the reflections at {limit:g}; "
                "raise reflections.d_star_max or lower two_theta_max"
            )


def _preferred_orientation_without_an_axis(configuration: Configuration) -> Iterator[str]:
    if configuration.reflections.preferred_axis is not None:
        return
    for where, pattern in _patterns(configuration):
        if pattern.augmentation is not None and pattern.augmentation.march_ratio != (1, 1):
            yield (
                f"{where}.augmentation.march_ratio: preferred orientation needs an axis; "
                "set reflections.preferred_axis or leave this at [1, 1]"
            )


def _profiles_beyond_the_reflections(configuration: Configuration) -> Iterator[str]:
    table = configuration.reflections
    for name, profile in configuration.descriptors.items():
        if isinstance(profile, IdealDescriptor) and (
            profile.d_star_min < table.d_star_min or profile.d_star_max > table.d_star_max
        ):
            yield (
                f"descriptors.{name}: the profile runs from {profile.d_star_min:g} to "
                f"{profile.d_star_max:g} 1/A and the reflections from {table.d_star_min:g} to "
                f"{table.d_star_max:g}; widen those or narrow this"
            )


def _disjoint_sets_without_a_profile(configuration: Configuration) -> Iterator[str]:
    for name, split in configuration.splits.items():
        if isinstance(split, DisjointSets):
            kind = configuration.descriptors[split.descriptor].kind
            if kind != "ideal":
                yield (
                    f"splits.{name}.descriptor: {split.descriptor} is of kind {kind}; "
                    "name one of kind ideal"
                )


def _members_beside_folds(configuration: Configuration) -> Iterator[str]:
    counts = [
        (f"experiments.{name}", experiment, experiment.members)
        for name, experiment in configuration.experiments.items()
    ] + [
        (f"sweeps.{name}.rows[{index}]", configuration.experiments[sweep.base], row.members)
        for name, sweep in configuration.sweeps.items()
        for index, row in enumerate(sweep.rows)
    ]
    for where, experiment, members in counts:
        folds = configuration.splits[experiment.split].folds
        if experiment.cross_validation and members not in {1, folds}:
            yield (
                f"{where}.members: a cross-validation has one member per fold, {folds} with split "
                f"{experiment.split}; remove the key, and set folds of the split"
            )


class _Parts(NamedTuple):
    """An experiment, its place, and sections that it names."""

    where: str
    experiment: Experiment
    descriptor: Descriptor
    model: Model
    training: Training | None

    @property
    def is_network(self) -> bool:
        return not isinstance(self.model, Logistic)


def _experiments(configuration: Configuration) -> Iterator[_Parts]:
    for name, experiment in configuration.experiments.items():
        yield _Parts(
            f"experiments.{name}",
            experiment,
            configuration.descriptors[experiment.descriptor],
            configuration.models[experiment.model],
            None if experiment.training is None else configuration.trainings[experiment.training],
        )


def _network_without_training(parts: _Parts) -> Iterator[str]:
    if parts.is_network and parts.experiment.training is None:
        yield (
            f"{parts.where}.training: model {parts.experiment.model} is a network and needs a "
            "section of trainings"
        )


def _training_of_a_regression(parts: _Parts) -> Iterator[str]:
    if not parts.is_network and parts.experiment.training is not None:
        yield (
            f"{parts.where}.training: model {parts.experiment.model} is a logistic regression, "
            "which has no training section; remove the key"
        )


def _measured_patterns_for_another_model(parts: _Parts) -> Iterator[str]:
    has_lines = isinstance(parts.descriptor, PowderDescriptor | IdealDescriptor)
    if parts.experiment.measured and not (parts.is_network and has_lines):
        yield (
            f"{parts.where}.measured: measured powder patterns go into networks on "
            "descriptors of kind powder or ideal; remove the key"
        )


def _products_of_too_many_values(parts: _Parts) -> Iterator[str]:
    has_products = isinstance(parts.model, Logistic) and parts.model.features == "quadratic"
    if has_products and not isinstance(parts.descriptor, PdfDescriptor):
        yield (
            f"{parts.where}.model: the products of all values of {parts.experiment.descriptor} "
            "are too many; take a model with features: linear, or a descriptor of kind pdf"
        )


def _target_of_a_regression(parts: _Parts) -> Iterator[str]:
    if not parts.is_network and parts.experiment.target != "space_group":
        yield (
            f"{parts.where}.target: a logistic regression classifies space groups; remove the key"
        )


def _target_of_a_network_with_volume(parts: _Parts) -> Iterator[str]:
    if isinstance(parts.model, SpgVolNet) and parts.experiment.target != "space_group":
        yield (
            f"{parts.where}.target: model {parts.experiment.model} classifies space groups; "
            "remove the key"
        )


def _members_of_a_regression(parts: _Parts) -> Iterator[str]:
    if not parts.is_network and parts.experiment.members > 1:
        yield f"{parts.where}.members: a logistic regression has one member; remove the key"


def _cross_validation_of_a_regression(parts: _Parts) -> Iterator[str]:
    if not parts.is_network and parts.experiment.cross_validation:
        yield (
            f"{parts.where}.cross_validation: a logistic regression chooses its penalty on the "
            "folds without it; remove the key"
        )


def _images_for_another_model(parts: _Parts) -> Iterator[str]:
    has_images = isinstance(parts.descriptor, ElectronDescriptor)
    if has_images and not isinstance(parts.model, ImageNetwork):
        yield (
            f"{parts.where}.model: {parts.experiment.descriptor} are images, which model "
            f"{parts.experiment.model} does not take; name one of kind "
            f"{_kinds(get_args(ImageNetwork))}"
        )


def _another_descriptor_for_an_image_network(parts: _Parts) -> Iterator[str]:
    has_images = isinstance(parts.descriptor, ElectronDescriptor)
    if isinstance(parts.model, ImageNetwork) and not has_images:
        yield (
            f"{parts.where}.descriptor: model {parts.experiment.model} takes images; "
            "name a descriptor of kind electron"
        )


def _another_cost_for_streams(parts: _Parts) -> Iterator[str]:
    """The loss of several streams is that of one output plus a term that is built into it."""
    training = parts.training
    if not isinstance(parts.model, StreamNetwork) or training is None:
        return
    where = f"trainings.{parts.experiment.training}"
    if training.losses != ["categorical_cross_entropy"]:
        yield (
            f"{where}.losses: model {parts.experiment.model} of {parts.where} adds up the cross "
            "entropies of its streams; set losses: [categorical_cross_entropy]"
        )
    if training.class_weights != "none":
        yield (
            f"{where}.class_weights: stream models such as {parts.experiment.model} of "
            f"{parts.where} do not support class weights; set class_weights: none"
        )


def _untrained_groups_for_another_model(parts: _Parts) -> Iterator[str]:
    if parts.experiment.untrained is not None and not isinstance(parts.model, StreamNetwork):
        with_streams = [m for m in get_args(ImageNetwork) if issubclass(m, StreamNetwork)]
        yield (
            f"{parts.where}.untrained: features of model {parts.experiment.model} are not compared "
            f"stream by stream; name one of kind {_kinds(with_streams)}, "
            "or remove the key"
        )


def _kinds(models: Iterable[type[Section]]) -> str:
    """Kinds of some models, as a list in words."""
    return ", ".join(get_args(model.model_fields["kind"].annotation)[0] for model in models)

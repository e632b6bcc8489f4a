"""Mistakes that only show when several sections are combined.

Each check yields one sentence per mistake: the key, what is wrong, and what to do. References are
checked first; the other checks rely on them.
"""

import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from diffsym.errors import nearest
from diffsym.settings import Section, values_of
from diffsym.settings.base import Reference
from diffsym.settings.descriptors.base import Descriptor
from diffsym.settings.models.base import Model
from diffsym.settings.training import Training
from diffsym.study.configuration import Configuration, Experiment
from diffsym.study.configuration import Model as AnyModel
from diffsym.study.sections import kinds_of, sections_in


def broken_references(configuration: Configuration) -> list[str]:
    """One sentence for every name that refers to no section."""
    return [
        f"{where}: '{name}' is not a section of {section}{nearest(name, sections)}"
        for where, name, section in _references(configuration, "")
        if name not in (sections := getattr(configuration, section))
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
            _packs_of_other_experiments,
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


def _references(section: Section, where: str) -> Iterator[tuple[str, str, str]]:
    """All keys that name a section: where the key is, the name, and what it is a section of."""
    kinds = typing.get_type_hints(type(section), include_extras=True)
    for key in values_of(section):
        place, kind = f"{where}.{key}".lstrip("."), kinds[key]
        for path, value in _leaves(getattr(section, key), place):
            if isinstance(value, Section):
                yield from _references(value, path)
            elif value is not None and (reference := _reference_in(kind)):
                yield path, value, reference.section


def _leaves(value: Any, where: str) -> Iterator[tuple[str, Any]]:
    """What a value consists of, each with its place."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves(item, f"{where}.{key}")
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _leaves(item, f"{where}[{index}]")
    else:
        yield where, value


def _reference_in(kind: Any) -> Reference | None:
    """The reference that a type is marked as."""
    if isinstance(kind, Reference):
        return kind
    parts = (*typing.get_args(kind), *getattr(kind, "__metadata__", ()))
    return next(filter(None, map(_reference_in, parts)), None)


def _patterns(configuration: Configuration) -> Iterator[tuple[str, Any]]:
    """All sections on powder patterns that are computed, each with its place."""
    for section in ("descriptors", "measured"):
        for name, pattern in getattr(configuration, section).items():
            if pattern.is_pattern:
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
        lowest, highest = profile.d_star_range or (table.d_star_min, table.d_star_max)
        if lowest < table.d_star_min or highest > table.d_star_max:
            yield (
                f"descriptors.{name}: the profile runs from {lowest:g} to {highest:g} 1/A and "
                f"the reflections from {table.d_star_min:g} to {table.d_star_max:g}; "
                "widen those or narrow this"
            )


def _disjoint_sets_without_a_profile(configuration: Configuration) -> Iterator[str]:
    for name, split in configuration.splits.items():
        profile = configuration.descriptors.get(split.profiles or "")
        if profile is not None and profile.d_star_range is None:
            yield (
                f"splits.{name}.descriptor: {split.profiles} is of kind {profile.kind}; "
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


def _packs_of_other_experiments(configuration: Configuration) -> Iterator[str]:
    for name, pack in configuration.packs.items():
        for index, experiment in enumerate(pack.experiments):
            where = f"packs.{name}.experiments[{index}]"
            section = configuration.experiments[experiment]
            descriptor = configuration.descriptors[section.descriptor]
            is_network = configuration.models[section.model].is_network
            if not (is_network and descriptor.conversion is not None):
                yield (
                    f"{where}: {experiment} has no networks that take measured powder patterns; "
                    "name one with a network on a descriptor of kind powder or ideal"
                )
            elif configuration.splits[section.split].parts is not None:
                yield (
                    f"{where}: {experiment} stands for several experiments, each on a part of the "
                    "structures; name one with another split"
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
        return self.model.is_network


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
    can_be_measured = parts.descriptor.conversion is not None
    if parts.experiment.measured and not (parts.is_network and can_be_measured):
        yield (
            f"{parts.where}.measured: measured powder patterns go into networks on "
            "descriptors of kind powder or ideal; remove the key"
        )


def _products_of_too_many_values(parts: _Parts) -> Iterator[str]:
    if parts.model.has_products and not parts.descriptor.has_products:
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
    if parts.model.has_volume and parts.experiment.target != "space_group":
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
    if parts.descriptor.has_images and not parts.model.takes_images:
        yield (
            f"{parts.where}.model: {parts.experiment.descriptor} are images, which model "
            f"{parts.experiment.model} does not take; name one of kind "
            f"{_kinds(lambda model: model.takes_images)}"
        )


def _another_descriptor_for_an_image_network(parts: _Parts) -> Iterator[str]:
    if parts.model.takes_images and not parts.descriptor.has_images:
        yield (
            f"{parts.where}.descriptor: model {parts.experiment.model} takes images; "
            "name a descriptor of kind electron"
        )


def _another_cost_for_streams(parts: _Parts) -> Iterator[str]:
    """The loss of several streams is that of one output plus a term that is built into it."""
    training = parts.training
    if not parts.model.has_streams or training is None:
        return
    where = f"trainings.{parts.experiment.training}"
    if training.losses != ("categorical_cross_entropy",):
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
    if parts.experiment.untrained is not None and not parts.model.has_streams:
        yield (
            f"{parts.where}.untrained: features of model {parts.experiment.model} are not compared "
            "stream by stream; name one of kind "
            f"{_kinds(lambda model: model.has_streams)}, or remove the key"
        )


def _kinds(wanted: Callable[[type[Model]], bool]) -> str:
    """Kinds of the models that are wanted, as a list in words."""
    return ", ".join(kind for m in sections_in(AnyModel) if wanted(m) for kind in kinds_of(m))  # type: ignore[arg-type]

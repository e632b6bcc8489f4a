"""The card of a pack, from what a study recorded."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from diffsym.evaluation.scores import Interval, Metrics, Part
from diffsym.identification.card import (
    SCHEMA,
    Card,
    EnsembleCard,
    Estimate,
    Score,
    SearchCard,
    SourceCard,
)
from diffsym.identification.known import KnownStructures
from diffsym.settings.descriptors.ideal import Ideal
from diffsym.settings.descriptors.powder import Powder
from diffsym.version import __version__


def card_of(
    name: str,
    *,
    sources: Mapping[str, SourceCard],
    ensembles: Sequence[EnsembleCard],
    known: KnownStructures | None,
    calibrated: bool = False,
) -> Card:
    """What is in a pack; its files are filled in when it is written."""
    search = (
        None
        if known is None
        else SearchCard(structures=len(known.lines), lines=len(known.lines.places))
    )
    return Card(
        schema=SCHEMA,
        name=name,
        diffsym=__version__,
        sources=dict(sources),
        ensembles=tuple(ensembles),
        search=search,
        calibrated=calibrated,
        files={},
    )


def source_cards(
    records: Iterable[Mapping[str, Any]], sources: Iterable[str]
) -> dict[str, SourceCard]:
    """What is said of the databases.

    Parameters
    ----------
    records
        Of each database, as `Source.provenance` gives it.
    sources
        Name of the database of each structure that is known.
    """
    counts = Counter(sources)
    return {
        record["name"]: SourceCard(
            structures=counts[record["name"]],
            description=record.get("description", ""),
            **{key: record[key] for key in ("version", "licence", "citation")},
        )
        for record in records
    }


def ensemble_card(
    experiment: str,
    *,
    model: str,
    descriptor: Powder | Ideal,
    target: Literal["space_group", "crystal_system"],
    split: str,
    seeds: Sequence[int],
    metrics: Metrics,
    history: Mapping[str, Any],
) -> EnsembleCard:
    """What is said of an ensemble.

    Parameters
    ----------
    experiment
        Its name.
    model, split
        Kinds of the model and of the split.
    descriptor
        Its settings.
    target
        What it tells apart.
    seeds
        Of its members.
    metrics
        Its scores.
    history
        That of a member, which holds the number of training structures of each class.
    """
    return EnsembleCard(
        experiment=experiment,
        model=model,
        descriptor=descriptor,
        target=target,
        classes=tuple(metrics.classes),
        training_counts=tuple(history["training_counts"]),
        split=split,
        seeds=tuple(seeds),
        validation=_score(metrics.parts.validation),
        test=_score(metrics.parts.test),
    )


def _score(part: Part) -> Score:
    return Score(
        n=part.n, accuracy=_estimate(part.accuracy[0]), baseline=_estimate(part.baseline[0])
    )


def _estimate(interval: Interval) -> Estimate:
    return Estimate(value=interval.value, low=interval.low, high=interval.high)

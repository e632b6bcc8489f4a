"""Metrics of one experiment's predictions.

Every accuracy has a bootstrap interval and comes with the accuracy of the label-frequency baseline,
which always predicts the most frequent training classes. The test set is used neither for training
nor for any choice.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from sklearn.metrics import log_loss

from diffsym.errors import DiffsymError
from diffsym.evaluation.bootstrap import Floats, with_intervals
from diffsym.evaluation.certainty import certainty_scores
from diffsym.evaluation.cross_validation import out_of_fold, scores_by_fold
from diffsym.evaluation.macro import (
    class_scores,
    count_answers,
    count_frequent_answers,
    ensemble_scores,
    wrong_answers,
)
from diffsym.evaluation.ranks import (
    Integers,
    crystal_system_scores,
    label_frequency_ranks,
    top_k_accuracies,
    true_class_rank,
)
from diffsym.evaluation.scores import (
    Bin,
    Bootstrap,
    Calibration,
    CentrosymmetricScores,
    ConfusedPair,
    Counts,
    CrossValidation,
    DistanceShare,
    GroupScores,
    MeasuredScores,
    Metrics,
    Part,
    Parts,
    RoundTrip,
    Settings,
    VolumeScores,
)
from diffsym.evaluation.subgroups import distance, relation
from diffsym.evaluation.volumes import predicts_volumes, training_scale, volume_scores
from diffsym.structures.space_groups import is_centrosymmetric

ANSWERS = 10
"""A_1 ... A_10 are computed, as in Fig. 5a of Vecsei et al. 2019."""


def calibration(probabilities: Floats, labels: Integers, *, bins: int) -> Calibration:
    """Compute the expected calibration error and the bins of the reliability diagram.

    The confidence is the largest probability; bins have equal width (Guo et al. 2017, Proc. ICML
    70, 1321). The error is the mean distance between accuracy and confidence, weighted by the
    number of entries per bin.

    Parameters
    ----------
    probabilities
        Shape (n, classes).
    labels
        Index of the true class, shape (n,).
    bins
        Number of bins between 0 and 1.
    """
    confidence = probabilities.max(axis=1)
    correct = true_class_rank(probabilities, labels) == 0
    edges = np.linspace(0.0, 1.0, bins + 1)
    index = np.clip(np.digitize(confidence, edges[1:-1], right=True), 0, bins - 1)
    table = []
    error = 0.0
    for number in range(bins):
        inside = index == number
        count, right = int(inside.sum()), int(correct[inside].sum())
        mean_confidence = float(confidence[inside].mean()) if count else None
        accuracy = right / count if count else None
        if mean_confidence is not None and accuracy is not None:
            error += count / len(labels) * abs(accuracy - mean_confidence)
        table.append(
            Bin(
                low=float(edges[number]),
                high=float(edges[number + 1]),
                count=count,
                right=right,
                confidence=mean_confidence,
                accuracy=accuracy,
            )
        )
    return Calibration(expected_calibration_error=error, bins=table)


def per_class_scores(
    confusion: Integers, classes: Sequence[int], training_counts: Integers
) -> list[GroupScores]:
    """Precision, recall and F1 of each class; None for classes without entries.

    Parameters
    ----------
    confusion
        Counts, true classes in rows, shape (classes, classes).
    classes
        Space-group numbers.
    training_counts
        Number of training entries of each class.
    """
    scores = class_scores(confusion)
    present = scores.support > 0
    total = max(int(training_counts.sum()), 1)
    return [
        GroupScores(
            space_group=int(number),
            support=int(scores.support[i]),
            training_count=int(training_counts[i]),
            training_frequency=float(training_counts[i] / total),
            precision=float(scores.precision[i]) if present[i] else None,
            recall=float(scores.recall[i]) if present[i] else None,
            f1=float(scores.f1[i]) if present[i] else None,
        )
        for i, number in enumerate(classes)
    ]


def centrosymmetric_scores(
    probabilities: Floats,
    labels: Integers,
    clusters: Sequence[str],
    classes: Sequence[int],
    training_counts: Integers,
    bootstrap: Bootstrap,
    *,
    top_k: int,
) -> CentrosymmetricScores | None:
    """Accuracy when only centrosymmetric space groups are allowed.

    Vecsei et al. 2019 (section V.A, Table I) "restrict the classification to only centrosymmetric
    space groups", because an experiment averages over the twin domains of other crystals. Here,
    the same trained models classify the structures whose true group is centrosymmetric. The
    probabilities of all other groups are set to zero and the rest rescaled to sum to 1, which does
    not change their order. `all_classes` is the accuracy on the same structures without this
    restriction.

    Parameters
    ----------
    probabilities, labels, clusters, classes, training_counts, bootstrap
        As in `crystal_system_scores`.
    top_k
        Accuracies A_1 ... A_k; at most the number of centrosymmetric classes.

    Returns
    -------
    CentrosymmetricScores or None
        None if no structure has a centrosymmetric group.
    """
    centrosymmetric = np.array([is_centrosymmetric(number) for number in classes])
    chosen = np.flatnonzero(centrosymmetric[labels]).tolist()
    if not chosen:
        return None
    index_among_them = np.cumsum(centrosymmetric) - 1
    own_labels = index_among_them[labels[chosen]]
    n_classes = int(centrosymmetric.sum())
    values, samples = top_k_accuracies(
        [
            true_class_rank(probabilities[chosen][:, centrosymmetric], own_labels),
            label_frequency_ranks(training_counts[centrosymmetric], own_labels),
            true_class_rank(probabilities[chosen], labels[chosen]),
        ],
        [clusters[index] for index in chosen],
        bootstrap,
        top_k=min(top_k, n_classes),
    )
    accuracy, baseline, all_classes = (
        with_intervals(value, sample, bootstrap.confidence)
        for value, sample in zip(values, samples.swapaxes(0, 1), strict=True)
    )
    return CentrosymmetricScores(
        n=len(chosen),
        n_classes=n_classes,
        accuracy=accuracy,
        baseline=baseline,
        all_classes=all_classes,
    )


def confused_pairs(confusion: Integers, classes: Sequence[int], *, most: int) -> list[ConfusedPair]:
    """List the most frequent wrong predictions, and how they are related to the true group."""
    support = confusion.sum(axis=1)
    pairs = sorted(
        (-int(confusion[i, j]), i, j) for i, j in zip(*np.nonzero(confusion), strict=True) if i != j
    )
    table = []
    for negative_count, i, j in pairs[:most]:
        related = relation(classes[i], classes[j])
        table.append(
            ConfusedPair(
                true=int(classes[i]),
                predicted=int(classes[j]),
                count=-negative_count,
                share_of_true=float(-negative_count / support[i]),
                relation=related.kind,
                distance=related.distance,
                common=related.common,
            )
        )
    return table


def error_distances(
    confusion: Integers, classes: Sequence[int], training_counts: Integers
) -> list[DistanceShare]:
    """Distances of wrong predictions from the truth in the graph of maximal subgroups.

    `expected` gives the distances if each wrong prediction were drawn from all predictions for
    *other* true classes: more errors at small distances than this mean that a model confuses
    related groups, not just frequent ones. `baseline` gives the distances for the label-frequency
    baseline, whose wrong predictions are all the most frequent class.

    Parameters
    ----------
    confusion
        Counts, true classes in rows, shape (classes, classes).
    classes
        Space-group numbers.
    training_counts
        Number of training entries of each class.
    """
    steps = np.array([[distance(a, b) for b in classes] for a in classes])
    wrong = wrong_answers(confusion)
    if not wrong.any():
        return []
    answers = wrong_answers(confusion.sum(axis=0) - confusion)
    totals = answers.sum(axis=1, keepdims=True)
    chance = np.divide(answers, totals, out=np.zeros(answers.shape), where=totals > 0)
    shares = {
        name: _distance_shares(counts, steps)
        for name, counts in (
            ("share", wrong),
            ("expected", wrong.sum(axis=1, keepdims=True) * chance),
            ("baseline", wrong_answers(count_frequent_answers(confusion, training_counts))),
        )
    }
    return [
        DistanceShare(distance=step, **{name: float(share[step]) for name, share in shares.items()})
        for step in range(1, int(steps.max()) + 1)
    ]


def _distance_shares(counts: NDArray[Any], steps: Integers) -> Floats:
    """Share of `counts` at each distance 0, 1, 2, ...; all zeros without counts."""
    totals = np.bincount(steps.ravel(), weights=counts.ravel())
    return totals / max(totals.sum(), 1.0)


def _read_member(table: pa.Table, role: str) -> tuple[list[str], Integers, Floats]:
    """Read identifiers, true numbers and probabilities (float64) of one role."""
    part = table.filter(pc.equal(table["role"], role)).sort_by("structure_id")
    n_classes = table.schema.field("probabilities").type.list_size
    flat = pc.list_flatten(part["probabilities"]).to_numpy()
    return (
        part["structure_id"].to_pylist(),
        part["space_group"].to_numpy().astype(np.int64),
        flat.reshape(part.num_rows, n_classes).astype(np.float64),
    )


def _classes_of(predictions: Sequence[pa.Table]) -> list[int]:
    """Class list shared by all members."""
    if not predictions:
        raise DiffsymError("there are no predictions to evaluate: an experiment needs one member")
    lists = {(table.schema.metadata or {}).get(b"classes") for table in predictions}
    first = lists.pop()
    if lists or first is None:
        raise DiffsymError(
            "the predictions of the ensemble's members name different classes or none; "
            "delete them and rerun the training"
        )
    return [int(number) for number in json.loads(first)]


def _evaluate_part(
    members: Sequence[Floats],
    labels: Integers,
    clusters: Sequence[str],
    classes: Sequence[int],
    training_counts: Integers,
    settings: Settings,
    *,
    structures_sha256: str | None = None,
    volume: VolumeScores | None = None,
) -> Part:
    """All metrics of the validation or test set, or of measured patterns."""
    # float32 probabilities sum to 1 only within rounding; the log loss requires it exactly.
    members = [member / member.sum(axis=1, keepdims=True) for member in members]
    ensemble = np.mean(members, axis=0)
    ranks = true_class_rank(ensemble, labels)
    frequent_ranks = label_frequency_ranks(training_counts, labels)
    values, samples = top_k_accuracies(
        [ranks, frequent_ranks, *(true_class_rank(member, labels) for member in members)],
        clusters,
        settings,
        top_k=settings.top_k,
    )
    accuracy, baseline, *of_members = (
        with_intervals(value, sample, settings.confidence)
        for value, sample in zip(values, samples.swapaxes(0, 1), strict=True)
    )
    single_values = values[2:]
    confusion = count_answers(ensemble, labels)
    macro_members = ensemble_scores(members, ensemble, labels, classes, training_counts)
    return Part(
        n=len(labels),
        n_clusters=len(set(clusters)),
        accuracy=accuracy,
        # Equal seeds give equal resamples of the same structures, so differences between
        # experiments are paired.
        resampled_accuracy=samples[:, 0, 0].tolist(),
        first_differences=with_intervals(
            np.diff(values[0], prepend=0.0),
            np.diff(samples[:, 0], axis=1, prepend=0.0),
            settings.confidence,
        ),
        baseline=baseline,
        gain_over_baseline=with_intervals(
            values[0] - values[1], samples[:, 0] - samples[:, 1], settings.confidence
        ),
        members=of_members,
        members_mean=single_values.mean(axis=0).tolist(),
        members_spread=single_values.std(axis=0, ddof=1).tolist() if len(members) > 1 else None,
        macro=macro_members.ensemble_mean,
        macro_members=macro_members,
        log_loss=float(log_loss(labels, ensemble, labels=np.arange(len(classes)))),
        calibration=calibration(ensemble, labels, bins=settings.calibration_bins),
        certainty=certainty_scores(
            ensemble.max(axis=1),
            (ranks == 0).astype(np.float64),
            (frequent_ranks == 0).astype(np.float64),
            clusters,
            settings,
        ),
        crystal_systems=crystal_system_scores(
            ensemble, labels, clusters, classes, training_counts, settings
        ),
        centrosymmetric=centrosymmetric_scores(
            ensemble, labels, clusters, classes, training_counts, settings, top_k=settings.top_k
        ),
        per_class=per_class_scores(confusion, classes, training_counts),
        confusion=confusion.tolist(),
        confused_pairs=confused_pairs(confusion, classes, most=settings.confused_pairs),
        error_distances=error_distances(confusion, classes, training_counts),
        structures_sha256=structures_sha256,
        volume=volume,
    )


def evaluate_experiment(
    predictions: Sequence[pa.Table],
    split: pa.Table,
    *,
    measured: Mapping[str, Sequence[pa.Table]] | None = None,
    training_filter: pa.Table | None = None,
    cross_validation: bool = False,
    bootstrap: Bootstrap = Bootstrap(),  # noqa: B008 - frozen
) -> Metrics:
    """Metrics of an ensemble on the validation and test sets of its split.

    The ensemble's probability is the mean over its members. Intervals are percentile bootstrap
    intervals over the split's own groups (entries, formulae or structure types), because entries
    that the split keeps together are not independent.

    Parameters
    ----------
    predictions
        One predictions table per member (see `diffsym.tables.predictions_schema`), for the same
        classes and, unless `cross_validation` is set, the same structures.
    split
        Split table the members were trained with.
    measured
        Name of a set of measured patterns -> its predictions tables, one per member.
    training_filter
        Filter table (`diffsym.tables.FILTER`), if outliers were left out of training.
    cross_validation
        Whether member m is trained on all folds but m and validated on fold m. Everything outside
        the test set is then both training and validation set, each structure predicted by the
        member that has not seen it.
    bootstrap
        How intervals are computed.

    Raises
    ------
    DiffsymError
        If the members disagree about classes or structures, or do not match the split.
    """
    classes = _classes_of(predictions)
    index_of_class = {number: index for index, number in enumerate(classes)}
    settings = Settings(**vars(bootstrap), top_k=min(ANSWERS, len(classes)))
    cluster_of = dict(
        zip(split["structure_id"].to_pylist(), split["group"].to_pylist(), strict=True)
    )
    trains = ["train", "validation"] if cross_validation else ["train"]
    training = split.filter(pc.is_in(split["role"], pa.array(trains)))
    if training_filter is not None:
        kept = training_filter.filter(training_filter["kept"])["structure_id"]
        training = training.filter(pc.is_in(training["structure_id"], kept.combine_chunks()))
    training_counts = np.bincount(training["space_group"].to_numpy(), minlength=231)[classes]
    fold_of = dict(zip(split["structure_id"].to_pylist(), split["fold"].to_pylist(), strict=True))
    validating = [out_of_fold(predictions, fold_of)] if cross_validation else predictions
    scale = training_scale(predictions) if predicts_volumes(predictions) else None

    def part(role: str, tables_of_members: Sequence[pa.Table]) -> Part:
        read = [_read_member(table, role) for table in tables_of_members]
        identifiers, numbers, _ = read[0]
        if any(other != identifiers for other, _, _ in read[1:]):
            raise DiffsymError(
                f"the ensemble's members predict different {role} structures; "
                "delete their predictions and rerun the training"
            )
        strangers = [identifier for identifier in identifiers if identifier not in cluster_of]
        if strangers:
            raise DiffsymError(
                f"the predictions contain structures that are not in the split "
                f"({strangers[0]}, ...); delete them and rerun the training"
            )
        if not identifiers:
            raise DiffsymError(
                f"no {role} structure belongs to the experiment's classes: "
                "use more structures, other classes or a larger fraction in the split"
            )
        clusters = [cluster_of[identifier] for identifier in identifiers]
        return _evaluate_part(
            [probabilities for _, _, probabilities in read],
            np.array([index_of_class[number] for number in numbers], dtype=np.int64),
            clusters,
            classes,
            training_counts,
            settings,
            structures_sha256=hashlib.sha256("\n".join(identifiers).encode()).hexdigest(),
            volume=scale and volume_scores(tables_of_members, role, clusters, scale, settings),
        )

    parts = Parts(validation=part("validation", validating), test=part("test", predictions))
    return Metrics(
        classes=classes,
        counts=Counts(
            train=int(training_counts.sum()), validation=parts.validation.n, test=parts.test.n
        ),
        n_members=len(predictions),
        settings=settings,
        parts=parts,
        cross_validation=(
            _fold_scores(validating[0], fold_of, classes, training_counts)
            if cross_validation
            else None
        ),
        measured={
            name: evaluate_measured(tables, predictions, classes, training_counts, settings)
            for name, tables in (measured or {}).items()
        },
    )


def _fold_scores(
    predictions: pa.Table,
    fold_of: Mapping[str, int],
    classes: Sequence[int],
    training_counts: Integers,
) -> CrossValidation:
    """Accuracies per fold of a cross-validation, from the result of `out_of_fold`."""
    identifiers, numbers, probabilities = _read_member(predictions, "validation")
    labels = np.searchsorted(classes, numbers)
    return scores_by_fold(
        (true_class_rank(probabilities, labels) == 0).astype(np.float64),
        (label_frequency_ranks(training_counts, labels) == 0).astype(np.float64),
        np.array([fold_of[identifier] for identifier in identifiers]),
    )


def evaluate_measured(
    measured: Sequence[pa.Table],
    computed: Sequence[pa.Table],
    classes: Sequence[int],
    training_counts: Integers,
    settings: Settings,
) -> MeasuredScores:
    """Metrics of an ensemble on a set of measured patterns.

    Parameters
    ----------
    measured
        One predictions table per member, for patterns.
    computed
        One predictions table per member, for structures.
    classes
        Space-group numbers.
    training_counts
        Number of training entries of each class.
    settings
        Evaluation settings.
    """
    numbers = measured[0]["space_group"]
    known = [
        table.filter(pc.is_in(table["space_group"], pa.array(classes, pa.uint8())))
        for table in measured
    ]
    read = [_read_member(table, "measured") for table in known]
    identifiers, true_numbers, _ = read[0]
    labels = np.searchsorted(classes, true_numbers)
    part = round_trip = None
    if identifiers:
        members = [probabilities for _, _, probabilities in read]
        part = _evaluate_part(members, labels, identifiers, classes, training_counts, settings)
        test = [_read_member(table, "test") for table in computed]
        if set(identifiers) <= set(test[0][0]):
            rows = [test[0][0].index(identifier) for identifier in identifiers]
            of_structures = [probabilities[rows] for _, _, probabilities in test]
            round_trip = _round_trip(members, of_structures, labels, identifiers, settings)
    n_labelled = len(numbers) - numbers.null_count
    hits = part.accuracy[0].value * part.n if part else 0.0
    return MeasuredScores(
        n=len(numbers),
        n_labelled=n_labelled,
        n_in_classes=len(identifiers),
        accuracy_of_labelled=hits / n_labelled if n_labelled else None,
        part=part,
        round_trip=round_trip,
    )


def _round_trip(
    of_patterns: Sequence[Floats],
    of_structures: Sequence[Floats],
    labels: Integers,
    clusters: Sequence[str],
    settings: Settings,
) -> RoundTrip:
    """Accuracies on the same structures from rendered patterns and from their own descriptors."""
    ranks = [
        true_class_rank(np.mean(members, axis=0), labels)
        for members in (of_patterns, of_structures)
    ]
    (pattern, structure), samples = top_k_accuracies(
        ranks, clusters, settings, top_k=settings.top_k
    )
    resampled_pattern, resampled_structure = samples.swapaxes(0, 1)
    confidence = settings.confidence
    return RoundTrip(
        pattern=with_intervals(pattern, resampled_pattern, confidence),
        structure=with_intervals(structure, resampled_structure, confidence),
        loss=with_intervals(
            structure - pattern, resampled_structure - resampled_pattern, confidence
        ),
    )

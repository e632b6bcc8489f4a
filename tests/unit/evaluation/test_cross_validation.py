"""Out-of-fold predictions and the accuracies of folds against numbers by hand."""

import json

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from diffsym import tables
from diffsym.errors import DiffsymError
from diffsym.evaluation.cross_validation import out_of_fold, scores_by_fold
from diffsym.evaluation.metrics import evaluate_experiment
from diffsym.evaluation.scores import Bootstrap, Counts, LogVolumes
from diffsym.evaluation.storage import plain

CLASSES = [2, 14]
BOOTSTRAP = Bootstrap(resamples=100)
# Nine structures of the training side in three folds, and two of the test part.
FOLDS = [0, 1, 2, 0, 1, 2, 0, 1, 2]
ROLES = ["train", "train", "validation"] * 3
GROUPS = [2, 2, 2, 14, 14, 14, 14, 14, 14, 2, 14]
IDS = [f"s:{number:02d}" for number in range(11)]
# Probability of group 2 by the member that has not seen the structure: wrong for 1, 3 and 6.
OUT_OF_FOLD = [0.9, 0.2, 0.8, 0.7, 0.1, 0.3, 0.6, 0.4, 0.2]
# Probabilities of group 2 in the test part, by member: right in the mean, not in each.
TEST = [[0.9, 0.6], [0.4, 0.4], [0.8, 0.2]]


def split():
    return pa.table(
        {
            "structure_id": IDS,
            "space_group": pa.array(GROUPS, pa.uint8()),
            "role": [*ROLES, "test", "test"],
            "fold": pa.array([*FOLDS, -1, -1], pa.int8()),
            "group": IDS,
        },
        schema=tables.SPLIT,
    )


def member(number, ln_volume=None):
    """Predictions of the network that validates on a fold."""
    rows = [row for row in range(9) if FOLDS[row] == number]
    first = np.array([OUT_OF_FOLD[row] for row in rows] + TEST[number], np.float32)
    chosen = [*rows, 9, 10]
    columns = {
        "structure_id": [IDS[row] for row in chosen],
        "role": ["validation"] * len(rows) + ["test"] * 2,
        "member": pa.array([number] * len(chosen), pa.int16()),
        "space_group": pa.array([GROUPS[row] for row in chosen], pa.uint8()),
        "probabilities": tables.fixed_size_rows(np.stack([first, 1 - first], axis=1)),
    }
    if ln_volume is not None:
        columns |= {
            "volume": [100.0 + row for row in chosen],
            "true_volume": [100.0] * len(chosen),
        }
    return pa.table(columns, schema=tables.predictions_schema(CLASSES, ln_volume))


def evaluated(members, **more):
    return evaluate_experiment(members, split(), cross_validation=True, bootstrap=BOOTSTRAP, **more)


def test_each_structure_of_the_training_side_is_judged_once_by_the_network_that_has_not_seen_it():
    result = evaluated([member(number) for number in range(3)])
    json.dumps(plain(result), allow_nan=False)
    validation, test = result.parts.validation, result.parts.test
    assert result.counts == Counts(train=9, validation=9, test=2)
    assert validation.accuracy[0].value == pytest.approx(6 / 9)
    assert validation.baseline[0].value == pytest.approx(6 / 9)
    assert validation.confusion == [[2, 1], [2, 4]]
    # One network answers for each structure, so there is no ensemble to compare with.
    assert len(validation.members) == 1
    assert validation.members_spread is None
    assert len(test.members) == 3
    assert test.accuracy[0].value == 1
    assert test.members_mean[0] == pytest.approx(np.mean([0.5, 0.5, 1]))


def test_accuracies_of_the_folds_by_hand():
    folds = evaluated([member(number) for number in range(3)]).cross_validation
    assert folds.structures == [3, 3, 3]
    assert folds.accuracy.sets == pytest.approx([1 / 3, 2 / 3, 1])
    assert folds.baseline.sets == pytest.approx([2 / 3, 2 / 3, 2 / 3])
    assert folds.accuracy.value == pytest.approx(2 / 3)
    low, high = stats.t.interval(0.95, 2, loc=2 / 3, scale=stats.sem(folds.accuracy.sets))
    assert folds.accuracy.half_width == pytest.approx((high - low) / 2)


def test_folds_of_different_size():
    right = np.array([1.0, 0, 1, 1, 0])
    scores = scores_by_fold(right, 1 - right, np.array([1, 0, 1, 1, 1]))
    assert scores.structures == [1, 4]
    assert scores.accuracy.sets == [0, 0.75]
    assert scores.accuracy.value == 0.375


def test_without_cross_validation_there_are_no_folds():
    members = [member(0), member(0)]
    result = evaluate_experiment(members, split(), bootstrap=BOOTSTRAP)
    assert result.cross_validation is None
    assert result.counts.train == 6


def test_outliers_count_where_they_validate_and_not_where_they_train():
    outliers = pa.table(
        {
            "structure_id": IDS,
            "space_group": pa.array(GROUPS, pa.uint8()),
            "ln_volume": [0.0] * 11,
            "ln_density": [0.0] * 11,
            "kept": [row not in {3, 4} for row in range(11)],
        },
        schema=tables.FILTER,
    )
    result = evaluated([member(number) for number in range(3)], training_filter=outliers)
    assert result.counts == Counts(train=7, validation=9, test=2)


def test_volumes_are_standardised_by_the_mean_over_the_members():
    members = [member(number, (4.0 + number, 0.5)) for number in range(3)]
    parts = evaluated(members).parts
    assert [part.volume.n for part in (parts.validation, parts.test)] == [9, 2]
    for part in (parts.validation, parts.test):
        assert part.volume.ln_volume == LogVolumes(mean=5.0, deviation=0.5)


def test_a_member_of_another_fold_is_refused():
    members = [member(0), member(2), member(1)]
    with pytest.raises(DiffsymError, match="member 1 of a cross-validation does not predict"):
        evaluated(members)


def test_a_fold_without_structures_is_refused():
    folds = dict(zip(IDS, [*FOLDS, -1, -1], strict=True))
    empty = member(1).slice(3)
    with pytest.raises(DiffsymError, match="no structure of fold 1 belongs to the experiment's"):
        out_of_fold([member(0), empty, member(2)], folds)

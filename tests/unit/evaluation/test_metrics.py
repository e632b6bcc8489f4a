"""Metrics against hand-checked values and against scikit-learn."""

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, f1_score, log_loss, top_k_accuracy_score

from diffsym import tables
from diffsym.errors import DiffsymError
from diffsym.evaluation import metrics, ranks
from diffsym.evaluation.scores import Bootstrap, Counts, Interval, SystemRow
from diffsym.evaluation.storage import plain
from diffsym.structures.space_groups import crystal_system

CLASSES = [2, 14, 62, 225]


def random_probabilities(n, classes, seed):
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.ones(classes), size=n), rng.integers(classes, size=n)


@given(st.integers(0, 10_000), st.integers(3, 12))
@settings(max_examples=30, deadline=None)
def test_top_k_agrees_with_scikit_learn(seed, classes):
    probabilities, labels = random_probabilities(50, classes, seed)
    hits = ranks.top_k_hits(ranks.true_class_rank(probabilities, labels), classes)
    for k in range(1, classes):
        expected = top_k_accuracy_score(labels, probabilities, k=k, labels=np.arange(classes))
        assert hits[:, k - 1].mean() == pytest.approx(expected)
    assert hits[:, -1].all()


def test_ties_are_ranked_in_the_order_of_the_classes():
    equal = np.full((3, 3), 1 / 3)
    assert ranks.true_class_rank(equal, np.array([0, 1, 2])).tolist() == [0, 1, 2]


def test_label_frequency_answers_the_most_frequent_training_classes():
    positions = ranks.label_frequency_ranks(np.array([5, 20, 5, 7]), np.array([0, 1, 2, 3]))
    assert positions.tolist() == [2, 0, 3, 1]


def test_calibration_by_hand():
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.4, 0.6], [0.45, 0.55]])
    result = metrics.calibration(probabilities, np.array([0, 1, 1, 0]), bins=2)
    # All four confidences lie in the upper bin: mean 0.7125, two of four right.
    assert result.expected_calibration_error == pytest.approx(0.2125)
    assert [entry.count for entry in result.bins] == [0, 4]
    assert [entry.right for entry in result.bins] == [0, 2]
    assert result.bins[0].accuracy is None


def test_confidence_on_an_edge_belongs_to_the_lower_bin():
    result = metrics.calibration(np.array([[0.5, 0.5], [1.0, 0.0]]), np.array([0, 0]), bins=2)
    assert [entry.count for entry in result.bins] == [1, 1]


def test_classes_without_entries_have_no_scores():
    confusion = np.array([[1, 1, 0], [0, 2, 0], [0, 0, 0]])
    table = metrics.per_class_scores(confusion, [2, 14, 62], np.array([6, 3, 1]))
    assert [entry.precision for entry in table] == [1.0, pytest.approx(2 / 3), None]
    assert [entry.recall for entry in table] == [0.5, 1.0, None]
    assert table[2].f1 is None
    assert [entry.training_frequency for entry in table] == [0.6, 0.3, 0.1]


BOOTSTRAP = Bootstrap(resamples=200)
FEW = Bootstrap(resamples=100)


def test_crystal_system_is_predicted_by_summed_probabilities():
    # 14 and 15 are monoclinic; neither beats 225 alone, together they do.
    probabilities = np.array([[0.3, 0.3, 0.4]])
    result = ranks.crystal_system_scores(
        probabilities, np.array([0]), ["a"], [14, 15, 225], np.array([2, 2, 3]), BOOTSTRAP
    )
    assert result.accuracy == Interval(value=1.0, low=1.0, high=1.0)
    # Two groups of two training structures each outnumber one of three.
    assert result.baseline.value == 1.0
    assert result.systems == [
        SystemRow(
            crystal_system="monoclinic",
            support=1,
            space_group_accuracy=0.0,
            crystal_system_accuracy=1.0,
        )
    ]
    assert result.names == ["monoclinic", "cubic"]
    assert result.confusion == [[1, 0], [0, 0]]


def test_crystal_systems_agree_with_scikit_learn():
    classes = [2, 14, 15, 62, 194, 225, 227]
    systems = np.array([crystal_system(number) for number in classes])
    probabilities, labels = random_probabilities(200, len(classes), seed=2)
    clusters = [str(i) for i in range(200)]
    result = ranks.crystal_system_scores(
        probabilities, labels, clusters, classes, np.array([1, 2, 3, 9, 5, 4, 2]), BOOTSTRAP
    )
    summed = pd.DataFrame(probabilities).T.groupby(systems).sum().T
    answers = summed.columns.to_numpy()[summed.to_numpy().argmax(axis=1)]
    expected = confusion_matrix(systems[labels], answers, labels=result.names)
    assert result.confusion == expected.tolist()
    assert result.accuracy.value == pytest.approx(np.trace(expected) / 200)
    assert result.accuracy.low < result.accuracy.value < result.accuracy.high
    assert result.baseline.value == pytest.approx((systems[labels] == "orthorhombic").mean())


def test_centrosymmetric_groups_compete_with_each_other_only():
    # 19 and 216 have no centre of inversion; 62 and 225 have one.
    classes = [19, 62, 216, 225]
    probabilities = np.array(
        [
            [0.5, 0.3, 0.1, 0.1],  # 62: first of the two, second of all
            [0.1, 0.3, 0.4, 0.2],  # 225: second of the two
            [0.0, 0.1, 0.1, 0.8],  # 225: first of all
            [0.9, 0.1, 0.0, 0.0],  # 19: not evaluated
        ]
    )
    result = metrics.centrosymmetric_scores(
        probabilities,
        np.array([1, 3, 3, 0]),
        list("abcd"),
        classes,
        np.array([50, 20, 40, 10]),
        BOOTSTRAP,
        top_k=4,
    )
    assert (result.n, result.n_classes) == (3, 2)
    values = {
        name: [entry.value for entry in getattr(result, name)]
        for name in ("accuracy", "baseline", "all_classes")
    }
    assert values["accuracy"] == pytest.approx([2 / 3, 1.0])
    # The baseline answers 62 before 225.
    assert values["baseline"] == pytest.approx([1 / 3, 1.0])
    assert values["all_classes"] == pytest.approx([1 / 3, 2 / 3])


def test_centrosymmetric_accuracy_is_that_of_renormalised_probabilities():
    classes = [2, 19, 62, 216, 225]
    probabilities, labels = random_probabilities(300, 5, seed=8)
    result = metrics.centrosymmetric_scores(
        probabilities,
        labels,
        [str(i) for i in range(300)],
        classes,
        np.arange(5),
        BOOTSTRAP,
        top_k=3,
    )
    chosen = np.isin(labels, [0, 2, 4])
    own = probabilities[chosen][:, [0, 2, 4]]
    own /= own.sum(axis=1, keepdims=True)
    for k in (1, 2):
        expected = top_k_accuracy_score(labels[chosen] // 2, own, k=k, labels=[0, 1, 2])
        assert result.accuracy[k - 1].value == pytest.approx(expected)


def test_without_centrosymmetric_structures_there_is_no_such_accuracy():
    arguments = np.array([[0.4, 0.6]]), np.array([0]), ["a"], [19, 62], np.array([1, 1])
    assert metrics.centrosymmetric_scores(*arguments, BOOTSTRAP, top_k=2) is None


def test_confused_pairs_are_sorted_and_related():
    confusion = np.array([[5, 1, 0], [4, 9, 0], [0, 2, 3]])
    pairs = metrics.confused_pairs(confusion, [2, 14, 62], most=2)
    assert [(p.true, p.predicted, p.count) for p in pairs] == [(14, 2, 4), (62, 14, 2)]
    assert pairs[0].relation == "maximal subgroup"
    assert pairs[0].share_of_true == pytest.approx(4 / 13)


def test_error_distances_are_shares():
    confusion = np.array([[5, 1, 1], [4, 9, 0], [0, 2, 3]])
    entries = metrics.error_distances(confusion, [2, 14, 62], np.array([3, 1, 9]))
    # 2-14 and 14-62 are one step apart, 2-62 two.
    assert [entry.share for entry in entries] == pytest.approx([7 / 8, 1 / 8])
    # By chance, the two errors of group 2 are drawn from the answers to others, 11 times 14 and 3
    # times 62, and the two of 62 from 9 times 2 and 10 times 14.
    far = 2 * 3 / 14 + 2 * 9 / 19
    assert [entry.expected for entry in entries] == pytest.approx([1 - far / 8, far / 8])
    # The baseline answers 62 to 7 structures of group 2 and to 13 of group 14.
    assert [entry.baseline for entry in entries] == pytest.approx([13 / 20, 7 / 20])
    assert metrics.error_distances(np.diag([3, 4]), [2, 14], np.array([1, 2])) == []


def make_predictions(probabilities, labels, roles, member=0, classes=CLASSES, order=None):
    order = np.arange(len(labels)) if order is None else order
    schema = tables.predictions_schema(classes)
    return pa.table(
        {
            "structure_id": [f"s:{i:04d}" for i in order],
            "role": [roles[i] for i in order],
            "member": pa.array([member] * len(labels), pa.int16()),
            "space_group": pa.array([classes[labels[i]] for i in order], pa.uint8()),
            "probabilities": pa.FixedSizeListArray.from_arrays(
                pa.array(probabilities[order].astype(np.float32).ravel()), len(classes)
            ),
        },
        schema=schema,
    )


def make_split(labels, roles, group=None):
    n = len(labels)
    # Forty more structures train: 25 of group 62, 15 of group 2.
    return pa.table(
        {
            "structure_id": [f"s:{i:04d}" for i in range(n)] + [f"t:{i}" for i in range(40)],
            "space_group": pa.array(
                [CLASSES[label] for label in labels] + [62] * 25 + [2] * 15, pa.uint8()
            ),
            "role": [*roles, *["train"] * 40],
            "fold": pa.array([-1] * n + [0] * 40, pa.int8()),
            "group": (group or [f"s:{i:04d}" for i in range(n)]) + [f"t:{i}" for i in range(40)],
        },
        schema=tables.SPLIT,
    )


@pytest.fixture(scope="module")
def study():
    probabilities, labels = random_probabilities(300, len(CLASSES), seed=5)
    probabilities[np.arange(300), labels] += 0.5
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    other = np.random.default_rng(6).permutation(probabilities, axis=1)
    roles = ["validation" if i % 3 == 0 else "test" for i in range(300)]
    return probabilities, other, labels, roles


def test_experiment_agrees_with_scikit_learn(study):
    first, second, labels, roles = study
    result = metrics.evaluate_experiment(
        [
            make_predictions(first, labels, roles),
            # The order of a member's rows must not matter.
            make_predictions(second, labels, roles, 1, order=np.arange(300)[::-1]),
        ],
        make_split(labels, roles),
        bootstrap=BOOTSTRAP,
    )
    json.dumps(plain(result), allow_nan=False)
    chosen = np.array(roles) == "test"
    mean = (first + second)[chosen] / 2
    test = result.parts.test
    assert result.counts == Counts(train=40, validation=100, test=200)
    assert [entry.k for entry in test.accuracy] == [1, 2, 3, 4]
    for entry in test.accuracy[:3]:
        assert entry.value == pytest.approx(
            top_k_accuracy_score(labels[chosen], mean, k=entry.k, labels=range(4))
        )
        assert entry.low <= entry.value <= entry.high
    assert test.log_loss == pytest.approx(log_loss(labels[chosen], mean), rel=1e-5)
    assert test.confusion == confusion_matrix(labels[chosen], mean.argmax(1)).tolist()
    assert test.baseline[0].value == pytest.approx((labels[chosen] == 2).mean())
    assert test.baseline[1].value == pytest.approx(np.isin(labels[chosen], [0, 2]).mean())
    assert sum(entry.value for entry in test.first_differences) == pytest.approx(1.0)
    singles = [member[0].value for member in test.members]
    assert test.members_mean[0] == pytest.approx(np.mean(singles))
    assert test.members_spread[0] == pytest.approx(np.std(singles, ddof=1))
    answers = [first[chosen].argmax(1), second[chosen].argmax(1), mean.argmax(1)]
    scores = [f1_score(labels[chosen], answer, average="macro") for answer in answers]
    assert test.macro_members.specific_mean.f1 == pytest.approx(np.mean(scores[:2]))
    assert test.macro.f1 == pytest.approx(scores[2])
    assert test.macro == test.macro_members.ensemble_mean
    assert test.volume is None
    gain = test.gain_over_baseline[0]
    assert gain.value == pytest.approx(test.accuracy[0].value - test.baseline[0].value)


def as_measured(table, names, groups):
    """A predictions table as answers for measured patterns."""
    columns = {name: table[name] for name in table.column_names} | {
        "structure_id": names,
        "role": ["measured"] * len(names),
        "space_group": pa.array(groups, pa.uint8()),
    }
    return pa.table(columns, schema=table.schema)


def test_measured_patterns_by_hand(study):
    first, second, labels, roles = study
    members = [
        make_predictions(first, labels, roles),
        make_predictions(second, labels, roles, 1),
    ]
    names = [f"lab:{i:03d}" for i in range(300)]
    groups = [CLASSES[label] for label in labels]
    groups[:20] = [None] * 20
    groups[20:50] = [230] * 30
    patterns = [as_measured(table, names, groups) for table in members]
    result = metrics.evaluate_experiment(
        members, make_split(labels, roles), measured={"lab": patterns}, bootstrap=FEW
    ).measured["lab"]
    json.dumps(plain(result), allow_nan=False)
    assert (result.n, result.n_labelled, result.n_in_classes) == (300, 280, 250)
    right = ((first + second).argmax(axis=1) == labels)[50:]
    assert result.part.accuracy[0].value == pytest.approx(right.mean())
    assert result.accuracy_of_labelled == pytest.approx(right.sum() / 280)
    assert result.part.baseline[0].value == pytest.approx((labels[50:] == 2).mean())
    assert result.round_trip is None


def test_patterns_of_unknown_groups_have_no_accuracy(study):
    first, _, labels, roles = study
    table = make_predictions(first, labels, roles)
    patterns = as_measured(table, [f"lab:{i}" for i in range(300)], [None] * 299 + [230])
    result = metrics.evaluate_experiment(
        [table], make_split(labels, roles), measured={"lab": [patterns]}, bootstrap=FEW
    ).measured["lab"]
    assert (result.n_labelled, result.n_in_classes) == (1, 0)
    assert result.part is None
    assert result.accuracy_of_labelled == 0


def test_round_trip_compares_the_same_structures(study):
    first, second, labels, roles = study
    test = np.flatnonzero(np.array(roles) == "test")[:90]
    computed = make_predictions(first, labels, roles)
    answers = make_predictions(second[test], labels[test], ["test"] * 90)
    patterns = as_measured(
        answers, [f"s:{i:04d}" for i in test], [CLASSES[label] for label in labels[test]]
    )
    trip = (
        metrics.evaluate_experiment(
            [computed], make_split(labels, roles), measured={"trip": [patterns]}, bootstrap=FEW
        )
        .measured["trip"]
        .round_trip
    )
    by_structure = (first[test].argmax(axis=1) == labels[test]).mean()
    by_pattern = (second[test].argmax(axis=1) == labels[test]).mean()
    assert trip.structure[0].value == pytest.approx(by_structure)
    assert trip.pattern[0].value == pytest.approx(by_pattern)
    assert trip.loss[0].value == pytest.approx(by_structure - by_pattern)
    assert trip.loss[0].low <= trip.loss[0].value <= trip.loss[0].high


def test_outliers_that_did_not_train_do_not_count(study):
    first, _, labels, roles = study
    # Of the forty training structures 25 belong to group 62; 20 of these are outliers.
    training_filter = pa.table(
        {
            "structure_id": [f"t:{i}" for i in range(40)],
            "space_group": pa.array([62] * 25 + [2] * 15, pa.uint8()),
            "ln_volume": [5.0] * 40,
            "ln_density": [-2.5] * 40,
            "kept": [False] * 20 + [True] * 20,
        },
        schema=tables.FILTER,
    )
    result = metrics.evaluate_experiment(
        [make_predictions(first, labels, roles)],
        make_split(labels, roles),
        training_filter=training_filter,
        bootstrap=FEW,
    )
    assert result.counts.train == 20
    per_class = result.parts.test.per_class
    assert [entry.training_count for entry in per_class] == [15, 0, 5, 0]
    # Group 62 is no longer the most frequent one.
    baseline = result.parts.test.baseline[0].value
    assert baseline == pytest.approx((labels[np.array(roles) == "test"] == 0).mean())


def test_experiment_is_deterministic(study):
    first, _, labels, roles = study
    inputs = [make_predictions(first, labels, roles)], make_split(labels, roles)
    assert metrics.evaluate_experiment(*inputs, bootstrap=FEW) == metrics.evaluate_experiment(
        *inputs, bootstrap=FEW
    )


def test_grouped_splits_have_wider_intervals(study):
    first, _, labels, roles = study
    hit = first.argmax(1) == labels
    # Right and wrong answers come in blocks, as they do for isotypes.
    group = [f"{roles[i]}-{hit[i]}-{i // 30}" for i in range(300)]
    widths = []
    for key in (None, group):
        test = metrics.evaluate_experiment(
            [make_predictions(first, labels, roles)], make_split(labels, roles, key)
        ).parts.test
        widths.append(test.accuracy[0].high - test.accuracy[0].low)
    assert widths[1] > 1.5 * widths[0]


def test_mistakes_are_named(study):
    first, _, labels, roles = study
    good, split = make_predictions(first, labels, roles), make_split(labels, roles)
    with pytest.raises(DiffsymError, match="no predictions"):
        metrics.evaluate_experiment([], split)
    other = make_predictions(first, labels, roles, classes=[1, 14, 62, 225])
    with pytest.raises(DiffsymError, match="different classes"):
        metrics.evaluate_experiment([good, other], split)
    with pytest.raises(DiffsymError, match="different validation structures"):
        metrics.evaluate_experiment([good, good.slice(0, 200)], split)
    with pytest.raises(DiffsymError, match="not in the split"):
        metrics.evaluate_experiment([good], split.slice(10))
    untested = make_predictions(first, labels, ["validation"] * 300)
    with pytest.raises(DiffsymError, match="no test structure"):
        metrics.evaluate_experiment([untested], split)

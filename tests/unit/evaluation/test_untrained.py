"""Untrained groups: scores against explicit loops, halves, and what recognition says of them."""

import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diffsym.errors import DiffsymError
from diffsym.evaluation.scores import Bootstrap
from diffsym.evaluation.storage import plain
from diffsym.evaluation.untrained import divide, recognise, scores, untrained_groups
from diffsym.tables import SPLIT

GROUPS = [3, 69, 130, 162]
N, STREAMS, FEATURES = 48, 3, 7


def cosine(a, b):
    return sum(a * b) / np.sqrt(sum(a * a) * sum(b * b))


@pytest.fixture
def structures():
    """Space groups and random features by two members, around a direction for each group."""
    rng = np.random.default_rng(4)
    numbers = rng.choice(GROUPS, N)
    centres = rng.normal(size=(231, STREAMS, FEATURES))
    members = [centres[numbers] + rng.normal(size=(N, STREAMS, FEATURES)) for _ in range(2)]
    return numbers, members


def split_of(numbers, keys=None, roles=None):
    n = len(numbers)
    identifiers = [f"s:{i:03d}" for i in range(n)]
    return pa.table(
        {
            "structure_id": identifiers,
            "space_group": pa.array(numbers, pa.uint8()),
            "role": roles or ["train"] * n,
            "fold": pa.array([-1] * n, pa.int8()),
            "group": list(keys or identifiers),
        },
        schema=SPLIT,
    )


def test_scores_are_sums_of_cosines(structures):
    numbers, members = structures
    halves = divide(numbers, [str(i) for i in range(N)], seed=1)
    found = scores(iter(members), halves)
    references, tests = halves.rows(reference=True), halves.rows(reference=False)
    for row, test in enumerate(tests):
        for column, group in enumerate(halves.groups):
            own = [i for i in references if numbers[i] == group]
            mean = nearest = 0.0
            of_each = dict.fromkeys(own, 0.0)
            for features in members:
                for s in range(STREAMS):
                    units = [features[i, s] / np.linalg.norm(features[i, s]) for i in own]
                    mean += cosine(features[test, s], np.mean(units, axis=0))
                    for i in own:
                        of_each[i] += cosine(features[test, s], features[i, s])
            nearest = max(of_each.values())
            assert found["mean"][row, column] == pytest.approx(mean, rel=1e-12)
            assert found["nearest"][row, column] == pytest.approx(nearest, rel=1e-12)


def test_scores_by_hand():
    """References of one group along both axes, one of the other group between them."""
    halves = divide(np.array([1, 1, 2, 2]), list("abcd"), seed=0)._replace(
        labels=np.array([0, 0, 1, 0]), is_reference=np.array([True, True, True, False])
    )
    features = np.array([[[5.0, 0.0]], [[0.0, 2.0]], [[1.0, 1.0]], [[3.0, 0.0]]])
    found = scores([features], halves)
    assert found["mean"] == pytest.approx(np.array([[0.5**0.5, 0.5**0.5]]))
    assert found["nearest"] == pytest.approx(np.array([[1.0, 0.5**0.5]]))


def test_features_of_zeros_are_similar_to_nothing(structures):
    numbers, _ = structures
    halves = divide(numbers, [str(i) for i in range(N)], seed=1)
    found = scores([np.zeros((N, STREAMS, FEATURES))], halves)
    assert not found["mean"].any()
    assert not found["nearest"].any()


def test_halves_differ_by_one_structure_at_most():
    numbers = np.repeat([3, 69, 130, 162, 226], [2, 9, 1, 30, 31])
    halves = divide(numbers, [f"{i:02d}" for i in range(len(numbers))], seed=3)
    assert halves.groups == [3, 69, 162, 226]
    assert halves.left_out == {130: 1}
    for label, count in enumerate([2, 9, 30, 31]):
        references = (halves.is_reference & (halves.labels == label)).sum()
        assert references == (count + 1) // 2
    used = np.concatenate([halves.rows(reference=half) for half in (True, False)])
    assert sorted(used) == [i for i in range(len(numbers)) if numbers[i] != 130]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(GROUPS), st.integers(0, 25)), min_size=2, max_size=80),
    st.integers(0, 5),
)
def test_a_key_comes_to_one_half(rows, seed):
    numbers = np.array([number for number, _ in rows])
    keys = [f"key {key}" for _, key in rows]
    try:
        halves = divide(numbers, keys, seed=seed)
    except DiffsymError:
        return
    sides = {(key, bool(half)) for key, half in zip(keys, halves.is_reference, strict=True)}
    assert len(sides) == len(set(keys))
    for label in range(len(halves.groups)):
        sides = halves.is_reference[halves.labels == label]
        assert 0 < sides.sum() < len(sides)


def test_halves_follow_from_the_seed_and_not_from_the_order():
    numbers = np.tile(GROUPS, 10)
    keys = [f"{i:02d}" for i in range(len(numbers))]
    first, same, other = (divide(numbers, keys, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first.is_reference, same.is_reference)
    assert not np.array_equal(first.is_reference, other.is_reference)
    turned = divide(numbers[::-1], keys[::-1], seed=1)
    assert np.array_equal(turned.is_reference[::-1], first.is_reference)


def test_too_few_groups_are_refused():
    with pytest.raises(DiffsymError, match="1 of the 2 untrained groups have structures in both"):
        divide(np.array([3, 3, 69]), list("abc"), seed=0)
    with pytest.raises(DiffsymError, match="1 of the 2 untrained groups have structures in both"):
        divide(np.array([3, 3, 69, 69]), list("abcc"), seed=0)
    with pytest.raises(DiffsymError, match="untrained groups has 1 outside the classes"):
        untrained_groups([3, 69, 225], [69, 225, 227])
    assert untrained_groups([225, 69, 3], [225, 227]) == [3, 69]


def recognition_of(numbers, members, images):
    split = split_of(numbers)
    return recognise(members, images, split["structure_id"], split, Bootstrap(resamples=100))


def test_features_that_tell_groups_apart_are_recognised():
    numbers = np.repeat(GROUPS, [20, 4, 10, 6])
    labels = np.searchsorted(GROUPS, numbers)
    rng = np.random.default_rng(0)
    features = np.zeros((len(numbers), STREAMS, 4))
    # Only the second stream knows the group; the others are noise.
    features[np.arange(len(numbers)), 1, labels] = 3.0
    features[:, [0, 2]] = rng.random((len(numbers), 2, 4))
    images = rng.random((len(numbers), STREAMS, 30))
    recognition = recognition_of(numbers, [features], images)
    json.dumps(plain(recognition), allow_nan=False)
    of_features = recognition.accuracy.features
    assert [entry.k for entry in of_features.mean] == [1, 2, 3, 4]
    for reading in ("mean", "nearest"):
        first = getattr(of_features, reading)[0].value
        assert first > 0.9
        without = getattr(recognition.accuracy.images, reading)[0].value
        assert without < 0.7
        gain = getattr(recognition.gain_over_images, reading)[0]
        assert gain.value == pytest.approx(first - without)
        right = sum(getattr(group.right, reading) for group in recognition.groups)
        assert right == pytest.approx(first * 20)
    # Ten of the twenty tested structures are of the commonest group, five of the next.
    assert [entry.value for entry in recognition.baseline] == [0.5, 0.75, 0.9, 1.0]
    counts = [(g.space_group, g.reference, g.test) for g in recognition.groups]
    assert counts == [(3, 10, 10), (69, 2, 2), (130, 5, 5), (162, 3, 3)]


def test_recognition_is_deterministic_and_the_order_of_structures_plays_no_part(structures):
    numbers, members = structures
    images = np.abs(members[0][..., :4])
    first, same = (recognition_of(numbers, iter(members), images) for _ in range(2))
    assert first == same
    split = split_of(numbers)
    order = np.random.default_rng(0).permutation(N)
    turned = recognise(
        [features[order] for features in members],
        images[order],
        split["structure_id"].take(pa.array(order)),
        split,
        Bootstrap(resamples=100),
    )
    assert turned.groups == first.groups
    accuracies = [
        [entry.value for entry in result.accuracy.features.nearest] for result in (first, turned)
    ]
    assert accuracies[0] == accuracies[1]

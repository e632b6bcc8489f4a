"""Labels by crystal system, and back to space groups."""

from dataclasses import replace

import numpy as np
import pytest

from diffsym.errors import DiffsymError
from diffsym.models.crystal_systems import label_by_system
from diffsym.structures.space_groups import spread_over_groups
from diffsym.study.loading import load_configuration


@pytest.fixture
def groups(train):
    """Six groups of three systems, of known frequencies; one has no structure."""
    labels = np.repeat([0, 1, 2, 3, 4], [10, 30, 20, 60, 180]).astype(np.int32)
    return replace(train, labels=labels, classes=(14, 15, 62, 225, 227, 229))


def test_structures_keep_all_but_their_labels(groups):
    seen = label_by_system(groups)
    assert seen.classes == (0, 1, 2)
    assert np.bincount(seen.labels).tolist() == [40, 20, 240]
    assert seen.features is groups.features
    assert seen.structure_ids is groups.structure_ids


def test_probabilities_are_shared_by_frequency_and_add_up_again(groups):
    probabilities = np.random.default_rng(0).dirichlet(np.ones(3), 7).astype(np.float32)
    shared = spread_over_groups(probabilities, groups.classes, [10, 30, 20, 60, 180, 0])
    assert shared.shape == (7, 6)
    expected = probabilities[:, [0, 0, 1, 2, 2, 2]] * [0.25, 0.75, 1, 0.25, 0.75, 0]
    assert shared == pytest.approx(expected, abs=1e-6)
    sums = np.add.reduceat(shared, [0, 2, 3], axis=1)
    assert sums == pytest.approx(probabilities, abs=1e-6)


def test_unlabelled_patterns_stay_unlabelled(groups):
    labels = groups.labels.copy()
    labels[[0, 299]] = -1
    assert label_by_system(replace(groups, labels=labels)).labels[[0, 1, 298, 299]].tolist() == [
        -1, 0, 2, -1
    ]  # fmt: skip


def test_a_system_without_training_structures_gives_equal_shares():
    shared = spread_over_groups(np.array([[0.4, 0.6]], np.float32), (14, 225, 227), [300, 0, 0])
    assert shared[0] == pytest.approx([0.4, 0.3, 0.3], abs=1e-6)


def test_logistic_regressions_have_no_target():
    with pytest.raises(DiffsymError, match=r"experiments\.lr\.target"):
        load_configuration(
            {
                "report": {"experiments": ["lr"]},
                "sources": {"amcsd": {"kind": "amcsd"}},
                "structures": {"sources": ["amcsd"]},
                "descriptors": {"pdf": {"kind": "pdf"}},
                "class_sets": {"all": {"min_entries": 5}},
                "splits": {"s": {"kind": "stratified"}},
                "models": {"m": {"kind": "logistic", "features": "linear"}},
                "experiments": {
                    "lr": {
                        "descriptor": "pdf",
                        "split": "s",
                        "classes": "all",
                        "model": "m",
                        "target": "crystal_system",
                    }
                },
            }
        )

"""Small partitions that a network of a few hundred weights learns in seconds."""

import numpy as np
import pyarrow as pa
import pytest

from diffsym.datasets.feeding import Partition

CLASSES = (2, 14, 225)


def clusters(n: int, seed: int, *, width: int = 40) -> Partition:
    """Descriptors of three groups: a peak each, at a place of its own, under noise."""
    generator = np.random.default_rng(seed)
    labels = generator.choice(3, n, p=[0.6, 0.3, 0.1]).astype(np.int32)
    grid = np.arange(width)
    peaks = np.exp(-((grid - 8 - 12 * labels[:, None]) ** 2) / 8)
    features = peaks + 0.6 * generator.normal(size=(n, width))
    return Partition(
        features=features.astype(np.float32),
        labels=labels,
        folds=(np.arange(n) % 3).astype(np.int8),
        structure_ids=pa.array([f"x:{number:04d}" for number in range(n)], pa.string()),
        classes=CLASSES,
    )


@pytest.fixture(scope="session")
def train():
    return clusters(300, 1)


@pytest.fixture(scope="session")
def validation():
    return clusters(120, 2)

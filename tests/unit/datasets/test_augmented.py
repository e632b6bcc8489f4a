"""Patterns rendered while a network trains: the right lines, new noise, the same noise again."""

import numpy as np
import pyarrow as pa
import pytest
from powder_references import march_dollase

from diffsym.datasets.augmented import open_augmented_partitions
from diffsym.errors import DiffsymError
from diffsym.keras_backend import keras
from diffsym.models.batches import Batches, shuffled
from diffsym.scattering.powder import PeakShape, powder_patterns, two_theta_grid
from diffsym.scattering.types import Lines, Radiation
from diffsym.settings.augmentation import Augmentation
from diffsym.settings.descriptors.powder import Powder
from diffsym.tables import REFLECTIONS, SPLIT, read_table, write_table

N = 60
CLASSES = [2, 225]
IDS = [f"x:{number:02d}" for number in range(N)]
GRID = {"two_theta_min": 10.0, "two_theta_max": 40.0, "two_theta_step": 0.05}
# Peaks of one width and neither noise nor background: patterns are known.
PLAIN = {"sigma": (0.1, 0.1), "noise": (0.0, 0.0), "background_probability": 0.0}


@pytest.fixture
def tables(tmp_path):
    """Shards of a reflections table in an order of their own, and a split."""
    generator = np.random.default_rng(0)
    lines = [np.sort(generator.uniform(0.15, 0.4, generator.integers(2, 9))) for _ in range(N)]
    strengths = [generator.uniform(1, 100, len(row)).astype(np.float32) for row in lines]
    lines[0], strengths[0] = np.empty(0), np.empty(0, np.float32)
    lines[1], strengths[1] = np.array([0.05, 0.9]), np.ones(2, np.float32)
    order = generator.permutation(N)
    order = np.append(order[order > 1][:-5], [0, 1])  # five structures have no reflections
    shards = []
    for number, rows in enumerate((order[:20], order[20:20], order[20:])):
        shards.append(tmp_path / f"shard-{number}.parquet")
        table = {
            "structure_id": pa.array([IDS[row] for row in rows], pa.string()),
            "d_star": pa.array([lines[row] for row in rows], pa.list_(pa.float64())),
            "intensity": pa.array([strengths[row] for row in rows], pa.list_(pa.float32())),
            "axis_cosine": pa.nulls(len(rows), pa.list_(pa.float32())),
        }
        write_table(pa.table(table), shards[-1], REFLECTIONS)
    roles = generator.choice(["train", "validation", "test"], N, p=[0.6, 0.2, 0.2])
    split = {
        "structure_id": IDS,
        "space_group": [*CLASSES, *generator.choice([*CLASSES, 62], N - 2)],
        "role": roles.tolist(),
        "fold": np.where(roles == "test", -1, np.arange(N) % 2),
        "group": IDS,
    }
    write_table(pa.table(split), tmp_path / "split.parquet", SPLIT)
    return shards, tmp_path / "split.parquet", lines, strengths


def joined(lines, strengths, rows):
    offsets = np.concatenate([[0], np.cumsum([len(lines[k]) for k in rows])])
    return Lines(*(np.concatenate([v[k] for k in rows]) for v in (lines, strengths)), offsets)


def powder(augmentation, **changes):
    return Powder(kind="powder", augmentation=Augmentation(**augmentation), **GRID, **changes)


def opened(tables, *, seed=3, augmentation=PLAIN, validation_fold=None):
    settings = powder(augmentation, wavelength=1.54, b_iso=0.5)
    return open_augmented_partitions(
        *tables[:2], CLASSES, settings, seed=seed, validation_fold=validation_fold
    )


def test_a_structure_gets_the_pattern_of_its_own_lines(tables):
    _, _, lines, strengths = tables
    grid = two_theta_grid(**GRID)
    parts = opened(tables)
    for part in parts.values():
        assert part.size == len(grid)
        rows = np.arange(len(part))[::-1]
        wanted = [IDS.index(name) for name in part.structure_ids.to_pylist()]
        expected = powder_patterns(
            joined(lines, strengths, wanted),
            grid,
            shape=PeakShape.gaussian(0.1),
            radiation=Radiation.of(1.54),
            b_iso=0.5,
        )
        assert part.take(rows) == pytest.approx(expected[::-1], abs=1e-6)
    assert sum(map(len, parts.values())) > 20


def test_a_structure_without_a_line_in_the_pattern_is_left_out(tables):
    parts = opened(tables)
    names = [name for part in parts.values() for name in part.structure_ids.to_pylist()]
    assert not {"x:00", "x:01"} & set(names)
    assert all(np.isfinite(part.take(np.arange(len(part)))).all() for part in parts.values())


def test_both_lines_of_a_doublet_count(tables):
    doublet = powder(PLAIN, wavelength=((1.54, 0.5), (1.4, 0.5)))
    single = opened(tables)["train"]
    paths = tables[:2]
    both = open_augmented_partitions(*paths, CLASSES, doublet, seed=0)["train"]
    rows = np.arange(3)
    assert len(both) >= len(single)
    assert not np.allclose(both.take(rows), single.take(rows))


def test_training_noise_is_new_each_epoch_and_evaluation_noise_never(tables):
    rows = np.arange(5)
    noisy = {"sigma": (0.05, 0.1), "noise": (0.0, 0.02)}
    first = opened(tables, seed=1, augmentation=noisy)
    second = opened(tables, seed=2, augmentation=noisy)
    for role in ("validation", "test"):
        assert np.array_equal(first[role].take(rows[:3]), second[role].take(rows[:3]))
    train = first["train"]
    one, two = (train.at_epoch(epoch).take(rows) for epoch in (1, 2))
    assert np.array_equal(one, train.at_epoch(2).at_epoch(1).take(rows))
    assert not np.isclose(one, two).all(axis=1).any()
    assert not np.isclose(one, second["train"].at_epoch(1).take(rows)).all(axis=1).any()


def test_a_digest_knows_the_patterns_and_not_the_epoch(tables):
    parts = opened(tables)
    again = opened(tables)
    other = opened(tables, seed=4)
    assert parts["train"].digest() == again["train"].digest()
    assert parts["train"].digest() != other["train"].digest()
    assert parts["test"].digest() == other["test"].digest()
    changed = opened(tables, augmentation=PLAIN | {"sigma": (0.1, 0.2)})
    assert changed["train"].digest() != again["train"].digest()


SHARE, COSINES = 0.25, (0.2, 0.9)
TEXTURED = PLAIN | {"march_ratio": (0.6, 1.4)}


@pytest.fixture
def oriented_tables(tables):
    """The same tables, every other line split into two parts at different angles to an axis."""
    for shard in tables[0]:
        table = read_table(shard, REFLECTIONS).to_pydict()
        for name, parts in (("d_star", (1, 1)), ("intensity", (SHARE, 1 - SHARE))):
            table[name] = [
                [part * value for k, value in enumerate(row) for part in (parts if k % 2 else [1])]
                for row in table[name]
            ]
        table["axis_cosine"] = [
            [cosine for k in range(len(lines)) for cosine in (COSINES if k % 2 else [0.5])]
            for lines in read_table(shard, REFLECTIONS)["d_star"].to_pylist()
        ]
        schema = pa.schema([field.remove_metadata() for field in REFLECTIONS])
        write_table(pa.table(table, schema=schema), shard, REFLECTIONS)
    return tables


def test_preferred_orientation_changes_the_lines_by_their_angles(oriented_tables):
    _, _, lines, strengths = oriented_tables
    random = opened(oriented_tables)
    plates = opened(oriented_tables, augmentation=PLAIN | {"march_ratio": (0.6, 0.6)})
    assert random["train"].lines.axis_cosine is None
    wanted = [IDS.index(name) for name in plates["train"].structure_ids.to_pylist()]
    factors = SHARE * march_dollase(0.2, 0.6) + (1 - SHARE) * march_dollase(0.9, 0.6)
    for part, odd, even in (
        (random["train"], 1.0, 1.0),
        (plates["train"], factors, march_dollase(0.5, 0.6)),
    ):
        weighted = [np.where(np.arange(len(row)) % 2, odd, even) * row for row in strengths]
        expected = powder_patterns(
            joined(lines, weighted, wanted),
            two_theta_grid(**GRID),
            shape=PeakShape.gaussian(0.1),
            radiation=Radiation.of(1.54),
            b_iso=0.5,
        )
        assert part.take(np.arange(len(part))) == pytest.approx(expected, abs=2e-6)


def test_a_fold_that_validates_has_the_noise_of_evaluation(tables):
    noisy = {"sigma": (0.05, 0.1), "noise": (0.0, 0.02)}
    first = opened(tables, seed=1, augmentation=noisy, validation_fold=0)
    second = opened(tables, seed=2, augmentation=noisy, validation_fold=0)
    rows = np.arange(3)
    assert set(first["validation"].folds) == {0}
    assert set(first["train"].folds) == {1}
    for role, same in (("validation", True), ("train", False)):
        one, two = first[role].take(rows), second[role].take(rows)
        assert np.array_equal(one, two) is same


def test_preferred_orientation_is_drawn_by_seed_and_epoch(oriented_tables):
    rows = np.arange(5)
    random = opened(oriented_tables)
    first = opened(oriented_tables, augmentation=TEXTURED)
    again = opened(oriented_tables, augmentation=TEXTURED)
    other = opened(oriented_tables, augmentation=TEXTURED, seed=4)
    for role in ("train", "validation", "test"):
        taken = first[role].take(rows[:3])
        assert np.array_equal(taken, again[role].take(rows[:3]))
        assert not np.isclose(taken, random[role].take(rows[:3]), atol=1e-3).all()
    one, two = (first["train"].at_epoch(epoch).take(rows) for epoch in (1, 2))
    assert not np.isclose(one, two, atol=1e-3).all()
    assert not np.isclose(one, other["train"].at_epoch(1).take(rows), atol=1e-3).all()
    assert np.array_equal(first["test"].take(rows[:3]), other["test"].take(rows[:3]))
    assert first["train"].digest() == again["train"].digest() != random["train"].digest()


def test_preferred_orientation_without_angles_is_a_mistake(tables):
    with pytest.raises(DiffsymError, match=r"shard-0\.parquet.*set reflections\.preferred_axis"):
        opened(tables, augmentation=TEXTURED)


def test_threads_render_what_one_thread_renders(tables):
    noisy = {"sigma": (0.05, 0.1), "noise": (0.0, 0.02)}
    parts = opened(tables, augmentation=noisy)
    train = parts["train"].at_epoch(3)
    order = shuffled(len(train), seed=0, epoch=3)
    batches = Batches(train, 4, order=order)
    assert batches.workers > 1
    adapter = keras.src.trainers.data_adapters.py_dataset_adapter.PyDatasetAdapter(
        batches, shuffle=False
    )
    fed = np.concatenate([np.asarray(batch[0]) for batch in adapter.get_tf_dataset()])
    assert np.array_equal(fed[: len(train)], train.take(order))


def test_no_training_structure_is_a_mistake(tables):
    with pytest.raises(DiffsymError, match="choose other classes"):
        open_augmented_partitions(*tables[:2], [1, 3], powder(PLAIN), seed=0)

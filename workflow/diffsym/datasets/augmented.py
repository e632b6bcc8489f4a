"""Powder patterns rendered while a network trains, with new noise in each epoch."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from diffsym.datasets.feeding import LabelledStructures, assignments_by_role, labels_of
from diffsym.datasets.lists import gather_lists
from diffsym.descriptors.powder import axis
from diffsym.descriptors.powder_noise import augmented_patterns, pattern_keys
from diffsym.errors import DiffsymError
from diffsym.scattering.types import Floats, Integers, Keys, Lines, Radiation, Singles
from diffsym.settings.augmentation import Augmentation
from diffsym.settings.descriptors.powder import Powder
from diffsym.tables import REFLECTIONS, read_table


@dataclass(frozen=True, kw_only=True)
class AugmentedPartition(LabelledStructures):
    """Structures whose powder patterns are rendered when they are taken, with new noise each epoch.

    A pattern depends on seed, epoch and structure alone, so it may be rendered in any batch and by
    any thread.

    Attributes
    ----------
    lines
        Of all structures, read-only maps of temporary files; with cosines where an orientation is
        preferred.
    two_theta : (m,)
        Angles, degrees.
    settings
        What the patterns are rendered with; its augmentation is given.
    keys : (n,)
        Of the structures' random numbers in this epoch.
    seed
        Of the draw.
    """

    lines: Lines
    two_theta: Floats
    settings: Powder
    keys: Keys
    seed: int
    workers: ClassVar[int] = 2

    @property
    def size(self) -> int:
        """Number of values that describe a structure."""
        return len(self.two_theta)

    def take(self, rows: Integers) -> Singles:
        """Descriptors of some structures, (b, size)."""
        return augmented_patterns(
            self.lines,
            self.two_theta,
            keys=self.keys[rows],
            augmentation=_augmentation(self.settings),
            rows=rows,
            radiation=Radiation.of(self.settings.wavelength),
            b_iso=self.settings.b_iso,
        )

    def at_epoch(self, epoch: int) -> Self:
        """The same structures with the noise of another epoch."""
        keys = pattern_keys(self.structure_ids.to_pylist(), seed=self.seed, epoch=epoch)
        return replace(self, keys=keys)

    def _contents(self) -> Iterable[bytes | memoryview]:
        lines = self.lines
        arrays = [lines.d_star, lines.intensity, lines.offsets, self.two_theta, self.keys]
        if lines.axis_cosine is not None:
            arrays.append(lines.axis_cosine)
        return [*(array.tobytes() for array in arrays), repr(self.settings).encode()]


def open_augmented_partitions(
    reflections: Sequence[str | Path],
    split: str | Path,
    classes: Sequence[int],
    settings: Powder,
    *,
    seed: int,
    training_filter: str | Path | None = None,
    validation_fold: int | None = None,
    folder: str | Path | None = None,
) -> dict[str, AugmentedPartition]:
    """Join reflections, split and classes; patterns are rendered when a batch is asked for.

    Validation and test patterns are drawn once, whatever the seed; those of the training part are
    new in each epoch and for each seed.

    Parameters
    ----------
    reflections
        Shards of the reflections table (Parquet).
    split, classes, training_filter, validation_fold, folder
        See `diffsym.datasets.feeding.open_partitions`.
    settings
        Of the descriptor; its augmentation is given.
    seed
        Seed of the training patterns.

    Returns
    -------
    dict
        As `open_partitions`. A structure without a line in the pattern has no pattern and is left
        out, as it is rejected by the descriptor of the same name.

    Raises
    ------
    DiffsymError
        If the training part is empty, or an orientation is preferred and the reflections have no
        angles to an axis.
    """
    two_theta = axis(settings)
    columns: dict[str, type] = {"d_star": np.float64, "intensity": np.float32}
    if _augmentation(settings).march_ratio != (1, 1):
        _refuse_lines_without_angle(reflections)
        columns["axis_cosine"] = np.float32
    visible = _visible_structures(reflections, two_theta, Radiation.of(settings.wavelength))
    partitions = {}
    for role, rows in assignments_by_role(
        visible, split, classes, training_filter, validation_fold
    ).items():
        names = rows["structure_id"].tolist()
        lines, offsets = gather_lists(reflections, columns, pd.Index(names), folder)
        role_seed = seed if role == "train" else 0
        partitions[role] = AugmentedPartition(
            lines=Lines(offsets=offsets, **lines),
            two_theta=two_theta,
            settings=settings,
            keys=pattern_keys(names, seed=role_seed, epoch=0),
            seed=role_seed,
            **labels_of(rows, classes),
        )
    return partitions


def _augmentation(settings: Powder) -> Augmentation:
    """What is drawn anew in each epoch."""
    if settings.augmentation is None:
        raise ValueError("patterns without an augmentation are stored, not rendered")
    return settings.augmentation


def _refuse_lines_without_angle(shards: Sequence[str | Path]) -> None:
    """DiffsymError where lines are not split by their angle to an axis."""
    for shard in shards:
        if read_table(shard, REFLECTIONS, ["axis_cosine"])["axis_cosine"].null_count:
            raise DiffsymError(
                f"{shard}: the lines have no angle to a preferred axis, which march_ratio needs; "
                "set reflections.preferred_axis"
            )


def _visible_structures(
    shards: Sequence[str | Path], two_theta: Floats, radiation: Radiation
) -> pa.ChunkedArray:
    """Identifiers of the structures that have a line between the first and the last angle."""
    sines = np.sin(np.radians(two_theta[[0, -1]]) / 2)
    limits = 2 * sines / radiation.wavelengths[:, np.newaxis]
    visible = []
    for shard in shards:
        table = read_table(shard, REFLECTIONS, ["structure_id", "d_star"]).combine_chunks()
        d_star = pc.list_flatten(table["d_star"]).to_numpy()
        inside = ((d_star >= limits[:, :1]) & (d_star <= limits[:, 1:])).any(axis=0)
        rows = pc.list_parent_indices(table["d_star"]).to_numpy()[inside]
        visible.append(table["structure_id"].take(pa.array(np.unique(rows))))
    return pa.chunked_array([chunk for column in visible for chunk in column.chunks], pa.string())

"""List columns of Parquet tables, joined by structure, as flat memory-mapped arrays."""

import math
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import DTypeLike, NDArray

from diffsym.files import full_disk_told
from diffsym.tables import open_table


def gather_lists(
    paths: Sequence[str | Path],
    columns: Mapping[str, DTypeLike],
    wanted: pd.Index,
    folder: str | Path | None = None,
) -> tuple[dict[str, NDArray], NDArray[np.int64]]:
    """Write the lists of the wanted structures, in that order, to scratch arrays.

    Parameters
    ----------
    paths
        Parquet tables, read one row group at a time.
    columns
        Name of each list column -> type of its array. The lists of a row are equally long.
    wanted
        Identifiers of n structures; one missing from all tables has empty lists.
    folder
        See `scratch_array`.

    Returns
    -------
    arrays
        Column -> elements of all lists, concatenated, (l,); read-only maps.
    offsets
        First element of each structure, and the number of all, (n + 1,).
    """
    counts = np.zeros(len(wanted), np.int64)
    for rows, lists in _wanted_lists(paths, next(iter(columns)), wanted):
        counts[rows] = pc.list_value_length(lists).to_numpy()
    offsets = np.concatenate([[0], np.cumsum(counts)])
    arrays = {}
    for name, dtype in columns.items():
        elements = scratch_array((int(offsets[-1]),), dtype, folder)
        for rows, lists in _wanted_lists(paths, name, wanted):
            elements[_places(offsets, rows)] = pc.list_flatten(lists).to_numpy()
        elements.flags.writeable = False
        arrays[name] = elements
    return arrays, offsets


def scratch_array(
    shape: tuple[int, ...], dtype: DTypeLike, folder: str | Path | None = None
) -> NDArray:
    """Array of zeros that is mapped to a temporary file.

    The file has no name, so nothing of it remains once the array is gone, not even if the process
    is killed.

    Parameters
    ----------
    shape
        Any shape.
    dtype
        Type of the elements.
    folder
        Where the file lies; the system's temporary folder by default.

    Raises
    ------
    DiffsymError
        The disk has no room for the array.
    """
    size = math.prod(shape) * np.dtype(dtype).itemsize
    if not size:  # no file of no bytes can be mapped
        return np.empty(shape, dtype)
    what = f"a temporary file of {size / 1e6:.0f} MB in {folder or tempfile.gettempdir()}"
    with full_disk_told(what), tempfile.TemporaryFile(dir=folder) as file:
        # Without reserved space a mapped array would kill the process when it is first written to.
        if hasattr(os, "posix_fallocate"):  # not on macOS
            os.posix_fallocate(file.fileno(), 0, size)
        return np.memmap(file, dtype, mode="r+", shape=shape)


def _wanted_lists(
    paths: Sequence[str | Path], column: str, wanted: pd.Index
) -> Iterator[tuple[NDArray[np.intp], pa.ChunkedArray]]:
    """Of each row group: numbers, among the wanted ones, of its structures, and their lists."""
    for path in paths:
        with open_table(path) as table:
            for number in range(table.num_row_groups):
                group = table.read_row_group(number, columns=["structure_id", column])
                rows = wanted.get_indexer(group["structure_id"].to_pandas())
                yield rows[rows >= 0], group[column].filter(pa.array(rows >= 0))


def _places(offsets: NDArray[np.int64], rows: NDArray[np.intp]) -> NDArray[np.int64]:
    """Where the elements of the lists of some rows lie, list after list."""
    counts = offsets[rows + 1] - offsets[rows]
    shifts = offsets[rows] - np.cumsum(counts) + counts
    return np.repeat(shifts, counts) + np.arange(counts.sum())

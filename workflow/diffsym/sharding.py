"""Which shard an entry belongs to: a function of its identifier alone."""

import hashlib
from collections import Counter

import pyarrow as pa


def shard_of(structure_id: str, n_shards: int) -> int:
    """Shard number of an entry.

    The number follows from a hash of the identifier, so the job graph is known before any
    structure is read, and adding entries moves no other.

    Parameters
    ----------
    structure_id
        Identifier `source:entry`.
    n_shards
        Number of shards, at least 1.

    Returns
    -------
    int
        0 ... n_shards - 1.
    """
    digest = hashlib.blake2b(structure_id.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % n_shards


def in_shard_order(structures: pa.Table, n_shards: int) -> tuple[pa.Table, list[int]]:
    """Sort a table by shard and identifier.

    Returns
    -------
    table
        The rows in their order.
    row_groups
        Number of rows of each shard.
    """
    identifiers = structures["structure_id"].to_pylist()
    shards = [shard_of(identifier, n_shards) for identifier in identifiers]
    order = sorted(range(len(shards)), key=lambda row: (shards[row], identifiers[row]))
    sizes = Counter(shards)
    return structures.take(order), [sizes[shard] for shard in range(n_shards)]

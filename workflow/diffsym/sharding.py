"""Which shard an entry belongs to: a function of its identifier alone."""

import hashlib


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

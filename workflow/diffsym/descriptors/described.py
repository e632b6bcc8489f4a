"""What comes of computing a descriptor, or of converting measured patterns to it."""

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from diffsym.tables import descriptor_table, rejected_table


class Described(NamedTuple):
    """Descriptors of n structures or patterns.

    Attributes
    ----------
    values : (n, ...)
        Dense or sparse, one row each.
    failures
        Row and reason of each that has no descriptor; its values mean nothing.
    """

    values: Any
    failures: list[tuple[int, str]]

    def tables(self, names: pa.ChunkedArray, stage: str) -> tuple[pa.Table, pa.Table]:
        """Descriptor table of those that have one, and rejected table of the others.

        Parameters
        ----------
        names : (n,)
            Identifiers.
        stage
            At which the others are rejected.
        """
        kept = np.setdiff1d(np.arange(len(names)), [row for row, _ in self.failures])
        rejected = ((names[row].as_py(), "descriptor", why) for row, why in self.failures)
        return (
            descriptor_table(names.take(kept), self.values[kept]),
            rejected_table(rejected, stage=stage),
        )

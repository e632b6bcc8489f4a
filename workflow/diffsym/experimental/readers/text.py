"""Text of two columns, 2theta in degrees and intensity; what follows # is a comment."""

from pathlib import Path

import pandas as pd

from diffsym.experimental.readers.base import MeasuredPattern, Unreadable


def read(path: Path) -> MeasuredPattern | Unreadable:
    """Read a file; columns are separated by blanks, commas or semicolons, more are ignored."""
    try:
        values = pd.read_csv(
            path, sep=r"[\s,;]+", comment="#", header=None, engine="python", dtype=float
        )
        return MeasuredPattern(two_theta=values[0].to_numpy(), intensity=values[1].to_numpy())
    except (OSError, ValueError, KeyError) as error:
        return Unreadable(f"not two columns of numbers, 2theta and intensity ({error})")

"""Measured powder patterns of the user."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from annotated_types import MinLen

from diffsym.settings.measured.base import Measured
from diffsym.settings.patterns import Wavelength


@dataclass(frozen=True, kw_only=True)
class MeasuredPatterns(Measured):
    """Measured powder patterns: a folder of files, or a NumPy archive (docs/measured.md)."""

    simulated: ClassVar = False
    module: ClassVar = "diffsym.experimental.patterns"
    wanted: ClassVar = "your folder of patterns or to your NumPy archive"

    kind: Literal["patterns"] = "patterns"
    """Which reader."""
    path: Annotated[str, MinLen(1)]
    """The folder or the .npz file."""
    wavelength: Wavelength = 1.54184
    """A; or (wavelength, weight) of each line of a doublet; for patterns without their own."""
    exclude: tuple[str, ...] = ()
    """Patterns not to use, for example after an audit."""
    citation: str = "unpublished"
    """Whom to cite; shown in the report's configuration."""

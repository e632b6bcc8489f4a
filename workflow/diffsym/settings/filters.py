"""Which structures are left out of training."""

from dataclasses import dataclass

from diffsym.settings.base import Positive, Section


@dataclass(frozen=True, kw_only=True)
class Filter(Section):
    """Outliers that are left out of training (Ozaki et al. 2025, section 2.3).

    Numbers of standard deviations on either side of the mean over the structures of a class set.
    """

    volume: Positive | None = None
    """Of ln(V / A^3), V the volume of the primitive cell; null: no limit."""
    density: Positive | None = None
    """Of ln(n A^3 / V), n the number of atoms in it; null: no limit."""

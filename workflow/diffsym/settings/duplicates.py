"""Which structures count as the same."""

from dataclasses import dataclass

from diffsym.settings.base import Positive, Section


@dataclass(frozen=True, kw_only=True)
class Duplicates(Section):
    """Tolerances of pymatgen's StructureMatcher."""

    ltol: Positive = 0.2
    """Fractional tolerance of the lattice lengths."""
    stol: Positive = 0.3
    """Site tolerance, fraction of (V/n)^(1/3)."""
    angle_tol: Positive = 5.0
    """Tolerance of the lattice angles, degrees."""

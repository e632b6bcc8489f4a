"""What a structure has to pass before anything is computed from it."""

from dataclasses import dataclass

from diffsym.settings.base import NonNegative, Positive, Section


@dataclass(frozen=True, kw_only=True)
class Checks(Section):
    """Physical checks that a structure passes before any descriptor is computed."""

    occupancy_tolerance: NonNegative = 0.05
    """A site may be filled beyond 1 by this much."""
    min_distance: Positive = 0.9
    """Shortest distance of two atoms, A."""
    min_distance_hydrogen: Positive = 0.5
    """Shortest distance of two atoms if one is hydrogen, A."""
    composition_tolerance: Positive = 0.02
    """Largest share of atoms that may differ from the stated formula."""
    density_tolerance: Positive = 0.05
    """Largest relative deviation from the stated density."""

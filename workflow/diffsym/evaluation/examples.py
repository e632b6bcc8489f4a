"""Structures that stand for the others in the report."""

import pandas as pd

from diffsym.structures.space_groups import CRYSTAL_SYSTEMS, crystal_system

SHOWN_SYSTEMS = 6
"""Number of crystal systems for which a structure is shown."""


def first_of_commonest(structures: pd.DataFrame) -> dict:
    """The first structure of the most common space group."""
    commonest = structures["space_group"].mode().iloc[0]
    return dict(structures[structures["space_group"] == commonest].iloc[0])


def examples_of_systems(structures: pd.DataFrame) -> list[str]:
    """Identifiers of one structure for each of the crystal systems with the most structures.

    It is the first structure of the system's most common space group; the order is that of the
    crystal systems.

    Parameters
    ----------
    structures
        `structure_id` and `space_group` of each structure.
    """
    systems = structures["space_group"].map(crystal_system)
    commonest = systems.value_counts().index[:SHOWN_SYSTEMS]
    return [
        first_of_commonest(structures[systems == system])["structure_id"]
        for system in CRYSTAL_SYSTEMS
        if system in commonest
    ]

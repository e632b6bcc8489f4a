"""The structures that stand for the others."""

import numpy as np
import pandas as pd

from diffsym.evaluation.examples import SHOWN_SYSTEMS, examples_of_systems
from diffsym.structures.space_groups import CRYSTAL_SYSTEMS, crystal_system


def test_a_structure_of_each_of_the_six_commonest_systems():
    groups = np.random.default_rng(0).choice([2, 14, 15, 62, 139, 166, 194, 225, 227], 400)
    structures = pd.DataFrame({"structure_id": range(400), "space_group": groups})
    chosen = examples_of_systems(structures)
    systems = [crystal_system(groups[identifier]) for identifier in chosen]
    of_all = structures["space_group"].map(crystal_system)
    # Of the seven systems the rarest one is left out.
    assert len(systems) == SHOWN_SYSTEMS
    assert set(of_all) - set(systems) == {of_all.value_counts().index[-1]}
    assert systems == [system for system in CRYSTAL_SYSTEMS if system in systems]
    for identifier, system in zip(chosen, systems, strict=True):
        own = structures[of_all == system]["space_group"]
        counts = own.value_counts()
        assert counts[groups[identifier]] == counts.max()
        assert own.index[own == groups[identifier]][0] == identifier

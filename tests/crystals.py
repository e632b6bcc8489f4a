"""Random crystals, and the same crystal described otherwise, for tests of the scattering kernels.

A cell is (lattice, atomic numbers, fractional coordinates, occupancies).
"""

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

crystals = settings(max_examples=40, deadline=None)


@st.composite
def lattices(draw):
    """Lattices of any shape, row vectors in A."""
    lengths = [draw(st.floats(3, 8)) for _ in range(3)]
    shear = [draw(st.floats(-0.5, 0.5)) for _ in range(3)]
    return np.array(
        [
            [lengths[0], 0, 0],
            [shear[0] * lengths[0], lengths[1], 0],
            [shear[1] * lengths[0], shear[2] * lengths[1], lengths[2]],
        ]
    )


# Unimodular changes (determinant one) and supercells.
cell_changes = (
    st.lists(st.integers(-2, 2), min_size=9, max_size=9)
    .map(lambda entries: np.reshape(entries, (3, 3)))
    .filter(lambda change: 1 <= abs(np.linalg.det(change)) <= 6)
)


def supercell(cell, change):
    """The same crystal in a lattice whose rows are whole-number combinations."""
    lattice, numbers, coordinates, occupancies = cell
    copies = round(abs(np.linalg.det(change)))
    steps = np.stack(np.meshgrid(*[np.arange(-6, 7)] * 3), axis=-1).reshape(-1, 3)
    inside = steps @ np.linalg.inv(change)
    steps = steps[((inside > -1e-9) & (inside < 1 - 1e-9)).all(axis=1)]
    assert len(steps) == copies
    repeated = (coordinates + steps[:, np.newaxis]).reshape(-1, 3) @ np.linalg.inv(change)
    return change @ lattice, np.tile(numbers, copies), repeated, np.tile(occupancies, copies)


@st.composite
def moved(draw, cells):
    """A crystal, and the same one with another origin, order of atoms and orientation."""
    cell = lattice, numbers, coordinates, occupancies = draw(cells)
    shift = [draw(st.floats(-1, 1)) for _ in range(3)]
    order = draw(st.permutations(range(len(numbers))))
    rotation = Rotation.random(random_state=draw(st.integers(0, 1000))).as_matrix()
    other = lattice @ rotation, numbers[order], coordinates[order] + shift, occupancies[order]
    return cell, other

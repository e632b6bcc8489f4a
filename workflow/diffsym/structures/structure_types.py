"""Structure types: the protostructure label without its chemistry.

The label is that of AFLOW as pymatgen writes it (Goodall et al., Sci. Adv. 8, eabn4117, 2022):
anonymous formula, Pearson symbol, space group, and the Wyckoff positions of each species, the
choice of origin taken out, e.g. `AB2_cF12_225_a_c` for fluorite. A site shared by several
species, or partly empty, counts as one species of its own, so that the label of a solid solution
is that of the ordered structure it derives from.
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from string import ascii_lowercase, ascii_uppercase

from diffsym.structures.space_groups import crystal_system, symbol


def structure_type(
    space_group: int, orbits: Sequence[tuple[int, str, int]], n_conventional: int
) -> str:
    """Protostructure label without chemistry.

    Parameters
    ----------
    space_group
        Number, 1 ... 230.
    orbits
        For each orbit of the primitive cell: index of the species (mixture) on it, Wyckoff
        letter, and number of sites.
    n_conventional
        Number of sites in the conventional cell.

    Returns
    -------
    str
        Two structures have the same label if they differ only in the species (are isopointal).
    """
    letters: dict[int, Counter[str]] = defaultdict(Counter)
    sizes: Counter[int] = Counter()
    for species, letter, size in orbits:
        letters[species][letter] += 1
        sizes[species] += size
    divisor = math.gcd(*sizes.values())
    counted = sorted(
        (size // divisor, "".join(f"{count}{letter}" for letter, count in letters[species].items()))
        for species, size in sizes.items()
    )
    amounts = [amount for amount, _ in counted]
    formula = "".join(
        f"{anonymous_symbol(index)}{amount if amount > 1 else ''}"
        for index, amount in enumerate(amounts)
    )
    positions = canonical_positions(space_group, counted)
    return f"{formula}_{pearson_symbol(space_group, n_conventional)}_{space_group}_{positions}"


def canonical_positions(space_group: int, counted: list[tuple[int, str]]) -> str:
    """Wyckoff letters of each species in the lowest of the equivalent descriptions.

    A shift of origin permutes Wyckoff letters, and species of equal amount have no order of their
    own: of all permutations of letters the one of lowest score is taken, species of equal amount
    sorted by their letters.
    """
    # A package that takes seconds to import.
    from pymatgen.analysis.prototypes import (  # noqa: PLC0415
        WYCKOFF_POSITION_RELAB_DICT,
        sort_and_score_element_wyckoffs,
    )

    candidates = []
    for relabelling in WYCKOFF_POSITION_RELAB_DICT[str(space_group)]:
        table = str.maketrans(relabelling)
        scored = [
            (amount, *sort_and_score_element_wyckoffs(wyckoffs.translate(table)))
            for amount, wyckoffs in counted
        ]
        scored.sort(key=lambda species: (species[0], species[1] + "_"))
        total = sum(score for *_, score in scored)
        candidates.append((total, "_".join(wyckoffs for _, wyckoffs, _ in scored)))
    return min(candidates)[1]


def anonymous_symbol(index: int) -> str:
    """A, B, ..., Z, Aa, Ab, ... (names of species without chemistry)."""
    rest, position = divmod(index, len(ascii_uppercase))
    if not rest:
        return ascii_uppercase[position]
    return ascii_uppercase[rest - 1] + ascii_lowercase[position]


def pearson_symbol(space_group: int, n_conventional: int) -> str:
    """Pearson symbol such as cF12; all base-centred lattices are C."""
    from pymatgen.analysis.prototypes import CRYSTAL_FAMILY_SYMBOLS  # noqa: PLC0415

    family = CRYSTAL_FAMILY_SYMBOLS[crystal_system(space_group)]
    centring = re.sub("[AB]", "C", symbol(space_group)[0])
    return f"{family}{centring}{n_conventional}"

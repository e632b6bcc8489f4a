"""Splits: which structures train, validate and test, and the folds of cross-validation.

Three rules, each harder than the one before it:

- `stratified` draws within each space group (Liu et al. 2019: 80 % and 20 %). Polymorphs, solid
  solutions and isotypes of a training structure may be in the test part.
- `formula` keeps all structures of a reduced formula on one side.
- `prototype` keeps all structures of a structure type on one side.

The same rule draws the test part from all structures, then the validation part from the rest, the
training side; what is left trains. The whole training side is cut into folds by the same rule
again, so that in a cross-validation each of its structures validates once. Space groups with fewer
than `SMALLEST_DRAWN` entries in what is drawn from are too small to give any away: they stay on the
training side whole, or in the training part.

Disjoint test sets with equal numbers of each group are in `diffsym.datasets.disjoint_sets`.
"""

import hashlib
import warnings
from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from diffsym.errors import DiffsymError
from diffsym.settings.splits import DrawnSplit
from diffsym.tables import ROLES, SPLIT

Kind = Literal["stratified", "formula", "prototype"]

# Column of the structures table whose values may not be on both sides.
KEYS: dict[Kind, str] = {
    "stratified": "structure_id",
    "formula": "formula",
    "prototype": "structure_type",
}
# Smallest space group that gives entries to another part; a fifth of five entries is one.
SMALLEST_DRAWN = 5
# The first pass over the keys fills; the second corrects what large keys overshot.
DRAWING_PASSES = 2


def make_split(
    structures: pa.Table, settings: DrawnSplit, others: Mapping[str, pa.Table]
) -> tuple[pa.Table, dict[str, Any]]:
    """Split the structures into a training, a validation and a test part.

    Parameters
    ----------
    structures
        Columns `structure_id`, `space_group` and, as the kind needs it, `formula` or
        `structure_type`; rows in any order.
    settings
        What may not be on both sides, see the module's docstring, and the shares. Equal seeds and
        structures give equal splits.
    others
        Further tables that a split is made from; this one needs none.

    Returns
    -------
    split : pa.Table
        The documented split table, sorted by `structure_id`. With kind `stratified` each space
        group of `n >= SMALLEST_DRAWN` entries has exactly `round(test_fraction * n)` in the test
        part; with the others as near to it as whole formulae or types allow.
    report : dict
        Numbers of structures, see `describe_roles`.

    Raises
    ------
    DiffsymError
        If no space group has as many structures on the training side as there are folds.
    """
    del others
    kind = settings.kind
    columns = dict.fromkeys(["structure_id", "space_group", KEYS[kind]])
    table = structures.select(list(columns)).sort_by("structure_id")
    keys = pd.factorize(table[KEYS[kind]].to_numpy())[0]
    # A separate stream for each part: changing one fraction leaves the other draw alone.
    generator = random_stream(settings.seed, kind, "test")
    test = _draw(kind)(table["space_group"].to_numpy(), keys, settings.test_fraction, generator)
    split = divide_training_side(
        table,
        test,
        kind=kind,
        validation_fraction=settings.validation_fraction,
        folds=settings.folds,
        seed=settings.seed,
    )
    return split, describe_roles(split)


def divide_training_side(
    table: pa.Table,
    test: NDArray[np.bool_],
    *,
    kind: Kind,
    validation_fraction: float,
    folds: int,
    seed: int,
) -> pa.Table:
    """Draw the validation part and the folds from everything outside the test part.

    Parameters
    ----------
    table
        The structures, sorted by `structure_id`.
    test
        Which of them test, (n,).
    kind, validation_fraction, folds, seed
        See `diffsym.settings.splits.DrawnSplit`.

    Returns
    -------
    pa.Table
        The documented split table.
    """
    space_groups = table["space_group"].to_numpy()
    keys = pd.factorize(table[KEYS[kind]].to_numpy())[0]
    side = np.flatnonzero(~test)
    generator = random_stream(seed, kind, "validation")
    drawn = _draw(kind)(space_groups[side], keys[side], validation_fraction, generator)
    roles = np.where(test, "test", "train").astype(object)
    roles[side[drawn]] = "validation"
    numbers = np.full(table.num_rows, -1, dtype=np.int8)
    numbers[side] = _folds(space_groups[side], keys[side], kind, folds, seed)
    return pa.table(
        {
            "structure_id": table["structure_id"],
            "space_group": table["space_group"],
            "role": pa.array(roles, pa.string()),
            "fold": numbers,
            "group": table[KEYS[kind]],
        },
        schema=SPLIT,
    )


def count_roles(split: pa.Table) -> pd.DataFrame:
    """Structures of each space group (rows) in each role (columns) of a split table."""
    rows = split.select(["space_group", "role"]).to_pandas()
    counts = pd.crosstab(rows["space_group"], rows["role"])
    return counts.reindex(columns=list(ROLES), fill_value=0)


def describe_roles(split: pa.Table) -> dict[str, Any]:
    """The report of any split: `roles`, with the structures of each space group in each role."""
    return {"roles": count_roles(split).reset_index().to_dict("records")}


def random_stream(seed: int, *names: str) -> np.random.Generator:
    """Independent stream of random numbers for each name."""
    digest = hashlib.blake2b("/".join(names).encode(), digest_size=8).digest()
    return np.random.default_rng([seed, int.from_bytes(digest, "big")])


def _draw(kind: Kind) -> Callable[[NDArray, NDArray, float, np.random.Generator], NDArray]:
    """The rule that draws a part for a kind of split."""
    return _draw_entries if kind == "stratified" else _draw_keys


def _draw_entries(
    space_groups: NDArray, keys: NDArray, fraction: float, generator: np.random.Generator
) -> NDArray[np.bool_]:
    """Draw exactly `round(fraction * n)` of the `n` entries of each space group."""
    drawn = np.zeros(len(keys), dtype=bool)
    for space_group in np.unique(space_groups):
        entries = generator.permutation(np.flatnonzero(space_groups == space_group))
        if len(entries) >= SMALLEST_DRAWN:
            drawn[entries[: round(fraction * len(entries))]] = True
    return drawn


def _draw_keys(
    space_groups: NDArray, keys: NDArray, fraction: float, generator: np.random.Generator
) -> NDArray[np.bool_]:
    """Draw whole keys so that each space group gives about `fraction` of its entries.

    The keys are visited in random order, `DRAWING_PASSES` times. Each is drawn, or put back, if
    that brings the shares of its space groups closer to `fraction` (sum of squared deviations over
    the expected entries), unless it would take the last entry of a space group or touches a group
    that is too small. A greedy pass is linear in the number of entries and, unlike taking one of k
    folds, allows fractions other than 1/k.
    """
    groups, codes = np.unique(space_groups, return_inverse=True)
    available = np.bincount(codes, minlength=len(groups))
    expected = fraction * available
    counts = np.zeros(len(groups), dtype=np.int64)
    drawn = np.zeros(len(keys), dtype=bool)
    visits = []
    for rows in pd.DataFrame({"code": codes}).groupby(keys).indices.values():
        touched, entries = np.unique(codes[rows], return_counts=True)
        if (available[touched] >= SMALLEST_DRAWN).all():
            visits.append((rows, touched, entries))
    for _ in range(DRAWING_PASSES):
        for visit in generator.permutation(len(visits)):
            rows, touched, entries = visits[visit]
            added = -entries if drawn[rows[0]] else entries
            before = counts[touched] - expected[touched]
            gain = ((before**2 - (before + added) ** 2) / expected[touched]).sum()
            if gain > 0 and (counts[touched] + added < available[touched]).all():
                counts[touched] += added
                drawn[rows] = added[0] > 0
    return drawn


def _folds(
    space_groups: NDArray, keys: NDArray, kind: Kind, folds: int, seed: int
) -> NDArray[np.int8]:
    """Divide entries into folds of equal composition; no key is in two."""
    if np.unique(space_groups, return_counts=True)[1].max(initial=0) < folds:
        raise DiffsymError(
            f"{kind} split: no space group has {folds} structures outside the test part, one for "
            "each fold; lower folds or test_fraction, or add structures"
        )
    settings = {"n_splits": folds, "shuffle": True, "random_state": seed}
    numbers = np.empty(len(keys), dtype=np.int8)
    with warnings.catch_warnings():
        # Space groups with fewer entries than folds are expected; they are spread all the same.
        warnings.filterwarnings("ignore", message="The least populated class")
        if kind == "stratified":
            cuts = StratifiedKFold(**settings).split(keys, space_groups)
        else:
            cuts = StratifiedGroupKFold(**settings).split(keys, space_groups, keys)
        for number, (_, held_out) in enumerate(cuts):
            numbers[held_out] = number
    return numbers

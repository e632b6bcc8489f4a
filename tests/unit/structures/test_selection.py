"""Filters of a source: what they leave out is counted, and nothing else changes."""

import numpy as np
import pyarrow as pa
import pytest

from diffsym.settings.checks import Checks
from diffsym.settings.sources.selection import SYMBOLS, Selection
from diffsym.settings.symmetry import Symmetry
from diffsym.structures.entries import Entry, EntryError, index_mixtures
from diffsym.structures.selection import check_selected, check_sites
from diffsym.structures.shards import process_shard
from diffsym.structures.statistics import statistics
from diffsym.tables import DUPLICATES

# Old ones, hercynite with mixed sites, two with malformed numbers, recent quartz and calcite.
IDENTIFIERS = (3, 100, 14130, 19001, 4917, 4265, 8879)


def entry_of(*sites, formula=(), year=None):
    mixtures, site_mixtures = index_mixtures([tuple(site) for site in sites])
    return Entry(
        entry_id="x",
        lattice=np.eye(3) * 4,
        frac_coords=np.zeros((len(sites), 3)),
        mixtures=mixtures,
        site_mixtures=site_mixtures,
        expected_composition=dict(formula),
        year=year,
    )


CALCITE = entry_of([(20, 1.0)], [(6, 1.0)], [(8, 1.0)], year=1999)
HYDRATE = entry_of([(20, 1.0)], [(6, 1.0)], [(8, 1.0)], formula={20: 1, 6: 1, 8: 4, 1: 2})
ALLOY = entry_of([(26, 0.5), (28, 0.5)], year=2005)
VACANT = entry_of([(26, 0.9)])


@pytest.mark.parametrize(
    ("entry", "settings", "code"),
    [
        (CALCITE, {}, None),
        (CALCITE, {"elements": ("Ca", "C", "O", "H")}, None),
        (CALCITE, {"elements": ("Ca", "O")}, "elements"),
        (HYDRATE, {"elements": ("Ca", "C", "O")}, "elements"),
        (CALCITE, {"excluded_elements": ("O",)}, "elements"),
        (CALCITE, {"excluded_elements": ("Fe",)}, None),
        (CALCITE, {"exclude_carbon_with_hydrogen": True}, None),
        (HYDRATE, {"exclude_carbon_with_hydrogen": True}, "carbon_with_hydrogen"),
        (CALCITE, {"ordered": True}, None),
        (ALLOY, {"ordered": True}, "disordered"),
        (VACANT, {"ordered": True}, "disordered"),
        (CALCITE, {"years": (1999, 1999)}, None),
        (CALCITE, {"years": (2000, 2020)}, "year"),
        (HYDRATE, {"years": (1900, 2020)}, "year"),
        (entry_of([(200, 1.0)]), {"elements": ("Fe",)}, "elements"),
    ],
)
def test_each_filter(entry, settings, code):
    selection = Selection(**settings)
    if code is None:
        check_selected(entry, selection)
        return
    with pytest.raises(EntryError) as caught:
        check_selected(entry, selection)
    assert caught.value.code == code


def test_the_reason_names_what_is_unwanted():
    with pytest.raises(EntryError, match="it contains C, O"):
        check_selected(CALCITE, Selection(elements=("Ca",)))
    with pytest.raises(EntryError, match="has 12 sites"):
        check_sites(12, 11)
    check_sites(12, 12)


def test_symbols_are_in_the_order_of_their_numbers():
    assert (SYMBOLS[25], SYMBOLS[91], len(SYMBOLS)) == ("Fe", "U", 98)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"elements": ("Si", "Oo")}, "elements: 'Oo' is no element"),
        ({"excluded_elements": ("fe",)}, "did you mean 'Fe'"),
        ({"elements": ("Si", "O"), "excluded_elements": ("O",)}, "O is in elements, too"),
        ({"years": (2000, 1990)}, "the first year is after the last"),
    ],
)
def test_impossible_filters(settings, words):
    with pytest.raises(ValueError, match=words):
        Selection(**settings)


def test_what_is_left_out_is_counted_and_the_rest_is_the_same(select):
    chosen = select(IDENTIFIERS)
    all_structures, unreadable = process_shard(chosen, 0, 1, Symmetry(), Checks())
    selection = Selection(ordered=True, max_sites=9, years=(1990, 2016))
    structures, others = process_shard(chosen, 0, 1, Symmetry(), Checks(), selection)
    assert 0 < structures.num_rows < all_structures.num_rows
    kept = structures["structure_id"].to_pylist()
    wanted = pa.array([name in kept for name in all_structures["structure_id"].to_pylist()])
    assert structures.equals(all_structures.filter(wanted))
    left_out = {
        row["entry_id"]: row["code"] for row in others.to_pylist() if row["stage"] == "select"
    }
    assert set(left_out.values()) == {"disordered", "sites", "year"}
    none = DUPLICATES.empty_table()
    counts = statistics(structures, others, none, tolerances=Symmetry().tolerances)
    assert counts["sources"]["amcsd"] == {
        "entries": len(IDENTIFIERS),
        "rejected": unreadable.num_rows,
        "left_out": len(left_out),
        "duplicates": 0,
        "structures": structures.num_rows,
    }
    assert sum(counts["left_out_by_code"].values()) == len(left_out)
    assert counts["rejected_by_code"] == {"unreadable": 2}

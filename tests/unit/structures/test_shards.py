"""Shards: every entry comes out once, as a structure or with a reason."""

import pyarrow as pa
import pytest

from diffsym.settings.checks import Checks
from diffsym.settings.symmetry import Symmetry
from diffsym.structures.entries import RejectionCode
from diffsym.structures.shards import process_shard
from diffsym.tables import REJECTED, STRUCTURES, conform

# Good ones, malformed numbers, an overfull site, atoms that collide, a formula that does not fit.
IDENTIFIERS = (3, 100, 11686, 14130, 19001, 18037, 17502, 10366, 4917, 10506, 12842, 10004)


def test_counts_add_up_and_codes_are_known(select):
    chosen = select(IDENTIFIERS)
    structures, rejected = process_shard(chosen, 0, 1, Symmetry(), Checks())
    conform(structures, STRUCTURES, "structures")
    conform(rejected, REJECTED, "rejected")
    assert structures.num_rows + rejected.num_rows == len(IDENTIFIERS)
    codes = dict(zip(rejected["entry_id"].to_pylist(), rejected["code"].to_pylist(), strict=True))
    assert codes == {
        "14130": "unreadable",
        "19001": "unreadable",
        "18037": "occupancy",
        "17502": "distance",
        "10366": "composition",
    }
    assert set(codes.values()) <= set(RejectionCode)


def test_shards_partition_the_source(select):
    chosen = select(IDENTIFIERS)
    whole, _ = process_shard(chosen, 0, 1, Symmetry(), Checks())
    parts = [process_shard(chosen, shard, 3, Symmetry(), Checks())[0] for shard in range(3)]
    assert pa.concat_tables(parts).sort_by("structure_id").equals(whole)


def test_same_rows_again(select):
    first, second = (
        process_shard(select(IDENTIFIERS), 0, 1, Symmetry(), Checks())[0] for _ in range(2)
    )
    assert first.equals(second)


def test_lost_entries_are_noticed(select):
    chosen = select(IDENTIFIERS)
    chosen.read = lambda _: iter(())
    with pytest.raises(AssertionError, match="12 entries became 0"):
        process_shard(chosen, 0, 1, Symmetry(), Checks())


def test_labels(select):
    structures, _ = process_shard(
        select(IDENTIFIERS), 0, 1, Symmetry(tolerances=(0.001, 0.1)), Checks()
    )
    rows = {row["entry_id"]: row for row in structures.to_pylist()}
    assert rows["11686"]["formula"] == "CeO2"
    assert rows["11686"]["space_group"] == rows["11686"]["declared_space_group"] == 225
    # Bastnasite-(La): declared P-6 2c, found in half the cell.
    assert (rows["10506"]["declared_space_group"], rows["10506"]["space_group"]) == (190, 187)
    # Trigonal only within a tenth of an angstrom.
    assert rows["10004"]["space_group_by_tolerance"][::2] == [12, 166]
    assert rows["3"]["density"] == pytest.approx(7.621, abs=0.01)
    assert rows["3"]["primitive_volume"] == pytest.approx(208.528 / 4, rel=1e-4)


def test_checks_are_settings(select):
    structures, rejected = process_shard(
        select([10366]), 0, 1, Symmetry(), Checks(composition_tolerance=0.1, density_tolerance=0.2)
    )
    assert (structures.num_rows, rejected.num_rows) == (1, 0)


def test_overfull_sites_are_scaled_to_one(select):
    structures, _ = process_shard(  # Ni 1.079
        select([18296]), 0, 1, Symmetry(), Checks(occupancy_tolerance=0.1)
    )
    assert max(structures["occupancies"][0].as_py()) == pytest.approx(1.0)

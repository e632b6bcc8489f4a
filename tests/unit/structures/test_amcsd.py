"""The reader of the AMCSD snapshot, against the database itself and against pymatgen's reading."""

import json

import numpy as np
import pytest
from pymatgen.core import Element, Structure
from pymatgen.core.structure_matcher import StructureMatcher

from diffsym.errors import DiffsymError
from diffsym.settings.sources.amcsd import Amcsd
from diffsym.structures.entries import Entry, EntryError, Rejection
from diffsym.structures.sources import amcsd


def test_all_entries_are_listed_and_two_are_malformed(source):
    identifiers = source.identifiers()
    assert len(identifiers) == 9275
    assert identifiers == sorted(identifiers, key=int)
    malformed = [
        item for item in source.read(["14130", "100", "19001"]) if isinstance(item, Rejection)
    ]
    assert [(item.entry_id, item.code) for item in malformed] == [
        ("14130", "unreadable"),
        ("19001", "unreadable"),
    ]
    assert "3,2518" in malformed[0].reason


def test_limit_takes_the_first_entries(amcsd_wheel, source):
    few = amcsd.open_source("amcsd", Amcsd(kind="amcsd", limit=5), amcsd_wheel)
    assert few.identifiers() == source.identifiers()[:5]


def test_cells_agree_with_an_independent_reading(shared_dir, read_entry):
    oracle = json.loads((shared_dir / "oracles" / "structures.json").read_text())
    assert len(oracle) == 12
    for expected in oracle.values():
        entry = read_entry(expected["amcsd_id"])
        ours = Structure(
            entry.lattice,
            [
                {Element.from_Z(z): occupancy for z, occupancy in entry.mixtures[index]}
                for index in entry.site_mixtures
            ],
            entry.frac_coords,
        )
        theirs = Structure(
            expected["lattice"],
            [site["species"] for site in expected["sites"]],
            [site["frac"] for site in expected["sites"]],
        )
        assert len(ours) == len(theirs)
        assert ours.volume == pytest.approx(theirs.volume, rel=1e-9)
        matcher = StructureMatcher(primitive_cell=False, scale=False)
        _, worst = matcher.get_rms_dist(ours, theirs)
        assert worst < 1e-3


@pytest.mark.parametrize(
    ("label", "formula", "symbol"),
    [
        ("Co1", "Si Co2 O4", "Co"),
        ("CO3", "(Mg.77 Cr.23) O2.966 H3.224 C.118", "C"),
        ("CaM1", "Ca Mg Si2 O6", "Ca"),
        ("SiT1", "Al Si3 O8 K", "Si"),
        ("Fe3+M", "Fe.878 Al1.964 Mg.138 O4", "Fe"),
        ("Ob", "(K U) As O9 H6", "O"),
        ("Oc*", "Al2.38 Si.62 O4.77", "O"),
        ("Os", "Os O2", "Os"),
        ("Ho", "Ho P O4", "Ho"),
        ("H(o)", "P N O4 H6", "H"),
        ("Wat4", "K W O4 H2", "O"),
        ("W", "W Fe O4", "W"),
        ("H3O", "K.1 H6.86 Fe3 S2 O14", "O"),
        ("O-H1", "Mg O2 H2", "O"),
        ("D2", "Ca S O6 D4", "H"),
        ("ODw1", "Ni S O10", "O"),
        ("NH4", "N Cl", "N"),
        ("NM", "(N H4) As4 O6 Br", "N"),
        ("BT1", "Li2 B4 O7", "B"),
        ("As,", "Hg3 Cu6 As4 S12", "As"),
        ("Sn(1b)", "Cu2 Sn S4", "Sn"),
        ("Fe", "Ag.985 Cu.005", "Fe"),
    ],
)
def test_labels(label, formula, symbol):
    found = amcsd.element_of(label, set(amcsd.parse_formula(formula)))
    assert found == Element(symbol).Z


def test_unknown_label_is_rejected():
    with pytest.raises(EntryError, match="Xy1") as caught:
        amcsd.element_of("Xy1", {8})
    assert caught.value.code == "unknown_label"


def test_packed_numbers():
    assert amcsd.decode_numbers("AAAAAICEHgA=", 2).tolist() == [0.0, 0.5]
    assert amcsd.decode_numbers("0", 3).tolist() == [0.0, 0.0, 0.0]
    unknown = np.array([8_000_000, 12_000_000], dtype="<i4").tobytes()
    assert np.isnan(amcsd.decode_numbers(amcsd.base64.b64encode(unknown).decode(), 2)).all()
    for broken, count in [("AAAAAICEHgA=", 3), ("AAAA", 1), ("!", 1)]:
        with pytest.raises(EntryError):
            amcsd.decode_numbers(broken, count)


@pytest.mark.parametrize(
    ("stored", "restored"),
    [
        ([0.3333, 0.6667, 0.1667], [1 / 3, 2 / 3, 1 / 6]),
        ([0.333, 0.666, 0.833], [1 / 3, 2 / 3, 5 / 6]),
        ([-0.3333, 1.6667, -0.166], [-1 / 3, 5 / 3, -1 / 6]),
        ([0.33, 0.67, 0.5], [1 / 3, 2 / 3, 0.5]),
        ([0.33, 0.1234, 0.5], [0.33, 0.1234, 0.5]),
        ([0.34, 0.16, 0.334], [0.34, 0.16, 0.334]),
        ([0.34, 0.16, 0.25], [0.34, 0.16, 0.25]),
        ([0.3334, 0.3332, 0.25], [0.3334, 0.3332, 0.25]),
        ([0.666, 0.166, 0.333], [2 / 3, 1 / 6, 1 / 3]),
        ([0.666, 0.334, 0.333], [0.666, 0.334, 1 / 3]),  # 1 - 0.334, not 2/3
        ([0.33, 0.17, 0.05], [1 / 3, 1 / 6, 0.05]),
        ([0.33, 0.17, 0.08], [0.33, 0.17, 0.08]),  # 0.08 + 1/4, not 1/3
    ],
)
def test_thirds_and_sixths(stored, restored):
    np.testing.assert_allclose(amcsd.restore_sixths(np.array([stored]))[0], restored, atol=1e-12)


def test_corundum_lies_exactly_on_its_special_positions(read_entry):
    """Hexagonal atoms at 1/3, 2/3 are stored as 0.33333; images must coincide."""
    entry = read_entry(100)  # rhodochrosite, R-3c
    assert entry.amounts() == {6: 6.0, 8: 18.0, 25: 6.0}
    assert entry.declared_space_group == 167


def test_species_share_sites(read_entry):
    """(La, Ce) in bastnasite; and Fe2+ with Fe3+ on one site add up."""
    spinel = read_entry(4917)
    assert isinstance(spinel, Entry)
    shared = [mixture for mixture in spinel.mixtures if len(mixture) > 1]
    assert all(sum(occupancy for _, occupancy in mixture) <= 1.05 for mixture in shared)
    assert {26, 13} <= {number for mixture in shared for number, _ in mixture}


def test_hydrogen_put_onto_its_nitrogen_is_dropped(read_entry):
    ammonium = read_entry(19947)  # NH4 As4 O6 Br
    assert sorted(ammonium.amounts()) == [7, 8, 33, 35]


def test_split_images_add_up_and_rounded_images_merge(read_entry):
    velikite = read_entry(15574)  # Cu at z = 0.2498 beside 1/4, occupancy 0.4
    assert velikite.amounts()[29] == pytest.approx(3.2)
    natrojarosite = read_entry(20120)  # an oxygen at (0.7768, 0.2224) beside (x, -x)
    assert natrojarosite.amounts() == {8: 42.0, 11: 3.0, 16: 6.0, 26: 9.0}


def test_deuterium_counts_as_hydrogen(read_entry):
    ice = read_entry(13156)
    assert set(ice.amounts()) == {1, 8}
    assert ice.expected_density == pytest.approx(0.812, abs=0.005)


def test_cells_and_operations_that_contradict_each_other_are_rejected(source):
    (arsenopyrite,) = source.read(["16964"])
    assert (arsenopyrite.code, arsenopyrite.reason) == (
        "operations",
        "the symmetry operations form no group",
    )
    wrong_cells = list(source.read(["10159", "10210", "15276", "17791", "19200"]))
    assert {item.code for item in wrong_cells} == {"cell"}


def test_provenance(source):
    provenance = source.provenance()
    assert list(provenance["files"].values()) == [amcsd.SHA256]
    assert "Downs" in provenance["citation"]


def test_the_record_says_that_the_snapshot_is_trimmed(source):
    """Its own note does, too, and these common minerals are not in it."""
    provenance = source.provenance()
    assert "trimmed" in provenance["note"]
    assert "9275 of more than 20 000" in provenance["description"]
    rows = source.database.execute(
        "SELECT lower(name) FROM minerals JOIN cif ON mineral_id = minerals.id"
    )
    names = {name for (name,) in rows}
    assert "quartz" in names
    missing = {"albite", "natrolite", "muscovite", "microcline", "epidote", "tremolite"}
    assert not missing & names
    assert all(name in provenance["description"] for name in missing)


class TestFetch:
    def test_file_placed_by_hand_is_accepted(self, amcsd_wheel, wheel_path, monkeypatch):
        wheel_path.parent.mkdir()
        wheel_path.symlink_to(amcsd_wheel)
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        amcsd.fetch(wheel_path)

    def test_wrong_file_is_named(self, wheel_path):
        wheel_path.parent.mkdir()
        wheel_path.write_bytes(b"not the wheel")
        with pytest.raises(DiffsymError) as caught:
            amcsd.fetch(wheel_path)
        assert str(wheel_path) in str(caught.value)
        assert amcsd.SHA256 in str(caught.value)

    def test_without_network_it_says_what_to_do(self, wheel_path, monkeypatch):
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        with pytest.raises(DiffsymError, match=r"put larixite-2026\.1\.0") as caught:
            amcsd.fetch(wheel_path)
        assert str(wheel_path) in str(caught.value)
        assert not wheel_path.exists()

    def test_access_is_checked_beforehand(self, monkeypatch):
        amcsd.check_access()
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        with pytest.raises(DiffsymError, match=r"put larixite-2026\.1\.0"):
            amcsd.check_access()

    def test_missing_wheel_and_wrong_archive(self, wheel_path):
        with pytest.raises(DiffsymError, match="missing"):
            amcsd.open_source("amcsd", Amcsd(kind="amcsd"), wheel_path)
        wheel_path.parent.mkdir()
        wheel_path.write_bytes(b"no archive")
        with pytest.raises(DiffsymError, match="expected SHA-256"):
            amcsd.open_source("amcsd", Amcsd(kind="amcsd"), wheel_path)

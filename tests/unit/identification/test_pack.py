"""Packs come back as they were written, and nothing else is taken for one."""

import io
import json
import pickle
import re
import warnings
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from packs import (
    CLASSES,
    FIRST_NETWORK,
    POINTS,
    contents,
    ensemble,
    known_of,
    linear_network,
    lines_of,
    measured,
    pack_of,
    repacked,
)

from diffsym import __version__
from diffsym.errors import DiffsymError
from diffsym.generated import REPOSITORY
from diffsym.identification import index
from diffsym.identification.calibration import Calibration
from diffsym.identification.card import SCHEMA
from diffsym.identification.contents import source_cards
from diffsym.identification.pack import CALIBRATION, CARD, LARGEST, read_card, read_pack
from diffsym.identification.search import prepare, search
from diffsym.scattering.powder import CU_K_ALPHA_DOUBLET

CALIBRATED = Calibration(scale=0.04, fitted_on="patterns made for a test")


@pytest.fixture(scope="module")
def reflections(amcsd_entries):
    return lines_of(amcsd_entries)


@pytest.fixture(scope="module")
def known(amcsd_entries, reflections):
    return known_of(amcsd_entries, reflections)


@pytest.fixture(scope="module")
def pack(known, tmp_path_factory):
    """A pack with everything."""
    path = tmp_path_factory.mktemp("packs") / "whole.zip"
    return pack_of(path, known, ensembles=[ensemble()], calibration=CALIBRATED)


@pytest.fixture
def descriptors():
    return np.random.default_rng(1).random((5, POINTS)).astype(np.float32)


def test_the_version_is_that_of_the_project():
    text = (REPOSITORY / "pyproject.toml").read_text()
    assert re.search(r'^version = "(.*)"$', text, re.MULTILINE)[1] == __version__


def test_what_was_packed_comes_back(pack, known):
    found = read_pack(pack)
    assert found.card == read_card(pack)
    assert (found.card.name, found.card.schema, found.card.diffsym) == (
        "whole", SCHEMA, __version__,
    )  # fmt: skip
    assert found.card.ensembles == (ensemble(),)
    assert set(found.card.files) == set(contents(pack)) - {CARD}
    assert found.calibration == CALIBRATED
    assert found.known.names == known.names
    assert found.known.names[0] is None
    assert found.known.structure_ids == known.structure_ids
    assert found.known.formulas == known.formulas
    assert (found.known.space_groups == known.space_groups).all()
    assert (found.known.lines.places == known.lines.places).all()
    assert (found.known.lines.offsets == known.lines.offsets).all()
    assert found.card.search.structures == len(known.lines)


def test_half_precision_leaves_the_answers_as_they_are(pack, known, reflections):
    packed = read_pack(pack).known
    for row in (0, 40, 90, 140, 200):
        prepared = prepare(*measured(reflections, row), CU_K_ALPHA_DOUBLET)
        full, half = search(prepared, known.lines), search(prepared, packed.lines)
        assert abs(full.score - half.score).max() < 5e-4
        assert full.score.argmax() == half.score.argmax()


def test_probabilities_are_the_mean_of_the_members(pack, descriptors):
    [found] = read_pack(pack).ensembles
    each = [member.outputs(descriptors)["probabilities"] for member in found.members]
    together = found.probabilities(descriptors)
    assert together.dtype == np.float32
    np.testing.assert_allclose(together, (each[0] + each[1]) / 2, rtol=1e-6)
    assert abs(each[0] - each[1]).max() > 0.01


def test_systems_are_spread_over_their_groups(tmp_path, descriptors):
    # Triclinic, monoclinic and orthorhombic; the monoclinic groups have 30 and 20 structures.
    network = linear_network(np.random.default_rng(2).normal(size=(POINTS, 3)))
    card = ensemble(seeds=(1,), target="crystal_system")
    path = pack_of(tmp_path / "s.zip", ensembles=[card], networks={"powder": [network]})
    [found] = read_pack(path).ensembles
    systems = found.members[0].outputs(descriptors)["probabilities"]
    groups = found.probabilities(descriptors)
    assert groups.shape == (5, len(CLASSES))
    np.testing.assert_allclose(groups[:, 1:3], systems[:, [1]] * [0.6, 0.4], rtol=1e-5)


def test_equal_contents_are_equal_bytes(pack, known, tmp_path):
    again = pack_of(tmp_path / "whole.zip", known, ensembles=[ensemble()], calibration=CALIBRATED)
    assert again.read_bytes() == pack.read_bytes()


def test_a_pack_may_hold_the_search_or_networks_alone(known, tmp_path):
    alone = read_pack(pack_of(tmp_path / "search.zip", known))
    assert (alone.ensembles, alone.calibration) == ((), None)
    networks = read_pack(pack_of(tmp_path / "networks.zip", ensembles=[ensemble()]))
    assert networks.known is None
    assert len(networks.ensembles[0].members) == 2


def of_card(**changes):
    return lambda files: {CARD: json.dumps(json.loads(files[CARD]) | changes).encode()}


def with_array(name, change):
    def changed(files):
        values = np.load(io.BytesIO(files[name]))
        content = io.BytesIO()
        np.save(content, change(values), allow_pickle=True)
        return {name: content.getvalue()}

    return changed


def added(values, first):
    return np.concatenate([[first], values[1:]]).astype(values.dtype)


BROKEN = {
    "card of no JSON": (lambda _: {CARD: b"{"}, "card.json: it holds no keys and values"),
    "card of a list": (lambda _: {CARD: b"[1]"}, "card.json: it holds no keys and values"),
    "card without end": (lambda _: {CARD: b"[" * 10**6}, "card.json: it holds no keys and values"),
    "card of another type": (of_card(name=3), "card.json: name is not text"),
    "newer card": (of_card(schema=SCHEMA + 1), "upgrade diffsym"),
    "card of a class by name": (
        of_card(search={"class": "os.system"}), "card.json: search.class is a key that nobody",
    ),
    "program": (lambda _: {"run.py": b""}, "'run.py' is no file of a pack"),
    "climbing name": (lambda _: {"../../card.json": b""}, "'../../card.json' is no file of a pack"),
    "climbing network": (
        lambda _: {"networks/../0.onnx": b""}, "'networks/../0.onnx' is no file of a pack",
    ),
    "absolute name": (lambda _: {"/etc/passwd": b""}, "'/etc/passwd' is no file of a pack"),
    "network that nobody knows": (
        lambda _: {"networks/other/0.onnx": b""}, "networks/other/0.onnx is not what card.json",
    ),
    "objects of Python": (
        with_array(index.PLACES, lambda _: np.array([pickle.loads], dtype=object)),
        "search/places.npy: not a row of numbers of type uint16",
    ),
    "numbers of another type": (
        with_array(index.COUNTS, lambda values: values.astype(np.int64)),
        "search/counts.npy: not a row of numbers of type uint16",
    ),
    "head that claims more": (
        lambda files: {index.COUNTS: files[index.COUNTS][:-2]},
        "search/counts.npy: not a row of numbers of type uint16",
    ),
    "head of nonsense": (
        lambda files: {index.COUNTS: files[index.COUNTS].replace(b"descr", b"\0\0\0\0\0")},
        "search/counts.npy: not a row of numbers of type uint16",
    ),
    "more lines than counted": (
        with_array(index.COUNTS, lambda values: added(values, values[0] + 1)),
        "search/counts.npy: the lines are not as many as it says",
    ),
    "fewer structures": (
        with_array(index.GROUPS, lambda values: values[1:]), "the structures are not as many",
    ),
    "group 0": (
        with_array(index.GROUPS, lambda values: added(values, 0)),
        "search/space_groups.npy: not all numbers are those of space groups",
    ),
    "line beyond the grid": (
        with_array(index.PLACES, lambda values: added(values, 65_000)),
        "search/places.npy: a line lies beyond the grid",
    ),
    "no number": (
        with_array(index.INTENSITY, lambda values: added(values, np.nan)),
        "search/intensity.npy: an intensity is no number, or negative",
    ),
    "names of numbers": (
        lambda _: {index.TEXTS: b'{"structure_ids": [1], "names": [], "formulas": []}'},
        "search/structures.json: not lists of identifiers",
    ),
    "calibration of text": (
        lambda _: {CALIBRATION: b'{"scale": "wide"}'}, "calibration.json: scale is not a number",
    ),
    "calibration of a list": (lambda _: {CALIBRATION: b"[]"}, "calibration.json: it holds no keys"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "sentence"), BROKEN.values(), ids=BROKEN)
def test_what_is_no_pack_is_refused_in_one_sentence(pack, tmp_path, change, sentence):
    files = contents(pack)
    changed = change(files)
    own_card = CARD in changed
    broken = repacked(tmp_path / "broken.zip", files | changed, honest=not own_card)
    with pytest.raises(DiffsymError, match=re.escape(sentence)) as error:
        read_pack(broken)
    assert str(error.value).startswith(f"{broken}: ")
    assert ("make the pack again" in str(error.value)) != ("upgrade" in sentence)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", [FIRST_NETWORK, index.TEXTS, CALIBRATION])
def test_another_content_is_refused(pack, tmp_path, name):
    files = contents(pack)
    last = bytes([files[name][-1] ^ 1])
    changed = repacked(tmp_path / "c.zip", files | {name: files[name][:-1] + last}, honest=False)
    with pytest.raises(DiffsymError, match=f"{name}: it has not the digest"):
        read_pack(changed)
    longer = repacked(tmp_path / "l.zip", files | {name: files[name] + b" "}, honest=False)
    with pytest.raises(DiffsymError, match=f"{name}: it has not the size"):
        read_card(longer)
    missing = {key: content for key, content in files.items() if key != name}
    with pytest.raises(DiffsymError, match=f"{name} is missing"):
        read_card(repacked(tmp_path / "m.zip", missing, honest=False))


def test_bombs_are_refused_before_they_are_read(pack, tmp_path):
    files = contents(pack)
    large = files | {CALIBRATION: b" " * (LARGEST[CALIBRATION] + 1)}
    bomb = repacked(tmp_path / "bomb.zip", large, deflated=[CALIBRATION])
    assert bomb.stat().st_size < 10**6
    with pytest.raises(DiffsymError, match=r"calibration.json: it would have 16777217 bytes"):
        read_card(bomb)
    with pytest.raises(DiffsymError, match=r"0.onnx: it is compressed, which networks are not"):
        read_card(repacked(tmp_path / "n.zip", files, deflated=[FIRST_NETWORK]))


def test_files_that_share_their_bytes_are_refused(pack, tmp_path):
    """As in bombs whose entries all point to the same compressed bytes."""
    shared = tmp_path / "shared.zip"
    with zipfile.ZipFile(shared, "w") as archive:
        archive.writestr("networks/a/0.onnx", b"1" * 5000)
        for number in range(1, 4):
            archive.filelist.append(entry := replace_name(archive.filelist[0], number))
            archive.NameToInfo[entry.filename] = entry
        archive.writestr(CARD, contents(pack)[CARD])
    with pytest.raises(DiffsymError, match="its files would be larger than itself"):
        read_card(shared)


def replace_name(entry, number):
    twin = zipfile.ZipInfo(f"networks/a/{number}.onnx", entry.date_time)
    for key in ("compress_size", "file_size", "CRC", "header_offset"):
        setattr(twin, key, getattr(entry, key))
    return twin


def test_a_file_that_is_there_twice_is_refused(pack, tmp_path):
    twice = tmp_path / "twice.zip"
    twice.write_bytes(pack.read_bytes())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with zipfile.ZipFile(twice, "a") as archive:
            archive.writestr(CARD, "{}")
    with pytest.raises(DiffsymError, match="a file is there twice"):
        read_pack(twice)


def test_what_is_no_zip_is_refused(pack, tmp_path):
    with pytest.raises(DiffsymError, match="no pack can be read there"):
        read_pack(tmp_path / "nowhere.zip")
    with pytest.raises(DiffsymError, match="no pack can be read there"):
        read_pack(tmp_path)
    (tmp_path / "text.zip").write_text("10.0 5\n")
    with pytest.raises(DiffsymError, match="not a pack, or a damaged one"):
        read_pack(tmp_path / "text.zip")
    (tmp_path / "half.zip").write_bytes(pack.read_bytes()[:-1000])
    with pytest.raises(DiffsymError, match="not a pack, or a damaged one"):
        read_pack(tmp_path / "half.zip")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr(CALIBRATION, "{}")
    with pytest.raises(DiffsymError, match=r"it has no card.json"):
        read_pack(tmp_path / "other.zip")


def test_damage_is_never_a_crash(pack, tmp_path):
    content = pack.read_bytes()
    damaged = tmp_path / "damaged.zip"
    rng = np.random.default_rng(0)
    # The last bytes are the list of files.
    places = np.concatenate(
        [rng.integers(len(content), size=60), len(content) - rng.integers(1, 700, size=140)]
    )
    refused = 0
    for place in places:
        changed = bytearray(content)
        changed[place] ^= int(rng.integers(1, 256))
        damaged.write_bytes(changed)
        try:
            found = read_pack(damaged)
        except DiffsymError:
            refused += 1
        else:
            # Dates and such say nothing.
            assert replace(found.card, files={}) == replace(read_card(pack), files={})
    assert refused > 100


@pytest.mark.parametrize(
    ("network", "sentence"),
    [
        (b"\0\1\2", "0.onnx: not a network that can be loaded"),
        (linear_network(np.ones((POINTS, 3))), "no probability for each of the 4 classes"),
        (linear_network(np.ones((POINTS + 1, 4))), "does not take the descriptor of its card"),
        (linear_network(np.ones((POINTS, 4)), "other"), "does not take the descriptor"),
    ],
)
def test_a_network_is_looked_at_when_it_is_asked(tmp_path, descriptors, network, sentence):
    card = ensemble(seeds=(1,))
    path = pack_of(tmp_path / "n.zip", ensembles=[card], networks={"powder": [network]})
    [found] = read_pack(path).ensembles
    with pytest.raises(DiffsymError, match=re.escape(sentence)) as error:
        found.probabilities(descriptors)
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)


def test_databases_are_counted_and_named():
    records = [
        {"name": "cod", "kind": "cod", "version": "1", "licence": "CC0", "citation": "COD"},
        {"name": "mine", "version": "2", "licence": "ours", "citation": "we", "description": "new"},
    ]
    cod, mine = source_cards(records, ["mine", "cod", "mine"]).values()
    assert (cod.structures, mine.structures) == (1, 2)
    assert (cod.description, mine.description) == ("", "new")

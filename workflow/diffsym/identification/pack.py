"""Packs: all that an answer needs in one file that can be sent.

A zip with a card, networks, known structures and a calibration, and no code: graphs of ONNX, arrays
of NumPy and JSON. What is read may come from anybody, so nothing is unpickled, imported by a name
that stands in the file, written to a disk, or taken before its size and digest are those of the
card.
"""

import hashlib
import json
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from diffsym.errors import DiffsymError
from diffsym.files import atomic_path
from diffsym.identification import index
from diffsym.identification.calibration import Calibration
from diffsym.identification.card import SCHEMA, Card, FileCard
from diffsym.identification.ensembles import Ensemble, Network
from diffsym.identification.known import KnownStructures
from diffsym.settings.checked import checked

CARD, CALIBRATION = "card.json", "calibration.json"
T = TypeVar("T")
NETWORK = re.compile(r"networks/[a-z][a-z0-9_]*/(0|[1-9][0-9]{0,3})\.onnx")
LARGEST = {CARD: 2**24, CALIBRATION: 2**24} | dict.fromkeys(index.FILES, 2**28)
"""Bytes that a file may have; networks lie there uncompressed, and are no larger than the pack."""
# No date, so that equal contents are equal bytes.
DATE = (1980, 1, 1, 0, 0, 0)
BROKEN = (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, ValueError, RuntimeError)
AGAIN = "make the pack again, or fetch it once more"


class NewerPackError(DiffsymError):
    """A pack in a format that this version cannot read."""


@dataclass(frozen=True)
class Pack:
    """What was read.

    Attributes
    ----------
    path
        Where.
    card
        What it says of itself.
    ensembles
        Networks; their files are looked at when they are first asked.
    known
        Structures to be searched; None if there are none.
    calibration
        How evidence becomes an answer; None if nobody fitted it.
    """

    path: Path
    card: Card
    ensembles: tuple[Ensemble, ...]
    known: KnownStructures | None
    calibration: Calibration | None


def write_pack(
    path: str | Path,
    card: Card,
    *,
    networks: Mapping[str, Sequence[bytes]],
    known: KnownStructures | None,
    calibration: Calibration | None = None,
) -> None:
    """Write a pack, whole or not at all; equal contents give equal bytes.

    Parameters
    ----------
    path
        Where to.
    card
        What is in it; its `files` are filled in here.
    networks
        Graphs of the members of each ensemble of the card, by experiment.
    known
        Structures to be searched.
    calibration
        How evidence becomes an answer, if it was fitted.
    """
    files = {
        network_file(experiment, member): content
        for experiment, members in networks.items()
        for member, content in enumerate(members)
    }
    if known is not None:
        files |= index.as_files(known)
    if calibration is not None:
        files[CALIBRATION] = _json(asdict(calibration))
    cards = {
        name: FileCard(size=len(content), sha256=hashlib.sha256(content).hexdigest())
        for name, content in files.items()
    }
    with atomic_path(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, content in {CARD: _json(asdict(replace(card, files=cards))), **files}.items():
            entry = zipfile.ZipInfo(name, DATE)
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            entry.compress_type = zipfile.ZIP_STORED if _is_network(name) else zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)


def network_file(experiment: str, member: int) -> str:
    """Name of a network's file."""
    return f"networks/{experiment}/{member}.onnx"


def _is_network(name: str) -> bool:
    return NETWORK.fullmatch(name) is not None


def _json(content: Any) -> bytes:
    return (json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def read_card(path: str | Path) -> Card:
    """What a pack says of itself; DiffsymError if it is none, or its files are not those it names.

    Their contents are not looked at.
    """
    with _opened(Path(path)) as archive:
        return _card(archive)


def read_pack(path: str | Path) -> Pack:
    """Read a pack, and check all of it.

    Parameters
    ----------
    path
        Made by `write_pack`, or by anybody.

    Raises
    ------
    DiffsymError
        If it is none, is damaged, or has other files than its card names.
    """
    path = Path(path)
    with _opened(path) as archive:
        card = _card(archive)
        files = {name: _file(archive, name, file) for name, file in card.files.items()}
        known = index.from_files(files) if card.search else None
        fitted = (
            _typed(Calibration, CALIBRATION, _from_json(CALIBRATION, files[CALIBRATION]))
            if card.calibrated
            else None
        )
    ensembles = tuple(
        Ensemble(
            one,
            tuple(
                Network(f"{path}: {name}", files[name])
                for name in (network_file(one.experiment, m) for m in range(len(one.seeds)))
            ),
        )
        for one in card.ensembles
    )
    return Pack(path, card, ensembles, known, fitted)


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """A zip; every error in the block becomes a sentence that begins with its path."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except NewerPackError as error:
        raise DiffsymError(f"{path}: {error}; upgrade diffsym") from None
    except DiffsymError as error:
        raise DiffsymError(f"{path}: {error}; {AGAIN}") from None
    except BROKEN as error:
        raise DiffsymError(f"{path}: not a pack, or a damaged one ({error}); {AGAIN}") from None
    except OSError as error:
        raise DiffsymError(
            f"{path}: no pack can be read there ({error.strerror or error}); name a file of "
            "results/packs"
        ) from None


def _card(archive: zipfile.ZipFile) -> Card:
    """The card, once the files are those that it names."""
    entries = {entry.filename: entry for entry in archive.infolist()}
    if CARD not in entries:
        raise DiffsymError(f"it has no {CARD}, so that it is no pack")
    if len(entries) != len(archive.infolist()):
        raise DiffsymError("a file is there twice")
    _hold_sizes(archive, entries)
    plain = _from_json(CARD, archive.read(CARD))
    schema = plain.get("schema")
    if type(schema) is int and schema > SCHEMA:
        raise NewerPackError(
            f"{CARD}: it has version {schema} of the format, and this diffsym knows {SCHEMA}"
        )
    card = _typed(Card, CARD, plain)
    _hold_names(card, set(entries))
    for name, file in card.files.items():
        if entries[name].file_size != file.size:
            raise DiffsymError(f"{name}: it has not the size that {CARD} says")
    return card


def _hold_sizes(archive: zipfile.ZipFile, entries: Mapping[str, zipfile.ZipInfo]) -> None:
    """Refuse files before they are read: of unknown name, encrypted, or of too many bytes."""
    for name, entry in entries.items():
        if name not in LARGEST and not _is_network(name):
            raise DiffsymError(f"{name!r} is no file of a pack")
        if entry.flag_bits & 1 or entry.compress_type not in {
            zipfile.ZIP_STORED,
            zipfile.ZIP_DEFLATED,
        }:
            raise DiffsymError(f"{name}: it is encrypted, or compressed in another way than packs")
        if _is_network(name) and entry.compress_type != zipfile.ZIP_STORED:
            raise DiffsymError(f"{name}: it is compressed, which networks are not")
        if entry.file_size > LARGEST.get(name, entry.compress_size):
            raise DiffsymError(f"{name}: it would have {entry.file_size} bytes, which is too many")
    # Files of some bombs share their bytes.
    there = Path(str(archive.filename)).stat().st_size
    if sum(entry.compress_size for entry in entries.values()) > there:
        raise DiffsymError("its files would be larger than itself")


def _hold_names(card: Card, names: set[str]) -> None:
    """Refuse a card whose files are not those that are there and that its contents need."""
    wanted = {
        network_file(ensemble.experiment, member)
        for ensemble in card.ensembles
        for member in range(len(ensemble.seeds))
    }
    if card.search:
        wanted |= set(index.FILES)
    if card.calibrated:
        wanted.add(CALIBRATION)
    if odd := sorted((wanted ^ set(card.files)) | (wanted ^ (names - {CARD}))):
        verb = "is missing" if odd[0] in wanted else f"is not what {CARD} tells of"
        raise DiffsymError(f"{odd[0]} {verb}")


def _file(archive: zipfile.ZipFile, name: str, file: FileCard) -> bytes:
    """Content of a file, whose digest is that of the card."""
    content = archive.read(name)
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise DiffsymError(f"{name}: it has not the digest that {CARD} says")
    return content


def _typed(kind: type[T], name: str, plain: dict[str, Any]) -> T:
    """What keys and values of a file stand for."""
    try:
        return checked(kind, plain)
    except DiffsymError as error:
        raise DiffsymError(f"{name}: {error}") from None


def _from_json(name: str, content: bytes) -> dict[str, Any]:
    """Keys and values of a file."""
    try:
        plain = json.loads(content)
    except (ValueError, RecursionError):
        plain = None
    if not isinstance(plain, dict):
        raise DiffsymError(f"{name}: it holds no keys and values of JSON")
    return plain

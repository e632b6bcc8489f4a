"""Files that were dropped on the page, and what the page is told of them."""

import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from diffsym.app.page.drawing import curve, curves, lines_of
from diffsym.app.reading import ReadingOptions, ReadPattern, read_file
from diffsym.errors import DiffsymError
from diffsym.experimental.readers import read_pattern
from diffsym.experimental.readers.base import Unreadable
from diffsym.identification.answer import Answer, Evidence, answer_pattern
from diffsym.identification.known import KnownStructures
from diffsym.identification.wavelengths import radiation_of
from diffsym.settings.measured.readers import PACKED, SUFFIXES, pattern_suffix
from diffsym.structures.space_groups import crystal_system, symbol

LONGEST_NAME = 200


@dataclass(frozen=True)
class Upload:
    """A file as it was sent.

    Attributes
    ----------
    name
        What the user calls it: a label, never a path.
    content
        Its bytes.
    wavelength
        What the user says of it; empty: as the file says.
    """

    name: str
    content: bytes
    wavelength: str = ""


def told(upload: Upload, evidence: Evidence, top: int) -> dict[str, Any]:
    """The answer to a file, for the page.

    Returns
    -------
    dict
        `state` is `answered`, `ask_wavelength` (the file does not say it) or `refused`, with the
        `reason`.
    """
    file = label(upload.name)
    with tempfile.TemporaryDirectory(prefix="diffsym-") as folder:
        path = Path(folder) / f"pattern{safe_suffix(upload.name)}"
        path.write_bytes(upload.content)
        try:
            if not upload.wavelength and (silent := without_wavelength(path)):
                return {"file": file, "state": "ask_wavelength", **silent}
            radiation = radiation_of(upload.wavelength) if upload.wavelength else None
            read = read_file(path, ReadingOptions(radiation))
            pattern = read.pattern
            answer = answer_pattern(
                pattern.two_theta, pattern.intensity, read.radiation, evidence, top=top
            )
        except DiffsymError as error:
            reason = str(error).replace(str(path), file).replace("--wavelength", "the wavelength")
            return {"file": file, "state": "refused", "reason": reason}
    return {
        "file": file,
        "state": "answered",
        "wavelengths": read.wavelengths,
        "wavelength_from": "you" if upload.wavelength else "file",
        "scans": pattern.scans,
        "repairs": [
            repair.replace("--wavelength", "your choice")
            for repair in (*read.told, *answer.repairs)
        ],
        "curves": curves(pattern.two_theta, pattern.intensity, read.radiation),
        "answer": with_symbols(answer),
        "lines": _lines(read, answer, evidence.known),
    }


def without_wavelength(path: Path) -> dict[str, Any]:
    """What is shown of a file that does not say its wavelength; empty if it does.

    A pattern over Q or d needs one before it can be converted, and is not shown.

    Raises
    ------
    DiffsymError
        If the file is no pattern.
    """
    pattern = read_pattern(path)
    if isinstance(pattern, Unreadable):
        converted = read_pattern(path, radiation_of("CuKa").strongest)
        if isinstance(converted, Unreadable):
            raise DiffsymError(converted.reason)
        return {"curves": {}}
    if pattern.wavelength is not None:
        return {}
    return {"curves": {"measured": curve(pattern.two_theta, pattern.intensity)}}


def with_symbols(answer: Answer) -> dict[str, Any]:
    """An answer as plain values, with symbol and crystal system beside each number of a group."""
    plain = asdict(answer)
    for entry in (*plain["ranked"], *plain["nearest"]):
        entry.update(_group(entry["space_group"]))
    plain["set_90"] = [_group(number) for number in answer.set_90]
    return plain


def _group(number: int) -> dict[str, Any]:
    return {
        "space_group": number,
        "symbol": symbol(number),
        "crystal_system": crystal_system(number),
    }


def _lines(
    read: ReadPattern, answer: Answer, known: KnownStructures
) -> dict[str, list[list[float]]]:
    """Lines of the nearest structures by identifier."""
    return {
        one.structure_id: lines_of(
            known, known.structure_ids.index(one.structure_id), read.radiation, one.zero_shift
        )
        for one in answer.nearest
    }


def label(name: str) -> str:
    """The last part of a name, without what cannot be printed."""
    last = name.replace("\\", "/").rpartition("/")[2]
    shown = "".join(letter for letter in last if letter.isprintable()).strip()
    return shown[:LONGEST_NAME] or "without a name"


def safe_suffix(name: str) -> str:
    """The suffix of a name if it is one of patterns, and that of packing; else that of text."""
    suffix = pattern_suffix(name)
    packed = next((end for end in PACKED if name.lower().endswith(end)), "")
    return (suffix if suffix in SUFFIXES else ".txt") + packed

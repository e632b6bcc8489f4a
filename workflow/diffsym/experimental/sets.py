"""A set of measured patterns as tables: each pattern checked, none twice, nothing vanishes."""

import hashlib
import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import pyarrow as pa

from diffsym.errors import DiffsymError
from diffsym.experimental.checks import check_pattern
from diffsym.experimental.readers.assembly import scan_told
from diffsym.experimental.readers.base import MeasuredPattern, Unreadable
from diffsym.scattering.types import Radiation, Wavelength
from diffsym.tables import MEASURED, rejected_table

logger = logging.getLogger(__name__)

# So many reasons are told if no pattern is left.
REASONS_TOLD = 3


@dataclass(frozen=True)
class Member:
    """An entry of a set.

    Attributes
    ----------
    name
        Within the set.
    pattern
        With a wavelength, or why there is none.
    about
        What else the record of the set tells of it.
    """

    name: str
    pattern: MeasuredPattern | Unreadable
    about: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ReadSet:
    """A set that was read and checked.

    Attributes
    ----------
    patterns, rejected
        The documented measured table and the rejected table.
    record
        From what the set was made, and the identifier and checksum of each pattern in it.
    """

    patterns: pa.Table
    rejected: pa.Table
    record: dict[str, Any]


def check_set(
    name: str,
    where: str,
    members: Iterable[Member],
    exclude: Collection[str],
    origin: Mapping[str, Any],
) -> ReadSet:
    """Check the entries of a set.

    Parameters
    ----------
    name
        Name of the set, with which identifiers begin.
    where
        Key and path of what was read, for sentences.
    members
        All entries. A name that comes again gets a number: `name (2)`.
    exclude
        Names of entries not to use.
    origin
        From what the set was made, for its record.

    Raises
    ------
    DiffsymError
        If an excluded name is not in the set, or no pattern is left.
    """
    used: list[tuple[str, Member]] = []
    rejected: list[tuple[str, str, str]] = []
    first_with: dict[bytes, str] = {}
    names: set[str] = set()
    for member in members:
        entry = _new_name(member.name, names)
        names.add(entry)
        verdict = (
            ("excluded", "the configuration excludes this pattern")
            if not {member.name, entry}.isdisjoint(exclude)
            else _verdict(entry, member.pattern, first_with)
        )
        if verdict is None and isinstance(member.pattern, MeasuredPattern):
            used.append((entry, member))
            _log(entry, member.pattern)
        elif verdict is not None:
            rejected.append((entry, *verdict))
    if unknown := sorted(set(exclude) - names):
        raise DiffsymError(
            f"measured.{name}.exclude: {where} has no pattern '{unknown[0]}'; remove it"
        )
    if not used:
        raise DiffsymError(f"measured.{name}: {where} holds no usable pattern{_reasons(rejected)}")
    rejections = [(f"{name}:{entry}", code, reason) for entry, code, reason in rejected]
    patterns = _measured_table(name, [(e, cast("MeasuredPattern", m.pattern)) for e, m in used])
    return ReadSet(
        patterns,
        rejected_table(rejections, stage="measured"),
        {**origin, "patterns": [_told(name, entry, member) for entry, member in used]},
    )


def _told(name: str, entry: str, member: Member) -> dict[str, Any]:
    """What the record of a set says of a pattern; the checksum is that of its numbers."""
    pattern = cast("MeasuredPattern", member.pattern)
    numbers = np.stack([pattern.two_theta, pattern.intensity]).astype("<f8")
    group = pattern.space_group
    return {
        "pattern_id": f"{name}:{entry}",
        "space_group": None if group is None else int(group),
        "sha256": hashlib.sha256(numbers.tobytes()).hexdigest(),
        **member.about,
    }


def _new_name(name: str, names: Collection[str]) -> str:
    """The name, with the first number behind it that makes it different from all others."""
    new, number = name, 1
    while new in names:
        number += 1
        new = f"{name} ({number})"
    return new


def _reasons(rejected: Sequence[tuple[str, str, str]]) -> str:
    """The first reasons, for the end of a sentence."""
    told = [f"; {entry}: {reason}" for entry, _, reason in rejected[:REASONS_TOLD]]
    more = len(rejected) - len(told)
    return "".join(told) + (f"; and {more} more" if more else "")


def _log(name: str, pattern: MeasuredPattern) -> None:
    """Tell what was repaired, and that there are more scans than the one that was read."""
    for told in (*pattern.repairs, *scan_told(pattern.scans, pattern.scan)):
        logger.warning("%s: %s", name, told)


def _verdict(
    name: str, pattern: MeasuredPattern | Unreadable, first_with: dict[bytes, str]
) -> tuple[str, str] | None:
    """Code and sentence why a pattern cannot be used, or None; `first_with` is kept up to date."""
    if isinstance(pattern, Unreadable):
        return pattern.code, pattern.reason
    try:
        radiation = Radiation.of(cast("Wavelength", pattern.wavelength))
        check_pattern(pattern.two_theta, pattern.intensity, radiation)
    except DiffsymError as error:
        return "pattern", str(error)
    first = first_with.setdefault(hashlib.sha256(pattern.intensity.tobytes()).digest(), name)
    if first != name:
        return "duplicate", f"the intensities are those of {first}"
    return None


def _measured_table(name: str, rows: Sequence[tuple[str, MeasuredPattern]]) -> pa.Table:
    patterns = [pattern for _, pattern in rows]
    radiations = [Radiation.of(cast("Wavelength", pattern.wavelength)) for pattern in patterns]
    return pa.table(
        {
            "pattern_id": [f"{name}:{entry}" for entry, _ in rows],
            "space_group": [pattern.space_group for pattern in patterns],
            "primitive_volume": [pattern.primitive_volume for pattern in patterns],
            "wavelengths": [radiation.wavelengths for radiation in radiations],
            "weights": [radiation.shares for radiation in radiations],
            "two_theta": [pattern.two_theta for pattern in patterns],
            "intensity": [pattern.intensity.astype(np.float32) for pattern in patterns],
        },
        schema=MEASURED,
    )

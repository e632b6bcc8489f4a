"""Measured powder patterns of the RRUFF project as a set: audited, labelled, without copies.

Nothing is assumed: the wavelength is what the pattern's own header states, else that of the DIF
file of the sample; without either a pattern is rejected.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from diffsym.errors import DiffsymError
from diffsym.experimental.readers import text as columns
from diffsym.experimental.readers.assembly import decoded
from diffsym.experimental.readers.base import MeasuredPattern, Unreadable
from diffsym.experimental.rruff.bundle import check_bundle, opened, texts
from diffsym.experimental.rruff.headers import (
    Dif,
    Sample,
    computed_by,
    dif_of,
    headers_of,
    is_unconfirmed,
    points_of,
    sample_of,
    wavelength_of,
)
from diffsym.experimental.rruff.labels import Label, label_of
from diffsym.experimental.sets import Member, ReadSet, check_set
from diffsym.settings.measured.rruff import STRUCTURES, Rruff


def read_set(name: str, path: Path, settings: Rruff) -> ReadSet:
    """Read and check the patterns in the fetched archives.

    Parameters
    ----------
    name
        Name of the set, with which identifiers begin.
    path
        The file that was fetched.
    settings
        Which archive, and the patterns not to use.

    Returns
    -------
    ReadSet
        Identifiers are mineral and sample, `rruff:Quartz__R040031-1`. Rejected are calculated
        patterns, those without a wavelength, copies, and what is no pattern.

    Raises
    ------
    DiffsymError
        If the file or an archive in it is damaged, an excluded name is not in it, or no pattern is
        left.
    """
    record = check_bundle(path, settings)
    files = read_dif_files(path)
    return check_set(
        name, str(path), _members(path, settings.profiles, files), settings.exclude, record
    )


def read_dif_files(path: Path) -> dict[str, list[tuple[Sample, Dif]]]:
    """DIF files of each specimen."""
    files: dict[str, list[tuple[Sample, Dif]]] = {}
    with opened(path, STRUCTURES) as archive:
        for file, content in texts(archive):
            if (sample := sample_of(file)) is not None:
                dif = dif_of(file, content.decode("utf-8", "replace"))
                files.setdefault(sample.base, []).append((sample, dif))
    return files


def _members(
    path: Path, profiles: str, files: Mapping[str, Sequence[tuple[Sample, Dif]]]
) -> Iterator[Member]:
    """Patterns in the order of their names."""
    with opened(path, profiles) as archive:
        for file, content in texts(archive):
            yield _member(file, content, files)


def _member(file: str, content: bytes, files: Mapping[str, Sequence[tuple[Sample, Dif]]]) -> Member:
    """A pattern with what is known of it."""
    sample = sample_of(file)
    if sample is None:
        return Member(file, Unreadable("the name of the file tells no mineral and sample"))
    name = f"{sample.mineral}__{sample.number}"
    try:
        text = decoded(content)
        headers = headers_of(text)
        if told := computed_by(headers):
            return Member(name, Unreadable(f"no measurement: the file says '{told}'", "calculated"))
        pattern = columns.read(points_of(text).encode())
    except DiffsymError as error:
        return Member(name, Unreadable(str(error)))
    label = label_of(sample, files.get(sample.base, ()))
    if is_unconfirmed(headers):
        label = replace(
            label,
            space_group=None,
            primitive_volume=None,
            source="the identification of the mineral is not confirmed",
        )
    stated = wavelength_of(headers)
    wavelength = label.wavelength if stated is None else stated
    if wavelength is None:
        return Member(
            name,
            Unreadable("neither the file nor the DIF file states a wavelength", "wavelength"),
        )
    return Member(
        name,
        _labelled(pattern, label, wavelength),
        {
            "mineral": headers.get("NAMES", sample.mineral),
            "rruff_id": headers.get("RRUFFID", sample.base),
            "file": file,
            "file_sha256": hashlib.sha256(content).hexdigest(),
            "label": label.source,
            "wavelength": wavelength,
            "wavelength_from": "DIF file" if stated is None else "pattern",
        },
    )


def _labelled(pattern: MeasuredPattern, label: Label, wavelength: float) -> MeasuredPattern:
    """The pattern with its label and its wavelength."""
    return replace(
        pattern,
        space_group=label.space_group,
        primitive_volume=label.primitive_volume,
        wavelength=wavelength,
    )

"""The space group of a sample, as its DIF file tells it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Lattice

from diffsym.experimental.rruff.headers import Dif, Sample
from diffsym.structures.operations import LOOSE_METRIC, fits_metric
from diffsym.structures.readers.symbols import Setting, settings_named


@dataclass(frozen=True)
class Label:
    """What is known of a crystal.

    Attributes
    ----------
    space_group
        Number; None if it is not known.
    primitive_volume
        A^3; None if it is not known.
    wavelength
        A, of the lines that the DIF file lists; None if it does not say.
    source
        Name of the DIF file, or why there is no label: a sentence.
    """

    space_group: int | None
    primitive_volume: float | None
    wavelength: float | None
    source: str


def label_of(sample: Sample, files: Sequence[tuple[Sample, Dif]]) -> Label:
    """Label of a pattern.

    Parameters
    ----------
    sample
        Whose pattern it is.
    files
        DIF files of its specimen. Those of the same sample come first; others count only where it
        has none. If they name several groups, there is no label.
    """
    same = [dif for other, dif in files if other.mineral == sample.mineral]
    own = [dif for other, dif in files if other == sample]
    labels = [_label(dif) for dif in own or same]
    if not labels:
        return Label(None, None, None, f"no DIF file of {sample.base} {sample.mineral}")
    known = [label for label in labels if label.space_group is not None]
    if len({label.space_group for label in known}) > 1:
        told = " and ".join(sorted({str(label.space_group) for label in known}))
        return Label(None, None, _only(labels), f"the DIF files name the space groups {told}")
    first = (known or labels)[0]
    return Label(first.space_group, first.primitive_volume, _only(labels), first.source)


def _only(labels: Iterable[Label]) -> float | None:
    """The wavelength of all DIF files; None if they differ."""
    told = {label.wavelength for label in labels if label.wavelength is not None}
    return told.pop() if len(told) == 1 else None


def _label(dif: Dif) -> Label:
    """What a DIF file says, if its symbol is understood and its cell fits."""
    if not dif.symbol:
        return Label(None, None, dif.wavelength, f"{dif.file}: no space group")
    settings = settings_named(dif.symbol)
    if not settings:
        return Label(
            None, None, dif.wavelength, f"{dif.file}: the symbol '{dif.symbol}' is not understood"
        )
    if dif.cell is None:
        return Label(None, None, dif.wavelength, f"{dif.file}: no cell")
    lattice = np.asarray(Lattice.from_parameters(*dif.cell).matrix)
    fitting = [one for one in settings if fits_metric(one.operations, lattice, LOOSE_METRIC)]
    if len({one.number for one in fitting}) != 1:
        return Label(None, None, dif.wavelength, f"{dif.file}: the cell is none of '{dif.symbol}'")
    volumes = {_primitive_volume(one, lattice) for one in fitting}
    return Label(
        fitting[0].number,
        volumes.pop() if len(volumes) == 1 else None,
        dif.wavelength,
        dif.file,
    )


def _primitive_volume(setting: Setting, lattice: NDArray[np.float64]) -> float:
    """Volume of the primitive cell, A^3: translations of the group part the cell."""
    identity = (setting.operations.rotations == np.eye(3)).all(axis=(1, 2))
    return float(abs(np.linalg.det(lattice)) / identity.sum())

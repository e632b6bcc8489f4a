"""NeXus and other HDF5: the data that a file marks as NXdata, else two arrays with plain names.

Only what lies in the file itself is read: links to other files are never followed, and arrays that
are stored in others are refused.
"""

import importlib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffsym.errors import DiffsymError
from diffsym.experimental.readers import pdf
from diffsym.experimental.readers.assembly import assembled, chosen, k_alpha
from diffsym.experimental.readers.base import Axis, MeasuredPattern, MeasuredPdf
from diffsym.experimental.readers.packed import LARGEST
from diffsym.experimental.readers.remarks import IN_ANGSTROM, stated_wavelength
from diffsym.scattering.types import Wavelength

# What arrays of a pattern are called, without all but letters and digits.
TWO_THETA = ("2th", "tth", "2theta", "twotheta", "polarangle")
OTHER_AXES = {"q": ("Q", "Q/nm"), "d": ("d",), "dspacing": ("d",)}
DISTANCES = ("r",)
INTENSITIES = ("i", "intensity", "intensities", "counts", "iq", "cake", "data")
PAIR_DISTRIBUTIONS = ("gr", "g")
DISTANCE_LABELS = ("angstrom", "atomic distance")
TUBE = ("k_alpha_one", "k_alpha_two", "ratio_k_alphatwo_k_alphaone")
WAVELENGTHS = ("wavelength", "incident_wavelength")
NEUTRONS = re.compile(r"neutron|spallation", re.IGNORECASE)


class _Pair(NamedTuple):
    """An axis and the values over it: of one scan, or of many in rows."""

    name: str
    axis: Any
    values: Any


@dataclass(frozen=True)
class _Scan:
    """One scan: its pair, and its row where there are many."""

    name: str
    pair: _Pair
    row: int | None


def read(content: bytes, scan: str | None = None) -> MeasuredPattern | MeasuredPdf:
    """Read a pattern, by default the first.

    Raises
    ------
    DiffsymError
        If there is none, or h5py is not installed.
    """
    try:
        h5py = importlib.import_module("h5py")
    except ImportError:
        raise DiffsymError(
            "NeXus and HDF5 are read with h5py, which is not installed; install it with pip "
            "install h5py"
        ) from None
    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            return _of_file(file, scan, h5py)
    except OSError as error:
        reason = " ".join(str(error).split())[:100]
        raise DiffsymError(f"the HDF5 file is damaged ({reason}); copy it anew") from None


def _of_file(file: Any, scan: str | None, h5py: Any) -> MeasuredPattern | MeasuredPdf:
    groups, arrays = [file], {}

    def visit(name: str, thing: Any) -> None:
        """Remember a thing; links to other files are not visited."""
        if isinstance(thing, h5py.Group):
            groups.append(thing)
        elif isinstance(thing, h5py.Dataset):
            arrays[name] = thing

    file.visititems(visit)
    _refuse_neutrons(arrays)
    pairs = [pair for group in groups if (pair := _marked(group, h5py))]
    pairs = pairs or [pair for group in groups if (pair := _named(group, h5py))]
    scans = [one for pair in pairs for one in _scans(pair)]
    if not scans:
        raise DiffsymError(
            "the HDF5 file holds no pattern that we find: no NXdata over 2theta, Q or d, and no "
            f"arrays such as 2th and I{_elsewhere(groups, h5py)}; export it as text of two columns"
        )
    names = tuple(one.name for one in scans)
    number = chosen(names, scan)
    pair, row = scans[number].pair, scans[number].row
    values = _numbers(pair.values) if row is None else _numbers(pair.values, row)
    x = _numbers(pair.axis)
    x = (x[1:] + x[:-1]) / 2 if len(x) == len(values) + 1 else x
    if _is_distance(pair):
        return pdf.reduced(x, values)
    known = np.isfinite(values)
    missing = len(known) - int(known.sum())
    return assembled(
        x[known],
        values[known],
        wavelength=_wavelength(arrays),
        anode=_text(_value(arrays, "xray_tube_material")),
        repairs=(f"{missing} points without a number were left out",) if missing else (),
        scans=names if len(names) > 1 else (),
        scan=number,
        axis=_axis(pair),
    )


def _marked(group: Any, h5py: Any) -> _Pair | None:
    """The pair of a group that NeXus marks as data: in its attributes, or in those of an array."""
    if _text(group.attrs.get("NX_class")) != "NXdata":
        return None
    own = {name: group[name] for name in group if _is_array(group, name, h5py)}
    signal, axes = _text(group.attrs.get("signal")), group.attrs.get("axes")
    if signal not in own:
        signal = next((k for k in own if _text(own[k].attrs.get("signal")) == "1"), "")
        axes = own[signal].attrs.get("axes") if signal else None
    if not signal:
        return None
    names = [name.strip() for text in np.atleast_1d(axes) for name in _text(text).split(",")]
    # The axis of the points is the last one.
    axis = own.get(names[-1]) if names else None
    if axis is None or not _fits(axis, own[signal]) or not _is_axis(_Pair("", axis, own[signal])):
        return None
    return _Pair(group.name.strip("/"), axis, own[signal])


def _named(group: Any, h5py: Any) -> _Pair | None:
    """The pair of a group whose arrays have plain names."""
    own = {_plain(name): group[name] for name in group if _is_array(group, name, h5py)}
    name = group.name.strip("/")
    for axes, values in [
        ((*TWO_THETA, *OTHER_AXES), INTENSITIES),
        (DISTANCES, PAIR_DISTRIBUTIONS),
    ]:
        for axis in axes:
            for value in values:
                if axis in own and value in own and _fits(own[axis], own[value]):
                    return _Pair(name, own[axis], own[value])
    return None


def _is_array(group: Any, name: str, h5py: Any) -> bool:
    """Whether a name stands for an array of numbers in this file."""
    link = group.get(name, getlink=True)
    if not isinstance(link, h5py.HardLink):
        return False
    thing = group[name]
    return isinstance(thing, h5py.Dataset) and thing.dtype.kind in "iuf" and thing.ndim > 0


def _fits(axis: Any, values: Any) -> bool:
    """Whether values are over an axis, as one row or as many; the axis may be edges of bins."""
    return (
        axis.ndim == 1
        and values.ndim in {1, 2}
        and values.shape[-1] > 1
        and axis.shape[0] - values.shape[-1] in {0, 1}
    )


def _scans(pair: _Pair) -> Iterator[_Scan]:
    """The rows of a pair, or the only one."""
    if pair.values.ndim == 1 or pair.values.shape[0] == 1:
        yield _Scan(pair.name or "1", pair, None if pair.values.ndim == 1 else 0)
        return
    lead = f"{pair.name} " if pair.name else ""
    for row in range(pair.values.shape[0]):
        yield _Scan(f"{lead}frame {row + 1}", pair, row)


def _is_axis(pair: _Pair) -> bool:
    """Whether a pattern or a pair distribution function can be over an axis."""
    return _axis(pair) is not None or _is_distance(pair)


def _axis(pair: _Pair) -> Axis | None:
    """What the file says that the axis is, as a unit; None if it is something else."""
    name = _plain(pair.axis.name.rpartition("/")[2])
    unit = _text(pair.axis.attrs.get("units")).lower()
    told = f"the file says '{pair.axis.name.strip('/')}'" + (f" in {unit}" if unit else "")
    if name in TWO_THETA:
        return Axis(told, "radians" if unit.startswith("rad") else "2theta")
    if name == "q":
        length = re.search(r"nm|nanomet|a", unit)
        if length is None:
            return Axis(told, None, OTHER_AXES["q"])
        return Axis(told, "Q/nm" if length[0].startswith("n") else "Q")
    if name in OTHER_AXES:
        return Axis(told, None if unit.startswith("n") else "d")
    return None


def _is_distance(pair: _Pair) -> bool:
    """Whether an axis is the distance r of a pair distribution function."""
    labels = {_text(pair.axis.attrs.get(key)).lower() for key in ("label", "caption", "units")}
    name = _plain(pair.axis.name.rpartition("/")[2])
    return name in DISTANCES or (not labels.isdisjoint(DISTANCE_LABELS) and name not in OTHER_AXES)


def _numbers(array: Any, row: int | None = None) -> NDArray[np.float64]:
    """Numbers of an array, or of a row of it, if they are in this file and not too many."""
    if array.is_virtual or array.external:
        raise DiffsymError(
            f"the numbers of '{array.name}' lie in other files, which are not read; copy them into "
            "one file"
        )
    if array.shape[-1] * 8 > LARGEST:
        raise DiffsymError(f"'{array.name}' holds too many points; give the pattern alone")
    return np.asarray(array[()] if row is None else array[row], np.float64)


def _elsewhere(groups: list[Any], h5py: Any) -> str:
    """What to say if the file has links to other files."""
    for group in groups:
        for name in group:
            if isinstance(group.get(name, getlink=True), h5py.ExternalLink):
                return f" ('{name[:40]}' lies in another file, which is not read)"
    return ""


def _refuse_neutrons(arrays: dict[str, Any]) -> None:
    """DiffsymError if the source is one of neutrons."""
    for key in ("probe", "type"):
        for name, array in arrays.items():
            if name.endswith(f"source/{key}") and NEUTRONS.search(_text(_scalar(array))):
                raise DiffsymError("this is a pattern of neutrons; give one of X-rays")


def _wavelength(arrays: dict[str, Any]) -> Wavelength | None:
    """Lines of the tube, else the only wavelength that is stated, A, else that of a PONI text."""
    first, second, ratio = (_number(_value(arrays, key)) for key in TUBE)
    if first:
        return k_alpha(first, second, ratio)
    lengths = {
        round(value * _in_angstrom(array), 9)
        for name, array in arrays.items()
        if name.rpartition("/")[2] in WAVELENGTHS and (value := _number(_scalar(array)))
    }
    if len(lengths) == 1:
        return k_alpha(lengths.pop())
    return (
        stated_wavelength(_text(_value(arrays, "poni_file")).split("\n")) if not lengths else None
    )


def _in_angstrom(array: Any) -> float:
    """A in the unit of an array; without a unit NeXus means A, and a tiny number metres."""
    unit = _text(array.attrs.get("units")).lower()
    if not unit and (_number(_scalar(array)) or 1.0) < 1e-8:
        unit = "m"
    return IN_ANGSTROM.get(unit, 1.0)


def _value(arrays: dict[str, Any], key: str) -> Any:
    """The value of the first array of a name."""
    return next((_scalar(a) for name, a in arrays.items() if name.rpartition("/")[2] == key), None)


def _scalar(array: Any) -> Any:
    """The value of an array that holds one, else None."""
    if array.is_virtual or array.external or array.size != 1:
        return None
    value = array[()]
    return value.reshape(-1)[0] if isinstance(value, np.ndarray) else value


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float | np.number) else None


def _text(value: Any) -> str:
    """A text in an attribute or array, however it is stored; empty if there is none."""
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.reshape(-1)[0]
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return "" if value is None or isinstance(value, np.ndarray) else str(value)


def _plain(name: str) -> str:
    """Letters and digits of a name, small."""
    return re.sub(r"[^a-z0-9]", "", name.lower())

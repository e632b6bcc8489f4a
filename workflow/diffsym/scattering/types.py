"""The values that pass between kernels: radiation, cells and lines, and names for their arrays."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from diffsym.errors import DiffsymError
from diffsym.settings.patterns import spectral_lines

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Complexes = NDArray[np.complex128]
Booleans = NDArray[np.bool_]
Singles = NDArray[np.float32]
# Of either precision.
Reals = NDArray[np.floating]
Keys = NDArray[np.uint64]
# One number, A, or several with their weights: how configurations write a radiation.
Wavelength = float | Sequence[tuple[float, float]]

# Full width at half maximum of a Gaussian in its standard deviations.
FWHM_PER_SIGMA = 2 * math.sqrt(2 * math.log(2))
# Height of profiles of unit area and unit full width at half maximum.
GAUSSIAN_HEIGHT = 2 * math.sqrt(math.log(2) / math.pi)
LORENTZIAN_HEIGHT = 2 / math.pi
# Form factors are tabulated up to here.
LARGEST_ATOMIC_NUMBER = 98
# A cell smaller than this holds no atom, A^3.
SMALLEST_VOLUME = 0.1


@dataclass(frozen=True, eq=False)
class Radiation:
    """Spectral lines of a source of X-rays.

    Attributes
    ----------
    wavelengths : (k,)
        A.
    weights : (k,)
        Intensity of each line, in any unit.

    Raises
    ------
    DiffsymError
        If there is no line, or a number is not positive.

    Examples
    --------
    >>> copper = Radiation.of([(1.540593, 2), (1.544427, 1)])
    >>> copper.strongest, round(copper.mean, 5), copper.shares.round(3).tolist()
    (1.540593, 1.54187, [0.667, 0.333])
    >>> Radiation.of(0.7107).mean
    0.7107
    """

    wavelengths: Floats
    weights: Floats

    def __post_init__(self) -> None:
        """Convert and check."""
        wavelengths, weights = (np.array(v, np.float64) for v in (self.wavelengths, self.weights))
        if wavelengths.ndim != 1 or wavelengths.shape != weights.shape:
            raise ValueError(
                f"each wavelength needs one weight, not {wavelengths.shape} and {weights.shape}"
            )
        both = np.concatenate([wavelengths, weights])
        if not (len(both) and (np.isfinite(both) & (both > 0)).all()):
            pairs = np.column_stack([wavelengths, weights]).tolist()
            raise DiffsymError(
                "a wavelength must be a positive number of A, or a list of (wavelength, weight), "
                f"both positive; not {pairs[0][0] if len(pairs) == 1 else pairs}"
            )
        _fill(self, wavelengths=wavelengths, weights=weights)

    @classmethod
    def of(cls, value: Wavelength) -> Self:
        """The radiation that a configuration writes as one wavelength or as pairs."""
        pairs = np.array(spectral_lines(value), dtype=np.float64).reshape(-1, 2)
        return cls(pairs[:, 0], pairs[:, 1])

    @property
    def shares(self) -> Floats:
        """Weights whose sum is 1, (k,)."""
        return self.weights / self.weights.sum()

    @property
    def mean(self) -> float:
        """Mean wavelength by weight, A."""
        return float(np.average(self.wavelengths, weights=self.weights))

    @property
    def strongest(self) -> float:
        """Wavelength of the strongest line, A."""
        return float(self.wavelengths[self.weights.argmax()])

    @property
    def shortest(self) -> float:
        """Shortest wavelength, A."""
        return float(self.wavelengths.min())

    def by_strength(self) -> Self:
        """The same lines, the strongest first."""
        order = np.argsort(-self.weights, kind="stable")
        return type(self)(self.wavelengths[order], self.weights[order])


@dataclass(frozen=True, eq=False)
class Cells:
    """Cells of n structures with m scatterers in all, concatenated (as in an Arrow list column).

    Structure k has the scatterers from `offsets[k]` to `offsets[k + 1]`.

    Attributes
    ----------
    lattices : (n, 3, 3)
        Row vectors, A.
    offsets : (n + 1,)
        First scatterer of each structure, and the number of all.
    atomic_numbers : (m,)
        One per scatterer, that is per site and species.
    frac_coords : (m, 3)
        Fractional coordinates. Scatterers may share a site.
    occupancies : (m,)
        Share of its site that a scatterer holds.
    orbits : (m,), optional
        For each scatterer the index, within its structure, of the first one of its symmetry orbit.
        Members of an orbit are of one species and occupancy.

    Examples
    --------
    >>> nickel = Cells.of_one(
    ...     3.52 * np.eye(3), [28] * 4, [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]
    ... )
    >>> len(nickel), nickel.occupancies.tolist()
    (1, [1.0, 1.0, 1.0, 1.0])
    """

    lattices: Floats
    offsets: Integers
    atomic_numbers: Integers
    frac_coords: Floats
    occupancies: Floats
    orbits: Integers | None = None

    def __post_init__(self) -> None:
        """Convert, and reject arrays that do not fit each other."""
        _fill(
            self,
            lattices=np.ascontiguousarray(self.lattices, np.float64),
            offsets=np.asarray(self.offsets, np.int64),
            atomic_numbers=np.asarray(self.atomic_numbers, np.int64),
            frac_coords=np.ascontiguousarray(self.frac_coords, np.float64),
            occupancies=np.asarray(self.occupancies, np.float64),
            orbits=None if self.orbits is None else np.asarray(self.orbits, np.int64),
        )
        n, m = len(self.offsets) - 1, int(self.offsets[-1])
        of_scatterers = [self.atomic_numbers, self.occupancies]
        if self.orbits is not None:
            of_scatterers.append(self.orbits)
        if (
            self.lattices.shape != (n, 3, 3)
            or self.frac_coords.shape != (m, 3)
            or any(values.shape != (m,) for values in of_scatterers)
        ):
            raise ValueError(
                f"{n} structures with {m} scatterers need (n, 3, 3) lattices, (m, 3) coordinates "
                f"and m of all else, not {self.lattices.shape}, {self.frac_coords.shape} and "
                f"{[values.shape for values in of_scatterers]}"
            )

    @classmethod
    def of_one(
        cls,
        lattice: ArrayLike,
        atomic_numbers: ArrayLike,
        frac_coords: ArrayLike,
        occupancies: ArrayLike | None = None,
    ) -> Self:
        """Cell of one structure that scatters; sites are full by default.

        Raises
        ------
        DiffsymError
            If the structure is impossible.
        """
        n = np.size(atomic_numbers)
        cell = cls(
            np.asarray(lattice)[np.newaxis],
            np.array([0, n]),
            np.asarray(atomic_numbers),
            np.asarray(frac_coords),
            np.ones(n) if occupancies is None else np.asarray(occupancies),
        )
        if reason := cell.impossibility():
            raise DiffsymError(f"this is no crystal: {reason}")
        return cell

    def __len__(self) -> int:
        """Number of structures."""
        return len(self.lattices)

    def __getitem__(self, row: int) -> Self:
        """Cell of one structure."""
        here = slice(self.offsets[row], self.offsets[row + 1])
        return type(self)(
            self.lattices[row : row + 1],
            self.offsets[row : row + 2] - self.offsets[row],
            self.atomic_numbers[here],
            self.frac_coords[here],
            self.occupancies[here],
            None if self.orbits is None else self.orbits[here],
        )

    def impossibility(self, row: int = 0) -> str:
        """Reason why scattering is undefined for a structure; empty if it is defined."""
        here = slice(self.offsets[row], self.offsets[row + 1])
        lattice, numbers = self.lattices[row], self.atomic_numbers[here]
        occupancies = self.occupancies[here]
        if len(numbers) == 0:
            return "the cell holds no scatterer"
        if not (np.isfinite(lattice).all() and np.isfinite(self.frac_coords[here]).all()):
            return "a lattice vector or a coordinate is not a finite number"
        volume = abs(np.linalg.det(lattice))
        if volume < SMALLEST_VOLUME:
            return f"the cell has a volume of {volume:.3g} A^3"
        if not (np.isfinite(occupancies).all() and (occupancies > 0).all()):
            return "an occupancy is not a positive number"
        if not ((numbers >= 1) & (numbers <= LARGEST_ATOMIC_NUMBER)).all():
            return f"an atomic number is not between 1 and {LARGEST_ATOMIC_NUMBER}"
        return ""


@njit(cache=True, nogil=True)
def determinant(W: Floats) -> float:
    """Determinant of three rows, written out for compiled code."""
    return (
        W[0, 0] * (W[1, 1] * W[2, 2] - W[1, 2] * W[2, 1])
        - W[0, 1] * (W[1, 0] * W[2, 2] - W[1, 2] * W[2, 0])
        + W[0, 2] * (W[1, 0] * W[2, 1] - W[1, 1] * W[2, 0])
    )


@njit(cache=True, nogil=True, error_model="numpy")
def is_possible(
    lattice: Floats, atomic_numbers: Integers, frac_coords: Floats, occupancies: Floats
) -> bool:
    """Whether `Cells.impossibility` finds no reason, in compiled code."""
    if len(atomic_numbers) == 0 or not abs(determinant(lattice)) >= SMALLEST_VOLUME:
        return False
    for axis in range(3):
        for component in range(3):
            if not math.isfinite(lattice[axis, component]):
                return False
    for scatterer in range(len(atomic_numbers)):
        if not (
            1 <= atomic_numbers[scatterer] <= LARGEST_ATOMIC_NUMBER
            and 0 < occupancies[scatterer] < np.inf
        ):
            return False
        for axis in range(3):
            if not math.isfinite(frac_coords[scatterer, axis]):
                return False
    return True


@dataclass(frozen=True, eq=False)
class Lines:
    """Powder lines of n structures, l in all, concatenated (as in an Arrow list column).

    Structure k has the lines from `offsets[k]` to `offsets[k + 1]`. Arrays of float32 or float64
    are taken as they are, without a copy: a table of reflections is large.

    Attributes
    ----------
    d_star : (l,)
        1/d, 1/A, in any order; several lines may share one.
    intensity : (l,)
        Sum of |F|^2 over all reflections of the line, in any unit.
    offsets : (n + 1,)
        First line of each structure, and the number of all.
    axis_cosine : (l,), optional
        |cos| of the angle between the reflections of a line and the axis of preferred orientation.
        Reflections that share d* but not this angle are separate lines.

    Examples
    --------
    >>> lines = Lines.of_one([0.3, 0.5], [2.0, 1.0])
    >>> len(lines), lines.offsets.tolist()
    (1, [0, 2])
    """

    d_star: Reals
    intensity: Reals
    offsets: Integers
    axis_cosine: Reals | None = None

    def __post_init__(self) -> None:
        """Convert, and reject arrays that do not fit each other."""
        _fill(
            self,
            d_star=_as_floats(self.d_star),
            intensity=_as_floats(self.intensity),
            offsets=np.asarray(self.offsets, np.int64),
            axis_cosine=None if self.axis_cosine is None else _as_floats(self.axis_cosine),
        )
        cosines = self.d_star if self.axis_cosine is None else self.axis_cosine
        shapes = [values.shape for values in (self.d_star, self.intensity, cosines)]
        if shapes != 3 * [(int(self.offsets[-1]),)]:
            raise ValueError(
                f"each of {self.offsets[-1]} lines needs one d*, one intensity and, if any, one "
                f"cosine, not {shapes}"
            )

    @classmethod
    def of_one(
        cls, d_star: ArrayLike, intensity: ArrayLike, axis_cosine: ArrayLike | None = None
    ) -> Self:
        """Lines of one structure."""
        return cls(
            np.asarray(d_star),
            np.asarray(intensity),
            np.array([0, np.size(d_star)]),
            None if axis_cosine is None else np.asarray(axis_cosine),
        )

    def __len__(self) -> int:
        """Number of structures."""
        return len(self.offsets) - 1

    def __getitem__(self, row: int) -> Self:
        """Lines of one structure."""
        here = slice(self.offsets[row], self.offsets[row + 1])
        cosines = None if self.axis_cosine is None else self.axis_cosine[here]
        return self.of_one(self.d_star[here], self.intensity[here], cosines)


def uniform_step(grid: Floats, name: str) -> float:
    """Step of a grid that rises in equal steps; DiffsymError, with the grid's name, if it is none.

    >>> uniform_step(np.array([0.5, 1.0, 1.5]), "r")
    0.5
    """
    if grid.ndim != 1 or len(grid) < 2:
        raise DiffsymError(f"{name} must hold at least two numbers")
    step = float(grid[-1] - grid[0]) / (len(grid) - 1)
    if not (step > 0 and np.abs(np.diff(grid) - step).max() < 1e-6 * step):
        raise DiffsymError(f"{name} must rise in equal steps; use numpy.linspace")
    return step


def _as_floats(values: ArrayLike) -> Reals:
    """Array of either precision, as it is."""
    array = np.ascontiguousarray(values)
    return array if array.dtype in (np.float32, np.float64) else array.astype(np.float64)


def _fill(frozen: object, **values: Any) -> None:
    """Set fields of a frozen dataclass while it is made, arrays as views that are read only.

    Arrays from files are, and kernels would be compiled once more for those that are not.
    """
    for name, value in values.items():
        field = value
        if isinstance(value, np.ndarray):
            field = value.view()
            field.flags.writeable = False
        object.__setattr__(frozen, name, field)

r"""Descriptors that lie on the device that trains, and powder patterns that are rendered there.

A descriptor of all structures is moved to the device once; a batch is then gathered where it is
needed. Of a powder pattern the device holds the lines without a width, a row of
`diffsym.scattering.line_grids.spread_lines` a structure. A Gaussian of a standard deviation of s
points turns them into peaks in Fourier space, at f periods a point:

.. math::
    \hat p(f) = \hat g(f) \, \exp(-2 \pi^2 s^2 f^2) / \mathrm{sinc}^4 f.

Background and noise have the distributions of `diffsym.descriptors.powder_noise`. Peak widths and
backgrounds are exactly its numbers, drawn on the host; noise has its own numbers, a hash of the key
and the point in 32-bit arithmetic, which is fast on accelerators. So a pattern is still a function
of seed, epoch and structure, whatever batch it is in and whatever backend renders it; only the
rounding of the transforms may differ from one to another.
"""

import functools
import importlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy.fft import next_fast_len

from diffsym.datasets.feeding import LabelledStructures
from diffsym.descriptors.powder_noise import (
    draw_background,
    draw_sigma,
    pattern_keys,
)
from diffsym.errors import DiffsymError
from diffsym.keras_backend import keras
from diffsym.settings.augmentation import Augmentation

ops = keras.ops
jax = importlib.import_module("jax") if keras.backend.backend() == "jax" else None
torch = importlib.import_module("torch") if keras.backend.backend() == "torch" else None
ROWS_AT_A_TIME = 4096

# TensorFlow multiplies integers of 32 bits on processors only.
_WORD = "int64" if keras.backend.backend() == "tensorflow" else "int32"
# Constants of a hash of 32 bits (C. Wellons, "lowbias32"), as signed numbers.
_FIRST_FACTOR, _SECOND_FACTOR = 0x7FEB352D, 0x846CA68B - 2**32

# Standard deviations of a peak that the margin has to hold on either side.
MARGIN_SIGMAS = 6
# Standard deviation of the narrowest peak, in points, that the grid of angles renders truly.
LEAST_SIGMA = 2
# What an augmentation may ask for but is not rendered here, and the value that turns it off.
_NOT_RENDERED = {
    "eta": (0, 0),
    "crystallite_size": None,
    "zero_shift": (0, 0),
    "displacement": (0, 0),
    "march_ratio": (1, 1),
    "impurity_lines": (0, 0),
}


@dataclass(frozen=True, kw_only=True)
class DevicePartition(LabelledStructures):
    """Structures whose descriptor lies on the device; partitions may share one tensor.

    Attributes
    ----------
    features
        Descriptors of all structures, a tensor on the device (`to_device`): (N, d) float16 or
        float32, or images, (N, height, width, channels) uint8.
    rows
        Row of `features` of each structure, (n,).
    source
        What the features were made from. It represents them in the digest, so that gigabytes need
        not be read back.
    """

    features: Any
    rows: NDArray[np.int64]
    source: str
    whole_batches: ClassVar[bool] = True

    @property
    def size(self) -> int | tuple[int, int, int]:
        """Number of values that describe a structure; of an image height, width and channels."""
        _, *size = map(int, self.features.shape)
        return size[0] if len(size) == 1 else (size[0], size[1], size[2])

    def take(self, rows: NDArray[np.int64]) -> Any:
        """Descriptors of some structures, (b, size) float32, or images, uint8, on the device."""
        taken = ops.take(self.features, self.rows[rows].astype(np.int32), axis=0)
        return taken if len(taken.shape) == 4 else ops.cast(taken, "float32")

    def at_epoch(self, epoch: int) -> Self:  # noqa: ARG002 - all epochs see the same
        """These structures: what is stored is the same in each epoch."""
        return self

    def _contents(self) -> Iterable[bytes | memoryview]:
        return [self.source.encode(), self.rows.tobytes()]


@dataclass(frozen=True, kw_only=True)
class DevicePatterns(DevicePartition):
    """Structures whose powder patterns are rendered on the device, with new noise each epoch.

    Attributes
    ----------
    features
        Lines of all structures, (N, m + 2 margin) float16 or float32, rows of
        `diffsym.scattering.line_grids.spread_lines`. A row of NaN makes a pattern of NaN.
    two_theta : (m,)
        Angles of a pattern, rising in equal steps, degrees.
    margin
        Points of the lines' grid beyond each end of the pattern.
    augmentation
        What peak widths, background and noise are drawn from; its peaks are Gaussians.
    keys : (n,)
        Of the structures' random numbers in this epoch.
    seed
        Of the draw.

    Raises
    ------
    DiffsymError
        If the augmentation asks for what is not rendered here, or if the grid is too coarse or the
        margin too small for its peaks.
    """

    two_theta: NDArray[np.float64]
    margin: int
    augmentation: Augmentation
    keys: NDArray[np.uint64]
    seed: int

    def __post_init__(self) -> None:
        """Reject what cannot be rendered."""
        _refuse_others_than_gaussians(self.augmentation)
        sigma = self.augmentation.sigma
        narrowest, widest = (end / self._step for end in sigma)
        if narrowest < LEAST_SIGMA * (1 - 1e-6):
            raise DiffsymError(
                f"sigma: peaks of {sigma[0]:g} degrees are narrower than {LEAST_SIGMA} "
                f"steps of two_theta, {self._step:g} degrees each; raise its lowest value, lower "
                "two_theta_step, or render on processors"
            )
        if self.margin < MARGIN_SIGMAS * widest * (1 - 1e-6):
            raise DiffsymError(
                f"sigma: peaks of {sigma[1]:g} degrees need a margin of "
                f"{MARGIN_SIGMAS * widest:.0f} points or more, not {self.margin}; lower its "
                "highest value or widen the margin"
            )
        if self.features.shape[1] != self.size + 2 * self.margin:
            raise DiffsymError(
                f"the lines lie on {self.features.shape[1]} points, not on the {self.size} of "
                f"two_theta and {self.margin} beyond each end; spread them with the same margin"
            )

    @property
    def _step(self) -> float:
        """Between two angles, degrees."""
        return float(self.two_theta[-1] - self.two_theta[0]) / (len(self.two_theta) - 1)

    @property
    def size(self) -> int:
        """Number of values that describe a structure."""
        return len(self.two_theta)

    def take(self, rows: NDArray[np.int64]) -> Any:
        """Patterns of some structures, (b, size) float32, on the device."""
        keys = self.keys[rows]
        background = draw_background(self.augmentation, keys)
        widths = draw_sigma(self.augmentation, keys) / self._step
        # Two arrays, because each transfer to a device takes time.
        shapes = np.column_stack([widths, *background]).astype(np.float32)
        words = np.column_stack([self.rows[rows], keys.astype("<u8").view("<i4").reshape(-1, 2)])
        return _render(
            self.features,
            to_device(words.astype(_WORD)),
            to_device(shapes),
            _axes(self.size, self.margin),
            margin=self.margin,
            noise=tuple(map(float, self.augmentation.noise)),
        )

    def at_epoch(self, epoch: int) -> Self:
        """The same structures with the widths, background and noise of another epoch."""
        keys = pattern_keys(self.structure_ids.to_pylist(), seed=self.seed, epoch=epoch)
        return replace(self, keys=keys)

    def _contents(self) -> Iterable[bytes | memoryview]:
        rendering = repr((self.augmentation, self.margin)).encode()
        return [*super()._contents(), self.two_theta.tobytes(), rendering, self.keys.tobytes()]


def to_device(array: NDArray) -> Any:
    """Move an array, or a map of a file, to the device as it is, without a copy of another type.

    On a processor the tensor may be the array itself, so the array must not change any more.
    """
    if torch is not None:
        # Keras would copy the whole array first; rows of many gigabytes go one block after another.
        like = torch.from_numpy(np.array(array[:1]))
        tensor = torch.empty(
            array.shape, dtype=like.dtype, device="cuda" if torch.cuda.is_available() else "cpu"
        )
        for start in range(0, len(array), ROWS_AT_A_TIME):
            block = np.array(array[start : start + ROWS_AT_A_TIME])
            tensor[start : start + ROWS_AT_A_TIME] = torch.from_numpy(block)
        return tensor
    return ops.convert_to_tensor(array, dtype=array.dtype.name)


def _refuse_others_than_gaussians(augmentation: Augmentation) -> None:
    """DiffsymError if an augmentation asks for more than Gaussians at their places."""
    for name, none in _NOT_RENDERED.items():
        value = getattr(augmentation, name)
        if value != none:
            raise DiffsymError(
                f"{name}: {value} cannot be rendered on the device, whose peaks are Gaussians of "
                "the crystal's own lines; leave it out or render on processors"
            )


class _Axes(NamedTuple):
    """What the points of a pattern and of its transform have in common; tensors on the device.

    Attributes
    ----------
    places : (m,)
        Of the points, from 0 to 1.
    points : (m,)
        Their numbers.
    exponents : (k,)
        -2 pi^2 f^2 of each frequency f, in periods a point.
    sharpening : (k,)
        1 / sinc^4 f, by which the transform of the B-spline is undone.
    """

    places: Any
    points: Any
    exponents: Any
    sharpening: Any


@functools.cache
def _axes(n_points: int, margin: int) -> _Axes:
    """Axes of a pattern and of its transform; made once, outside of what is compiled."""
    frequencies = np.fft.rfftfreq(_transform_length(n_points + 2 * margin))
    return _Axes(
        to_device(np.linspace(0, 1, n_points, dtype=np.float32)),
        to_device(np.arange(n_points).astype(_WORD)),
        to_device((-2 * (np.pi * frequencies) ** 2).astype(np.float32)),
        to_device((np.sinc(frequencies) ** -4).astype(np.float32)),
    )


def _transform_length(n_points: int) -> int:
    """Least number of points that is not lower and has the factors 2, 3 and 5 only."""
    return next_fast_len(n_points, real=True)


def _compiled(function: Any) -> Any:
    """Compile a function once for each size of a batch, where the backend is JAX."""
    return function if jax is None else jax.jit(function, static_argnames=("margin", "noise"))


@_compiled
def _render(
    features: Any,
    words: Any,
    shapes: Any,
    axes: _Axes,
    *,
    margin: int,
    noise: tuple[float, float],
) -> Any:
    """Patterns of some rows of the features.

    Parameters
    ----------
    features : (N, m + 2 margin)
        Lines.
    words : (b, 3)
        Row and both halves of the key of each pattern.
    shapes : (b, 1 + 3 + 3 + d + 1 + 2)
        Standard deviation of the peaks, points, and the arrays of
        `diffsym.descriptors.powder_noise.Background`.
    axes
        Of the patterns.
    margin
        Points of the lines beyond each end of a pattern.
    noise
        Its limits.

    Returns
    -------
    (b, m) float32
    """
    lines = ops.cast(ops.take(features, words[:, 0], axis=0), "float32")
    crystal = _broadened(lines, shapes[:, :1], axes)[:, margin : lines.shape[1] - margin]
    lowest, highest = noise
    return (
        crystal / ops.max(crystal, axis=1, keepdims=True)
        + _background(shapes[:, 1:], axes.places)
        + (lowest + (highest - lowest) * _shares(words[:, 1:], axes.points))
    )


def _broadened(lines: Any, sigma: Any, axes: _Axes) -> Any:
    """Lines with Gaussian peaks of a standard deviation, (b, 1), in points."""
    length = _transform_length(lines.shape[1])
    transfer = ops.exp(axes.exponents * sigma**2) * axes.sharpening
    real, imaginary = ops.rfft(lines, fft_length=length)
    peaks = ops.irfft((real * transfer, imaginary * transfer), fft_length=length)
    return peaks[:, : lines.shape[1]]


def _background(shapes: Any, x: Any) -> Any:
    """Sum of the functions of `diffsym.descriptors.powder_noise`; what is absent has height 0."""
    columns = [shapes[:, column : column + 1] for column in range(shapes.shape[1])]
    rise, rise_steepness, rise_position, fall, fall_steepness, fall_position = columns[:6]
    *coefficients, hump, hump_steepness = columns[6:]
    curve = functools.reduce(lambda value, a: value * x + a, reversed(coefficients))
    slope = hump_steepness * x
    return (
        rise * ops.sigmoid(rise_steepness * (rise_position - x))
        + fall * ops.sigmoid(fall_steepness * (x - fall_position))
        + ops.abs(curve)
        + hump * slope * slope * ops.exp(-slope)
    )


def _shares(keys: Any, points: Any) -> Any:
    """Uniform numbers from 0 to below 1, in steps of 2^-24, of each key at each point, (b, m)."""
    stream = _hashed(points + keys[:, :1])
    word = _hashed(ops.bitwise_xor(stream, keys[:, 1:]))
    return ops.cast(_shifted(word, 8), "float32") * 2.0**-24


def _hashed(word: Any) -> Any:
    """Hash of 32 bits. In words of 64 bits the upper half holds remainders that nobody reads."""
    word = ops.bitwise_xor(word, _shifted(word, 16)) * _FIRST_FACTOR
    word = ops.bitwise_xor(word, _shifted(word, 15)) * _SECOND_FACTOR
    return ops.bitwise_xor(word, _shifted(word, 16))


def _shifted(word: Any, bits: int) -> Any:
    """Lower 32 bits of a word, moved to the right; zeros come in from the left."""
    return ops.bitwise_and(ops.right_shift(word, bits), 2 ** (32 - bits) - 1)

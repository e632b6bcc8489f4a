"""Shaped and spot patterns of electron diffraction (Tiong et al. 2020, methods).

The three images along x, y and z are the red, green and blue channels of a picture:

1. Brightness. Intensities are divided by the highest one outside a disc around the direct beam,
   raised to an exponent and cut off at 1.
2. Nodes. Pixels of at least a threshold that touch, also at corners, are a node; its size is the
   number of its pixels, its centre their mean weighted by brightness.
3. Lines. Two nodes closer than 1.7 times the distance of the closest pair are joined by a line
   whose half width and brightness pass linearly from those of one node to those of the other; a
   node has the half width of a disc of its size, and the brightness of its brightest pixel.
4. The shaped pattern is, pixel by pixel, the brightest of image and lines. The spot pattern
   (Ziletti et al. 2018) is the image itself.
"""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import gemmi
import numpy as np
import pyarrow as pa
from numba import njit
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import KDTree

from diffsym.descriptors.cells import conventional_cells_of
from diffsym.descriptors.described import Described
from diffsym.errors import DiffsymError
from diffsym.scattering.types import Cells, Floats, Integers
from diffsym.scattering.zone_axis import zone_axis_images
from diffsym.settings.descriptors.electron import Electron

PATTERNS = ("shaped", "spot")
# Longest line in distances of the closest pair. "The shapes become too complex with a larger value,
# whereas they are not clearly formed with a smaller one" (Tiong et al.).
LONGEST_LINE = 1.7
# If nothing else is in the image, the direct beam counts as this times the highest intensity.
FAINTEST = 1e-6
# Pixels that touch at a corner belong together.
TOUCHING = np.ones((3, 3), dtype=int)


class Nodes(NamedTuple):
    """Bright regions of an image.

    Attributes
    ----------
    centres : (n, 2) float64
        Row and column, pixels.
    sizes : (n,) int64
        Numbers of pixels.
    brightness : (n,) float64
        Of the brightest pixel.
    """

    centres: Floats
    sizes: Integers
    brightness: Floats


def axis(settings: Electron) -> Floats:
    """Position of each row and of each column of a pattern, 1/A."""
    pixels = settings.pixels
    return (2 * np.arange(pixels) - (pixels - 1)) * settings.q_max / pixels


def compute(structures: pa.Table, settings: Electron) -> Described:
    """Pattern of the standard conventional cell of every row of the structures table.

    Returns
    -------
    Described
        (n, pixels, pixels, 3) brightness as bytes, red, green and blue for the images along x, y
        and z. The values of a structure that has no pattern are 0.
    """
    if settings.pattern not in PATTERNS:
        raise DiffsymError(f"pattern is one of {', '.join(PATTERNS)}, not {settings.pattern!r}")
    pixels, covered = settings.pixels, settings.beam_stop / settings.q_max
    values = np.zeros((structures.num_rows, pixels, pixels, 3), np.uint8)
    failures = []
    for row, cell in enumerate(conventional_cells(structures)):
        if reason := cell.impossibility():
            failures.append((row, reason))
            continue
        for channel, image in enumerate(images_of(cell, settings)):
            picture = brightness(image, exponent=settings.exponent, covered=covered)
            if settings.pattern == "shaped":
                picture = shaped(picture, threshold=settings.threshold)
            values[row, :, :, channel] = np.rint(255 * picture)
    return Described(values, failures)


def images_of(cell: Cells, settings: Electron) -> Floats:
    """Intensity of the images of one structure along x, y and z, (3, pixels, pixels)."""
    return zone_axis_images(
        cell,
        beam=settings.beam,
        shape=settings.shape,
        size=settings.size,
        ewald=settings.ewald,
        wavelength=settings.wavelength,
        q_max=settings.q_max,
        pixels=settings.pixels,
        b_iso=settings.b_iso,
        radiation=settings.radiation,
    )


def conventional_cells(structures: pa.Table) -> Iterator[Cells]:
    """Standard conventional cells of Setyawan and Curtarolo (2010), row by row.

    They are those of the structures table but for orthorhombic ones, whose vectors are sorted by
    length there: a < b < c, and a < b where the face between them is centred.
    """
    cells = conventional_cells_of(structures)
    for row, entry in enumerate(structures.select(["space_group", "crystal_system"]).to_pylist()):
        if entry["crystal_system"] == "orthorhombic":
            standard_setting = gemmi.find_spacegroup_by_number(entry["space_group"])
            yield sorted_axes(cells[row], standard_setting.centring_type())
        else:
            yield cells[row]


def sorted_axes(cell: Cells, centring: str) -> Cells:
    """An orthorhombic cell with its axes in the order of their lengths.

    Parameters
    ----------
    cell
        Of one structure, its lattice with a along x, b along y and c along z.
    centring
        Letter of the space-group symbol. A centred face A or C becomes C whatever the lengths.
    """
    lengths = np.diag(cell.lattices[0])
    last = {"A": [0], "C": [2]}.get(centring, [])
    others = [axis for axis in range(3) if axis not in last]
    order = [*sorted(others, key=lambda axis: lengths[axis]), *last]
    coordinates = cell.frac_coords[:, order]
    if np.linalg.det(np.eye(3)[order]) < 0:
        # An odd permutation would mirror the crystal; one inverted axis mirrors it back.
        coordinates = coordinates * [1, 1, -1]
    return replace(cell, lattices=np.diag(lengths[order])[np.newaxis], frac_coords=coordinates)


def brightness(image: Floats, *, exponent: float, covered: float) -> Floats:
    """Intensities as brightness from 0 to 1.

    Parameters
    ----------
    image
        (p, p) intensity, the direct beam in the middle.
    exponent
        Power of the intensity that is shown.
    covered
        Radius, as a share of half the side, of the disc that the scale leaves out. What is in it is
        cut off at 1.

    Returns
    -------
    (p, p)
        Of an empty image 0; without a spot outside the disc the direct beam alone remains.
    """
    highest = image.max()
    if highest == 0:
        return np.zeros_like(image)
    place = (2 * np.arange(len(image)) + 1) / len(image) - 1
    outside = place[:, np.newaxis] ** 2 + place**2 > covered**2
    scale = max(image.max(where=outside, initial=0.0), FAINTEST * highest)
    return np.minimum(image / scale, 1.0) ** exponent


def shaped(picture: Floats, *, threshold: float) -> Floats:
    """A picture whose nodes are joined by lines.

    Parameters
    ----------
    picture
        (p, p) brightness from 0 to 1.
    threshold
        Brightness from which on a pixel belongs to a node.

    Returns
    -------
    (p, p)
        Brightness; the picture itself if it has less than two nodes.
    """
    nodes = find_nodes(picture, threshold=threshold)
    drawn = picture.copy()
    _draw_lines(
        drawn, nodes.centres, np.sqrt(nodes.sizes / math.pi), nodes.brightness, joined_pairs(nodes)
    )
    return drawn


def find_nodes(picture: Floats, *, threshold: float) -> Nodes:
    """Regions of pixels of at least the threshold, in the order of their first pixel."""
    labels, n = ndimage.label(picture >= threshold, TOUCHING)
    rows, columns = np.nonzero(labels)
    members = labels[rows, columns] - 1
    weights = picture[rows, columns]
    totals = np.bincount(members, weights, n)
    centres = [np.bincount(members, weights * place, n) / totals for place in (rows, columns)]
    peaks = np.zeros(n)
    np.maximum.at(peaks, members, weights)
    return Nodes(np.column_stack(centres), np.bincount(members, minlength=n), peaks)


def joined_pairs(nodes: Nodes) -> NDArray[np.intp]:
    """Pairs of nodes closer than 1.7 times the closest pair, (m, 2), sorted."""
    if len(nodes.centres) < 2:
        return np.empty((0, 2), dtype=np.intp)
    tree = KDTree(nodes.centres)
    nearest = tree.query(nodes.centres, k=2)[0][:, 1].min()
    pairs = tree.query_pairs(LONGEST_LINE * nearest, output_type="ndarray")
    return pairs[np.lexsort(pairs.T[::-1])]


@njit(cache=True, nogil=True)
def _draw_lines(
    picture: Floats,
    centres: Floats,
    half_widths: Floats,
    brightness: Floats,
    pairs: NDArray[np.intp],
) -> None:
    """Draw lines into a picture, in which the brightest counts; so their order does not matter."""
    pixels = len(picture)
    for index in range(len(pairs)):
        one, other = pairs[index]
        y, x = centres[one]
        along_y, along_x = centres[other, 0] - y, centres[other, 1] - x
        length_squared = along_y**2 + along_x**2
        margin = max(half_widths[one], half_widths[other]) + 0.5
        first_row = max(math.ceil(min(y, y + along_y) - margin), 0)
        last_row = min(math.floor(max(y, y + along_y) + margin), pixels - 1)
        first_column = max(math.ceil(min(x, x + along_x) - margin), 0)
        last_column = min(math.floor(max(x, x + along_x) + margin), pixels - 1)
        for row in range(first_row, last_row + 1):
            for column in range(first_column, last_column + 1):
                t = ((row - y) * along_y + (column - x) * along_x) / length_squared
                t = min(max(t, 0.0), 1.0)
                distance = math.hypot(row - y - t * along_y, column - x - t * along_x)
                half_width = (1 - t) * half_widths[one] + t * half_widths[other]
                # A pixel at the edge is covered in part.
                covered = min(max(half_width + 0.5 - distance, 0.0), 1.0)
                light = covered * ((1 - t) * brightness[one] + t * brightness[other])
                picture[row, column] = max(picture[row, column], light)

"""Electron-diffraction images and shaped patterns: speed against diffsims, agreement, bytes.

Both get the same random structures of the AMCSD, of any size, in their standard conventional cells,
in one process and one thread: ours draws three images of 256 x 256 pixels, diffsims lists the spots
of the same three beams. What is counted is processor time, the best of three calls a structure,
without compilation and without building the structure objects of diffsims.

They are compared as images: the spots that diffsims lists, with the |F|^2 it gives them, are drawn
with our shape of a spot.

Then the way from the structures table to patterns of 224 x 224 x 3 bytes is timed, and the patterns
are stored in Parquet (zstd, at the level that the workflow uses, and at a higher one) and as PNG.
"""

import argparse
import io
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

# Before NumPy is loaded, which reads it.
os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from diffpy.structure import Atom, Lattice, Structure
from diffsims.generators.simulation_generator import SimulationGenerator
from diffsims.utils.shape_factor_models import binary
from numpy.typing import NDArray
from orix.crystal_map import Phase
from orix.quaternion import Rotation
from PIL import Image
from pymatgen.core import Element
from pymatgen.core import Lattice as PymatgenLattice
from scipy.optimize import brentq

from diffsym.descriptors import electron
from diffsym.files import write_json
from diffsym.scattering.types import Cells, Floats
from diffsym.scattering.zone_axis import beam_frames, make_detector
from diffsym.settings.descriptors.electron import Electron
from diffsym.tables import STRUCTURES, read_table

SETTINGS = Electron(kind="electron", pattern="shaped")
WAVELENGTH = 0.035
Q_MAX = 1.0
SIZE = 30.0
# Spots of diffsims reach as far off the Ewald sphere as ours are drawn, 1/A.
REACH = np.sqrt(2 * np.log(2) * np.log(1e9)) / (np.pi * SIZE)
VARIANTS: dict[str, dict[str, Any]] = {
    "ours": {},
    "ours, plane": {"ewald": "plane"},
    "ours, beams along a, b, c": {"beam": "lattice"},
    "ours, 60 A": {"size": 60.0},
}
LISTS = {
    "diffsims, its defaults": {"radius": 1.0, "reach": 0.01},
    "diffsims, all spots drawn by ours": {"radius": np.sqrt(2) * Q_MAX, "reach": REACH},
}
PARALLELEPIPED = {"shape": "parallelepiped", "ewald": "plane"}


def random_structures(path: Path, number: int) -> pa.Table:
    """Rows drawn from all of a structures table."""
    table = read_table(path, STRUCTURES)
    drawn = np.random.default_rng(0).permutation(table.num_rows)[:number]
    return table.take(np.sort(drawn))


def ours(cell: Cells, **settings: Any) -> Floats:
    """Three images."""
    return electron.images_of(cell, replace(SETTINGS, pixels=256, **settings))


def diffsims_phase(cell: Cells) -> Phase:
    """A structure in the form of diffsims.

    It wants the lattice in the orientation of diffpy, turns it to a along x and c* along z, as ours
    is, and converts the coordinates of the atoms accordingly.
    """
    atoms = [
        Atom(Element.from_Z(int(number)).symbol, position, occupancy=occupancy)
        for number, position, occupancy in zip(
            cell.atomic_numbers, cell.frac_coords, cell.occupancies, strict=True
        )
    ]
    lattice = Lattice(*PymatgenLattice(cell.lattices[0]).parameters)
    return Phase("crystal", space_group=1, structure=Structure(atoms, lattice))


def diffsims_generator() -> SimulationGenerator:
    """Generator at our wavelength, with the same tables of form factors and |F|^2 as intensity."""
    voltage = brentq(lambda kv: SimulationGenerator(kv).wavelength - WAVELENGTH, 50, 300)
    return SimulationGenerator(voltage, scattering_params="xtables", shape_factor_model=binary)


def spots_of_diffsims(
    generator: SimulationGenerator, phase: Phase, frames: Floats, *, radius: float, reach: float
) -> list[Any]:
    """Lists of spots for three beams; the beam of diffsims travels along -z.

    Spots are listed to a radius, and up to a distance from the Ewald sphere, 1/A.
    """
    return [
        generator.calculate_diffraction2d(
            phase,
            rotation=Rotation.from_matrix((frame * [[1], [-1], [-1]]).T),
            reciprocal_radius=radius,
            max_excitation_error=reach,
            with_direct_beam=False,
        ).coordinates
        for frame in frames
    ]


def drawn(spots: Any) -> Floats:
    """Listed spots as an image."""
    q, rings, q_w, _ = make_detector(
        ewald="sphere",
        wavelength=WAVELENGTH,
        q_max=Q_MAX,
        pixels=256,
        b_iso=0.0,
        radiation="electron",
    )
    exponent = (np.pi * SIZE) ** 2 / (2 * np.log(2))
    image = np.zeros(rings.shape)
    for (x, y, z), intensity in zip(spots.data, spots.intensity, strict=True):
        columns, rows = (np.flatnonzero(np.abs(q - centre) < REACH) for centre in (x, -y))
        box = np.ix_(rows, columns)
        squares = (
            (q[columns] - x) ** 2 + (q[rows, np.newaxis] + y) ** 2 + (q_w[rings[box]] + z) ** 2
        )
        image[box] += intensity * np.exp(-exponent * squares)
    return image


def likeness(image: Floats, other: Floats) -> float:
    """Cosine of the angle between two images without the direct beam; 1 if both are empty."""
    place = (2 * np.arange(len(image)) + 1) / len(image) - 1
    outside = np.hypot(place, place[:, np.newaxis]) > REACH / Q_MAX
    a, b = image[outside], other[outside]
    return float(a @ b / np.sqrt((a @ a) * (b @ b))) if a.any() or b.any() else 1.0


def milliseconds(function: Callable[[], object], calls: int = 3) -> float:
    """Processor time of the fastest call."""
    times = []
    for _ in range(calls):
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return 1e3 * min(times)


def summary(times: list[float]) -> dict[str, float]:
    """Mean, median and largest of times, ms."""
    return {
        "mean_ms": float(np.mean(times)),
        "median_ms": float(np.median(times)),
        "largest_ms": float(np.max(times)),
    }


def speed(structures: pa.Table) -> dict[str, Any]:
    """Times of ours and diffsims, and how alike their images are."""
    cells = list(electron.conventional_cells(structures))
    report: dict[str, Any] = {
        "scatterers": float(np.median([len(cell.atomic_numbers) for cell in cells]))
    }
    for name, settings in VARIANTS.items():
        ours(cells[0], **settings)  # compiles, and makes the detector
        report[name] = summary([milliseconds(partial(ours, cell, **settings)) for cell in cells])
    ours(cells[0], **PARALLELEPIPED)
    report["ours, parallelepiped, plane"] = summary(
        [milliseconds(partial(ours, cell, **PARALLELEPIPED), calls=1) for cell in cells[::10]]
    )
    generator = diffsims_generator()
    times: dict[str, list[float]] = {name: [] for name in LISTS}
    cosines = []
    for cell in cells:
        inputs = generator, diffsims_phase(cell), beam_frames(cell.lattices[0])
        for name, settings in LISTS.items():
            times[name].append(milliseconds(partial(spots_of_diffsims, *inputs, **settings)))
        lists = spots_of_diffsims(*inputs, **LISTS["diffsims, all spots drawn by ours"])
        cosines += [
            likeness(image, drawn(spots)) for image, spots in zip(ours(cell), lists, strict=True)
        ]
    report |= {name: summary(values) for name, values in times.items()}
    report["median_cosine"] = float(np.median(cosines))
    report["smallest_cosine"] = float(np.min(cosines))
    return report


def png_size(picture: NDArray[np.uint8]) -> int:
    """Bytes of a picture as PNG."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG", optimize=True)
    return file.tell()


def stored(values: NDArray[np.uint8]) -> dict[str, dict[str, float]]:
    """Bytes a structure in each form, and the time it takes to read them from Parquet."""
    n, size = len(values), values[0].size
    flat = pa.array(values.ravel())
    planes = pa.array(np.ascontiguousarray(np.moveaxis(values, -1, 1)).ravel())
    columns = {
        "list of uint8": pa.FixedSizeListArray.from_arrays(flat, size),
        "fixed-size binary": pa.FixedSizeBinaryArray.from_buffers(
            pa.binary(size), n, [None, flat.buffers()[1]]
        ),
        "fixed-size binary, channel by channel": pa.FixedSizeBinaryArray.from_buffers(
            pa.binary(size), n, [None, planes.buffers()[1]]
        ),
    }
    sizes = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, column in columns.items():
            for level in (1, 9):
                path = Path(folder) / "patterns"
                pq.write_table(
                    pa.table({"pattern": column}),
                    path,
                    compression="zstd",
                    compression_level=level,
                    use_dictionary=False,
                )
                sizes[f"{name}, zstd {level}"] = {
                    "bytes": path.stat().st_size / n,
                    "ms_to_read": milliseconds(partial(pq.read_table, path, use_threads=False)) / n,
                }
    sizes["PNG"] = {"bytes": float(np.mean([png_size(picture) for picture in values]))}
    return sizes


def patterns(structures: pa.Table) -> dict[str, Any]:
    """Time of the whole way to each pattern, and its bytes."""
    report = {}
    for pattern in electron.PATTERNS:
        compute = partial(electron.compute, structures, replace(SETTINGS, pattern=pattern))
        values, failures = compute()
        report[pattern] = {
            "failures": len(failures),
            "ms_a_structure": milliseconds(compute, calls=2) / structures.num_rows,
            "raw_bytes": values[0].size,
            "stored": stored(values),
        }
    return report


def print_report(report: dict[str, Any]) -> None:
    """Print the numbers as text."""
    rows = report["speed"]
    print(
        f"{report['structures']} structures, median {rows['scatterers']:.0f} scatterers, "
        "three images of each\n"
        f"{'':32s}  mean ms   median  largest"
    )
    for name, row in rows.items():
        if isinstance(row, dict):
            print(f"{name:32s}{row['mean_ms']:9.2f}{row['median_ms']:9.2f}{row['largest_ms']:9.1f}")
    print(
        f"cosine between our images and those drawn from the lists of diffsims: median "
        f"{rows['median_cosine']:.6f}, smallest {rows['smallest_cosine']:.6f}\n"
    )
    for pattern, row in report["patterns"].items():
        print(
            f"{pattern}: {row['ms_a_structure']:.2f} ms a structure from table to bytes, "
            f"{row['failures']} failures, {row['raw_bytes']} bytes raw"
        )
        for name, form in row["stored"].items():
            print(f"  {name:50s}{form['bytes']:8.0f} bytes a structure", end="")
            print(f", read in {form['ms_to_read']:.3f} ms" if "ms_to_read" in form else "")


def main() -> None:
    """Print the tables and write the numbers as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--structures", type=Path, default="results/structures.parquet")
    parser.add_argument("--number", type=int, default=200, help="number of structures")
    parser.add_argument("--output", type=Path, default="results/benchmarks/zone_axis.json")
    arguments = parser.parse_args()

    structures = random_structures(arguments.structures, arguments.number)
    report = {
        "structures": structures.num_rows,
        "speed": speed(structures),
        "patterns": patterns(structures),
    }
    print_report(report)
    write_json(arguments.output, report)


if __name__ == "__main__":
    main()

"""Descriptors of all structures, by all cores, in arrays on disk that a GPU is fed from.

Each array has a row for each structure of the luggage, and beside it a byte a row that says whether
the row is computed, so that a run that was cut off goes on where it ended. Four kinds:

* `pdf`: the normalised pair distribution function, float32;
* `powder`: areas of the powder lines on the grid of angles, float16, from which patterns are
  rendered on the device (`diffsym.datasets.on_device`);
* `ideal`: ideal profiles with their zeros, float16;
* `electron`: images, uint8; only of the structures of `imaged_rows`, in their order.
"""

import argparse
import logging
import math
import multiprocessing
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import DTypeLike, NDArray

from diffsym.descriptors import electron, ideal, pdf, powder, reflections
from diffsym.descriptors.lines import lines_of
from diffsym.errors import DiffsymError
from diffsym.files import read_json, write_json
from diffsym.gpu_study.lean import full_structures, read_lean
from diffsym.gpu_study.luggage import LABELS, PLAN, STRUCTURES, read_labels
from diffsym.gpu_study.plan import Experiment, read_plan
from diffsym.gpu_study.processes import end_with_parent
from diffsym.scattering.line_grids import spread_lines
from diffsym.scattering.types import Radiation
from diffsym.settings.reflections import Reflections

log = logging.getLogger(__name__)

# Values of the byte that says what is known of a row.
ABSENT, PRESENT, IMPOSSIBLE = 0, 1, 2
# Structures that a process takes at a time.
CHUNK = {"pdf": 256, "lines": 256, "electron": 64}
# What one pass over the structures computes: lines are shared by two kinds.
PASSES = {"pdf": ("pdf",), "lines": ("powder", "ideal"), "electron": ("electron",)}
PASSES_FILE = "passes.json"


@dataclass(frozen=True)
class Work:
    """Everything that a process needs to compute any rows.

    Attributes
    ----------
    luggage, folder
        Where structures come from, and where arrays go.
    settings
        Kind -> settings of the descriptor.
    imaged : (k,)
        Rows of the structures whose images are computed.
    """

    luggage: Path
    folder: Path
    settings: Mapping[str, Any]
    imaged: NDArray[np.int64]


def work_of(luggage: Path, folder: Path, *, images: int) -> Work:
    """Read from the luggage what is to be computed.

    Parameters
    ----------
    luggage, folder
        As in `Work`.
    images
        Structures of which there are images, at most.
    """
    experiments, _ = read_plan(luggage / PLAN)
    settings = {
        str(experiment.descriptor.kind): experiment.descriptor
        for experiment in experiments.values()
    }
    labels = read_labels(luggage / LABELS)
    pictured = [e for e in experiments.values() if e.descriptor.has_images]
    rows = (
        imaged_rows(labels["space_group"].to_numpy(), pictured[0], images)
        if pictured
        else np.empty(0, np.int64)
    )
    return Work(luggage, folder, settings, rows)


def imaged_rows(
    space_groups: NDArray[np.uint8], experiment: Experiment, images: int
) -> NDArray[np.int64]:
    """Rows of the structures of which images are made, in an order that is random but fixed.

    So the images that are there at any time are a random part of all.
    """
    rows = np.flatnonzero(np.isin(space_groups, experiment.classes))
    return np.random.default_rng(experiment.seed).permutation(rows)[:images]


def shape_of(kind: str, settings: Any, n: int) -> tuple[tuple[int, ...], DTypeLike]:
    """Shape and type of the array of a kind for n structures."""
    if kind == "pdf":
        return (n, len(pdf.axis(settings))), np.float32
    if kind == "powder":
        return (n, len(powder.axis(settings)) + 2 * powder_margin(settings)), np.float16
    if kind == "ideal":
        return (n, settings.bins), np.float16
    pixels = len(electron.axis(settings))
    return (n, pixels, pixels, 3), np.uint8


def powder_margin(settings: Any) -> int:
    """Points of the grid of angles beyond each end of the pattern: six standard deviations."""
    return math.ceil(6 * settings.augmentation.sigma[1] / settings.two_theta_step)


def array_path(folder: Path, kind: str) -> Path:
    """File of the features of a kind."""
    return folder / f"{kind}.npy"


def state_path(folder: Path, kind: str) -> Path:
    """File of the bytes that say which rows of a kind are computed."""
    return folder / f"{kind}.state.npy"


def create(work: Work, n_structures: int) -> None:
    """Make the arrays of all kinds, empty, unless they are there."""
    work.folder.mkdir(parents=True, exist_ok=True)
    for kind, settings in work.settings.items():
        n = len(work.imaged) if kind == "electron" else n_structures
        shape, dtype = shape_of(kind, settings, n)
        for path, form, of_type in (
            (array_path(work.folder, kind), shape, dtype),
            (state_path(work.folder, kind), (n,), np.uint8),
        ):
            if not path.exists():
                _create_array(path, form, of_type)
            elif np.load(path, mmap_mode="r").shape != form:
                raise DiffsymError(f"{path}: made for other structures or settings; remove it")


def _create_array(path: Path, shape: tuple[int, ...], dtype: DTypeLike) -> None:
    """Make an array of zeros that takes its room on the disk only when it is filled."""
    unfinished = path.with_name(f".{path.name}")
    np.lib.format.open_memmap(unfinished, mode="w+", dtype=np.dtype(dtype), shape=shape).flush()
    unfinished.replace(path)


def open_features(
    folder: Path, kind: str, mode: Literal["r", "r+"] = "r"
) -> tuple[NDArray, NDArray[np.uint8]]:
    """Features of a kind and the state of each row, as maps of their files."""
    return (
        np.load(array_path(folder, kind), mmap_mode=mode),
        np.load(state_path(folder, kind), mmap_mode=mode),
    )


def progress(folder: Path, kind: str) -> float:
    """Share of the rows of a kind that are computed; 0 before there is an array."""
    path = state_path(folder, kind)
    if not path.exists():
        return 0.0
    state = np.load(path, mmap_mode="r")
    return float((state != ABSENT).mean()) if len(state) else 1.0


def compute_all(work: Work, *, processes: int) -> None:
    """Compute what is missing of all kinds, pass after pass, in so many processes.

    The kernels of each pass are compiled by one process of its own first, all at the same time;
    the others read them from Numba's cache. What each pass took is written to `passes.json`.
    """
    began = time.perf_counter()
    structures = read_lean(work.luggage / STRUCTURES)
    create(work, structures.num_rows)
    passes_file = work.folder / PASSES_FILE
    taken: dict[str, dict[str, float]] = read_json(passes_file) if passes_file.exists() else {}
    passes = [name for name, kinds in PASSES.items() if kinds[0] in work.settings]
    context = multiprocessing.get_context("spawn")
    compiling = {
        name: context.Process(target=compile_kernels, args=(work, name), daemon=True)
        for name in passes
    }
    for process in compiling.values():
        process.start()
    for name in passes:
        compiling[name].join()
        compiled = time.perf_counter()
        chunks = list(missing_chunks(work, name))
        if not chunks:
            continue
        with ProcessPoolExecutor(
            processes, mp_context=context, initializer=_remember, initargs=(work,)
        ) as pool:
            for _ in pool.map(_compute_rows, chunks):
                pass
        before = taken.get(name, {"structures": 0, "seconds": 0.0})
        taken[name] = {
            "structures": before["structures"] + sum(stop - start for _, start, stop in chunks),
            "seconds": before["seconds"] + time.perf_counter() - compiled,
            "compiled_after": compiled - began,
            "ended_after": time.perf_counter() - began,
            "processes": processes,
        }
        write_json(passes_file, taken)


def missing_chunks(work: Work, name: str) -> Iterator[tuple[str, int, int]]:
    """Pass, first row and end of each chunk of a pass that is not computed yet."""
    states = [open_features(work.folder, kind)[1] for kind in PASSES[name]]
    size = CHUNK[name]
    for start in range(0, len(states[0]), size):
        stop = min(start + size, len(states[0]))
        if any((state[start:stop] == ABSENT).any() for state in states):
            yield name, start, stop


def compile_kernels(work: Work, name: str) -> None:
    """Compute the first structures and forget them, so that compiled kernels are cached."""
    structures = read_lean(work.luggage / STRUCTURES).slice(0, 2)
    for _ in compute(full_structures(structures), name, work.settings):
        pass


def compute(
    structures: pa.Table, name: str, settings: Mapping[str, Any]
) -> Iterator[tuple[str, NDArray, NDArray[np.bool_]]]:
    """Features of some structures in one pass.

    Parameters
    ----------
    structures
        Columns of the structures table, see `diffsym.gpu_study.lean.full_structures`.
    name
        Of the pass.
    settings
        Kind -> settings of the descriptor.

    Yields
    ------
    kind, values, possible
        Values in the type of the kind's array; and which structures have a descriptor.
    """
    if name == "pdf":
        values, failures = pdf.compute(structures, settings["pdf"])
        yield "pdf", values, _possible(len(values), failures)
    elif name == "electron":
        images, failures = electron.compute(structures, settings["electron"])
        yield "electron", images, _possible(len(images), failures)
    else:
        yield from _from_lines(structures, settings)


def _from_lines(
    structures: pa.Table, settings: Mapping[str, Any]
) -> Iterator[tuple[str, NDArray, NDArray[np.bool_]]]:
    """Grids of powder lines and ideal profiles, from one computation of the lines."""
    lines = reflections.compute(
        structures,
        Reflections(d_star_min=lowest_d_star(settings), d_star_max=highest_d_star(settings)),
    )
    of_powder = settings["powder"]
    grids = spread_lines(
        lines_of(lines),
        powder.axis(of_powder),
        margin=powder_margin(of_powder),
        radiation=Radiation.of(of_powder.wavelength),
        b_iso=of_powder.b_iso,
    )
    has_line = np.asarray(np.isfinite(grids).all(axis=1) & (grids > 0).any(axis=1))
    grids[~has_line] = 0
    yield "powder", grids.astype(np.float16), has_line
    profiles, failures = ideal.compute(lines, settings["ideal"])
    yield "ideal", profiles.toarray().astype(np.float16), _possible(len(grids), failures)


def highest_d_star(settings: Mapping[str, Any]) -> float:
    """1/d up to which lines matter to powder patterns, their margin included, or to profiles."""
    return max(_powder_limits(settings["powder"])[1], float(settings["ideal"].d_star_max))


def lowest_d_star(settings: Mapping[str, Any]) -> float:
    """1/d from which on lines matter to powder patterns or to profiles."""
    return min(_powder_limits(settings["powder"])[0], float(settings["ideal"].d_star_min))


def _powder_limits(settings: Any) -> tuple[float, float]:
    """1/d at both ends of the grid of angles, 1/A; from 0.01 1/A on, as no cell is larger."""
    margin = powder_margin(settings) * settings.two_theta_step
    angles = settings.two_theta_min - margin, settings.two_theta_max + margin
    wavelength = Radiation.of(settings.wavelength).shortest
    low, high = (2 * math.sin(math.radians(angle) / 2) / wavelength for angle in angles)
    return max(low, 0.01), high


def _possible(n: int, failures: Sequence[tuple[int, str]]) -> NDArray[np.bool_]:
    """Which of n structures have a descriptor."""
    possible = np.ones(n, bool)
    possible[[row for row, _ in failures]] = False
    return possible


# What a process of the pool keeps from one chunk to the next.
_kept: dict[str, Any] = {}


def _remember(work: Work) -> None:
    """Read once what every chunk of a process needs."""
    end_with_parent()
    logging.basicConfig(format="%(asctime)s %(name)s: %(message)s")
    pa.set_cpu_count(1)
    _kept["work"] = work
    _kept["structures"] = read_lean(work.luggage / STRUCTURES)
    _kept["features"] = {kind: open_features(work.folder, kind, "r+") for kind in work.settings}


def _compute_rows(chunk: tuple[str, int, int]) -> None:
    """Compute a chunk; where that fails, each of its rows, so that one structure fails alone."""
    name, start, stop = chunk
    try:
        _write_rows(name, start, stop)
    except Exception:
        if stop - start > 1:
            for row in range(start, stop):
                _compute_rows((name, row, row + 1))
            return
        log.exception("pass %s: row %d has no descriptor", name, start)
        for kind in PASSES[name]:
            _kept["features"][kind][1][start:stop] = IMPOSSIBLE


def _write_rows(name: str, start: int, stop: int) -> None:
    """Write descriptors and then note that they are there, so that a kill leaves no gap."""
    work: Work = _kept["work"]
    rows = work.imaged[start:stop] if name == "electron" else np.arange(start, stop)
    structures = full_structures(_kept["structures"].take(rows))
    for kind, values, possible in compute(structures, name, work.settings):
        features, state = _kept["features"][kind]
        features[start:stop] = np.where(possible.reshape(-1, *[1] * (values.ndim - 1)), values, 0)
        state[start:stop] = np.where(possible, PRESENT, IMPOSSIBLE)


def main() -> None:
    """Compute all descriptors of a luggage."""
    parser = argparse.ArgumentParser(description="Compute the descriptors of all structures.")
    parser.add_argument("--luggage", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--processes", type=int, required=True)
    parser.add_argument("--images", type=int, required=True)
    arguments = parser.parse_args()
    end_with_parent()
    compute_all(
        work_of(arguments.luggage, arguments.folder, images=arguments.images),
        processes=arguments.processes,
    )


if __name__ == "__main__":
    main()

"""Fixtures that all tests share: real data, fetched or made once a session."""

import fcntl
import subprocess
from contextlib import contextmanager

import pyarrow.parquet as pq
import pytest
from study import REPOSITORY, Study, checkout, share_kernels

from diffsym.settings.checks import Checks
from diffsym.settings.sources.amcsd import Amcsd
from diffsym.settings.symmetry import Symmetry
from diffsym.structures.shards import process_shard
from diffsym.structures.sources import amcsd, open_source
from diffsym.tables import STRUCTURES, read_table

# Folders and files in the order in which workers of pytest-xdist take them: first what waits most,
# then what makes the tiny study, then what can do without it, and short files last.
ROOMS = ("slurm", "workflow/test_plans", "unit/models", "workflow", "physics", "unit")


def pytest_collection_modifyitems(items):
    def place(item):
        name = item.path.relative_to(REPOSITORY / "tests").as_posix()
        return next(number for number, room in enumerate(ROOMS) if name.startswith(room))

    items.sort(key=place)


@pytest.fixture(scope="session")
def common_folder(tmp_path_factory, worker_id):
    """A folder of this run of pytest that all its workers see."""
    own = tmp_path_factory.getbasetemp()
    return own if worker_id == "master" else own.parent


@contextmanager
def one_at_a_time(lock):
    """What only one worker may do at once; a killed one frees the lock."""
    with lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def shared_dir():
    """Folder of large reference data that lies beside a development checkout."""
    folder = REPOSITORY.parent / "shared"
    if not (folder / "data").is_dir():
        pytest.skip("the development data beside the checkout are absent")
    return folder


@pytest.fixture(scope="session")
def amcsd_wheel(common_folder):
    """The default database, fetched into data/downloads as the workflow does."""
    path = REPOSITORY / "data" / "downloads" / amcsd.WHEEL
    with one_at_a_time(common_folder / "wheel.lock"):
        amcsd.fetch(path)
    return path


@pytest.fixture(scope="session")
def amcsd_entries(common_folder, amcsd_wheel):
    """Some 300 structures of the default database as they are parsed, duplicates among them."""
    path = common_folder / "entries.parquet"
    with one_at_a_time(common_folder / "entries.lock"):
        if not path.exists():
            source = open_source("amcsd", Amcsd(kind="amcsd"), amcsd_wheel)
            structures, _ = process_shard(source, 0, 30, Symmetry(), Checks())
            pq.write_table(structures, path)
    return pq.read_table(path)


@pytest.fixture(scope="session")
def tiny_study(common_folder, amcsd_wheel):
    """The whole workflow on some 100 structures, run once for all workers."""
    study = Study(common_folder / "tiny")
    with one_at_a_time(common_folder / "tiny.lock"):
        if not study.folder.exists():
            checkout(study.folder, amcsd_wheel).run()
            share_kernels(study.folder, REPOSITORY)
    assert (study.results / "report.html").exists(), "another worker's study failed"
    return study


@pytest.fixture(scope="session")
def amcsd_structures(tiny_study):
    """Unique structures of the tiny study."""
    return read_table(tiny_study.folder / "results" / "structures.parquet", STRUCTURES)


@pytest.fixture
def small_disk():
    """A function that puts a disk of a given size in place of a folder, until the test ends.

    Called again with the same folder it gives the disk another size.
    """
    mounted = []

    def mount(folder, size):
        options = f"size={size}" + (",remount" if folder in mounted else "")
        folder.mkdir(parents=True, exist_ok=True)
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode:
            pytest.skip(f"no disk can be mounted here: {result.stderr.strip()}")
        mounted.append(folder)

    yield mount
    for folder in dict.fromkeys(mounted):
        subprocess.run(["umount", str(folder)], check=True)

"""Fixtures that all tests share: real data, fetched or made once a session."""

import subprocess

import pytest
from study import REPOSITORY, checkout, share_kernels

from diffsym.structures.shards import process_shard
from diffsym.structures.sources import amcsd, open_source
from diffsym.tables import STRUCTURES, read_table


@pytest.fixture(scope="session")
def shared_dir():
    """Folder of large reference data that lies beside a development checkout."""
    folder = REPOSITORY.parent / "shared"
    if not (folder / "data").is_dir():
        pytest.skip("the development data beside the checkout are absent")
    return folder


@pytest.fixture(scope="session")
def amcsd_wheel():
    """The default database, fetched into data/downloads as the workflow does."""
    path = REPOSITORY / "data" / "downloads" / amcsd.WHEEL
    amcsd.fetch(path)
    return path


@pytest.fixture(scope="session")
def amcsd_entries(amcsd_wheel):
    """Some 300 structures of the default database as they are parsed, duplicates among them."""
    source = open_source("amcsd", "amcsd", path=amcsd_wheel)
    return process_shard(source, 0, 30)[0]


@pytest.fixture(scope="session")
def tiny_study(tmp_path_factory, amcsd_wheel):
    """The whole workflow on some 100 structures, run once."""
    study = checkout(tmp_path_factory.mktemp("tiny") / "study", amcsd_wheel)
    study.run()
    share_kernels(study.folder, REPOSITORY)
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

"""Processes that start at the same time compile kernels once."""

import errno
import subprocess
import sys
import time

import pytest

from diffsym.scattering import one_compiles

ENTER = """
from diffsym.scattering import one_compiles
with one_compiles("some"):
    print("in", flush=True)
"""


def test_one_process_at_a_time_may_compile():
    with one_compiles("some"):
        other = subprocess.Popen([sys.executable, "-c", ENTER], stdout=subprocess.PIPE, text=True)
        with pytest.raises(subprocess.TimeoutExpired):
            other.communicate(timeout=3)
        left = time.perf_counter()
    assert other.communicate(timeout=60)[0] == "in\n"
    assert time.perf_counter() - left < 60


def test_where_kernels_cannot_be_kept_nobody_waits(tmp_path, monkeypatch):
    for folder in ("", str(tmp_path / "file" / "kernels")):
        (tmp_path / "file").touch()
        monkeypatch.setattr("numba.config.CACHE_DIR", folder)
        with one_compiles("some"), one_compiles("some"):
            pass


def test_nobody_waits_where_files_cannot_be_locked(monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", refuse)
    started = time.perf_counter()
    with one_compiles("some"):
        assert time.perf_counter() - started < 5.0


def test_nobody_waits_for_ever():
    with one_compiles("some"):
        started = time.perf_counter()
        with one_compiles("some", patience=1.0):
            assert 1.0 <= time.perf_counter() - started < 5.0


def test_nobody_waits_for_other_kernels():
    started = time.perf_counter()
    with one_compiles("some"), one_compiles("others"):
        assert time.perf_counter() - started < 5.0

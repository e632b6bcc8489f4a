"""What lies in a user's home, and whether it can be written, decides nothing."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import diffsym

PACKAGE = Path(diffsym.__file__).parent
KERAS = """
from diffsym.keras_backend import keras
config = keras.config
print(config.backend(), config.floatx(), config.image_data_format(), config.epsilon())
"""
KERNELS = """
import numba
import numpy as np
from diffsym.experimental.peaks import strip_companions
from diffsym.scattering.powder import CU_K_ALPHA_DOUBLET
strip_companions(np.arange(20.0, 30.0), np.ones(10), CU_K_ALPHA_DOUBLET)
print(numba.config.CACHE_DIR)
"""
UNSHARED = ["unshare", "--mount", "--map-root-user"]


def printed(command, **environment):
    kept = {
        key: value
        for key, value in os.environ.items()
        if key not in {"KERAS_BACKEND", "KERAS_HOME", "NUMBA_CACHE_DIR", "XDG_CACHE_HOME"}
    }
    paths = os.pathsep.join(filter(None, [str(PACKAGE.parent), os.environ.get("PYTHONPATH")]))
    run = subprocess.run(
        command,
        check=True,
        capture_output=True,
        text=True,
        env=kept | {"PYTHONPATH": paths} | environment,
    )
    return run.stdout.strip()


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_keras_json_decides_nothing(tmp_path, backend):
    settings = {"backend": "theano", "floatx": "float16", "image_data_format": "channels_first"}
    (tmp_path / ".keras").mkdir()
    (tmp_path / ".keras" / "keras.json").write_text(json.dumps(settings | {"epsilon": 0.1}))
    chosen = {} if backend == "tensorflow" else {"KERAS_BACKEND": backend}
    told = printed([sys.executable, "-c", KERAS], HOME=str(tmp_path), **chosen)
    assert told == f"{backend} float32 channels_last 1e-07"


@pytest.fixture
def kernels(tmp_path):
    """Where kernels lie that are compiled while some folders are read-only."""
    if not (
        shutil.which("unshare") and subprocess.run([*UNSHARED, "true"], check=False).returncode == 0
    ):
        pytest.skip("mounts of one's own are not permitted")
    for name in ("home", "tmp"):
        (tmp_path / name).mkdir()

    def folder(*read_only):
        mounts = "".join(
            f"mount --bind {place} {place}; mount -o remount,bind,ro {place}; "
            for place in (shlex.quote(str(path)) for path in read_only)
        )
        command = [
            *UNSHARED,
            "sh",
            "-ec",
            f'{mounts}exec "$@"',
            "sh",
            sys.executable,
            "-c",
            KERNELS,
        ]
        told = printed(command, HOME=str(tmp_path / "home"), TMPDIR=str(tmp_path / "tmp"))
        assert list(Path(told).rglob("*.nbc")), "kernels are kept"
        return Path(told).parent

    return folder


def test_kernels_of_a_read_only_package_lie_in_the_users_cache(kernels, tmp_path):
    assert kernels(PACKAGE) == tmp_path / "home" / ".cache" / "diffsym"


def test_kernels_lie_among_temporary_files_if_home_is_read_only_too(kernels, tmp_path):
    place = tmp_path / "tmp" / f"diffsym-{os.getuid()}"
    assert kernels(PACKAGE, tmp_path / "home") == place
    assert place.stat().st_mode & 0o077 == 0


def test_kernels_are_not_put_where_another_user_leads_them(kernels, tmp_path):
    (tmp_path / "theirs").mkdir()
    planted = tmp_path / "tmp" / f"diffsym-{os.getuid()}"
    planted.symlink_to(tmp_path / "theirs")
    place = kernels(PACKAGE, tmp_path / "home")
    assert place.parent == tmp_path / "tmp"
    assert place != planted

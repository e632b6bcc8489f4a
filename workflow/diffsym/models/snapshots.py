"""The weights of a network after some epochs, kept to assess its course afterwards.

While a network trains, each snapshot is a file of its own in a folder; a killed training leaves
them for its continuation. When it ends they are packed into one archive.
"""

import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from diffsym.errors import DiffsymError
from diffsym.files import atomic_path
from diffsym.keras_backend import keras


def save_snapshot(model: keras.Model, folder: str | Path, epoch: int) -> None:
    """Write the weights after an epoch into the folder, whole or not at all."""
    path = Path(folder) / f"epoch-{epoch:05d}.npz"
    with atomic_path(path) as temporary, temporary.open("wb") as handle:
        np.savez(handle, *model.get_weights())


def pack_snapshots(folder: str | Path, archive: str | Path) -> None:
    """Pack the snapshots of a folder into one archive; there need not be any."""
    with atomic_path(archive) as temporary, zipfile.ZipFile(temporary, "w") as packed:
        for path in sorted(Path(folder).glob("epoch-*.npz")):
            # A constant time of the file, so that equal snapshots give equal archives.
            packed.writestr(zipfile.ZipInfo(path.name), path.read_bytes())


def read_snapshots(archive: str | Path) -> Iterator[tuple[int, list[NDArray]]]:
    """Epoch, counted from 1, and weights of each snapshot of an archive, in their order."""
    try:
        with zipfile.ZipFile(archive) as packed:
            for name in sorted(packed.namelist()):
                with packed.open(name) as member, np.load(member) as stored:
                    yield _epoch_of(name), [stored[key] for key in stored.files]
    except zipfile.BadZipFile as error:
        raise DiffsymError(
            f"{archive}: not an archive of snapshots ({error}); train the network again"
        ) from None


def _epoch_of(name: str) -> int:
    return int(name.removeprefix("epoch-").removesuffix(".npz"))

"""Whether an archive that was fetched is whole."""

import zipfile
from pathlib import Path

from diffsym.structures.readers.content import DAMAGES


def damage(path: Path) -> str:
    """What is wrong with a zip archive, all checksums of its members included; empty: nothing."""
    try:
        with zipfile.ZipFile(path) as archive:
            broken = archive.testzip()
    except DAMAGES as error:
        return f"no whole zip archive ({error})"
    return f"a damaged member, {broken}" if broken else ""

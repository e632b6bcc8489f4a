"""The database as a source, and a sample of its structures before duplicates are removed."""

import pyarrow as pa
import pytest

from diffsym.settings.checks import Checks
from diffsym.settings.sources.amcsd import Amcsd
from diffsym.settings.symmetry import Symmetry
from diffsym.structures.shards import process_shard
from diffsym.structures.sources import amcsd, open_source


@pytest.fixture(scope="session")
def source(amcsd_wheel):
    return open_source("amcsd", Amcsd(kind="amcsd"), amcsd_wheel)


@pytest.fixture
def read_entry(source):
    def read(identifier):
        (item,) = source.read([str(identifier)])
        return item

    return read


class Selection:
    """Some entries of a source, as a source."""

    def __init__(self, source, identifiers):
        self.name = source.name
        self.licence = source.licence
        self._source = source
        self._identifiers = [str(identifier) for identifier in identifiers]

    def identifiers(self):
        return self._identifiers

    def read(self, identifiers):
        return self._source.read(identifiers)


@pytest.fixture(scope="session")
def select(source):
    return lambda identifiers: Selection(source, identifiers)


@pytest.fixture(scope="session")
def repeated_structures(source, select) -> pa.Table:
    """All entries of minerals that were measured again and again."""
    names = ("Coesite", "Realgar", "Quartz", "Cristobalite", "Diopside", "Pyrope", "Cohenite")
    marks = ", ".join("?" * len(names))
    rows = source.database.execute(
        "SELECT cif.id FROM cif JOIN minerals ON minerals.id = mineral_id "
        f"WHERE minerals.name IN ({marks}) ORDER BY cif.id",
        names,
    )
    structures, _ = process_shard(select([row["id"] for row in rows]), 0, 1, Symmetry(), Checks())
    return structures


@pytest.fixture
def wheel_path(tmp_path):
    return tmp_path / "downloads" / amcsd.WHEEL

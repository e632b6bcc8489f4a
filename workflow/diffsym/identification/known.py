"""Known structures of a study: what the search compares a pattern with."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa

from diffsym.errors import DiffsymError
from diffsym.identification.search import KnownLines, known_lines
from diffsym.scattering.types import Integers
from diffsym.settings.reflections import Reflections
from diffsym.study.layout import Layout
from diffsym.tables import REFLECTIONS, STRUCTURES, read_table

SEARCHED = Reflections(d_star_min=0.02, d_star_max=1.2)
"""Of which structures are computed for the search alone; copper reaches 1.3 1/A."""
ELEMENT = re.compile(r"[A-Z][a-z]?")


@dataclass(frozen=True)
class KnownStructures:
    """Structures and their lines.

    Attributes
    ----------
    lines
        Of all structures.
    structure_ids, names, formulas
        (s,) of each structure; a name may be None.
    space_groups : (s,) int64
    """

    lines: KnownLines
    structure_ids: list[str]
    names: list[str | None]
    formulas: list[str]
    space_groups: Integers

    @cached_property
    def databases(self) -> Integers:
        """Number of the database of each structure, (s,): the part of its name before the colon."""
        names = [one.partition(":")[0] for one in self.structure_ids]
        return np.unique(names, return_inverse=True)[1].astype(np.int64)

    def of_elements(self, elements: Collection[str]) -> "KnownStructures":
        """Structures that hold no other elements than these.

        Raises
        ------
        DiffsymError
            If there is none.
        """
        allowed = frozenset(elements)
        rows = np.flatnonzero([allowed.issuperset(ELEMENT.findall(one)) for one in self.formulas])
        if not len(rows):
            raise DiffsymError(
                f"elements: no known structure is of {', '.join(sorted(allowed))} alone; name all "
                "that the sample may hold"
            )
        return KnownStructures(
            lines=self.lines.take(rows),
            structure_ids=[self.structure_ids[row] for row in rows],
            names=[self.names[row] for row in rows],
            formulas=[self.formulas[row] for row in rows],
            space_groups=self.space_groups[rows],
        )


def read_known(results: Path) -> KnownStructures:
    """Structures and reflections of a finished study.

    Parameters
    ----------
    results
        Its folder of results.

    Raises
    ------
    DiffsymError
        If tables are missing or do not belong together.
    """
    layout = Layout(str(results))
    shards = sorted(
        Path(layout.reflections("x")).parent.glob(Path(layout.reflections("*")).name),
        key=lambda path: (len(path.name), path.name),
    )
    if not Path(layout.structures).exists() or not shards:
        raise DiffsymError(
            f"{results}: no structures and reflections of a study; run 'make report' there, or "
            "name the results of one with --study"
        )
    return known_structures([layout.structures], shards)


def known_structures(
    structures: Sequence[str | Path], shards: Iterable[str | Path]
) -> KnownStructures:
    """Structures and their lines.

    Parameters
    ----------
    structures
        Tables of structures (Parquet).
    shards
        Their reflections, in the order of the structures.

    Raises
    ------
    DiffsymError
        If the tables do not belong together.
    """
    columns = ["structure_id", "name", "formula", "space_group"]
    table = pa.concat_tables(read_table(path, STRUCTURES, columns) for path in structures)
    reflections = pa.concat_tables(
        read_table(path, REFLECTIONS, ["structure_id", "d_star", "intensity"]) for path in shards
    )
    if not reflections["structure_id"].equals(table["structure_id"]):
        raise DiffsymError(
            f"{structures[0]}: structures and reflections are not of one study; run it again"
        )
    return known_of(table, reflections)


def known_of(structures: pa.Table, reflections: pa.Table) -> KnownStructures:
    """Structures by their tables, whose rows belong together."""
    return KnownStructures(
        lines=known_lines(reflections),
        structure_ids=structures["structure_id"].to_pylist(),
        names=structures["name"].to_pylist(),
        formulas=structures["formula"].to_pylist(),
        space_groups=structures["space_group"].to_numpy().astype("int64"),
    )

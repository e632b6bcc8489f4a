"""The Materials Project."""

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import MinLen

from diffsym.errors import nearest
from diffsym.settings.sources.base import Source
from diffsym.settings.sources.selection import SYMBOLS

IDENTIFIER = re.compile(r"[a-z]+-[a-z0-9]+")
SYSTEM = re.compile(r"([A-Z][a-z]?|\*)(-([A-Z][a-z]?|\*))*")
Texts = Annotated[tuple[str, ...], MinLen(1)]


@dataclass(frozen=True, kw_only=True)
class MaterialsProject(Source):
    """Computed structures of the Materials Project, by its own client and with the user's key.

    Entries have to fit all keys. The key is that of the environment and in no file.
    """

    module: ClassVar = "diffsym.structures.sources.materials_project"
    fetcher: ClassVar = "diffsym.structures.fetching.materials_project"
    download: ClassVar = "materials_project-{}.parquet"

    kind: Literal["materials_project"] = "materials_project"
    """Which reader."""
    elements: Texts | None = None
    """Symbols that an entry has, all of them, whatever else it has; null: any."""
    exclude_elements: Texts | None = None
    """Symbols of which an entry has none; null: any."""
    chemsys: Texts | None = None
    """Chemical systems, for example `Li-Fe-O` or `Si-*`; null: any."""
    material_ids: Texts | None = None
    """Identifiers, for example `mp-149`; null: all."""
    num_elements: tuple[int, int] | None = None
    """Least and largest number of elements; null: any."""
    num_sites: tuple[int, int] | None = None
    """Least and largest number of sites in the cell; null: any."""
    energy_above_hull: tuple[float, float] | None = None
    """Least and largest energy above the convex hull, in eV per atom; null: any."""
    theoretical: bool | None = None
    """False: only structures that are known from experiments; true: only others; null: both."""
    include_gnome: bool = False
    """Whether entries of GNoME come, too, which are under CC BY-NC 4.0."""
    endpoint: Annotated[str, MinLen(1)] = "https://api.materialsproject.org/"
    """Address of the database, or of a mirror."""

    def __post_init__(self) -> None:
        """Refuse what the server would pass over or answer with nothing."""
        for key in ("elements", "exclude_elements"):
            for symbol in getattr(self, key) or ():
                if symbol not in SYMBOLS:
                    hint = nearest(symbol.capitalize(), SYMBOLS)
                    raise ValueError(f"{key}: '{symbol}' is no element with a form factor{hint}")
        excluded = set(self.exclude_elements or ())
        if both := excluded & set(self.elements or ()):
            raise ValueError(
                f"exclude_elements: {', '.join(sorted(both))} is in elements, too; name it in one "
                "of them"
            )
        self._check_systems(excluded)
        for identifier in self.material_ids or ():
            if not IDENTIFIER.fullmatch(identifier):
                raise ValueError(
                    f"material_ids: '{identifier}' is no identifier of the Materials Project; "
                    "give such as 'mp-149'"
                )
        for key in ("num_elements", "num_sites", "energy_above_hull"):
            least, largest = getattr(self, key) or (0, 0)
            if least > largest:
                raise ValueError(f"{key}: the first number is larger than the second; swap them")
            if least < 0 and key != "energy_above_hull":
                raise ValueError(f"{key}: there are never {least}; give 1 or more")
        if self.select.years is not None:
            raise ValueError(
                "select.years: the Materials Project tells no years of publication; set it to null"
            )

    def _check_systems(self, excluded: set[str]) -> None:
        """Refuse systems that no entry can have."""
        for system in self.chemsys or ():
            if not SYSTEM.fullmatch(system):
                raise ValueError(
                    f"chemsys: '{system}' is no chemical system; give symbols or '*' with '-' "
                    "between them, for example 'Li-Fe-O'"
                )
            for symbol in system.split("-"):
                if symbol not in (*SYMBOLS, "*"):
                    raise ValueError(
                        f"chemsys: '{symbol}' of '{system}' is no element with a form factor"
                        f"{nearest(symbol, SYMBOLS)}"
                    )
                if symbol in excluded:
                    raise ValueError(
                        f"chemsys: '{symbol}' of '{system}' is in exclude_elements, too; name it "
                        "in one of them"
                    )

    def query(self) -> dict[str, Any]:
        """What is asked for, without keys that choose nothing."""
        others = {"kind", "limit", "select", "endpoint"}
        chosen = {key: value for key, value in asdict(self).items() if key not in others}
        return {key: value for key, value in chosen.items() if value is not None}

    def file(self) -> str:
        """Name of the Parquet file, another one for each choice of entries."""
        chosen = [self.query(), self.endpoint, self.limit]
        digest = hashlib.sha256(json.dumps(chosen, sort_keys=True).encode())
        return self.download.format(digest.hexdigest()[:12])

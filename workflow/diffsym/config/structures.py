"""Sections on structures: the databases, space groups, physical checks and duplicates."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator

from diffsym.config.base import Name, Positive, Section


class AmcsdSource(Section):
    """American Mineralogist Crystal Structure Database, snapshot of 2021, by package registry."""

    module: ClassVar = "diffsym.structures.sources.amcsd"
    download: ClassVar = "xraylarch-0.9.81-py3-none-any.whl"

    kind: Literal["amcsd"] = Field(description="which reader")
    limit: int | None = Field(None, ge=1, description="only the first entries; null: all")


class LocalSource(Section):
    """A folder of CIF and POSCAR files, or a Parquet file of P1 cells."""

    module: ClassVar = "diffsym.structures.sources.local"
    download: ClassVar = None
    wanted: ClassVar = "your folder of CIF/POSCAR files or to your Parquet file"

    kind: Literal["local"] = Field(description="which reader")
    path: str = Field(min_length=1, description="the folder or the Parquet file")
    licence: str = Field("unknown", description="terms of use, recorded with every structure")
    citation: str = Field("unpublished", description="reference, recorded with every structure")
    limit: int | None = Field(None, ge=1, description="only the first entries; null: all")


Source = Annotated[AmcsdSource | LocalSource, Field(discriminator="kind")]


class Symmetry(Section):
    """Space-group determination with spglib."""

    symprec: Positive = Field(0.01, le=1, description="distance tolerance of the label, A")
    tolerances: list[Positive] = Field(
        [0.001, 0.01, 0.1],
        min_length=1,
        validate_default=True,
        description="tolerances at which the label is compared with that at symprec, A",
    )

    @field_validator("tolerances")
    @classmethod
    def _with_symprec(cls, tolerances: list[float], info: ValidationInfo) -> list[float]:
        return sorted({*tolerances, info.data.get("symprec", tolerances[0])})


class Checks(Section):
    """Physical checks that a structure passes before any descriptor is computed."""

    occupancy_tolerance: float = Field(
        0.05, ge=0, description="a site may be filled beyond 1 by this much"
    )
    min_distance: Positive = Field(0.9, description="shortest distance of two atoms, A")
    min_distance_hydrogen: Positive = Field(
        0.5, description="shortest distance of two atoms if one is hydrogen, A"
    )
    composition_tolerance: Positive = Field(
        0.02, description="largest share of atoms that may differ from the stated formula"
    )
    density_tolerance: Positive = Field(
        0.05, description="largest relative deviation from the stated density"
    )


class Duplicates(Section):
    """Tolerances of pymatgen's StructureMatcher."""

    ltol: Positive = Field(0.2, description="fractional tolerance of the lattice lengths")
    stol: Positive = Field(0.3, description="site tolerance, fraction of (V/n)^(1/3)")
    angle_tol: Positive = Field(5.0, description="tolerance of the lattice angles, degrees")


class Structures(Section):
    """From the sources to the table of unique structures."""

    sources: list[Name] = Field(min_length=1, description="named sources to read")
    shards: int = Field(8, ge=1, le=10_000, description="number of jobs the work is split into")
    symmetry: Symmetry = Field(default_factory=Symmetry, description="spglib")
    checks: Checks = Field(default_factory=Checks, description="physical checks")
    duplicates: Duplicates = Field(
        default_factory=Duplicates, description="what counts as the same structure"
    )

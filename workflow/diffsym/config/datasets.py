"""Sections on who trains and who tests: class sets, filters, splits and measured patterns."""

from typing import Annotated, ClassVar, Literal, Self, TypeGuard

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from diffsym.config.base import Fraction, Name, Positive, Section
from diffsym.config.patterns import Augmentation, Pattern, WavelengthKey

# Number of a space group in the International Tables.
SpaceGroup = Annotated[int, Field(ge=1, le=230)]


class ClassSet(Section):
    """Which space groups are distinguished; exactly one of the keys is given."""

    min_entries: int | None = Field(
        None, ge=2, description="groups with at least this many unique structures"
    )
    most_populated: int | None = Field(
        None, ge=2, description="this many groups, those with the most unique structures"
    )
    space_groups: list[SpaceGroup] | None = Field(None, min_length=2, description="group numbers")
    named: (
        Literal[
            "liu2019-45",
            "ozaki2025-57",
            "tiong2020-8",
            "tiong2020-20",
            "tiong2020-49",
            "tiong2020-72",
            "tiong2020-untrained-30",
        ]
        | None
    ) = Field(None, description="a list published with a paper, see data/class_sets")

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        given = [key for key in type(self).model_fields if getattr(self, key) is not None]
        if len(given) != 1:
            raise PydanticCustomError(
                "class_set",
                "give exactly one of min_entries, most_populated, space_groups and named, "
                "not {count}",
                {"count": len(given)},
            )
        return self


class Filter(Section):
    """Outliers that are left out of training (Ozaki et al. 2025, section 2.3).

    Numbers of standard deviations on either side of the mean over the structures of a class set.
    """

    volume: Positive | None = Field(
        None, description="of ln(V / A^3), V the volume of the primitive cell; null: no limit"
    )
    density: Positive | None = Field(
        None, description="of ln(n A^3 / V), n the number of atoms in it; null: no limit"
    )


class Split(Section):
    """Which structures train, validate and test."""

    module: ClassVar = "diffsym.datasets.splits"

    kind: Literal["stratified", "formula", "prototype"] = Field(
        description="stratified: within each space group; formula, prototype: none on both sides"
    )
    test_fraction: Fraction = Field(0.2, description="share of all structures")
    validation_fraction: Fraction = Field(0.1, description="share of the training side")
    folds: int = Field(5, ge=2, le=100, description="cross-validation folds of the training side")
    seed: int = Field(0, ge=0, description="seed of the draw")


class DisjointSets(Section):
    """Disjoint test sets with equally many structures of each group (Ozaki et al. 2025).

    The section stands for several splits, `NAME_1`, `NAME_2`, ...: each has a different set as its
    test part. An experiment on `NAME` stands for as many experiments, numbered alike.
    """

    module: ClassVar = "diffsym.datasets.disjoint_sets"

    kind: Literal["ozaki2025"] = Field(description="which split")
    descriptor: Name = Field(description="section of descriptors, of kind ideal: gives the peaks")
    classes: Name = Field(description="section of class_sets: the groups that are drawn from")
    filter: Name = Field(description="section of filters: the sets are drawn from what it keeps")
    sets: int = Field(5, ge=2, le=100, description="number of disjoint sets")
    entries_per_group: int = Field(16, ge=1, description="structures of each group in each set")
    tolerance_bins: int = Field(
        5,
        ge=0,
        le=1000,
        description="a structure is not drawn if each of its peaks is within this many bins of a "
        "peak of another structure of its group",
    )
    minimum_intensity: float = Field(
        0.0, ge=0, lt=1, description="peaks are higher than this; the strongest has 1"
    )
    adapt: bool = Field(
        False, description="draw fewer from groups that are too small; false: they are an error"
    )
    validation_fraction: Fraction = Field(0.1, description="share of the training side")
    folds: int = Field(5, ge=2, le=100, description="cross-validation folds of the training side")
    seed: int = Field(0, ge=0, description="seed of the draw")
    held_out: int | None = Field(
        None, ge=1, description="number of the set that tests; null: each in turn"
    )

    @model_validator(mode="after")
    def _existing_set(self) -> Self:
        if self.held_out is not None and self.held_out > self.sets:
            raise PydanticCustomError("physics", "held_out must not exceed sets")
        return self


AnySplit = Annotated[Split | DisjointSets, Field(discriminator="kind")]


def is_series(split: Split | DisjointSets) -> TypeGuard[DisjointSets]:
    """Whether a section of splits stands for several splits."""
    return isinstance(split, DisjointSets) and split.held_out is None


class PeakSearch(Section):
    """How lines are found in measured patterns, for networks on ideal profiles."""

    signal_to_noise: Positive = Field(
        5.0, description="a line exceeds the noise by at least this many standard deviations"
    )
    profile_error: float = Field(
        0.05,
        ge=0,
        lt=1,
        description="share by which peaks may differ from the fitted shape; raise it if strong "
        "lines have satellites",
    )


class MeasuredPatterns(Section):
    """Measured powder patterns: a folder with an index, or a NumPy archive (docs/measured.md)."""

    simulated: ClassVar = False
    wanted: ClassVar = "your folder of patterns or to your NumPy archive"

    kind: Literal["patterns"] = Field(description="which reader")
    path: str = Field(min_length=1, description="the folder or the .npz file")
    wavelength: WavelengthKey = Field(
        1.54184,
        description="A; or (wavelength, weight) of each line of a doublet; "
        "for patterns that do not come with their own",
    )
    exclude: list[str] = Field([], description="patterns not to use, for example after an audit")
    citation: str = Field(
        "unpublished", description="whom to cite; shown in the report's configuration"
    )
    search: PeakSearch = Field(default_factory=PeakSearch, description="search for lines")


class SimulatedPatterns(Pattern):
    """Test structures as an instrument would show them: what is lost between crystal and peaks."""

    simulated: ClassVar = True

    kind: Literal["simulated"] = Field(description="which reader")
    wavelength: WavelengthKey = Field(
        [(1.540593, 2.0), (1.544427, 1.0)],
        description="A; or (wavelength, weight) of each line of a doublet",
    )
    two_theta_min: Positive = Field(10.0, lt=180, description="first angle, degrees")
    two_theta_max: Positive = Field(109.8, lt=180, description="last angle, degrees")
    b_iso: float = Field(2.0, ge=0, description="isotropic displacement parameter B, A^2")
    augmentation: Augmentation = Field(
        default_factory=Augmentation, description="peaks, noise and background of each pattern"
    )
    limit: int = Field(200, ge=1, description="structures drawn from the test part")
    search: PeakSearch = Field(default_factory=PeakSearch, description="search for lines")


Measured = Annotated[MeasuredPatterns | SimulatedPatterns, Field(discriminator="kind")]

"""The configuration: every key with its type, range, default and meaning, in one place.

`workflow/schemas/config.schema.json` and `docs/configuration.md` are generated from here. Values
are validated before the job graph is built; what is wrong comes back as one sentence a mistake.
"""

import difflib
import math
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, Self, TypeGuard, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from diffsym.errors import DiffsymError

# Names become parts of file names and Snakemake wildcards.
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
Positive = Annotated[float, Field(gt=0)]
Fraction = Annotated[float, Field(gt=0, lt=1)]
SpaceGroup = Annotated[int, Field(ge=1, le=230)]


def nearest(name: str, valid: Iterable[str]) -> str:
    """Return the words "; did you mean 'x'?", or the list of valid names if none is similar."""
    valid = sorted(valid)
    matches = difflib.get_close_matches(name, valid, n=1, cutoff=0.5)
    if matches:
        return f"; did you mean '{matches[0]}'?"
    return f"; valid are: {', '.join(valid) or 'none'}"


class Section(BaseModel):
    """Base of all sections: unknown keys are errors that name the nearest valid one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_keys(cls, data: Any) -> Any:
        if isinstance(data, Mapping):
            for key in data:
                if key not in cls.model_fields:
                    raise PydanticCustomError(
                        "unknown_key",
                        "unknown key '{key}'{hint}",
                        {"key": str(key), "hint": nearest(str(key), cls.model_fields)},
                    )
        return data


class Report(Section):
    """The page that shows everything."""

    title: str = Field("Space groups from diffraction", min_length=1, description="page title")
    experiments: list[Name] = Field(
        min_length=1, description="experiments to run and to show, in this order"
    )
    sweeps: list[Name] = Field([], description="hyper-parameter sweeps to run and to show")


class AmcsdSource(Section):
    """American Mineralogist Crystal Structure Database, snapshot of 2021, by package registry."""

    kind: Literal["amcsd"] = Field(description="which reader")
    limit: int | None = Field(None, ge=1, description="only the first entries; null: all")


class LocalSource(Section):
    """A folder of CIF and POSCAR files, or a Parquet file of P1 cells."""

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
        0.5, description="shortest distance of two atoms of which one is hydrogen, A"
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
    shards: int = Field(8, ge=1, le=10_000, description="pieces that the work is cut into")
    symmetry: Symmetry = Field(default_factory=Symmetry, description="spglib")
    checks: Checks = Field(default_factory=Checks, description="physical checks")
    duplicates: Duplicates = Field(
        default_factory=Duplicates, description="what counts as the same structure"
    )


class PdfDescriptor(Section):
    """Reduced pair distribution function, normalised to 0 ... 1 (Liu et al. 2019, Table 2)."""

    kind: Literal["pdf"] = Field(description="which descriptor")
    engine: Literal["native", "srreal"] = Field(
        "native", description="own kernel, or diffpy.srreal where it is installed"
    )
    r_min: float = Field(1.5, ge=0, description="smallest distance, A")
    r_max: Positive = Field(30.0, le=200, description="largest distance, A")
    r_step: Positive | None = Field(None, description="grid step, A; null: pi / q_max")
    q_min: float = Field(0.5, ge=0, description="smallest momentum transfer, 1/A")
    q_max: Positive = Field(23.0, description="largest momentum transfer, 1/A")
    u_iso: Positive = Field(0.008, description="isotropic displacement parameter U, A^2")
    q_damp: float = Field(0.04, ge=0, description="instrumental damping, 1/A")
    q_broad: float = Field(0.01, ge=0, description="instrumental broadening, 1/A")

    @model_validator(mode="after")
    def _possible_physics(self) -> Self:
        if self.r_min >= self.r_max:
            raise PydanticCustomError("physics", "r_min must be smaller than r_max")
        if self.q_min >= self.q_max:
            raise PydanticCustomError("physics", "q_min must be smaller than q_max")
        nyquist = math.pi / self.q_max
        if self.r_step is not None and self.r_step > nyquist * (1 + 1e-9):
            raise PydanticCustomError(
                "physics",
                "r_step {step} A is above pi / q_max = {nyquist} A, "
                "so that the grid cannot carry the signal; lower r_step or q_max",
                {"step": self.r_step, "nyquist": f"{nyquist:.4f}"},
            )
        return self


class Reflections(Section):
    """The table of reflections that all powder-type descriptors are rendered from."""

    d_star_min: float = Field(0.01, ge=0, description="smallest 1/d, 1/A")
    d_star_max: Positive = Field(
        1.0625, le=5, description="largest 1/d, 1/A; powder patterns may reach up to it"
    )
    radiation: Literal["xray", "electron"] = Field("xray", description="form factors")
    preferred_axis: tuple[int, int, int] | None = Field(
        None,
        description="h, k, l of the plane of the standard conventional cell that plates lie on, "
        "or that needles are normal to; needed for augmentation.march_ratio; null: none",
    )

    @model_validator(mode="after")
    def _possible_physics(self) -> Self:
        if self.d_star_min >= self.d_star_max:
            raise PydanticCustomError("physics", "d_star_min must be smaller than d_star_max")
        if self.preferred_axis == (0, 0, 0):
            raise PydanticCustomError(
                "physics",
                "preferred_axis 0, 0, 0 is no plane; give a plane such as 0, 0, 1, or null",
            )
        return self


def _rising(pair: tuple[float, float]) -> tuple[float, float]:
    """Refuse a range whose first value exceeds the second."""
    if pair[0] > pair[1]:
        raise PydanticCustomError("physics", "the first value must not exceed the second")
    return pair


class Peaks(Section):
    """Profile of the peaks: Caglioti et al. 1958 and Scherrer; pseudo-Voigt."""

    u: float = Field(0.0, description="U of FWHM^2 = U tan^2(theta) + V tan(theta) + W, degrees^2")
    v: float = Field(0.0, description="V, degrees^2")
    w: float = Field(
        0.0139, description="W, degrees^2; the default is a Gaussian of standard deviation 0.05"
    )
    crystallite_size: Positive | None = Field(
        None, description="L of Scherrer's equation, A; null: no broadening"
    )
    scherrer_constant: Positive = Field(0.9, description="K of Scherrer's equation")
    eta: float = Field(0.0, ge=0, le=1, description="Lorentzian share of the area")


Range = Annotated[tuple[float, float], AfterValidator(_rising)]
PositiveRange = Annotated[tuple[Positive, Positive], AfterValidator(_rising)]
Counts = Annotated[
    tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=0)]], AfterValidator(_rising)
]
Probability = Annotated[float, Field(ge=0, le=1)]


class Augmentation(Section):
    """What is drawn anew for a pattern in each epoch (Vecsei et al. 2019, appendix A).

    Pairs are the lowest and the highest value of a uniform distribution. T is
    `background_amplitude` divided by the number of background functions that are present.
    """

    sigma: PositiveRange = Field(
        (0.02, 0.1), description="standard deviation of the peaks, degrees; not in the paper"
    )
    noise: Range = Field((0.002, 0.02), description="noise at each angle")
    background_probability: Probability = Field(
        0.5, description="probability of each background function"
    )
    background_amplitude: Positive = Field(0.1, description="T times the functions present")
    step_height: Range = Field((0, 1), description="limits of a step's height, T")
    step_height_mean: float = Field(1 / 3, description="mean of its truncated normal, T")
    step_height_deviation: Positive = Field(1 / 7, description="standard deviation of that, T")
    step_steepness: PositiveRange = Field((10, 60), description="steepness a of a step")
    step_zone: Probability = Field(1 / 7, description="share of the range that a step lies in")
    polynomial_degree: Counts = Field((0, 4), description="degree of the polynomial")
    polynomial_coefficient: Range = Field(
        (-1.5, 1.5), description="a coefficient that is not zero, T / (degree + 1)"
    )
    polynomial_zero_probability: Probability = Field(
        0.5, description="probability that a coefficient is zero"
    )
    bump_height: Range = Field((0, 0.6), description="limits of the bump's height, T")
    bump_height_mean: float = Field(0.4, description="mean of its truncated normal, T")
    bump_height_deviation: Positive = Field(3 / 35, description="standard deviation of that, T")
    bump_steepness: PositiveRange = Field((40, 70), description="steepness n of the bump")
    eta: Range = Field((0, 0), description="Lorentzian share of the peaks; not in the paper")
    crystallite_size: PositiveRange | None = Field(
        None, description="Scherrer broadening besides sigma, A; not in the paper"
    )
    zero_shift: Range = Field((0, 0), description="shift of all angles, degrees; not in the paper")
    displacement: Range = Field(
        (0, 0), description="sample below the goniometer's axis, mm; not in the paper"
    )
    goniometer_radius: Positive = Field(200.0, description="radius for the displacement, mm")
    march_ratio: PositiveRange = Field(
        (1, 1),
        description="preferred orientation about reflections.preferred_axis, uniform in its "
        "logarithm: below 1 plates, above 1 needles; not in the paper",
    )
    impurity_lines: Counts = Field(
        (0, 0), description="number of peaks of other phases; not in the paper"
    )
    impurity_height: PositiveRange = Field(
        (0.005, 0.05), description="height of such a peak, in units of the strongest"
    )


WavelengthKey = Positive | list[tuple[Positive, Positive]]


class Pattern(Section):
    """What powder patterns are rendered with."""

    kind: str = Field(description="what the patterns are for")
    wavelength: WavelengthKey = Field(
        1.54184, description="A; or (wavelength, weight) of each line of a doublet"
    )
    two_theta_min: Positive = Field(5.0, lt=180, description="first angle, degrees")
    two_theta_max: Positive = Field(90.0, lt=180, description="last angle, degrees")
    two_theta_step: Positive = Field(0.01, description="step, degrees")
    b_iso: float = Field(0.0, ge=0, description="isotropic displacement parameter B, A^2")
    augmentation: Augmentation | None = None

    @model_validator(mode="after")
    def _possible_physics(self) -> Self:
        if self.two_theta_min + self.two_theta_step > self.two_theta_max:
            raise PydanticCustomError(
                "physics", "two_theta_max must exceed two_theta_min by at least one step"
            )
        # Scherrer's term, where there is one, broadens every peak.
        if self.augmentation is not None and self.augmentation.crystallite_size is None:
            narrowest = 2 * math.sqrt(2 * math.log(2)) * self.augmentation.sigma[0]
            if narrowest < self.two_theta_step:
                raise PydanticCustomError(
                    "physics",
                    "augmentation.sigma allows peaks of {width} degrees at half maximum, which is "
                    "below two_theta_step; raise sigma or lower two_theta_step",
                    {"width": f"{narrowest:.4f}"},
                )
        return self

    @property
    def d_star_max(self) -> float:
        """1/d of the last angle at the shortest wavelength, 1/A."""
        lines = [self.wavelength] if isinstance(self.wavelength, float) else self.wavelength
        shortest = min(line if isinstance(line, float) else line[0] for line in lines)
        return 2 * math.sin(math.radians(self.two_theta_max / 2)) / shortest


class PowderDescriptor(Pattern):
    """Kinematic powder pattern, the largest value 1 (Vecsei et al. 2019)."""

    kind: Literal["powder"] = Field(description="which descriptor")
    peaks: Peaks = Field(
        default_factory=Peaks, description="profile of the peaks of patterns without noise"
    )
    augmentation: Augmentation | None = Field(
        None,
        description="networks see patterns with noise that is new in each epoch; null: without",
    )


class IdealDescriptor(Section):
    """Lines of no width in bins of 1/d, the largest value 1 (Ozaki et al. 2025)."""

    kind: Literal["ideal"] = Field(description="which descriptor")
    d_star_min: Positive = Field(0.1131, description="lower edge of the first bin, 1/A")
    d_star_max: Positive = Field(1.0625, description="upper edge of the last bin, 1/A")
    bins: int = Field(10_001, ge=1, le=65_536, description="number of equal bins")
    b_iso: float = Field(2.0, ge=0, description="isotropic displacement parameter B, A^2")

    @model_validator(mode="after")
    def _possible_physics(self) -> Self:
        if self.d_star_min >= self.d_star_max:
            raise PydanticCustomError("physics", "d_star_min must be smaller than d_star_max")
        return self


Descriptor = Annotated[
    PdfDescriptor | PowderDescriptor | IdealDescriptor, Field(discriminator="kind")
]


class PeakSearch(Section):
    """How lines are found in measured patterns, for networks on ideal profiles."""

    signal_to_noise: Positive = Field(
        5.0, description="a line stands out of the noise by at least so many standard deviations"
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

    kind: Literal["patterns"] = Field(description="which reader")
    path: str = Field(min_length=1, description="the folder or the .npz file")
    wavelength: WavelengthKey = Field(
        1.54184,
        description="A; or (wavelength, weight) of each line of a doublet; "
        "of patterns that do not come with their own",
    )
    exclude: list[str] = Field(
        [], description="patterns not to be used, after an audit for example"
    )
    citation: str = Field("unpublished", description="whom to cite, shown in the report")
    search: PeakSearch = Field(default_factory=PeakSearch, description="search for lines")


class SimulatedPatterns(Pattern):
    """Test structures as an instrument would show them: what is lost between crystal and peaks."""

    kind: Literal["simulated"] = Field(description="which reader")
    wavelength: WavelengthKey = Field(
        [(1.5405929, 2.0), (1.5444274, 1.0)],
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


class Split(Section):
    """Which structures train, validate and test."""

    kind: Literal["stratified", "formula", "prototype"] = Field(
        description="stratified: within each space group; formula, prototype: none on two sides"
    )
    test_fraction: Fraction = Field(0.2, description="share of all structures")
    validation_fraction: Fraction = Field(0.1, description="share of the training side")
    folds: int = Field(5, ge=2, le=100, description="cross-validation folds of the training part")
    seed: int = Field(0, ge=0, description="seed of the draw")


class DisjointSets(Section):
    """Disjoint test sets with equally many structures of each group (Ozaki et al. 2025).

    The section stands for one split after the other, `NAME_1`, `NAME_2`, ...: in each another set
    tests. An experiment on `NAME` stands for as many experiments, numbered alike.
    """

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
        description="a structure all of whose peaks lie so near to peaks of another one of its "
        "group is not drawn",
    )
    minimum_intensity: float = Field(
        0.0, ge=0, lt=1, description="peaks are higher than this; the strongest has 1"
    )
    adapt: bool = Field(
        False, description="draw fewer from groups that are too small; false: refuse them"
    )
    validation_fraction: Fraction = Field(0.1, description="share of the training side")
    folds: int = Field(5, ge=2, le=100, description="cross-validation folds of the training part")
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


class ClassSet(Section):
    """Which space groups are told apart; exactly one of the keys is given."""

    min_entries: int | None = Field(
        None, ge=2, description="all groups with at least so many unique structures"
    )
    space_groups: list[SpaceGroup] | None = Field(None, min_length=2, description="group numbers")
    named: Literal["liu2019-45", "ozaki2025-57"] | None = Field(
        None, description="a list published with a paper, see data/class_sets"
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        given = [key for key in type(self).model_fields if getattr(self, key) is not None]
        if len(given) != 1:
            raise PydanticCustomError(
                "class_set",
                "give exactly one of min_entries, space_groups and named, not {count}",
                {"count": len(given)},
            )
        return self


class Liu2019Cnn(Section):
    """Convolutional network of Liu et al. 2019, Fig. 4."""

    kind: Literal["liu2019_cnn"] = Field(description="which model")
    filters: tuple[int, int] = Field((256, 64), description="channels of the two convolutions")
    kernel_size: int = Field(32, ge=1, description="kernel of both convolutions")
    hidden_units: int = Field(128, ge=1, description="units of the fully connected layer")
    pool_size: int = Field(2, ge=1, description="size of the maximum pooling")
    dropout: float = Field(0.5, ge=0, lt=1, description="dropout rate after the pooling")
    batch_normalisation: bool = Field(
        True, description="normalise each convolution before its ReLU"
    )
    normalisation_momentum: float = Field(
        0.9, ge=0, lt=1, description="memory of the normalisation's running means"
    )


class Logistic(Section):
    """One elastic-net logistic regression per space group (Liu et al. 2019, appendix A)."""

    kind: Literal["logistic"] = Field(description="which model")
    features: Literal["linear", "quadratic"] = Field(description="X, or the products X_i X_j")
    alphas: list[Positive] = Field([1e-5], min_length=1, description="strengths to try")
    l1_ratios: list[Annotated[float, Field(ge=0, le=1)]] = Field(
        [0.75], min_length=1, description="shares of the L1 term to try"
    )
    max_epochs: int = Field(100, ge=1, description="passes over the training part at most")


class ParkTrunk(Section):
    """Convolutions that several networks share, those of Park et al. 2017."""

    kind: str = Field(description="which model")
    filters: int = Field(80, ge=1, description="channels of each convolution")
    kernel_sizes: tuple[int, int, int] = Field((100, 50, 25), description="kernels, points")
    strides: tuple[int, int, int] = Field((5, 5, 2), description="strides of the convolutions")
    pool_size: int = Field(3, ge=1, description="size of the average pooling")
    pool_strides: tuple[int, int, int] = Field(
        (2, 3, 3), description="strides of the poolings; some versions have 2, 1, 1"
    )
    convolution_dropout: float = Field(0.3, ge=0, lt=1, description="after each convolution")
    hidden_dropout: float = Field(
        0.5, ge=0, lt=1, description="after each fully connected layer before the classes"
    )


class Park2017Cnn(ParkTrunk):
    """Convolutional network for powder patterns of Park et al. 2017, as in Vecsei et al. 2019."""

    kind: Literal["park2017_cnn"] = Field(description="which model")
    input_points: int = Field(10_001, ge=1, description="patterns are filled up with zeros to this")
    hidden_units: list[Annotated[int, Field(ge=1)]] = Field(
        [2300, 1150], description="fully connected layers; the paper has 700, 70 for systems"
    )


class SpgNet(ParkTrunk):
    """Space groups from ideal profiles (Ozaki et al. 2025, Fig. 2a); the sizes are Park's."""

    kind: Literal["spgnet"] = Field(description="which model")
    hidden_factors: list[Annotated[int, Field(ge=1)]] = Field(
        [10, 5], description="fully connected layers, in units of the number of classes"
    )


class SpgVolNet(ParkTrunk):
    """Space group and volume of the primitive cell from ideal profiles (their Fig. 2b)."""

    kind: Literal["spgvolnet"] = Field(description="which model")
    hidden_factors: list[Annotated[int, Field(ge=1)]] = Field(
        [10, 5], description="fully connected layers, in units of the number of classes"
    )
    volume_units: list[Annotated[int, Field(ge=1)]] = Field(
        [100, 50], description="fully connected layers before the volume; our own choice"
    )


class Vecsei2019Dense(Section):
    """Dense network for powder patterns after Vecsei et al. 2019; the sizes are our own."""

    kind: Literal["vecsei2019_dense"] = Field(description="which model")
    hidden_units: list[Annotated[int, Field(ge=1)]] = Field(
        [1024, 512, 256], description="fully connected layers"
    )
    dropout: float = Field(0.3, ge=0, lt=1, description="after each of them")


Network = Liu2019Cnn | Park2017Cnn | Vecsei2019Dense | SpgNet | SpgVolNet
Model = Annotated[Network | Logistic, Field(discriminator="kind")]


class Training(Section):
    """How a network is trained (with Adam)."""

    epochs: int = Field(164, ge=1, description="passes over the training part")
    batch_size: int = Field(64, ge=1, description="structures a step")
    learning_rate: Positive = Field(0.001, description="initial learning rate of Adam")
    learning_rate_drops: list[Annotated[int, Field(ge=1)]] = Field(
        [81, 122], description="epochs before which the rate is multiplied by the factor"
    )
    learning_rate_factor: Fraction = Field(0.1, description="factor of each drop")
    epsilon: Positive = Field(1e-7, description="summand in the denominator of Adam's step")
    losses: list[Literal["categorical_cross_entropy", "binary_cross_entropy", "quadratic"]] = Field(
        ["categorical_cross_entropy"],
        min_length=1,
        description="costs that the epochs minimise in turn",
    )
    class_weights: Literal["inverse_frequency", "none"] = Field(
        "inverse_frequency", description="weight of a structure in the loss"
    )
    keep: Literal["best", "last"] = Field(
        "best", description="weights kept: best validation accuracy, or last epoch"
    )
    patience: int | None = Field(
        None, ge=1, description="stop after so many epochs without a better validation accuracy"
    )
    snapshot_every: int | None = Field(
        None,
        ge=1,
        description="keep the weights after each so many epochs, by which the report shows the "
        "accuracy on test and measured patterns over the epochs; null: none",
    )
    task_weights: tuple[Positive, Positive] = Field(
        (1.0, 1.0),
        description="of the cost of the classes and of the volume's mean absolute error in "
        "standard deviations, for networks that predict both",
    )
    precision: Literal["float32", "mixed_float16", "mixed_bfloat16"] = Field(
        "float32", description="numbers computed with; the mixed ones are for accelerators"
    )
    deterministic: bool = Field(
        True, description="same seed, same weights on one machine; may be slower on a GPU"
    )
    jit_compile: bool | None = Field(
        None,
        description="compile with XLA, which TensorFlow cannot while deterministic; "
        "null: where that is faster",
    )


class Experiment(Section):
    """A descriptor, a split, a class set, a model and its training."""

    descriptor: Name = Field(description="section of descriptors")
    split: Name = Field(description="section of splits")
    classes: Name = Field(description="section of class_sets")
    model: Name = Field(description="section of models")
    training: Name | None = Field(None, description="section of trainings; null for logistic")
    filter: Name | None = Field(
        None, description="section of filters, for the training part alone; null: all train"
    )
    target: Literal["space_group", "crystal_system"] = Field(
        "space_group", description="what a network tells apart"
    )
    members: int = Field(1, ge=1, le=100, description="networks whose probabilities are averaged")
    seed: int = Field(0, ge=0, description="seed of the first member; the others follow")
    measured: list[Name] = Field(
        [], description="sections of measured that the trained networks classify"
    )


class SweepRow(Section):
    """One row of a sweep."""

    model: dict[str, Any] = Field({}, description="keys of the model that differ from the base")
    members: int = Field(1, ge=1, le=100, description="networks whose probabilities are averaged")


class Sweep(Section):
    """The same experiment with other hyper-parameters."""

    base: Name = Field(description="section of experiments")
    rows: list[SweepRow] = Field(min_length=1, description="one experiment each")


class Evaluation(Section):
    """How uncertainties and leakage are measured."""

    bootstrap_samples: int = Field(1000, ge=100, description="resamples of the test set")
    seed: int = Field(0, ge=0, description="seed of the bootstrap")
    leakage_threshold: Positive = Field(
        0.01,
        description="root-mean-square distance below which two descriptors count as the same",
    )


class Configuration(Section):
    """A whole study."""

    report: Report = Field(description="what is shown")
    sources: dict[Name, Source] = Field(min_length=1, description="databases")
    structures: Structures = Field(description="how the structures are made")
    reflections: Reflections = Field(
        default_factory=Reflections, description="what powder-type descriptors are made from"
    )
    descriptors: dict[Name, Descriptor] = Field(min_length=1, description="descriptors")
    class_sets: dict[Name, ClassSet] = Field(min_length=1, description="space groups told apart")
    filters: dict[Name, Filter] = Field({}, description="outliers left out of training")
    splits: dict[Name, AnySplit] = Field(min_length=1, description="train, validation and test")
    models: dict[Name, Model] = Field(min_length=1, description="models")
    trainings: dict[Name, Training] = Field({}, description="training recipes")
    measured: dict[Name, Measured] = Field({}, description="sets of measured patterns")
    experiments: dict[Name, Experiment] = Field(min_length=1, description="experiments")
    sweeps: dict[Name, Sweep] = Field({}, description="hyper-parameter sweeps")
    evaluation: Evaluation = Field(
        default_factory=Evaluation, description="uncertainties and leakage"
    )

    def experiments_to_run(self) -> list[str]:
        """Experiments of the report, those of its sweeps and series included."""
        names = list(self.report.experiments)
        for sweep in self.report.sweeps:
            names.extend(sweep_experiments(self, sweep))
        series = self.series()
        runs = [run for name in names for run in series.get(name, [name])]
        return list(dict.fromkeys(runs))

    def series(self) -> dict[str, list[str]]:
        """Experiments on disjoint test sets, and the experiments that each stands for."""
        return {
            name: _numbered(name, split.sets)
            for name, experiment in self.experiments.items()
            if is_series(split := self.splits[experiment.split])
        }


def sweep_experiments(configuration: Configuration, sweep: str) -> list[str]:
    """Names of the experiments that a sweep expands to: `<sweep>_01`, `<sweep>_02`, ..."""
    return [f"{sweep}_{row:02d}" for row in range(1, len(configuration.sweeps[sweep].rows) + 1)]


def _expand_sweeps(configuration: Configuration) -> Configuration:
    """Add an experiment and a model section for every row of every sweep."""
    models: dict[str, dict[str, Any]] = {}
    experiments: dict[str, dict[str, Any]] = {}
    for sweep_name, sweep in configuration.sweeps.items():
        base = configuration.experiments[sweep.base]
        base_model = configuration.models[base.model].model_dump()
        for name, row in zip(sweep_experiments(configuration, sweep_name), sweep.rows, strict=True):
            models[name] = base_model | row.model
            experiments[name] = base.model_dump() | {"model": name, "members": row.members}
    plain = configuration.model_dump()
    clashes = sorted(
        (set(models) & set(plain["models"])) | (set(experiments) & set(plain["experiments"]))
    )
    if clashes:
        raise DiffsymError(
            f"configuration: sweeps: the name {clashes[0]} is taken by a section; rename the sweep"
        )
    plain["models"] |= models
    plain["experiments"] |= experiments
    return _validated(plain)


def is_series(split: Split | DisjointSets) -> TypeGuard[DisjointSets]:
    """Whether a section of splits stands for several splits."""
    return isinstance(split, DisjointSets) and split.held_out is None


def _numbered(name: str, count: int) -> list[str]:
    """Names of what a section stands for: `<name>_1`, `<name>_2`, ..."""
    return [f"{name}_{number}" for number in range(1, count + 1)]


def _expand_series(configuration: Configuration) -> Configuration:
    """Add a split section for each disjoint set, and an experiment on each of them."""
    splits: dict[str, dict[str, Any]] = {}
    experiments: dict[str, dict[str, Any]] = {}
    for name, split in configuration.splits.items():
        if is_series(split):
            for held_out, part in enumerate(_numbered(name, split.sets), start=1):
                splits[part] = split.model_dump() | {"held_out": held_out}
    for name, runs in configuration.series().items():
        experiment = configuration.experiments[name]
        for run, part in zip(runs, _numbered(experiment.split, len(runs)), strict=True):
            experiments[run] = experiment.model_dump() | {"split": part}
    plain = configuration.model_dump()
    for section, added in (("splits", splits), ("experiments", experiments)):
        clashes = sorted(set(added) & set(plain[section]))
        if clashes:
            raise DiffsymError(
                f"configuration: {section}: the name {clashes[0]} is taken by a section, but the "
                "parts of a series are numbered so; rename the section"
            )
        plain[section] |= added
    return _validated(plain)


def _broken_references(configuration: Configuration) -> list[str]:
    """One sentence for every name that refers to no section."""
    references: list[tuple[str, str, Mapping[str, Any], str]] = []
    for index, name in enumerate(configuration.structures.sources):
        references.append((f"structures.sources[{index}]", name, configuration.sources, "sources"))
    for index, name in enumerate(configuration.report.experiments):
        references.append(
            (f"report.experiments[{index}]", name, configuration.experiments, "experiments")
        )
    for index, name in enumerate(configuration.report.sweeps):
        references.append((f"report.sweeps[{index}]", name, configuration.sweeps, "sweeps"))
    for name, sweep in configuration.sweeps.items():
        references.append(
            (f"sweeps.{name}.base", sweep.base, configuration.experiments, "experiments")
        )
    for name, split in configuration.splits.items():
        if isinstance(split, DisjointSets):
            where = f"splits.{name}"
            references += [
                (f"{where}.descriptor", split.descriptor, configuration.descriptors, "descriptors"),
                (f"{where}.classes", split.classes, configuration.class_sets, "class_sets"),
                (f"{where}.filter", split.filter, configuration.filters, "filters"),
            ]
    for name, experiment in configuration.experiments.items():
        where = f"experiments.{name}"
        references += [
            (
                f"{where}.descriptor",
                experiment.descriptor,
                configuration.descriptors,
                "descriptors",
            ),
            (f"{where}.split", experiment.split, configuration.splits, "splits"),
            (f"{where}.classes", experiment.classes, configuration.class_sets, "class_sets"),
            (f"{where}.model", experiment.model, configuration.models, "models"),
        ]
        if experiment.training is not None:
            references.append(
                (f"{where}.training", experiment.training, configuration.trainings, "trainings")
            )
        references += [
            (f"{where}.measured[{index}]", measured, configuration.measured, "measured")
            for index, measured in enumerate(experiment.measured)
        ]
        if experiment.filter is not None:
            references.append(
                (f"{where}.filter", experiment.filter, configuration.filters, "filters")
            )
    return [
        f"{where}: '{name}' is no section of {section}{nearest(name, sections)}"
        for where, name, sections, section in references
        if name not in sections
    ]


def _impossible_descriptors(configuration: Configuration) -> list[str]:
    """One sentence for every pattern, profile or split that the other sections do not allow."""
    mistakes = [
        f"{section}.{name}.two_theta_max: the pattern ends at 1/d = {pattern.d_star_max:.4f} "
        f"1/A and the reflections at {configuration.reflections.d_star_max:g}; "
        "raise reflections.d_star_max or lower two_theta_max"
        for section in ("descriptors", "measured")
        for name, pattern in getattr(configuration, section).items()
        if isinstance(pattern, Pattern)
        and pattern.d_star_max > configuration.reflections.d_star_max
    ]
    table = configuration.reflections
    mistakes += [
        f"{section}.{name}.augmentation.march_ratio: preferred orientation needs an axis; "
        "set reflections.preferred_axis or leave this at [1, 1]"
        for section in ("descriptors", "measured")
        for name, pattern in getattr(configuration, section).items()
        if isinstance(pattern, Pattern)
        and pattern.augmentation is not None
        and pattern.augmentation.march_ratio != (1, 1)
        and table.preferred_axis is None
    ]
    mistakes += [
        f"descriptors.{name}: the profile runs from {descriptor.d_star_min:g} to "
        f"{descriptor.d_star_max:g} 1/A and the reflections from {table.d_star_min:g} to "
        f"{table.d_star_max:g}; widen those or narrow this"
        for name, descriptor in configuration.descriptors.items()
        if isinstance(descriptor, IdealDescriptor)
        and (descriptor.d_star_min < table.d_star_min or descriptor.d_star_max > table.d_star_max)
    ]
    mistakes += [
        f"splits.{name}.descriptor: {split.descriptor} is of kind "
        f"{configuration.descriptors[split.descriptor].kind}; name one of kind ideal"
        for name, split in configuration.splits.items()
        if isinstance(split, DisjointSets)
        and configuration.descriptors[split.descriptor].kind != "ideal"
    ]
    return mistakes


def _impossible_experiments(configuration: Configuration) -> list[str]:
    """One sentence for every experiment whose parts do not go together."""
    mistakes = []
    for name, experiment in configuration.experiments.items():
        model = configuration.models[experiment.model]
        is_network = not isinstance(model, Logistic)
        if is_network and experiment.training is None:
            mistakes.append(
                f"experiments.{name}.training: model {experiment.model} is a network and needs a "
                "section of trainings"
            )
        if not is_network and experiment.training is not None:
            mistakes.append(
                f"experiments.{name}.training: model {experiment.model} is a logistic regression, "
                "which has no training section; remove the key"
            )
        descriptor = configuration.descriptors[experiment.descriptor]
        if experiment.measured and not (
            is_network and isinstance(descriptor, PowderDescriptor | IdealDescriptor)
        ):
            mistakes.append(
                f"experiments.{name}.measured: measured powder patterns go into networks on "
                "descriptors of kind powder or ideal; remove the key"
            )
        if (
            isinstance(model, Logistic)
            and model.features == "quadratic"
            and not isinstance(descriptor, PdfDescriptor)
        ):
            mistakes.append(
                f"experiments.{name}.model: the products of all values of {experiment.descriptor} "
                "are too many; take a model with features: linear, or a descriptor of kind pdf"
            )
        if not is_network and experiment.target != "space_group":
            mistakes.append(
                f"experiments.{name}.target: a logistic regression tells space groups apart; "
                "remove the key"
            )
        if isinstance(model, SpgVolNet) and experiment.target != "space_group":
            mistakes.append(
                f"experiments.{name}.target: model {experiment.model} tells space groups apart; "
                "remove the key"
            )
        if not is_network and experiment.members > 1:
            mistakes.append(
                f"experiments.{name}.members: a logistic regression has one member; remove the key"
            )
    return mistakes


def _sentence(error: Mapping[str, Any]) -> str:
    """One pydantic error as `section.key: what is wrong`."""
    # Pydantic puts the tag of a tagged union behind the section's name; it is no key of the user's.
    tags = {
        tag
        for union in (Source, Descriptor, AnySplit, Model, Measured)
        for section in get_args(get_args(union)[0])
        for tag in get_args(section.model_fields["kind"].annotation)
    }
    parts = [
        part
        for place, part in enumerate(error["loc"])
        if not (place == 2 and part in tags) and part != "[key]"
    ]
    where = ".".join(str(part) for part in parts) or "top level"
    message = error["msg"]
    if error["type"] == "missing":
        message = "this key is required"
    elif error["type"] == "union_tag_not_found":
        message = "the key 'kind' is required"
    elif error["type"] == "union_tag_invalid":
        message = f"the kind '{error['ctx']['tag']}' is none of {error['ctx']['expected_tags']}"
    elif error["type"] == "string_pattern_mismatch":
        message = f"the name {error['input']!r} must be lower case letters, digits and _"
    elif error["type"] not in {"unknown_key", "physics", "class_set"}:
        message = f"{message[0].lower()}{message[1:]}, not {error['input']!r}"
    return f"{where}: {message}"


def _raise(mistakes: Iterable[str]) -> None:
    lines = "\n".join(f"  {mistake}" for mistake in mistakes)
    raise DiffsymError(f"the configuration has mistakes:\n{lines}")


def _validated(raw: Mapping[str, Any]) -> Configuration:
    try:
        return Configuration.model_validate(raw)
    except ValidationError as error:
        _raise(_sentence(detail) for detail in error.errors())
        raise  # unreachable, for the type checker


def load_configuration(raw: Mapping[str, Any]) -> Configuration:
    """Validate a configuration and expand its sweeps and series.

    Parameters
    ----------
    raw
        The merged mapping of `config.yaml` and its overlays.

    Returns
    -------
    Configuration
        With every default filled in.

    Raises
    ------
    DiffsymError
        One line a mistake: the key, what is wrong, and the nearest valid name.
    """
    configuration = _validated(raw)
    # A combination can be judged once its parts exist, a sweep once its base is sound.
    mistakes = _broken_references(configuration) or [
        *_impossible_descriptors(configuration),
        *_impossible_experiments(configuration),
    ]
    if mistakes:
        _raise(mistakes)
    return _expand_series(_expand_sweeps(configuration))

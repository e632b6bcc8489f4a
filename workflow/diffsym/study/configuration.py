"""The configuration: what the sections of `diffsym.settings` make together.

Sections that concern the library alone are declared there; what puts them together is declared
here. Names of sections are checked by pydantic, references to them by `diffsym.study.checks`.
"""

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from annotated_types import Ge, Le, MinLen
from pydantic import Field, StringConstraints, TypeAdapter

from diffsym.settings.base import NonNegativeInt, Reference, Section
from diffsym.settings.checks import Checks
from diffsym.settings.class_sets import ClassSet
from diffsym.settings.descriptors.electron import Electron
from diffsym.settings.descriptors.ideal import Ideal
from diffsym.settings.descriptors.pdf import Pdf
from diffsym.settings.descriptors.powder import Powder
from diffsym.settings.disjoint_sets import DisjointSets
from diffsym.settings.duplicates import Duplicates
from diffsym.settings.evaluation import Evaluation
from diffsym.settings.filters import Filter
from diffsym.settings.measured.patterns import MeasuredPatterns
from diffsym.settings.measured.rruff import Rruff
from diffsym.settings.measured.simulated import SimulatedPatterns
from diffsym.settings.models.alexnet import AlexNet
from diffsym.settings.models.applications import Applications
from diffsym.settings.models.liu2019_cnn import Liu2019Cnn
from diffsym.settings.models.logistic import Logistic
from diffsym.settings.models.park2017_cnn import Park2017Cnn
from diffsym.settings.models.spgnet import SpgNet
from diffsym.settings.models.spgvolnet import SpgVolNet
from diffsym.settings.models.tiong2020_msdn import Tiong2020Msdn
from diffsym.settings.models.tiong2020_msvgg import Tiong2020Msvgg
from diffsym.settings.models.vecsei2019_dense import Vecsei2019Dense
from diffsym.settings.models.ziletti2018 import Ziletti2018
from diffsym.settings.packs import Pack
from diffsym.settings.reflections import Reflections
from diffsym.settings.sources.amcsd import Amcsd
from diffsym.settings.sources.amcsd_cif import AmcsdCif
from diffsym.settings.sources.cod import Cod
from diffsym.settings.sources.local import Local
from diffsym.settings.sources.materials_project import MaterialsProject
from diffsym.settings.sources.optimade import Optimade
from diffsym.settings.splits import DrawnSplit
from diffsym.settings.symmetry import Symmetry
from diffsym.settings.training import Training

# Names become parts of file names and Snakemake wildcards.
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
Source = Annotated[
    Amcsd | AmcsdCif | Cod | Local | MaterialsProject | Optimade, Field(discriminator="kind")
]
Descriptor = Annotated[Pdf | Powder | Ideal | Electron, Field(discriminator="kind")]
Split = Annotated[DrawnSplit | DisjointSets, Field(discriminator="kind")]
Model = Annotated[
    Liu2019Cnn
    | Park2017Cnn
    | Vecsei2019Dense
    | SpgNet
    | SpgVolNet
    | Tiong2020Msdn
    | Tiong2020Msvgg
    | Ziletti2018
    | AlexNet
    | Applications
    | Logistic,
    Field(discriminator="kind"),
]
Measured = Annotated[MeasuredPatterns | Rruff | SimulatedPatterns, Field(discriminator="kind")]


@dataclass(frozen=True, kw_only=True)
class Structures(Section):
    """From the sources to the table of unique structures."""

    sources: Annotated[tuple[Annotated[str, Reference("sources")], ...], MinLen(1)]
    """Named sources to read."""
    shards: Annotated[int, Ge(1), Le(10_000)] = 8
    """Number of jobs the work is split into."""
    symmetry: Symmetry = field(default_factory=Symmetry)
    """How space groups are determined."""
    checks: Checks = field(default_factory=Checks)
    """Physical checks."""
    duplicates: Duplicates = field(default_factory=Duplicates)
    """What counts as the same structure."""


@dataclass(frozen=True, kw_only=True)
class Report(Section):
    """The page that shows everything."""

    title: Annotated[str, MinLen(1)] = "Space groups from diffraction"
    """Page title."""
    experiments: Annotated[tuple[Annotated[str, Reference("experiments")], ...], MinLen(1)]
    """Experiments to run and to show, in this order."""
    sweeps: tuple[Annotated[str, Reference("sweeps")], ...] = ()
    """Hyper-parameter sweeps to run and to show."""


@dataclass(frozen=True, kw_only=True)
class Experiment(Section):
    """A descriptor, a split, a class set, a model and its training."""

    descriptor: Annotated[str, Reference("descriptors")]
    """Section of descriptors."""
    split: Annotated[str, Reference("splits")]
    """Section of splits; required here or in `defaults`."""
    classes: Annotated[str, Reference("class_sets")]
    """Section of class_sets; required here or in `defaults`."""
    model: Annotated[str, Reference("models")]
    """Section of models."""
    training: Annotated[str, Reference("trainings")] | None = None
    """Section of trainings; null for logistic."""
    filter: Annotated[str, Reference("filters")] | None = None
    """Section of filters, for the training part only; null: all train."""
    target: Literal["space_group", "crystal_system"] = "space_group"
    """What a network distinguishes."""
    members: Annotated[int, Ge(1), Le(100)] = 1
    """Networks whose probabilities are averaged."""
    cross_validation: bool = False
    """One network per fold of the split, which validates on it; sets members."""
    seed: NonNegativeInt = 0
    """Seed of the first member; the others follow."""
    measured: tuple[Annotated[str, Reference("measured")], ...] = ()
    """Sections of measured that the trained networks classify."""
    untrained: Annotated[str, Reference("class_sets")] | None = None
    """Section of class_sets: its groups outside the experiment's classes are recognised by the
    network's features; null: none.
    """


@dataclass(frozen=True, kw_only=True)
class Defaults(Section):
    """Keys of all experiments that do not give them themselves."""

    split: Annotated[str, Reference("splits")] | None = None
    """Section of splits."""
    classes: Annotated[str, Reference("class_sets")] | None = None
    """Section of class_sets."""
    filter: Annotated[str, Reference("filters")] | None = None
    """Section of filters, for the training part only."""
    members: Annotated[int, Ge(1), Le(100)] | None = None
    """Networks whose probabilities are averaged."""
    seed: NonNegativeInt | None = None
    """Seed of the first member; the others follow."""


@dataclass(frozen=True, kw_only=True)
class SweepRow(Section):
    """One row of a sweep."""

    model: dict[str, Any] = field(default_factory=dict)
    """Keys of the model that differ from the base."""
    members: Annotated[int, Ge(1), Le(100)] = 1
    """Networks whose probabilities are averaged."""


@dataclass(frozen=True, kw_only=True)
class Sweep(Section):
    """The same experiment with other hyper-parameters."""

    base: Annotated[str, Reference("experiments")]
    """Section of experiments."""
    rows: Annotated[tuple[SweepRow, ...], MinLen(1)]
    """One experiment each."""


@dataclass(frozen=True, kw_only=True)
class Configuration(Section):
    """A whole study."""

    report: Report
    """What is shown."""
    sources: Annotated[dict[Name, Source], MinLen(1)]
    """Databases."""
    structures: Structures
    """How the structures are made."""
    reflections: Reflections = field(default_factory=Reflections)
    """What powder-type descriptors are made from."""
    descriptors: Annotated[dict[Name, Descriptor], MinLen(1)]
    """Descriptors."""
    class_sets: Annotated[dict[Name, ClassSet], MinLen(1)]
    """Space groups distinguished."""
    filters: dict[Name, Filter] = field(default_factory=dict)
    """Outliers left out of training."""
    splits: Annotated[dict[Name, Split], MinLen(1)]
    """Train, validation and test."""
    models: Annotated[dict[Name, Model], MinLen(1)]
    """Models."""
    trainings: dict[Name, Training] = field(default_factory=dict)
    """Training recipes."""
    measured: dict[Name, Measured] = field(default_factory=dict)
    """Sets of measured patterns."""
    defaults: Defaults = field(default_factory=Defaults)
    """What experiments share."""
    experiments: Annotated[dict[Name, Experiment], MinLen(1)]
    """Experiments."""
    sweeps: dict[Name, Sweep] = field(default_factory=dict)
    """Hyper-parameter sweeps."""
    packs: dict[Name, Pack] = field(default_factory=dict)
    """What people take away, `results/packs/NAME.zip`."""
    evaluation: Evaluation = field(default_factory=Evaluation)
    """Uncertainties and leakage."""

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
            name: numbered(name, parts)
            for name, experiment in self.experiments.items()
            if (parts := self.splits[experiment.split].parts) is not None
        }


CONFIGURATION: TypeAdapter[Configuration] = TypeAdapter(Configuration)


def sweep_experiments(configuration: Configuration, sweep: str) -> list[str]:
    """Names of the experiments that a sweep expands to: `<sweep>_01`, `<sweep>_02`, ..."""
    return [f"{sweep}_{row:02d}" for row in range(1, len(configuration.sweeps[sweep].rows) + 1)]


def numbered(name: str, count: int) -> list[str]:
    """Names of what a section stands for: `<name>_1`, `<name>_2`, ..."""
    return [f"{name}_{number}" for number in range(1, count + 1)]

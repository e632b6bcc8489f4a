"""The configuration: every key with its type, range, default and meaning, in one place.

`workflow/schemas/config.schema.json` and `docs/configuration.md` are generated from here. Values
are validated before the job graph is built; mistakes are reported in one sentence each.

- `base`: what all sections share
- `structures`, `patterns`, `descriptors`, `datasets`, `models`: the sections on each subject
- `study`: experiments, sweeps and the report, and the whole configuration
- `expansion`: sections that stand for several
- `checks`: mistakes that only show when several sections are combined
- `loading`: from a raw mapping to a valid configuration
"""

from diffsym.config.datasets import DisjointSets, is_series
from diffsym.config.descriptors import IdealDescriptor, PowderDescriptor
from diffsym.config.loading import load_configuration
from diffsym.config.models import Logistic, SpgVolNet, StreamNetwork
from diffsym.config.patterns import Augmentation
from diffsym.config.study import Configuration, sweep_experiments

__all__ = [
    "Augmentation",
    "Configuration",
    "DisjointSets",
    "IdealDescriptor",
    "Logistic",
    "PowderDescriptor",
    "SpgVolNet",
    "StreamNetwork",
    "is_series",
    "load_configuration",
    "sweep_experiments",
]

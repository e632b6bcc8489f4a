"""The configuration: every key with its type, range, default and meaning, in one place.

`workflow/schemas/config.schema.json` and `docs/configuration.md` are generated from here. Values
are validated before the job graph is built; what is wrong comes back as one sentence a mistake.

- `base`: what all sections share
- `structures`, `patterns`, `descriptors`, `datasets`, `models`: the sections on each subject
- `study`: experiments, sweeps and the report, and the whole of all sections
- `expansion`: sections that stand for several
- `checks`: what only several sections together show to be wrong
- `loading`: from a raw mapping to a sound configuration
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

"""Networks that classify crystal systems, compared with those that classify space groups."""

from dataclasses import replace

import numpy as np

from diffsym.datasets.feeding import Structures
from diffsym.structures.space_groups import systems_among


def label_by_system(structures: Structures) -> Structures:
    """The same structures with the index of their crystal system as label and class."""
    names, systems = systems_among(structures.classes)
    return replace(
        structures,
        labels=np.where(structures.labels < 0, -1, systems[structures.labels]).astype(np.int32),
        classes=tuple(range(len(names))),
    )

"""Where the evidence for answers is found: in a pack, or in the results of a study."""

import importlib
from pathlib import Path

import numpy as np
import pyarrow as pa

from diffsym.errors import DiffsymError
from diffsym.identification.answer import Evidence, Network
from diffsym.identification.bundled import BUNDLED
from diffsym.identification.calibration import GROUPS, Calibration
from diffsym.identification.ensembles import Ensemble
from diffsym.identification.known import read_known
from diffsym.identification.pack import Pack, read_pack
from diffsym.scattering.types import Floats, Radiation
from diffsym.settings.measured.base import PeakSearch
from diffsym.study.layout import Layout
from diffsym.tables import MEASURED

USUAL = (Path(Layout().pack("default")), BUNDLED / "minerals.zip", Path("results"))
"""What is taken if nothing is named: the first of these that is there."""


def evidence_at(path: Path | None) -> Evidence:
    """Structures and networks.

    Parameters
    ----------
    path
        A pack, or the results of a study; by default the first of `USUAL` that is there.

    Raises
    ------
    DiffsymError
        If there are none.
    """
    chosen = path or next((one for one in USUAL if one.exists()), USUAL[-1])
    if chosen.is_file() or chosen.suffix == ".zip":
        return evidence_of_pack(read_pack(chosen))
    return Evidence(str(chosen), read_known(chosen))


def evidence_of_pack(pack: Pack) -> Evidence:
    """Evidence that a pack holds; DiffsymError if it has no structures."""
    if pack.known is None:
        raise DiffsymError(
            f"{pack.path}: it holds networks and no structures to be searched; make it with "
            "'search: true'"
        )
    return Evidence(
        pack.card.name,
        pack.known,
        pack.calibration or Calibration(),
        tuple(member for ensemble in pack.ensembles for member in asked(ensemble)),
    )


def asked(ensemble: Ensemble) -> list[Network]:
    """Each member of an ensemble as a function of a pattern."""
    return [PatternNetwork(ensemble, member) for member in range(len(ensemble.members))]


class PatternNetwork:
    """A network that is asked with a measured pattern."""

    def __init__(self, ensemble: Ensemble, member: int) -> None:
        self.ensemble = ensemble
        self.member = member

    def __call__(self, two_theta: Floats, intensity: Floats, radiation: Radiation) -> Floats | None:
        """Probabilities of groups 1 to 230; None if the pattern cannot be converted.

        Groups that the network does not know have none.
        """
        measured = pa.table(
            {
                "pattern_id": ["pattern"],
                "space_group": [None],
                "primitive_volume": [None],
                "wavelengths": [radiation.wavelengths],
                "weights": [radiation.shares],
                "two_theta": [two_theta],
                "intensity": [intensity.astype(np.float32)],
            },
            schema=MEASURED,
        )
        descriptor = self.ensemble.card.descriptor
        conversion = importlib.import_module(descriptor.conversion)
        described = conversion.convert(measured, descriptor, PeakSearch())
        if described.failures:
            return None
        values = described.values
        dense = values.toarray() if hasattr(values, "toarray") else values
        found = np.zeros(GROUPS)
        found[np.array(self.ensemble.card.classes) - 1] = self.ensemble.of_member(
            self.member, dense
        )[0]
        return found

"""Networks of a pack: run by onnxruntime, without Keras."""

import os
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from diffsym.errors import DiffsymError
from diffsym.identification.card import EnsembleCard
from diffsym.structures.space_groups import spread_over_groups, systems_among

if TYPE_CHECKING:
    import onnxruntime

INPUT, PROBABILITIES = "descriptor", "probabilities"
"""Names of the input and of the first output of each network."""


@dataclass(frozen=True)
class Network:
    """A trained network.

    Attributes
    ----------
    name
        Of its file in the pack.
    content
        The file: an ONNX graph.
    """

    name: str
    content: bytes = field(repr=False)

    @cached_property
    def session(self) -> "onnxruntime.InferenceSession":
        """What runs it; made when it is first asked.

        Raises
        ------
        DiffsymError
            If the file is no network.
        """
        # Read by onnxruntime when it is loaded: it keeps a record of its use for its makers.
        os.environ["ORT_DISABLE_TELEMETRY"] = "1"
        import onnxruntime  # noqa: PLC0415 - not loaded where a pack has no network

        onnxruntime.disable_telemetry_events()
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        try:
            return onnxruntime.InferenceSession(
                self.content, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # noqa: BLE001 - its classes have no common one
            raise DiffsymError(
                f"{self.name}: not a network that can be loaded ({_first_line(error)}); make the "
                "pack again"
            ) from None

    def outputs(self, values: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """All outputs by name for (n, m) descriptors; DiffsymError if it does not take them."""
        names = [output.name for output in self.session.get_outputs()]
        try:
            found = self.session.run(names, {INPUT: np.asarray(values, np.float32)})
        except Exception as error:  # noqa: BLE001 - its classes have no common one
            raise DiffsymError(
                f"{self.name}: the network does not take the descriptor of its card "
                f"({_first_line(error)}); make the pack again"
            ) from None
        return dict(zip(names, found, strict=True))


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)


@dataclass(frozen=True)
class Ensemble:
    """Networks whose probabilities are averaged.

    Attributes
    ----------
    card
        What they see, know, and were trained on.
    members
        The networks.
    """

    card: EnsembleCard
    members: tuple[Network, ...]

    def probabilities(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Mean probabilities of the space groups.

        Parameters
        ----------
        values : (n, m)
            Descriptors, as `card.descriptor.conversion` makes them.

        Returns
        -------
        ndarray
            (n, n_classes), in the order of `card.classes`. Those of a network for crystal systems
            are spread over the groups of each.

        Raises
        ------
        DiffsymError
            If a network cannot be loaded, or does not take the descriptors.
        """
        members = [self.of_member(member, values) for member in range(len(self.members))]
        return np.mean(members, axis=0).astype(np.float32)

    def of_member(self, member: int, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probabilities of one network, as those of all."""
        found = self._of(self.members[member], values)
        if self.card.target == "crystal_system":
            return spread_over_groups(found, self.card.classes, self.card.training_counts)
        return found

    def _of(self, member: Network, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probabilities of a network, one for each thing that it tells apart."""
        by_system = self.card.target == "crystal_system"
        systems, _ = systems_among(self.card.classes)
        wanted = (len(values), len(systems) if by_system else len(self.card.classes))
        found = member.outputs(values).get(PROBABILITIES)
        if found is None or found.shape != wanted:
            raise DiffsymError(
                f"{member.name}: the network has no probability for each of the "
                f"{wanted[1]} classes of its card; make the pack again"
            )
        return found

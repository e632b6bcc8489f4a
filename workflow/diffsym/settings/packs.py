"""Packs: what people take away from a study."""

from dataclasses import dataclass
from typing import Annotated

from diffsym.settings.base import Reference, Section


@dataclass(frozen=True, kw_only=True)
class Pack(Section):
    """A file with what answers need: trained networks, known structures, and what they are."""

    experiments: tuple[Annotated[str, Reference("experiments")], ...] = ()
    """Experiments whose networks go in, on descriptors of kind powder or ideal."""
    search: bool = True
    """Whether the structures go in, for the search."""

    def __post_init__(self) -> None:
        if not (self.experiments or self.search):
            raise ValueError("nothing goes in; name experiments, or set search: true")

"""What all sections share: how one is declared, and how it travels to a job and back.

A section is a mapping of the configuration, a frozen dataclass here. Each field has its type, range
and default in its annotation and its unit and meaning in the string below it. Nothing here needs
pydantic, so that jobs and the machine of the GPU study can do without it; `diffsym.study` has it
compose and validate the sections.
"""

import dataclasses
import importlib
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, ClassVar, TypeVar

from annotated_types import Ge, Gt, Le, Lt

Positive = Annotated[float, Gt(0)]
NonNegative = Annotated[float, Ge(0)]
Fraction = Annotated[float, Gt(0), Lt(1)]
Share = Annotated[float, Ge(0), Lt(1)]
Probability = Annotated[float, Ge(0), Le(1)]
Count = Annotated[int, Ge(1)]
NonNegativeInt = Annotated[int, Ge(0)]

# Key under which a section in plain values names its class.
CLASS = "class"
S = TypeVar("S", bound="Section")


@dataclass(frozen=True)
class Reference:
    """Marks a name of the configuration as that of a section.

    Attributes
    ----------
    section
        What it is a section of, `descriptors` for example.
    """

    section: str


class Section:
    """Base of all sections; keys that a section lacks are errors."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}


def as_plain(section: Section) -> dict[str, Any]:
    """A section as what JSON knows: mappings, lists, text, numbers.

    Returns
    -------
    dict
        Its keys, and under `class` where to find its class, for `settings_of`.
    """
    name = f"{type(section).__module__}.{type(section).__qualname__}"
    return {CLASS: name} | values_of(section)


def values_of(section: Section) -> dict[str, Any]:
    """Keys and values of a section, and of the sections inside it, as what JSON knows."""
    plain: dict[str, Any] = _listed(dataclasses.asdict(section))  # type: ignore[call-overload]
    return plain


def settings_of(plain: Mapping[str, Any]) -> Any:
    """Return the section that `as_plain` turned into plain values.

    Values are not checked again: they come from a section.
    """
    module, _, name = plain[CLASS].rpartition(".")
    section: type[Section] = getattr(importlib.import_module(module), name)
    return rebuilt(section, {key: value for key, value in plain.items() if key != CLASS})


def rebuilt(section: type[S], plain: Mapping[str, Any]) -> S:
    """Return a section of a given class, made from plain keys and values."""
    kinds = _types(section)  # type: ignore[arg-type]
    return section(**{key: _restored(kinds[key], value) for key, value in plain.items()})


@cache
def _types(section: type) -> dict[str, Any]:
    """Type of each field of a section, without ranges."""
    return typing.get_type_hints(section)


def _restored(kind: Any, value: Any) -> Any:
    """Return a value with tuples in place of lists and sections in place of mappings."""
    if isinstance(value, list | tuple):
        return tuple(_restored(Any, item) for item in value)
    if isinstance(value, Mapping):
        options = typing.get_args(kind) if isinstance(kind, types.UnionType) else [kind]
        for option in options:
            if dataclasses.is_dataclass(option):
                return rebuilt(option, value)  # type: ignore[arg-type, type-var]
    return value


def _listed(value: Any) -> Any:
    """Return a value with lists in place of tuples."""
    if isinstance(value, Mapping):
        return {key: _listed(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_listed(item) for item in value]
    return value

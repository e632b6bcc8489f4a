"""Plain values of a file from elsewhere, as the objects that they have to be.

`diffsym.settings.rebuilt` believes what it is given, and pydantic is no part of the base
installation. Here the types and ranges that the fields of a dataclass declare are held against
what JSON gave, and nothing is imported by a name that stands in the file.
"""

import dataclasses
import math
import types
import typing
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, TypeVar, Union, cast

from annotated_types import Ge, Gt, Le, Lt

from diffsym.errors import DiffsymError

T = TypeVar("T")
NAMES = {
    bool: "true or false",
    float: "a number",
    int: "a whole number",
    str: "text",
    types.NoneType: "null",
}


def checked(kind: type[T], plain: Any, where: str = "") -> T:
    """An object of a type, made from what JSON knows.

    Parameters
    ----------
    kind
        A dataclass whose fields are numbers, texts, dataclasses, and tuples, mappings and
        alternatives of these.
    plain
        Mappings, lists, text, numbers, truth values and null.
    where
        Its place in the file, for the sentence of an error.

    Raises
    ------
    DiffsymError
        If a key is missing or unknown, or a value is of another type or out of range. The sentence
        does not name the file, which only the caller knows.

    Examples
    --------
    >>> from diffsym.settings.measured.base import PeakSearch
    >>> checked(PeakSearch, {"signal_to_noise": 3}).signal_to_noise
    3.0
    """
    return cast("T", _checked(kind, plain, where))


def _checked(kind: Any, plain: Any, where: str) -> Any:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is Annotated:
        value = _checked(arguments[0], plain, where)
        for limit in arguments[1:]:
            _hold(limit, value, where)
        return value
    if reader := READERS.get(origin):
        return reader(arguments, plain, where)
    if dataclasses.is_dataclass(kind):
        return _dataclass(kind, _keys_and_values(plain, where), where)
    return _number_or_text(kind, plain, where)


def _at(where: str, key: str) -> str:
    return f"{where}.{key}".lstrip(".")


def _keys_and_values(plain: Any, where: str) -> dict[str, Any]:
    if not isinstance(plain, dict):
        raise DiffsymError(f"{where or 'the content'} holds no keys and values")
    return plain


def _mapping(arguments: tuple[Any, ...], plain: Any, where: str) -> dict[str, Any]:
    named = _keys_and_values(plain, where)
    return {key: _checked(arguments[1], value, _at(where, key)) for key, value in named.items()}


def _dataclass(kind: Any, plain: dict[str, Any], where: str) -> Any:
    annotations = typing.get_type_hints(kind, include_extras=True)
    fields = {field.name: field for field in dataclasses.fields(kind)}
    if unknown := sorted(set(plain) - set(fields)):
        raise DiffsymError(f"{_at(where, unknown[0])} is a key that nobody knows")
    given = {
        key: _checked(annotations[key], value, _at(where, key)) for key, value in plain.items()
    }
    for name, field in fields.items():
        required = (field.default, field.default_factory) == (dataclasses.MISSING,) * 2
        if required and name not in given:
            raise DiffsymError(f"{_at(where, name)} is missing")
    try:
        return kind(**given)
    except ValueError as error:
        raise DiffsymError(f"{where or 'the content'}: {error}") from None


def _tuple(arguments: tuple[Any, ...], plain: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(plain, list):
        raise DiffsymError(f"{where} is no list")
    repeated = len(arguments) == 2 and arguments[1] is Ellipsis
    kinds = [arguments[0]] * len(plain) if repeated else list(arguments)
    if len(kinds) != len(plain):
        raise DiffsymError(f"{where} has {len(plain)} values and not {len(kinds)}")
    return tuple(
        _checked(kind, value, f"{where}[{index}]")
        for index, (kind, value) in enumerate(zip(kinds, plain, strict=True))
    )


def _alternative(kinds: tuple[Any, ...], plain: Any, where: str) -> Any:
    """The value as the first type that it fits; the sentence of the last one if it fits none."""
    if plain is None and types.NoneType in kinds:
        return None
    wanted = [kind for kind in kinds if kind is not types.NoneType]
    for kind in wanted[:-1]:
        try:
            return _checked(kind, plain, where)
        except DiffsymError:
            continue
    return _checked(wanted[-1], plain, where)


def _literal(values: tuple[Any, ...], plain: Any, where: str) -> Any:
    if not any(type(plain) is type(value) and plain == value for value in values):
        raise DiffsymError(f"{where} is none of {', '.join(map(repr, values))}")
    return plain


def _number_or_text(kind: Any, plain: Any, where: str) -> Any:
    if kind is float and type(plain) is int:
        plain = float(plain) if abs(plain) < 2**1000 else math.inf
    if type(plain) is not kind:
        raise DiffsymError(f"{where} is not {NAMES[kind]}")
    if kind is float and not math.isfinite(plain):
        raise DiffsymError(f"{where} is no finite number")
    return plain


def _hold(limit: Any, value: Any, where: str) -> None:
    """Hold a value against one end of its range."""
    ends = {Gt: "gt", Ge: "ge", Lt: "lt", Le: "le"}
    if type(limit) not in ends:
        return
    end = getattr(limit, ends[type(limit)])
    inside = {Gt: value > end, Ge: value >= end, Lt: value < end, Le: value <= end}
    if not inside[type(limit)]:
        sign = {Gt: "above", Ge: "at least", Lt: "below", Le: "at most"}[type(limit)]
        raise DiffsymError(f"{where} is {value} and has to be {sign} {end}")


READERS: Mapping[Any, Callable[[tuple[Any, ...], Any, str], Any]] = {
    Literal: _literal,
    Mapping: _mapping,
    Union: _alternative,
    dict: _mapping,
    tuple: _tuple,
    types.UnionType: _alternative,
}
"""What reads each kind of type that has types inside it."""

"""What sections say of themselves: their fields, the meaning of each, their kinds."""

import ast
import dataclasses
import inspect
import itertools
import textwrap
import typing
from typing import Any, Literal

from diffsym.settings import Section


def sections_in(annotation: Any) -> list[type[Section]]:
    """Sections inside a type annotation, in the order of their appearance."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return [annotation]
    return [section for part in typing.get_args(annotation) for section in sections_in(part)]


def kinds_of(section: type[Section]) -> tuple[str, ...]:
    """Values of the key `kind` that mean a section; empty for one without kinds."""
    kind = typing.get_type_hints(section).get("kind")
    return typing.get_args(kind) if typing.get_origin(kind) is Literal else ()


def meanings(section: type[Section]) -> dict[str, str]:
    """Meaning of each field of a section: the string below its declaration."""
    found: dict[str, str] = {}
    for part in reversed(section.__mro__):
        if dataclasses.is_dataclass(part):
            (tree,) = ast.parse(textwrap.dedent(inspect.getsource(part))).body
            found |= _strings_below_fields(tree)
    names = [field.name for field in dataclasses.fields(section)]  # type: ignore[arg-type]
    return {name: found[name] for name in names}


def _strings_below_fields(tree: ast.stmt) -> dict[str, str]:
    body = tree.body if isinstance(tree, ast.ClassDef) else []
    return {
        field.target.id: inspect.cleandoc(below.value.value).replace("\n", " ")
        for field, below in itertools.pairwise(body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(below, ast.Expr)
        and isinstance(below.value, ast.Constant)
        and isinstance(below.value.value, str)
    }

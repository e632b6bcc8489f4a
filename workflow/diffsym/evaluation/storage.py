"""Scores as JSON files: the only place where they are written, read and checked."""

from collections.abc import Callable
from dataclasses import is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from diffsym.errors import DiffsymError
from diffsym.evaluation import scores
from diffsym.evaluation.scores import Metrics, Recognition, Scores, Summary
from diffsym.files import read_json, write_json

S = TypeVar("S")

STORED = {"metrics.json": Metrics, "untrained.json": Recognition, "summary.json": Summary}
"""Type of each file."""


# A type is compiled once, when the first of its files is read or written.
_adapter: Callable[[type], TypeAdapter] = cache(TypeAdapter)


def documentation() -> dict[str, Any]:
    """JSON schema of all files of scores."""
    references, schema = TypeAdapter.json_schemas(
        [(name, "serialization", _adapter(kind)) for name, kind in STORED.items()],
        title="Scores",
        ref_template="#/$defs/{model}",
    )
    for name, definition in schema["$defs"].items():
        # Pydantic reads the docstrings of a class, not those of the fields that it inherits.
        for parent in getattr(scores, name, Scores).__mro__[1:]:
            if is_dataclass(parent):
                for key, field in _adapter(parent).json_schema()["properties"].items():
                    definition["properties"][key] = field | definition["properties"][key]
    files = {name: reference for (name, _), reference in references.items()}
    return {"title": schema.pop("title"), "files": files, **schema}


def plain(content: Scores) -> Any:
    """Scores as JSON-serialisable values.

    Numbers of NumPy, or anything else that is not what its field says, are an error.
    """
    # The mode "json" would turn NaN into null.
    return _adapter(type(content)).dump_python(content, mode="python", warnings="error")


def write_scores(path: str | Path, content: Scores) -> None:
    """Write scores as indented JSON, whole or not at all; NaN is an error."""
    write_json(path, plain(content))


def read_scores(path: str | Path, kind: type[S]) -> S:
    """Read scores.

    Parameters
    ----------
    path
        A file that `write_scores` wrote.
    kind
        Type of its content, for example `diffsym.evaluation.scores.Metrics`.

    Raises
    ------
    DiffsymError
        The file has other content.
    """
    try:
        return _adapter(kind).validate_python(read_json(path))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise DiffsymError(
            f"{path}: {where}: {first['msg']}; delete the file and rerun the workflow"
        ) from None

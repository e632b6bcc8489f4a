"""Scores as JSON files: the only place where they are written, read and checked."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from diffsym.errors import DiffsymError
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
    files = {name: reference for (name, _), reference in references.items()}
    return {"title": schema.pop("title"), "files": files, **schema}


def plain(scores: Scores) -> Any:
    """Scores as JSON-serialisable values.

    Numbers of NumPy, or anything else that is not what its field says, are an error.
    """
    return _adapter(type(scores)).dump_python(scores, mode="json", warnings="error")


def write_scores(path: str | Path, scores: Scores) -> None:
    """Write scores as indented JSON, whole or not at all; NaN is an error."""
    write_json(path, plain(scores))


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

"""From the raw mapping of `config.yaml` and its overlays to a valid configuration.

Mistakes are reported in one sentence each.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NoReturn, get_args

from pydantic import ValidationError

from diffsym.config.checks import broken_references, impossible_combinations
from diffsym.config.datasets import AnySplit, Measured
from diffsym.config.descriptors import Descriptor
from diffsym.config.expansion import expand_folds, expand_series, expand_sweeps
from diffsym.config.models import Model
from diffsym.config.structures import Source
from diffsym.config.study import Configuration
from diffsym.errors import DiffsymError


def _sentence(error: Mapping[str, Any]) -> str:
    """One pydantic error as `section.key: what is wrong`."""
    # Pydantic puts the tag of a tagged union after the section's name; it is not a key of the user.
    tags = {
        tag
        for union in (Source, Descriptor, AnySplit, Model, Measured)
        for section in get_args(get_args(union)[0])
        for tag in get_args(section.model_fields["kind"].annotation)
    }
    parts = [
        part
        for place, part in enumerate(error["loc"])
        if not (place == 2 and part in tags) and part != "[key]"
    ]
    where = ".".join(str(part) for part in parts) or "top level"
    message = error["msg"]
    if error["type"] == "missing":
        message = "this key is required"
    elif error["type"] == "union_tag_not_found":
        message = "the key 'kind' is required"
    elif error["type"] == "union_tag_invalid":
        message = f"the kind '{error['ctx']['tag']}' is none of {error['ctx']['expected_tags']}"
    elif error["type"] == "string_pattern_mismatch":
        message = f"the name {error['input']!r} must be lower case letters, digits and _"
    elif error["type"] not in {"unknown_key", "physics", "class_set"}:
        message = f"{message[0].lower()}{message[1:]}, not {error['input']!r}"
    return f"{where}: {message}"


def _refuse(mistakes: Iterable[str]) -> NoReturn:
    """End with all mistakes, one per line."""
    lines = "\n".join(f"  {mistake}" for mistake in mistakes)
    raise DiffsymError(f"the configuration has mistakes:\n{lines}")


def _validated(raw: Mapping[str, Any]) -> Configuration:
    """Validate each key by itself and fill in the defaults."""
    try:
        return Configuration.model_validate(raw)
    except ValidationError as error:
        _refuse(_sentence(detail) for detail in error.errors())


def load_configuration(raw: Mapping[str, Any]) -> Configuration:
    """Validate a configuration and expand its sweeps, series and cross-validations.

    Parameters
    ----------
    raw
        The merged mapping of `config.yaml` and its overlays.

    Returns
    -------
    Configuration
        With every default filled in.

    Raises
    ------
    DiffsymError
        One line per mistake: the key, what is wrong, and the nearest valid name.
    """
    configuration = _validated(raw)
    # A combination can be checked once its parts exist, a sweep once its base is valid.
    mistakes = broken_references(configuration) or impossible_combinations(configuration)
    if mistakes:
        _refuse(mistakes)
    configuration = _validated(expand_sweeps(configuration))
    configuration = _validated(expand_series(configuration))
    return _validated(expand_folds(configuration))

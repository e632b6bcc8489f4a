"""From the raw mapping of `config.yaml` and its overlays to a valid configuration.

Mistakes are reported in one sentence each.
"""

import typing
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, NoReturn

from pydantic import ValidationError

from diffsym.errors import DiffsymError, nearest
from diffsym.study.checks import broken_references, impossible_combinations
from diffsym.study.configuration import CONFIGURATION, Configuration
from diffsym.study.expansion import expand_folds, expand_series, expand_sweeps
from diffsym.study.sections import kinds_of, meanings, sections_in


def _walk(place: Sequence[Any]) -> tuple[list[Any], Any]:
    """Keys of the user at a place of pydantic's, and the type of what is there.

    Pydantic puts the kind of a section behind the section's name; it is no key of the user.
    """
    keys: list[Any] = []
    here: Any = Configuration
    for part in place:
        here = typing.get_args(here)[0] if typing.get_origin(here) is Annotated else here
        options = sections_in(here)
        of_kind = [section for section in options if str(part) in kinds_of(section)]
        if typing.get_origin(here) in {dict, tuple}:
            here = typing.get_args(here)[typing.get_origin(here) is dict]
        elif of_kind and len(options) > 1:
            here = of_kind[0]
            continue
        elif options:
            here = typing.get_type_hints(options[0], include_extras=True).get(str(part), Any)
        keys.append(part)
    return keys, here


def _sentence(error: Mapping[str, Any]) -> str:
    """One pydantic error as `section.key: what is wrong`."""
    parts, _ = _walk([part for part in error["loc"] if part != "[key]"])
    message = error["msg"]
    kind = error["type"]
    if kind == "unexpected_keyword_argument":
        key = str(parts.pop())
        (section,) = sections_in(_walk(error["loc"][:-1])[1])
        message = f"unknown key '{key}'{nearest(key, meanings(section))}"
    elif kind == "value_error":
        # What a section itself finds; it may name the key.
        message = str(error["ctx"]["error"])
    elif kind in {"missing", "missing_keyword_only_argument"}:
        message = "this key is required"
    elif kind == "union_tag_not_found":
        message = "the key 'kind' is required"
    elif kind == "union_tag_invalid":
        message = f"the kind '{error['ctx']['tag']}' is none of {error['ctx']['expected_tags']}"
    elif kind == "string_pattern_mismatch":
        message = f"the name {error['input']!r} must be lower case letters, digits and _"
    else:
        message = f"{message[0].lower()}{message[1:]}, not {error['input']!r}"
    where = ".".join(str(part) for part in parts) or "top level"
    named, separator, rest = message.partition(": ")
    return (
        f"{where}.{named}: {rest}" if separator and named.isidentifier() else f"{where}: {message}"
    )


def _refuse(mistakes: Iterable[str]) -> NoReturn:
    """End with all mistakes, one per line."""
    lines = "\n".join(f"  {mistake}" for mistake in mistakes)
    raise DiffsymError(f"the configuration has mistakes:\n{lines}")


def _validated(raw: Mapping[str, Any]) -> Configuration:
    """Validate each key by itself and fill in the defaults."""
    try:
        return CONFIGURATION.validate_python(raw)
    except ValidationError as error:
        _refuse(_sentence(detail) for detail in error.errors())


def _with_defaults(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give experiments the keys of `defaults` that they lack; what is no mapping stays."""
    defaults, experiments = raw.get("defaults"), raw.get("experiments")
    if not isinstance(defaults, Mapping) or not isinstance(experiments, Mapping):
        return raw
    filled = {
        name: {**defaults, **experiment} if isinstance(experiment, Mapping) else experiment
        for name, experiment in experiments.items()
    }
    return {**raw, "experiments": filled}


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
    configuration = _validated(_with_defaults(raw))
    # A combination can be checked once its parts exist, a sweep once its base is valid.
    mistakes = broken_references(configuration) or impossible_combinations(configuration)
    if mistakes:
        _refuse(mistakes)
    return expand_folds(expand_series(_validated(expand_sweeps(configuration))))

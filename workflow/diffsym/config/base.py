"""What all sections share: refusal of unknown keys, and types of names and numbers.

A section is a mapping of the configuration, a class here. A named section has a name of the user's
choice, by which other sections refer to it.
"""

import difflib
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

# Names become parts of file names and Snakemake wildcards.
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
Positive = Annotated[float, Field(gt=0)]
Fraction = Annotated[float, Field(gt=0, lt=1)]


def nearest(name: str, valid: Iterable[str]) -> str:
    """Return the words "; did you mean 'x'?", or the list of valid names if none is similar."""
    valid = sorted(valid)
    matches = difflib.get_close_matches(name, valid, n=1, cutoff=0.5)
    if matches:
        return f"; did you mean '{matches[0]}'?"
    return f"; valid are: {', '.join(valid) or 'none'}"


class Section(BaseModel):
    """Base of all sections: unknown keys are errors that name the nearest valid one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_keys(cls, data: Any) -> Any:
        if isinstance(data, Mapping):
            for key in data:
                if key not in cls.model_fields:
                    raise PydanticCustomError(
                        "unknown_key",
                        "unknown key '{key}'{hint}",
                        {"key": str(key), "hint": nearest(str(key), cls.model_fields)},
                    )
        return data

"""What a network sees of a structure."""

import importlib
from collections.abc import Mapping
from typing import Any

from diffsym.settings import rebuilt


def descriptor_of(section: Mapping[str, Any]) -> Any:
    """Settings of a descriptor from the plain values of its section, which name its kind."""
    kind = section["kind"]
    module = importlib.import_module(f"diffsym.settings.descriptors.{kind}")
    return rebuilt(getattr(module, kind.capitalize()), section)

"""JSON of which one value is odd, so that the others can be read all the same."""

import json
import re
from typing import Any

DEEPEST = 50
"""Levels of lists and objects; no answer of a database has so many."""

LONGEST_NUMBER = 400
"""Digits of a whole number; no double is so large, and Python refuses some thousand."""

MARKS = re.compile(r'"(?:[^"\\]|\\.)*+"|[\[\]{}]', re.DOTALL)


def read_lenient(content: bytes) -> Any:
    """Read JSON, whatever its numbers, its characters and its depth; ValueError if it is none."""
    text = content.decode("utf-8-sig", "replace")
    return json.loads(shallow(text), parse_int=whole_number)


def whole_number(text: str) -> float:
    """A whole number; infinite if it has more digits than any number that means something."""
    return int(text) if len(text) < LONGEST_NUMBER else float(text)


def shallow(text: str) -> str:
    """The same JSON with null in place of all that is nested too deeply."""
    kept, depth, begin = [], 0, 0
    for mark in MARKS.finditer(text):
        if mark[0] in {"[", "{"}:
            depth += 1
            if depth == DEEPEST + 1:
                kept.append(f"{text[begin : mark.start()]}null")
        elif mark[0] in {"]", "}"}:
            if depth == DEEPEST + 1:
                begin = mark.end()
            depth -= 1
    # What never ends is cut off, so that nobody takes it for whole.
    return "".join(kept) + (text[begin:] if depth <= DEEPEST else "")


def storable(value: Any) -> Any:
    """A value of JSON; halves of characters, which no file can hold, are written out."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, list):
        return [storable(item) for item in value]
    if isinstance(value, dict):
        return {storable(key): storable(item) for key, item in value.items()}
    return value

"""The one exception that is meant for users, and words that its sentences share."""

import difflib
from collections.abc import Iterable


class DiffsymError(Exception):
    """An error the user can fix.

    The message is one clear sentence that names the file or the setting, says what is wrong
    with it and what to do. Scripts print it without a traceback.
    """


def nearest(name: str, valid: Iterable[str]) -> str:
    """Return the words "; did you mean 'x'?", or the list of valid names if none is similar."""
    valid = sorted(valid)
    matches = difflib.get_close_matches(name, valid, n=1, cutoff=0.5)
    if matches:
        return f"; did you mean '{matches[0]}'?"
    return f"; valid are: {', '.join(valid) or 'none'}"

"""CHI of Fit2D: a title, names of two axes and the number of points, then two columns."""

from dataclasses import replace

from diffsym.experimental.readers import text
from diffsym.experimental.readers.assembly import decoded, loss
from diffsym.experimental.readers.base import MeasuredPattern


def read(content: bytes) -> MeasuredPattern:
    """Read the pattern; the name of the first axis decides whether it is 2theta."""
    _, axis, _, points, *body = decoded(content).split("\n")
    # Lines keep their numbers.
    pattern = text.read("\n".join(["#", f"# {axis}", "#", "#", *body]).encode())
    repairs = loss(int(points), len(pattern.two_theta))
    return replace(pattern, repairs=(*repairs, *pattern.repairs))

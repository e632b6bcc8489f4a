"""Text of FullProf: first angle, step and last angle, and then counts, several a line.

The neutron diffractometers DMC and HRPT write the same behind two lines, the second of which begins
with `lambda`.
"""

import re

from diffsym.errors import DiffsymError
from diffsym.experimental.readers.assembly import assembled, decoded, grid, loss, numbers
from diffsym.experimental.readers.base import MeasuredPattern
from diffsym.experimental.readers.remarks import refuse_neutrons, stated_wavelength

HEAD = re.compile(r"((?:\s*[+-]?\d+(?:\.\d*)?(?:e[+-]?\d+)?){3})(?=\s|$|,)", re.IGNORECASE)


def read(content: bytes) -> MeasuredPattern:
    """Read the pattern; the range that is declared must fit the number of counts."""
    lines = decoded(content).split("\n")
    heads = ((i, found) for i, line in enumerate(lines) if (found := HEAD.match(line)))
    start, found = next(heads, (0, None))
    if found is None:
        raise DiffsymError("there is no line with the first angle, the step and the last angle")
    if any(line.strip().startswith("lambda") for line in lines[:start]):
        raise DiffsymError("this is a pattern of neutrons, of DMC or HRPT; give one of X-rays")
    remarks = lines[: start + 1]
    refuse_neutrons(remarks)
    first, step, last = numbers(found[1])
    counts = numbers("\n".join(lines[start + 1 :]))
    if not (step > 0 and last > first):
        raise DiffsymError(
            f"line {start + 1} must hold the first angle, the step and the last angle, not "
            f"{first:g}, {step:g} and {last:g}"
        )
    declared = round((last - first) / step) + 1
    return assembled(
        grid(first, step, len(counts[:declared])),
        counts[:declared],
        wavelength=stated_wavelength(remarks),
        repairs=loss(declared, len(counts)),
    )

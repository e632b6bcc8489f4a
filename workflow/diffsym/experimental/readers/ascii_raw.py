"""Text that begins with .RAW: a number a line, at fixed places."""

from diffsym.errors import DiffsymError
from diffsym.experimental.readers.assembly import assembled, decoded, grid, k_alpha, loss, numbers
from diffsym.experimental.readers.base import MeasuredPattern

# Numbers of lines, from 0; behind the last are an unknown number, the largest count and all counts.
LAST, ANODE, K_ALPHA, FIRST, STEP, POINTS = 8, 12, slice(19, 21), 22, 23, 24


def read(content: bytes) -> MeasuredPattern:
    """Read the pattern; its last angle and its largest count must be those of the header."""
    lines = decoded(content).split("\n")
    first, step, last = (float(lines[at]) for at in (FIRST, STEP, LAST))
    declared = int(lines[POINTS].split()[0])
    _, largest, *values = numbers("\n".join(lines[POINTS + 1 :]))
    repairs = loss(declared, len(values))
    counts = numbers("\n".join(str(value) for value in values[:declared]))
    if not repairs and counts.max() != largest:
        raise DiffsymError("the counts are not where we know them; export the pattern as text")
    if abs(first + (declared - 1) * step - last) > step:
        raise DiffsymError("the angles are not where we know them; export the pattern as text")
    return assembled(
        grid(first, step, len(counts)),
        counts,
        wavelength=k_alpha(*(float(line) for line in lines[K_ALPHA])),
        anode=lines[ANODE].strip().capitalize(),
        repairs=repairs,
    )

"""Text of Maud: a title, then points, step, first angle and wavelength, then a count a line."""

from diffsym.experimental.readers.assembly import assembled, decoded, grid, k_alpha, loss, numbers
from diffsym.experimental.readers.base import MeasuredPattern


def read(content: bytes) -> MeasuredPattern:
    """Read the pattern."""
    _, head, *body = decoded(content).split("\n")
    declared, step, first, wavelength = map(float, numbers(head)[:4])
    counts = numbers("\n".join(body))
    repairs = loss(declared, len(counts))
    counts = counts[: int(declared)]
    return assembled(
        grid(first, step, len(counts)), counts, wavelength=k_alpha(wavelength), repairs=repairs
    )

"""What remarks around the numbers of a text say of the radiation."""

import re
from collections.abc import Iterable, Sequence

from diffsym.errors import DiffsymError
from diffsym.experimental.readers.assembly import LONGEST_WAVELENGTH, SHORTEST_WAVELENGTH
from diffsym.scattering.types import Wavelength
from diffsym.settings.patterns import spectral_lines

UNIT = r"angstroms?|[aå](?![a-z])|nm|m(?![a-z])"
WAVELENGTH = re.compile(
    rf"wave[ -]?length\s*(?:[(\[]\s*(?P<before>{UNIT})\s*[)\]])?\s*[:=]?\s*"
    rf"(?P<value>\d*\.\d+(?:e[+-]?\d+)?)\s*[(\[]?(?P<behind>{UNIT}|[a-z]*)",
    re.IGNORECASE,
)
OURS = "# diffsym"
"""How remarks begin that `diffsym convert` writes for people, of which readers take no notice."""
# Of K-alpha doublets, as `diffsym convert` writes them.
PLAIN = r"\d+(?:\.\d*)?(?:e[+-]?\d+)?"
SPECTRUM = re.compile(
    rf"#?\s*Wavelengths in A, and weights:\s*({PLAIN} {PLAIN}(?:, {PLAIN} {PLAIN})*)"
)
IN_ANGSTROM = {"nm": 10.0, "m": 1e10}
# Without a unit so small a number is in metres.
LARGEST_IN_METRES = 1e-8
ANODE = re.compile(r"\banode\s*[:=]\s*[\"']?([A-Z][a-z]?)[\"']?(?![A-Za-z])", re.IGNORECASE)
NEUTRONS = re.compile(r"\bneutrons?\b|\bD1A\b|\bD2B\b|\bHRPT\b", re.IGNORECASE)


def stated_wavelength(lines: Iterable[str]) -> float | None:
    """Wavelength, A, that remarks state; None if they state none or several."""
    stated = set()
    for line in lines:
        for found in WAVELENGTH.finditer(line):
            value = float(found["value"])
            unit = (found["before"] or found["behind"] or "").lower()
            if not unit and value < LARGEST_IN_METRES:
                unit = "m"
            if unit and not re.fullmatch(UNIT, unit):
                return None
            stated.add(round(value * IN_ANGSTROM.get(unit, 1.0), 9))
    if len(stated) != 1:
        return None
    [wavelength] = stated
    return wavelength if SHORTEST_WAVELENGTH <= wavelength <= LONGEST_WAVELENGTH else None


def stated_lines(lines: Sequence[str]) -> Wavelength | None:
    """Wavelength that remarks state, in A, or several with their weights, as `spectrum` writes."""
    for line in lines:
        if found := SPECTRUM.fullmatch(line.strip()):
            pairs = [pair.split() for pair in found[1].split(",")]
            return tuple((float(length), float(weight)) for length, weight in pairs)
    return stated_wavelength(lines)


def spectrum(wavelength: Wavelength) -> str:
    """A remark that `stated_lines` understands.

    >>> spectrum(0.4133), spectrum([(1.540593, 1.0), (1.544427, 0.5)])
    ('Wavelength: 0.4133 A', 'Wavelengths in A, and weights: 1.540593 1.0, 1.544427 0.5')
    """
    lines = spectral_lines(wavelength)
    if len(lines) == 1:
        return f"Wavelength: {lines[0][0]!r} A"
    pairs = ", ".join(f"{length!r} {weight!r}" for length, weight in lines)
    return f"Wavelengths in A, and weights: {pairs}"


def stated_anode(lines: Iterable[str]) -> str | None:
    """Symbol of the anode that remarks state, as EVA does; of its lines it says nothing.

    >>> stated_anode(["# measured", 'Id: "" Anode: "Cu" Scantype: "Coupled"'])
    'Cu'
    """
    stated = {found[1].capitalize() for line in lines if (found := ANODE.search(line))}
    return stated.pop() if len(stated) == 1 else None


def refuse_neutrons(lines: Iterable[str]) -> None:
    """DiffsymError if remarks say that the pattern is one of neutrons."""
    for line in lines:
        if found := NEUTRONS.search(line):
            raise DiffsymError(
                f"the file says '{found[0]}': a pattern of neutrons; give one of X-rays"
            )

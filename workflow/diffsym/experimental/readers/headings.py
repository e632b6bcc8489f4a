"""What the heading of a text file says of its first column."""

import math
import re
import unicodedata

# In front of the first column's name: comment signs, arrows, "X axis:" and the like.
LEAD = re.compile(r"\W*(?:l\s+|(?:x[\s_-]?(?:axis|units?|label)?|axis|units?|columns?)\s*[:=])?\W*")
# Of headings such as "Column 1: Q, column 2: I".
FIRST_COLUMN = re.compile(r"\W*col(?:umn)?\.?\s*1\b")
ANY_COLUMN = re.compile(r"col(?:umn)?\.?\s*\d+\s*[:=]?")
LENGTH = r"(?:nm|å|a|angstroms?)"
INVERSE_LENGTH = re.compile(
    rf"(?<![a-z0-9])1\s?/\s?{LENGTH}(?![a-z])"
    r"|(?<![a-z])(?:nm|å|angstroms?)\s?(?:\^|\*\*)?[\s({]*-\s?1(?!\d)"
    r"|(?<![a-z])a\s?(?:\^|\*\*)[\s({]*-\s?1(?!\d)"
    r"|[(\[]a-1[)\]]|\binverse (?:nano|å|angstrom)"
)
# How programs for pair distribution functions say it.
IN_Q = re.compile(r"=\s*(?:qspace|qa|qnm)\b")
VALUE = re.compile(r"(?<![^\s:=,;])[+-]?\d+\.?\d*(?:e[+-]?\d+)?(?![^\s:=,;])")
THETA = r"(?:theta|θ)"
TWO_THETA = re.compile(rf"(?:2|two)[ _*-]?(?:{THETA}|th(?![a-z]))")
# Names of a first column. A symbol ends where the name does; what is followed by a colon or an
# equals sign is a remark on the measurement.
END = r"(?![a-z0-9])(?!\s*[:=])"
UNIT = (
    r"(?:\s?[(\[]\s?|_|\s(?=1\s?/|inverse))(?:1\s?/\s?|inverse\s)?"
    r"(?P<unit>nm|nanomet\w+|å|angstroms?|a(?![a-z.]))"
)
AXES = {
    "in radians": rf"{TWO_THETA.pattern}[\s_,]*[(\[]?\s?rad",
    "theta": rf"{THETA}{END}(?!\s?[-/_]\s?(?:2|two))",
    "a scattering vector": rf"(?:chi_)?q{END}|scattering[\s_]vector|momentum[\s_]transfer",
    "a lattice spacing d": rf"d[\s_-]?(?:spac|val)|d(?=\s?[(\[,;_]|\s+(?:i|y|count)|$){END}",
    "a time of flight": rf"(?:tof|time[\s_-]of[\s_-]flight){END}|time\s?[(\[]",
    "an energy": rf"energy{END}|e\s?[(\[]\s?[kmg]?ev",
    "a distance r": rf"r(?=\s?[(\[,;]|_m?m|\s+g\b|$){END}",
}


def names_two_theta(heading: str) -> bool:
    """Whether a heading begins with a name of 2theta."""
    return TWO_THETA.match(_label(_plain(heading))) is not None


def inverse_angstrom(heading: str) -> tuple[float, int] | None:
    """Factor and power that turn the first column into Q in 1/A, if the heading says its unit.

    >>> inverse_angstrom("# q_nm^-1 I"), inverse_angstrom("Q (1/A)"), inverse_angstrom("# Q I")
    ((0.1, 1), (1.0, 1), None)
    """
    text = _plain(heading)
    if FIRST_COLUMN.match(text):
        text = ANY_COLUMN.sub(" ", text)
    label = _label(text)
    for power, name in (1, "a scattering vector"), (-1, "a lattice spacing d"):
        found = re.match(rf"(?:{AXES[name]})\w*?{UNIT}", label)
        if found:
            per_angstrom = 0.1 if found["unit"].startswith("n") else 1.0
            return (1.0 if power > 0 else 2 * math.pi) * per_angstrom, power
    return None


def wrong_axis(heading: str) -> str | None:
    """What a heading says the first column is, if it says anything but 2theta in degrees.

    A line with a number in it, such as `energy 17.4 keV`, is no heading.
    """
    text = _plain(heading)
    if IN_Q.search(text):
        return "a scattering vector"
    if FIRST_COLUMN.match(text):
        text = ANY_COLUMN.sub(" ", text)
    if VALUE.search(text):
        return None
    for name, pattern in AXES.items():
        if re.match(pattern, _label(text)):
            return name
    if names_two_theta(text) or not INVERSE_LENGTH.search(text):
        return None
    return "in units of an inverse length"


def _plain(heading: str) -> str:
    """Small letters, superscripts as digits, one kind of minus sign."""
    return unicodedata.normalize("NFKC", heading).lower().replace("\N{MINUS SIGN}", "-")


def _label(text: str) -> str:
    """The text from the first column's name on."""
    return LEAD.sub("", text, count=1)

"""What the heading of a text file says of its first column."""

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
# SrXplanar and SrXgui, whose Q is in 1/A.
IN_INVERSE_ANGSTROM = re.compile(r"\bintegrationspace\s*=\s*qspace\b")
VALUE = re.compile(r"(?<![^\s:=,;])[+-]?\d+(?:\.\d*)?(?:e[+-]?\d+)?(?![^\s:=,;])")
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
    "an inverse spacing 1/d": rf"1\s?/\s?d{END}|d_?star{END}",
    "a lattice spacing d": rf"d[\s_-]?(?:spac|val)|d(?=\s?[(\[,;_]|\s+(?:i|y|count)|$){END}",
    "a time of flight": rf"(?:tof|time[\s_-]of[\s_-]flight){END}|time\s?[(\[]",
    "an energy": rf"energy{END}|e\s?[(\[]\s?[kmg]?ev",
    "a distance r": rf"r(?=\s?[(\[,;]|_m?m|\s+g\b|$){END}",
}

# By the name of an axis: the unit of the column in A and in nm, with the factor that leads to it.
STATED = {
    "a scattering vector": {"a": ("Q", 1.0), "nm": ("Q/nm", 1.0)},
    "a lattice spacing d": {"a": ("d", 1.0), "nm": ("d", 10.0)},
    "an inverse spacing 1/d": {"a": ("1/d", 1.0), "nm": ("1/d", 0.1)},
}
FITTING = {
    "a scattering vector": ("Q", "Q/nm"),
    "a lattice spacing d": ("d",),
    "an inverse spacing 1/d": ("1/d",),
    "in units of an inverse length": ("Q", "Q/nm", "1/d"),
}
"""Units that a user may add to a name without one."""


def names_two_theta(heading: str) -> bool:
    """Whether a heading begins with a name of 2theta."""
    return TWO_THETA.match(_label(_plain(heading))) is not None


def stated_unit(heading: str) -> tuple[str | None, float]:
    """Unit of the first column, and the factor that turns the column into it.

    Returns
    -------
    unit, factor
        One of `diffsym.experimental.units.UNITS`; None and 1 if the heading does not say it.

    Examples
    --------
    >>> stated_unit("# q_nm^-1 I"), stated_unit("d (nm)"), stated_unit("# Q I")
    (('Q/nm', 1.0), ('d', 10.0), (None, 1.0))
    """
    text = _plain(heading)
    if FIRST_COLUMN.match(text):
        text = ANY_COLUMN.sub(" ", text)
    label = _label(text)
    if IN_INVERSE_ANGSTROM.search(text):
        return "Q", 1.0
    if re.match(AXES["in radians"], label):
        return "radians", 1.0
    for name, units in STATED.items():
        if found := re.match(rf"(?:{AXES[name]})\w*?{UNIT}", label):
            return units["nm" if found["unit"].startswith("n") else "a"]
    return None, 1.0


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

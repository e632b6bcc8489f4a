"""Where the evidence for answers is found: a study, or the one that lies in the working folder."""

from pathlib import Path

from diffsym.errors import DiffsymError
from diffsym.identification.answer import Evidence
from diffsym.identification.known import read_known

USUAL = Path("results")
"""Results of a study that are taken if nothing is named."""


def evidence_at(path: Path | None) -> Evidence:
    """Structures and networks.

    Parameters
    ----------
    path
        Results of a study; by default those of the working folder.

    Raises
    ------
    DiffsymError
        If there are none.
    """
    return Evidence(read_known(path or USUAL))


def elements_of(text: str) -> list[str]:
    """Symbols between commas or blanks; DiffsymError if one is no symbol of an element.

    Examples
    --------
    >>> elements_of("Ca, C,O")
    ['Ca', 'C', 'O']
    """
    import gemmi  # noqa: PLC0415 - few ask for it

    symbols = text.replace(",", " ").split()
    for one in symbols:
        element = gemmi.Element(one)
        if element.atomic_number == 0 or element.name != one:
            raise DiffsymError(
                f"elements: '{one}' is no symbol of an element; write them as in Ca,C,O"
            )
    if not symbols:
        raise DiffsymError("elements: none is named; write them as in Ca,C,O")
    return symbols

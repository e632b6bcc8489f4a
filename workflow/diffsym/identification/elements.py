"""Elements that a sample may hold, as people write them."""

import gemmi

from diffsym.errors import DiffsymError


def elements_of(text: str) -> list[str]:
    """Symbols between commas or blanks; DiffsymError if one is no symbol of an element.

    Examples
    --------
    >>> elements_of("Ca, C,O")
    ['Ca', 'C', 'O']
    """
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

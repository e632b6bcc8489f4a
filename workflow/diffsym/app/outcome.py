"""What commands share: exit codes, lines for a terminal, and a number on the command line."""

ALL_ANSWERED, SOME_NOT, NONE_ANSWERED = 0, 1, 2
"""Exit codes."""


def exit_code(answered: int, files: int) -> int:
    """Exit code for the number of answered files, and of all."""
    if answered == files:
        return ALL_ANSWERED
    return SOME_NOT if answered else NONE_ANSWERED


def printable(text: str) -> str:
    """A line without what a terminal would obey: names and licences come from anybody."""
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text)


def positive(text: str) -> int:
    """A number of at least one."""
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number

"""Damage to text files, the same for the same number and seed."""

from collections.abc import Sequence

import numpy as np

Generator = np.random.Generator


def lines_of(text: str, generator: Generator) -> tuple[list[str], int]:
    """The lines of a text, and the index of one of them."""
    lines = text.splitlines()
    return lines, int(generator.integers(len(lines)))


def cut(text: str, generator: Generator) -> str:
    """End the text somewhere."""
    return text[: generator.integers(len(text))]


def double_line(text: str, generator: Generator) -> str:
    """Repeat a line."""
    lines, index = lines_of(text, generator)
    return "\n".join([*lines[: index + 1], *lines[index:]])


def double_lines(text: str, generator: Generator) -> str:
    """Repeat everything from one line to another behind the second one."""
    lines, first = lines_of(text, generator)
    last = int(generator.integers(first, len(lines)))
    return "\n".join([*lines[: last + 1], *lines[first:]])


def double_block(text: str, _: Generator) -> str:
    """Repeat the whole text."""
    return f"{text}\n{text}"


def swap_lines(text: str, generator: Generator) -> str:
    """Exchange two lines."""
    lines, one = lines_of(text, generator)
    other = int(generator.integers(len(lines)))
    lines[one], lines[other] = lines[other], lines[one]
    return "\n".join(lines)


def swap_values(text: str, generator: Generator) -> str:
    """Exchange two words of a line."""
    lines, index = lines_of(text, generator)
    words = lines[index].split()
    if len(words) > 1:
        one, other = generator.choice(len(words), 2, replace=False)
        words[one], words[other] = words[other], words[one]
        lines[index] = " ".join(words)
    return "\n".join(lines)


def delete_line(text: str, generator: Generator) -> str:
    """Leave out a line."""
    lines, index = lines_of(text, generator)
    return "\n".join([*lines[:index], *lines[index + 1 :]])


def change_one(text: str, generator: Generator, among: str, replacements: Sequence[str]) -> str:
    """Replace one character of a kind."""
    places = [index for index, character in enumerate(text) if character in among]
    if not places:
        return text
    place = int(generator.choice(places))
    return text[:place] + str(generator.choice(replacements)) + text[place + 1 :]


DIGITS = "0123456789"
ODD_VALUES = (
    *("?", ".", "''", "nan", "1e999", "-1", "0", "1/3", "0.5(2)", "loop_", "data_x", "1e-9"),
)
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def change_digit(text: str, generator: Generator) -> str:
    """Replace a digit by another one."""
    return change_one(text, generator, DIGITS, list(DIGITS))


def change_letter(text: str, generator: Generator) -> str:
    """Replace a letter by another one."""
    return change_one(text, generator, LETTERS, list(LETTERS))


def change_sign(text: str, generator: Generator) -> str:
    """Put a sign before a number, or take one away."""
    return change_one(text, generator, " -", ["", " -", " ", "-", "+"])


def change_case(text: str, generator: Generator) -> str:
    """Write a line in capitals or in small letters."""
    lines, index = lines_of(text, generator)
    lines[index] = lines[index].upper() if generator.random() < 0.5 else lines[index].lower()
    return "\n".join(lines)


def insert_character(text: str, generator: Generator) -> str:
    """Put a character of a meaning of its own somewhere."""
    place = int(generator.integers(len(text) + 1))
    return text[:place] + str(generator.choice(list(" ?.';\"\n#_$[\t\0"))) + text[place:]


def replace_value(text: str, generator: Generator) -> str:
    """Write something odd in place of a word."""
    lines, index = lines_of(text, generator)
    words = lines[index].split()
    if words:
        words[int(generator.integers(len(words)))] = str(generator.choice(ODD_VALUES))
        lines[index] = " ".join(words)
    return "\n".join(lines)


DAMAGES = (
    *(cut, double_line, double_lines, double_block, swap_lines, swap_values, delete_line),
    *(change_digit, change_digit, change_letter, change_sign, change_case, insert_character),
    replace_value,
)


def damage(texts: Sequence[str], number: int, seed: int) -> tuple[str, str]:
    """The name and the text of one damaged file; always the same one for a number and a seed."""
    generator = np.random.default_rng((seed, number))
    text = texts[int(generator.integers(len(texts)))]
    kinds = [DAMAGES[int(generator.integers(len(DAMAGES)))] for _ in range(generator.choice(3) + 1)]
    for kind in kinds:
        text = kind(text or " ", generator)
    return "+".join(kind.__name__ for kind in kinds), text

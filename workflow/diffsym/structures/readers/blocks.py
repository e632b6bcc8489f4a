"""The data blocks of a CIF: gemmi's tokens, looked up by tags in any case and of either version."""

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import cast

import gemmi
from gemmi import cif

from diffsym.structures.entries import EntryError, RejectionCode

UNKNOWN = ("", "?", ".")
"""Values that state nothing."""

BYTE_ORDER_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)

DASHES = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212\ufe63\uff0d", "-"))
"""Characters that word processors put in place of the minus sign."""

BLOCK_START = re.compile(r"[ \t]*data_(\S*)", re.IGNORECASE)

SITE_TAGS = ("_atom_site_fract_x", "_atom_site_fract_y", "_atom_site_fract_z")


@dataclass(frozen=True)
class Block:
    """One data block.

    Attributes
    ----------
    name
        What follows `data_`; empty if nothing does.
    items
        Raw values by tag, in lower case and with underscores in place of dots.
    repeated
        Tags that the block gives twice with different values.
    """

    name: str
    items: dict[str, list[str]]
    repeated: frozenset[str]

    def column(self, tag: str) -> list[str]:
        """Values of an item, in a loop or alone; empty if the block has none.

        Unknown values ('?' and '.') are empty strings.

        Raises
        ------
        EntryError
            If the block gives the item twice, with different values.
        """
        if tag in self.repeated:
            raise EntryError(
                RejectionCode.CONTRADICTION,
                f"{tag} is given twice with different values; delete the wrong one",
            )
        values = (cif.as_string(value).strip() for value in self.items.get(tag, ()))
        return ["" if value in UNKNOWN else value for value in values]

    def first(self, *tags: str) -> str | None:
        """The first of several items that has a value.

        Raises
        ------
        EntryError
            If it has several, as a loop over several phases or temperatures gives it.
        """
        for tag in tags:
            values = list(dict.fromkeys(value for value in self.column(tag) if value))
            if len(values) > 1:
                raise EntryError(
                    RejectionCode.CONTRADICTION,
                    f"{tag} has {len(values)} values in one block; write a block for each",
                )
            if values:
                return values[0]
        return None

    def has_atoms(self) -> bool:
        """Whether the block lists atoms, whatever can be read of them."""
        return any(self.items.get(tag) for tag in ("_atom_site_label", *SITE_TAGS))

    def has_tag(self, *beginnings: str) -> bool:
        """Whether the block gives an item that begins in one of these ways."""
        return any(tag.startswith(beginnings) for tag in self.items)


@dataclass(frozen=True)
class BrokenBlock:
    """A block that breaks the rules of CIF, beside others that do not.

    Attributes
    ----------
    name
        What follows `data_`; empty if nothing does.
    error
        The refusal, with the line.
    """

    name: str
    error: EntryError


def decode(content: bytes) -> str:
    """Bytes of a CIF as text: UTF-8, UTF-16 with a byte-order mark, or else Latin-1."""
    for mark, encoding in BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return content.decode(encoding, errors="replace")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def parse_blocks(content: bytes) -> list[Block | BrokenBlock]:
    """All data blocks of a CIF, in order.

    Raises
    ------
    EntryError
        If the text breaks the rules of CIF and no block can be read; with the line.
    """
    text = decode(content).translate(DASHES)
    try:
        return [make_block(block) for block in tokens(text)]
    except (ValueError, RuntimeError) as error:
        refusal = breach(error)
    found = [block for piece in split_blocks(text) for block in parse_piece(piece)]
    if not any(isinstance(block, Block) for block in found):
        raise refusal from None
    return found


def breach(error: Exception) -> EntryError:
    """The refusal of a text that gemmi cannot parse."""
    return EntryError(
        RejectionCode.UNREADABLE,
        f"the text breaks the rules of CIF ({syntax_error(error)}); correct the line",
    )


def split_blocks(text: str) -> list[str]:
    """The text of each block, behind as many empty lines as stand before it.

    Lines of text fields begin no block. Where a field does not end, no line is sure to be outside
    one, and the text stays whole.
    """
    lines = text.split("\n")
    starts = [0]
    in_field = False
    for index, line in enumerate(lines):
        if line.startswith(";"):
            in_field = not in_field
        elif not in_field and BLOCK_START.match(line):
            starts.append(index)
    ends = [*starts[1:], len(lines)]
    if in_field:
        return [text]
    return [
        "\n" * start + "\n".join([*lines[start:end], ""])
        for start, end in zip(starts, ends, strict=True)
    ]


def parse_piece(text: str) -> list[Block | BrokenBlock]:
    """The block of a piece of text."""
    try:
        return [make_block(block) for block in tokens(text)]
    except (ValueError, RuntimeError) as error:
        named = BLOCK_START.match(text.lstrip("\n"))
        return [BrokenBlock(named[1] if named else "", breach(error))]


def tokens(text: str) -> cif.Document:
    """Let gemmi read a CIF; letters beyond ASCII that stand outside quotes become '?'.

    At level 0 a blank value or a repeated name spoils no other item.
    """
    try:
        return cif.read_string(text, 0)
    except (ValueError, RuntimeError):
        if text.isascii():
            raise
        return cif.read_string(text.encode("ascii", errors="replace").decode("ascii"), 0)


def syntax_error(error: Exception) -> str:
    """Place and kind of a syntax error, such as 'line 4, near _cell_length_a: no value'."""
    words = str(error).strip().splitlines() or [type(error).__name__]
    _, _, place = words[0].partition(":")
    line, _, rest = place.partition(":")
    return f"line {line}: {rest.partition('): ')[2] or rest}" if line.isdecimal() else words[0]


def make_block(block: cif.Block) -> Block:
    """Collect the items of gemmi's block by tag."""
    items: dict[str, list[str]] = {}
    repeated: set[str] = set()
    for item in block:
        pair = cast("tuple[str, str] | None", item.pair)
        if pair is not None:
            tags, values = [pair[0]], [pair[1]]
        elif item.loop is not None:
            tags, values = item.loop.tags, item.loop.values
        else:
            continue
        for index, raw in enumerate(tags):
            tag = raw.lower().replace(".", "_")
            column = values[index :: len(tags)]
            if items.setdefault(tag, column) != column:
                repeated.add(tag)
    return Block(block.name.strip(), items, frozenset(repeated))


def to_number(text: str) -> float | None:
    """A number of a CIF, with or without its uncertainty, or a fraction such as 1/3.

    Returns
    -------
    float or None
        None if the text is no finite number.

    Examples
    --------
    >>> to_number("5.640(2)"), to_number("1/4"), to_number("5,64")
    (5.64, 0.25, None)
    """
    value = gemmi.cif.as_number(text)
    if value == value and abs(value) != float("inf"):  # noqa: PLR0124  (not a number)
        return float(value)
    try:
        return float(Fraction(text)) if "/" in text else None
    except (ValueError, ZeroDivisionError):
        return None

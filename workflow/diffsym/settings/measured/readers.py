"""Formats of measured patterns: how a file is recognised, and which module reads it."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Format:
    """A format of files.

    Attributes
    ----------
    name
        What sentences call it.
    suffixes
        Of the names of its files, in small letters, without that of a packed file.
    signature
        Regular expression that its content has; a dot is any byte, letters of both sizes are equal.
    module
        With the function `read(content)`; empty for a format that is refused.
    refusal
        Why it is refused, and what to do.
    elsewhere
        Whether files with other suffixes can have it.
    many
        Whether a file may hold several scans, so that `read(content, scan)` reads the one that is
        wanted.
    """

    name: str
    suffixes: tuple[str, ...]
    signature: bytes
    module: str = ""
    refusal: str = ""
    elsewhere: bool = True
    many: bool = False

    def fits(self, suffix: str, content: bytes) -> bool:
        """Whether a file of a suffix and a content has this format."""
        return (self.elsewhere or suffix in self.suffixes) and bool(
            re.search(self.signature, content, re.DOTALL | re.IGNORECASE)
        )


PACKED = (".gz", ".bz2")
ROOM = "diffsym.experimental.readers"
LINE = rb"(?:\A|[\r\n])[ \t]*"
NUMBER = rb"[ \t]*[+-]?\d+(?:\.\d*)?(?:e[+-]?\d+)?"
# What stands between the telling part of a text and its end, and how much of it may matter.
DIGITS = b"0123456789+-.eE,; \t\r\n"
TELLING_LINES, MARGIN = 8, 4000

# The first that fits is taken, and text fits all.
FORMATS = (
    Format(
        "NeXus or HDF5",
        (".h5", ".hdf5", ".nxs"),
        rb"\A\x89HDF",
        f"{ROOM}.hdf5",
        many=True,
    ),
    Format("pair distribution function", (".gr",), rb"", f"{ROOM}.pdf", elsewhere=False),
    Format(
        "pair distribution function",
        (".gr",),
        rb"(?:\A|[\r\n])[#'\"]?[ \t]*(?:L[ \t]+)?r(?:[ \t]*[(\[][^\r\n)\]]{0,9}[)\]])?"
        rb"[ \t,;]+G[ \t]*[(\[]|\A#?[^\r\n]*PDFget|(?:\A|[\r\n])\[PDF\]",
        f"{ROOM}.pdf",
    ),
    Format(
        "pair distribution function",
        (".dat",),
        # r, G, 0, 1 and the error of G, as PDFgui reads them.
        rb"\A(?:(?:" + NUMBER + rb"(?=\s)){2}[ \t]+0\.0+[ \t]+1\.0+(?=\s)" + NUMBER + rb"\s+){3}",
        f"{ROOM}.pdf",
    ),
    Format(
        "XDI",
        (".xdi",),
        rb"\A#\s*XDI/",
        refusal="this is an X-ray absorption spectrum (XDI), no powder pattern",
    ),
    Format(
        "Gudrun",
        (".mint01",),
        rb"\A#\s*\S+\.(?:mint|mdcs|mdor|dcs)\d\d\b",
        refusal="this is total scattering of neutrons (Gudrun), no powder pattern of X-rays",
    ),
    Format(
        "Philips binary file",
        (".rd", ".sd", ".rw1"),
        rb"\A(?:V\dRAW|..Exported by X'Pert)",
        refusal="this is a binary file of Philips, which is not read; export it as .xrdml, .udf or "
        "text",
    ),
    Format(
        "XRDML",
        (".xrdml",),
        rb"\A[^\0]{0,4000}<(?:\w+:)?xrdMeasurements\b",
        f"{ROOM}.xrdml",
        many=True,
    ),
    Format("BRML", (".brml",), rb"\APK\x03\x04.*RawData\d+\.xml", f"{ROOM}.brml", many=True),
    Format("RASX", (".rasx",), rb"\APK\x03\x04.*Data\d+/Profile", f"{ROOM}.rasx", many=True),
    Format(
        "zip archive",
        (),
        rb"\APK\x03\x04",
        refusal="this is a zip archive without a pattern of Bruker (.brml) or Rigaku (.rasx), such "
        "as a spreadsheet or a damaged file; copy it anew, or export it as text of two columns",
    ),
    Format(
        "Bruker RAW",
        (".raw",),
        rb"\A(?:RAW .{3}\0|RAW1\.01|RAW2|RAW4\.)",
        f"{ROOM}.bruker_raw",
        many=True,
    ),
    Format("STOE RAW", (".raw",), rb"\ARAW_\d", f"{ROOM}.stoe"),
    Format("Rigaku RAW", (".raw",), rb"\AFI\0\0", f"{ROOM}.rigaku_raw"),
    Format("RAS", (".ras",), rb"\A\s*\*RAS_DATA_START", f"{ROOM}.ras", many=True),
    Format(
        "UXD",
        (".uxd",),
        rb"(?:\A|[\r\n])_(?:FILEVERSION|2THETA\w*|STEPSIZE|COUNTS|CPS)\b",
        f"{ROOM}.uxd",
        many=True,
    ),
    Format("UDF", (".udf",), LINE + rb"(?:SampleIdent|DataAngleRange)\s*,", f"{ROOM}.udf"),
    Format(
        "Rigaku ASC", (".asc",), rb"(?:\A|[\r\n])\*CLASS[ \t]*=", f"{ROOM}.rigaku_asc", many=True
    ),
    Format(
        "powder CIF",
        (".cif",),
        rb"\A(?:\xef\xbb\xbf)?(?:[ \t]*(?:#[^\r\n]*)?[\r\n])*[ \t]*data_\S",
        f"{ROOM}.pdcif",
        many=True,
    ),
    Format(
        "GSAS",
        (".gsa", ".gsas", ".gss", ".gda", ".fxye", ".xra", ".raw"),
        LINE + rb"(?:BANK[ \t]+\d+[ \t]+\d+|TIME_MAP[ \t]+\d)",
        f"{ROOM}.gsas",
        many=True,
    ),
    Format(
        "blocks of counts",
        (".dat",),
        # No fourth number stands alone in the first line.
        rb"\A(?:[^\r\n]*[\r\n]+){0,3}?(?:"
        + NUMBER
        + rb"(?=\s)){3}(?![ \t]+[\d.]+[ \t]*(?:[\r\n]|[ \t][\d.]))[^\r\n]*[\r\n]+(?:"
        + NUMBER
        + rb"(?=\s)){6}",
        f"{ROOM}.blocks",
    ),
    Format("ASCII RAW", (".raw",), rb"\A\.RAW[ \t]*[\r\n]", f"{ROOM}.ascii_raw"),
    Format(
        "Maud",
        (".dat",),
        rb"\A[^\r\n]*[\r\n]+[ \t]*\d+(?:[ \t]+[\d.]+){3,4}[ \t]*[\r\n]+[ \t]*[\d.]+[ \t]*[\r\n]",
        f"{ROOM}.maud",
    ),
    Format(
        "Fit2D",
        (".chi",),
        rb"\A(?:[^\r\n]*(?:\r\n|\n|\r)){3}[ \t]*\d+[ \t]*[\r\n]",
        f"{ROOM}.chi",
        elsewhere=False,
    ),
    Format(
        "DASH",
        (".xye",),
        rb"\A\s*\d+\.\d+[ \t]*[\r\n]+" + NUMBER + rb"[ \t,;]+[\d+-]",
        f"{ROOM}.dash",
        elsewhere=False,
    ),
    Format(
        "text",
        (".xy", ".xye", ".txt", ".dat", ".csv", ".asc", ".prn", ".chi"),
        rb"",
        f"{ROOM}.text",
    ),
)

# Suffixes of the files of a folder that are patterns.
SUFFIXES = tuple(sorted({suffix for form in FORMATS for suffix in form.suffixes}))
MODULES = tuple(sorted({form.module for form in FORMATS if form.module}))


def pattern_suffix(name: str) -> str:
    """Suffix of a file's name, in small letters, without that of packing."""
    plain = name.lower()
    for packed in PACKED:
        plain = plain.removesuffix(packed)
    _, point, suffix = plain.rpartition(".")
    return point + suffix if point else ""


def format_of(name: str, content: bytes) -> Format:
    """Format of a file, by its unpacked content; the name only narrows the choice."""
    suffix, head = pattern_suffix(name), telling(content)
    return next(form for form in FORMATS if form.fits(suffix, head))


def telling(content: bytes) -> bytes:
    """The part of a content that decides on its format: all but the numbers at its end.

    No signature is of numbers alone, but for those of the first lines, so that long tables need not
    be searched.
    """
    end = len(content.rstrip(DIGITS))
    for _ in range(TELLING_LINES):
        end = content.find(b"\n", end) + 1
        if not end:
            return content
    return content[: end + MARGIN]

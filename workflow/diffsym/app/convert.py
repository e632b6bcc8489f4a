"""`diffsym convert`: a file of an instrument as text of two columns, with what is known of it."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from diffsym.app.outcome import ALL_ANSWERED
from diffsym.app.reading import ReadingOptions, add_told, contradiction, plain
from diffsym.errors import DiffsymError
from diffsym.experimental.readers import read_measured
from diffsym.experimental.readers.assembly import listed, scan_told
from diffsym.experimental.readers.base import MeasuredPattern, MeasuredPdf, Unreadable
from diffsym.experimental.readers.remarks import OURS, spectrum
from diffsym.files import readable, write_text
from diffsym.scattering.types import Floats


def add_options(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("file", type=Path, metavar="FILE", help="in any format that is read")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="OUT",
        help="the file to write, whole or not at all (default: standard output)",
    )
    parser.add_argument("--list", action="store_true", help="only list the scans of the file")
    add_told(parser)


def run(options: argparse.Namespace) -> int:
    """Convert a file; the exit code."""
    text = converted(options.file, ReadingOptions.of(options), only_list=options.list)
    if options.output is None:
        sys.stdout.write(text)
        return ALL_ANSWERED
    if options.output.exists() and options.output.samefile(options.file):
        raise DiffsymError(f"{options.output}: this is the file itself; give another name with -o")
    try:
        write_text(options.output, text)
    except OSError as error:
        raise DiffsymError(f"{options.output}: cannot be written ({error.strerror})") from None
    return ALL_ANSWERED


def converted(file: Path, options: ReadingOptions, *, only_list: bool = False) -> str:
    """A file as text.

    Parameters
    ----------
    file
        In a format of `diffsym.experimental.readers`.
    options
        What the user says of it.
    only_list
        The names of its scans alone.

    Raises
    ------
    DiffsymError
        If it cannot be read; the sentence names the file.
    """
    wavelength = None if options.radiation is None else plain(options.radiation)
    pattern = read_measured(file, wavelength, scan=options.scan, unit=options.unit)
    if isinstance(pattern, Unreadable):
        raise DiffsymError(f"{file}: {pattern.reason}")
    if isinstance(pattern, MeasuredPdf):
        if wavelength or options.unit:
            raise DiffsymError(f"{file}: this is {pattern.told}; leave out --wavelength and --unit")
        return "one scan\n" if only_list else distances_as_columns(file.name, pattern)
    if only_list:
        return f"{listed(pattern.scans)}\n"
    if options.radiation is not None:
        told = contradiction(options.radiation, pattern.wavelength)
        pattern = replace(pattern, wavelength=wavelength, repairs=pattern.repairs + told)
    return as_columns(file.name, pattern)


def as_columns(name: str, pattern: MeasuredPattern) -> str:
    """A pattern as text, which `diffsym.experimental.readers.text` reads back as it is.

    Parameters
    ----------
    name
        Of its file.
    pattern
        As `read_pattern` gives it.
    """
    remarks = [f"{OURS} source: {one_line(readable(name))}"]
    remarks += [f"{OURS} scan: {told}" for told in scan_told(pattern.scans, pattern.scan)]
    remarks += [f"{OURS} repair: {one_line(repair)}" for repair in pattern.repairs]
    if pattern.anode:
        remarks.append(f"# Anode: {one_line(pattern.anode)}")
    if pattern.wavelength is None:
        remarks.append(f"{OURS} remark: the wavelength is unknown")
    else:
        remarks.append(f"# {spectrum(pattern.wavelength)}")
    if pattern.axis is None:
        remarks.append(f"{OURS} remark: nobody says the first column's unit; it is as in the file")
    else:
        remarks.append("# 2theta (degrees), intensity")
    return columns(remarks, pattern.two_theta, pattern.intensity)


def distances_as_columns(name: str, pdf: MeasuredPdf) -> str:
    """A pair distribution function as text, which `diffsym.experimental.readers.pdf` reads back.

    Parameters
    ----------
    name
        Of its file.
    pdf
        As `read_pdf` gives it.
    """
    remarks = [f"{OURS} source: {one_line(readable(name))}"]
    remarks += [f"{OURS} repair: {one_line(repair)}" for repair in pdf.repairs]
    if pdf.program:
        remarks.append(f"# by {pdf.program}")
    if pdf.radiation:
        remarks.append(f"# mode = {'xray' if pdf.radiation == 'X' else 'neutron'}")
    limits = {"qmax": pdf.q_max, "qmin": pdf.q_min, "qdamp": pdf.q_damp}
    remarks += [f"# {key} = {value!r}" for key, value in limits.items() if value is not None]
    return columns([*remarks, "#L r(A) G(A^-2)"], pdf.r, pdf.G)


def columns(remarks: list[str], x: Floats, y: Floats) -> str:
    """Remarks, and two columns of numbers that are read back to the last digit."""
    rows = (f"{number(a)} {number(b)}" for a, b in zip(x.tolist(), y.tolist(), strict=True))
    return "\n".join([*remarks, *rows, ""])


def number(value: float) -> str:
    """A number in as few letters as it can be read back from; whole ones without a point.

    >>> number(10.05), number(93.0)
    ('10.05', '93')
    """
    return repr(value).removesuffix(".0")


def one_line(text: str) -> str:
    """A text that cannot end its line."""
    return "".join(letter if letter.isprintable() else " " for letter in text)

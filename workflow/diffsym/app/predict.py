"""`diffsym predict`: the likely space groups of measured patterns, how sure, and why."""

import argparse
import sys
from pathlib import Path

import pyarrow.parquet as pq
from tqdm import tqdm

from diffsym.app.answers import (
    FileAnswer,
    answer_file,
    as_text,
    csv_rows,
    json_line,
    table_of,
)
from diffsym.app.document import page_of
from diffsym.app.evidence import add_evidence, evidence_of
from diffsym.app.outcome import check_output, exit_code, positive
from diffsym.app.reading import ReadingOptions, add_reading, files_at
from diffsym.errors import DiffsymError
from diffsym.files import atomic_path, readable, write_text

FEW_FILES = 3
"""Up to so many files need no sign of progress."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    add_reading(parser)
    add_evidence(parser)
    parser.add_argument("--top", type=positive, default=6, metavar="N", help="groups, structures")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="one object a file and line")
    form.add_argument("--csv", action="store_true", help="one row a file")
    form.add_argument("--html", type=Path, metavar="OUT", help="a page with pictures")
    form.add_argument("--parquet", type=Path, metavar="OUT", help="a table of one row a file")


def run(options: argparse.Namespace) -> int:
    """Answer all files; the exit code."""
    reading = ReadingOptions.of(options)
    for output in filter(None, (options.html, options.parquet)):
        check_output(output)
    evidence = evidence_of(options)
    files = files_at(options.files)
    answers: list[FileAnswer] = []
    for file in tqdm(
        files, unit="file", disable=len(files) <= FEW_FILES or not sys.stderr.isatty()
    ):
        try:
            found = answer_file(file, evidence, reading, options.top)
        except DiffsymError as error:
            print(f"{readable(str(file))}: {error}", file=sys.stderr)
            found = FileAnswer(file, error=str(error))
        answers.append(found)
        if found.answer is not None and not (options.csv or options.html or options.parquet):
            print(json_line(found) if options.json else as_text(found))
    if options.csv:
        print(csv_rows(answers), end="")
    elif options.parquet:
        with atomic_path(options.parquet) as temporary:
            pq.write_table(table_of(answers), temporary)
    elif options.html:
        write_text(options.html, page_of(answers, evidence.known))
    return exit_code(sum(one.answer is not None for one in answers), len(files))

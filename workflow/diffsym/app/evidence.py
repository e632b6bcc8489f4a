"""With what patterns are answered: options of commands."""

import argparse
from pathlib import Path

from diffsym.identification.answer import Evidence
from diffsym.identification.elements import elements_of
from diffsym.identification.evidence import evidence_at


def add_evidence(parser: argparse.ArgumentParser) -> None:
    """Add the pack or study that is asked, and what is known of the sample."""
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        "--pack",
        type=Path,
        metavar="FILE",
        help="structures and networks that are asked (default: results/packs/default.zip, or the "
        "one of the installation)",
    )
    source.add_argument(
        "--study", type=Path, metavar="FOLDER", help="results of a study to search instead"
    )
    parser.add_argument(
        "--elements",
        metavar="E,E,...",
        help="that the sample may hold: structures of others are left out",
    )


def evidence_of(options: argparse.Namespace) -> Evidence:
    """From the command line; DiffsymError if there is none."""
    evidence = evidence_at(options.pack or options.study)
    if options.elements:
        return evidence.of_elements(elements_of(options.elements))
    return evidence

"""With what patterns are answered: options of commands."""

import argparse
from pathlib import Path

from diffsym.identification.answer import Evidence
from diffsym.identification.evidence import USUAL, elements_of, evidence_at


def add_evidence(parser: argparse.ArgumentParser) -> None:
    """Add the study whose structures and networks are asked, and what is known of the sample."""
    parser.add_argument(
        "--study",
        type=Path,
        metavar="FOLDER",
        help=f"results of a study, whose structures are searched (default: {USUAL})",
    )
    parser.add_argument(
        "--elements",
        metavar="E,E,...",
        help="that the sample may hold: structures of others are left out",
    )


def evidence_of(options: argparse.Namespace) -> Evidence:
    """From the command line; DiffsymError if there is none."""
    evidence = evidence_at(options.study)
    if options.elements:
        return evidence.of_elements(elements_of(options.elements))
    return evidence

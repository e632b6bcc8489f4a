"""`diffsym packs`: what is in packs."""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from diffsym.app.outcome import exit_code, printable
from diffsym.errors import DiffsymError
from diffsym.identification.bundled import BUNDLED
from diffsym.identification.card import Card, EnsembleCard, Score
from diffsym.identification.pack import read_card
from diffsym.settings import values_of
from diffsym.study.layout import Layout


def add_options(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument(
        "files",
        nargs="*",
        type=Path,
        metavar="FILE",
        help="tell all of it; a folder: a few lines of each pack in it (default: those of a study, "
        "and those of the installation)",
    )
    parser.add_argument("--json", action="store_true", help="one card a line")


def run(options: argparse.Namespace) -> int:
    """Tell what is in packs; the exit code."""
    given = options.files or [Path(Layout().pack("any")).parent, BUNDLED]
    packs = [(pack, path) for path in given for pack in packs_at(path)]
    if not packs:
        raise DiffsymError(
            f"{given[0]}: no packs; run 'snakemake --cores all packs' where a study is, or name one"
        )
    told = 0
    for pack, path in packs:
        try:
            card = read_card(pack)
        except DiffsymError as error:
            print(error, file=sys.stderr)
            continue
        told += 1
        if options.json:
            print(json_line(pack, card))
        else:
            told_of = [f"{pack}: {headline(card)}", *lines(card, whole=pack == path)]
            print("\n".join(map(printable, told_of)))
    return exit_code(told, len(packs))


def packs_at(path: Path) -> list[Path]:
    """A pack itself, or those in a folder."""
    if not path.exists() and path == Path(Layout().pack("any")).parent:
        return []
    return sorted(path.glob("*.zip")) if path.is_dir() else [path]


def json_line(path: Path, card: Card) -> str:
    """The card as one line of JSON."""
    return json.dumps({"file": str(path), **asdict(card)}, ensure_ascii=False)


def headline(card: Card) -> str:
    """Name and origin of a pack."""
    return f"{card.name}, made by diffsym {card.diffsym}"


def lines(card: Card, *, whole: bool) -> Iterator[str]:
    """What is in a pack, in a few lines or all of it."""
    if card.search:
        yield f"  search among {card.search.structures} structures, {card.search.lines} lines"
    for ensemble in card.ensembles:
        yield f"  {ensemble.experiment}: {networks(ensemble)}; test {accuracy(ensemble.test)}"
        if whole:
            yield from details(ensemble)
    if whole:
        yield f"  probabilities calibrated: {'yes' if card.calibrated else 'no'}"
    for name, source in card.sources.items():
        yield f"  {name}: {source.structures} structures, {source.version}; {source.licence}"
        if whole:
            yield from (f"    {text}" for text in (source.description, source.citation) if text)
    if whole:
        for name, file in card.files.items():
            yield f"  {name}: {file.size} bytes, sha256 {file.sha256}"


def networks(ensemble: EnsembleCard) -> str:
    """Number and kind of the networks."""
    count = len(ensemble.seeds)
    target = "crystal systems of " if ensemble.target == "crystal_system" else ""
    return (
        f"{count} network{'s' if count > 1 else ''} ({ensemble.model}) for {target}"
        f"{len(ensemble.classes)} space groups on {ensemble.descriptor.kind} descriptors"
    )


def accuracy(score: Score) -> str:
    """How often the first answer is right, next to the baseline."""
    own, base = score.accuracy, score.baseline
    return (
        f"{own.value:.1%} [{own.low:.1%}, {own.high:.1%}] of {score.n}, by label frequency "
        f"{base.value:.1%} [{base.low:.1%}, {base.high:.1%}]"
    )


def details(ensemble: EnsembleCard) -> Iterator[str]:
    """What else is to be known of networks."""
    known = zip(ensemble.classes, ensemble.training_counts, strict=True)
    yield f"    validation {accuracy(ensemble.validation)}"
    yield f"    split {ensemble.split}, seeds {', '.join(map(str, ensemble.seeds))}"
    yield "    space groups (training structures): " + ", ".join(
        f"{group} ({count})" for group, count in known
    )
    settings = values_of(ensemble.descriptor)
    yield "    descriptor: " + ", ".join(
        f"{key} {value}" for key, value in settings.items() if not isinstance(value, dict)
    )

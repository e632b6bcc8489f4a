"""Damaged files read in a process of its own, with limited time and memory."""

import multiprocessing
import re
import resource
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path

import gemmi
from structure_campaign.damage import damage
from structure_campaign.opinions import opinions
from structure_campaign.reading import described

from diffsym.structures.entries import Entry, EntryError, Rejection, RejectionCode
from diffsym.structures.readers.cif import read_cif

SECONDS = 30
"""A damaged file that takes longer hangs."""

MEGABYTES = 500
"""Memory that reading may take beyond that of the loaded libraries."""


def has_atoms(block: gemmi.cif.Block) -> bool:
    """Whether our reader takes a block for a structure."""
    tags = ("label", "fract_x", "fract_y", "fract_z")
    return any(len(block.find_values(f"_atom_site_{tag}")) for tag in tags)


def atom_blocks(text: str) -> list[gemmi.cif.Block | None]:
    """Blocks with atoms; None in place of one that gemmi cannot read beside others."""
    try:
        return [block for block in gemmi.cif.read_string(text, 0) if has_atoms(block)]
    except (ValueError, RuntimeError):
        found = re.split(r"(?im)^(?=[ \t]*data_)", text)
        pieces = [piece for piece in found if piece.strip()]
    if len(pieces) < 2:
        return [None]
    return [block for piece in pieces for block in atom_blocks(f"{piece}\n")]


def judge(text: str) -> list[str]:
    """What becomes of each structure of a damaged text: a code, or who agrees with us."""
    try:
        items = read_cif(text.encode(), "damaged.cif", "")
    except EntryError as error:
        return [f"refused: {error.code}"]
    rows = [described(item) for item in items]
    if all(isinstance(row, Rejection) for row in rows):
        return [f"refused: {row.code}" for row in rows if isinstance(row, Rejection)]
    blocks = atom_blocks(text)
    if len(blocks) != len(items):
        return ["accepted: other blocks"]
    found = []
    for item, row, block in zip(items, rows, blocks, strict=True):
        if isinstance(row, Rejection):
            found.append(f"refused: {row.code}")
            continue
        assert isinstance(item, Entry)
        found.append(f"accepted: {opinions(item, row, text, block, alone=len(items) == 1)}")
    return found


def peak_megabytes() -> float:
    """Largest resident size of this process so far; `getrusage` would count its parent's."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def work(connection: Connection, example: str) -> None:
    """Judge texts that come through a connection, with limited memory."""
    judge(example)  # loads what is loaded on first use
    start = peak_megabytes()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    limit = pages * resource.getpagesize() + MEGABYTES * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    connection.send("ready")
    while True:
        text = connection.recv()
        try:
            outcome = judge(text)
        except Exception as error:  # noqa: BLE001  (what must not happen is counted)
            outcome = [f"FAILED: {type(error).__name__} ({error})"]
        connection.send((outcome, peak_megabytes() - start))


class Worker:
    """A process that judges texts, started anew after it hangs or dies."""

    def __init__(self, example: str) -> None:
        self.example = example
        self.start()

    def start(self) -> None:
        """Start the process and wait until it is ready."""
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=work, args=(theirs, self.example), daemon=True)
        self.process.start()
        theirs.close()
        self.connection.recv()

    def stop(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.join()

    def judge(self, text: str) -> tuple[list[str], float]:
        """What becomes of a text, and the largest memory so far in MB."""
        try:
            self.connection.send(text)
            if self.connection.poll(SECONDS):
                outcome: tuple[list[str], float] = self.connection.recv()
                return outcome
            found = "FAILED: hangs"
        except (EOFError, OSError):
            found = "FAILED: crashes"
        self.stop()
        self.start()
        return [found], 0.0


def judge_damaged(
    texts: Sequence[str], numbers: Iterable[int], seed: int, keep: Path | None
) -> tuple[Counter[str], float, float]:
    """Outcomes of damaged files, the largest memory in MB and the longest time in seconds."""
    worker = Worker(texts[0])
    outcomes: Counter[str] = Counter()
    memory = longest = 0.0
    for number in numbers:
        name, text = damage(texts, number, seed)
        started = time.perf_counter()
        found, used = worker.judge(text)
        longest = max(longest, time.perf_counter() - started)
        memory = max(memory, used)
        outcomes.update(found)
        odd = [what for what in found if is_odd(what)]
        if keep and odd:
            note = f"# {name}\n" + "".join(f"# {what}\n" for what in odd)
            (keep / f"{number:06d}.cif").write_text(note + text, encoding="utf-8", newline="")
    worker.stop()
    return outcomes, memory, longest


def is_odd(outcome: str) -> bool:
    """Whether a person should look at a file with this outcome."""
    return ("accepted" in outcome and "both" not in outcome) or is_failure(outcome)


def is_alone(outcome: str) -> bool:
    """Whether neither gemmi nor pymatgen reads an accepted structure as we do."""
    return outcome.startswith("accepted") and "gemmi" in outcome and "pymatgen" in outcome


def is_failure(outcome: str) -> bool:
    """Whether an outcome must not happen."""
    return outcome.startswith("FAILED") or outcome.endswith(RejectionCode.UNEXPECTED)

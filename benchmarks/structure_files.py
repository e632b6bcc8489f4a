"""Structure files written, read back and damaged: what comes back, and how fast.

Every setting of the 230 space groups, and structures of the AMCSD, go through CIF by several
writers and have to come back as the same structure with the same label. ASE writes only where it
is installed. The files are then damaged; whatever is still accepted has to be what gemmi or
pymatgen, asked apart, read in the damaged file. A process of its own reads the damaged files, with
limited time and memory. Full campaign: `--structures 1000 --mutations 20000`.
"""

import argparse
import os
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

# Before NumPy is loaded, which reads it.
os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")

import gemmi
import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Lattice
from pymatgen.io.cif import CifParser
from structure_campaign.opinions import SAME_VOLUME
from structure_campaign.reading import described, read_one
from structure_campaign.worker import is_alone, is_failure, judge_damaged
from structure_campaign.writers import Written, list_operations, our_cif, parameters, writers

from diffsym.files import write_json
from diffsym.settings.sources.amcsd import Amcsd
from diffsym.structures.entries import Entry, Mixture, Rejection, index_mixtures
from diffsym.structures.operations import SymmetryOperations, wrap
from diffsym.structures.readers.verdict import same_structure
from diffsym.structures.sources.amcsd import WHEEL, AmcsdSource
from diffsym.structures.sources.amcsd import open_source as open_amcsd

LARGEST_DAMAGED = 60
"""Sites of the structures whose files are damaged; small ones, to damage many."""


def compare(written: Written, text: str, *, other_cell: bool) -> str:
    """How a structure came back: 'same', or what is wrong."""
    item = read_one(text)
    row = described(item)
    if isinstance(row, Rejection):
        return f"refused: {row.code}"
    if row["space_group"] != written.row["space_group"]:
        return "another label"
    assert isinstance(item, Entry)
    if other_cell:
        names = ("formula", "structure_type")
        alike = all(row[name] == written.row[name] for name in names) and np.isclose(
            row["primitive_volume"], written.row["primitive_volume"], rtol=SAME_VOLUME
        )
    else:
        alike = np.allclose(
            parameters(item.lattice), parameters(written.entry.lattice), rtol=1e-6
        ) and same_structure(item, written.entry)
    return "same" if alike else "another structure"


def general_cell(group: gemmi.GroupOps, volume: float) -> NDArray[np.float64]:
    """A cell (rows, A) with no more symmetry than a group has."""
    tensor = np.array([[1.0, 0.11, 0.07], [0.11, 1.17, -0.13], [0.07, -0.13, 1.36]])
    rotations = np.array([operation.rot for operation in group]) / gemmi.Op.DEN
    metric = np.einsum("nki,kl,nlj->ij", rotations, tensor, rotations) / len(rotations)
    lattice = np.linalg.cholesky(metric)
    lattice *= (volume / np.linalg.det(lattice)) ** (1 / 3)
    return np.array(Lattice.from_parameters(*parameters(lattice)).matrix)


def general_structure(setting: gemmi.SpaceGroup) -> Written:
    """Three kinds of atoms in general positions of a setting, at possible distances."""
    group = setting.operations()
    count = len(list(group))
    lattice = general_cell(group, 60.0 * count)
    generator = np.random.default_rng(setting.number)
    for _ in range(1000):
        points = generator.random((3, 3)).round(4).tolist()
        places = [operation.apply_to_xyz(point) for point in points for operation in group]
        mixtures: list[Mixture] = [((number, 1.0),) for number in (20, 22, 8) for _ in range(count)]
        entry = Entry("general", lattice, wrap(np.array(places)), *index_mixtures(mixtures))
        row = described(entry)
        if not isinstance(row, Rejection):
            return Written(entry, group, row)
    raise AssertionError(f"no atoms found for {setting.xhm()}")


def settings_read_back() -> dict[str, Counter[str]]:
    """What comes back of all settings of the Hall table, by what states the symmetry."""
    found: dict[str, Counter[str]] = {
        name: Counter() for name in ("operations", "Hall symbol", "symbol, setting")
    }
    for setting in gemmi.spacegroup_table_itb():
        written = general_structure(setting)
        statements = {
            "operations": list_operations(written.group),
            "Hall symbol": [f"_space_group_name_Hall '{setting.hall}'"],
            "symbol, setting": [f"_space_group_name_H-M_alt '{setting.xhm()}'"],
        }
        for name, symmetry in statements.items():
            outcome = compare(
                written, our_cif(written.entry, written.group, symmetry), other_cell=False
            )
            right = written.row["space_group"] == setting.number
            found[name][outcome if right else "label of the setting not found"] += 1
    return found


def drawn_structures(source: AmcsdSource, number: int, seed: int) -> Iterator[Written]:
    """Random structures of the database that pass all checks."""
    identifiers = np.random.default_rng(seed).permutation(source.identifiers())
    query = "SELECT spacegroup_id FROM cif WHERE id = ?"
    for identifier in identifiers:
        if not number:
            return
        (item,) = source.read([str(identifier)])
        row = described(item)
        if isinstance(row, Rejection) or isinstance(item, Rejection):
            continue
        (space_group,) = source.database.execute(query, (int(identifier),)).fetchone()
        number -= 1
        yield Written(item, gemmi_group(source.operations[space_group]), row)


def gemmi_group(operations: SymmetryOperations) -> gemmi.GroupOps:
    """Operations as gemmi's object."""
    found = []
    for rotation, vector in zip(operations.rotations, operations.translations, strict=True):
        operation = gemmi.Op("x,y,z")
        operation.rot = np.rint(rotation * gemmi.Op.DEN).astype(int).tolist()
        operation.tran = np.rint(vector * gemmi.Op.DEN).astype(int).tolist()
        found.append(operation)
    return gemmi.GroupOps(found)


def pymatgen_reads(text: str) -> None:
    """Read a text with pymatgen alone, as was done before, if it can."""
    with warnings.catch_warnings(), suppress(ValueError):
        warnings.simplefilter("ignore")
        CifParser.from_str(text).parse_structures(primitive=False, check_occu=False)


def speeds(texts: Sequence[str]) -> dict[str, float]:
    """Structures a second of both readers, in the same run."""
    readers: dict[str, Callable[[str], Any]] = {"ours": read_one, "pymatgen": pymatgen_reads}
    found = {}
    for name, read in readers.items():
        started = time.process_time()
        for text in texts:
            read(text)
        found[name] = len(texts) / (time.process_time() - started)
    return found


def print_counts(title: str, counts: dict[str, Counter[str]]) -> None:
    """Print outcomes, the most frequent first."""
    print(f"\n{title}")
    for name, outcomes in counts.items():
        listed = ", ".join(f"{what} {count}" for what, count in outcomes.most_common())
        print(f"  {name:20s} {listed}")


def read_back(
    structures: Iterable[Written], keep: Path | None
) -> tuple[dict[str, Counter[str]], list[str], list[str]]:
    """What comes back of structures by writer; all texts, and those of small structures."""
    outcomes: dict[str, Counter[str]] = {name: Counter() for name in writers()}
    texts, small = [], []
    for written in structures:
        for name, write in writers().items():
            text = write(written)
            if text is None:
                outcomes[name]["not written"] += 1
                continue
            outcome = compare(written, text, other_cell=name == "pymatgen, symmetry")
            outcomes[name][outcome] += 1
            texts.append(text)
            if len(written.entry.frac_coords) <= LARGEST_DAMAGED:
                small.append(text)
            if keep and outcome != "same":
                file = keep / f"{written.entry.entry_id}, {name}.cif"
                file.write_text(f"# {outcome}\n{text}", encoding="utf-8")
    return outcomes, texts, small


def main() -> None:
    """Print the counts and the speeds, and write the numbers as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wheel", type=Path, default=Path("data/downloads") / WHEEL)
    parser.add_argument("--structures", type=int, default=100, help="structures of the AMCSD")
    parser.add_argument("--mutations", type=int, default=1000, help="damaged files")
    parser.add_argument("--first", type=int, default=0, help="number of the first damaged file")
    parser.add_argument("--cifs", type=Path, help="folder of more files to damage")
    parser.add_argument("--keep", type=Path, help="folder for damaged files to be looked at")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default="results/benchmarks/structure_files.json")
    arguments = parser.parse_args()

    warnings.filterwarnings("ignore", message="No Pauling electronegativity")  # by pymatgen
    settings = settings_read_back()
    print_counts("All settings of the 230 space groups, by what states the symmetry", settings)

    source = open_amcsd("amcsd", Amcsd(kind="amcsd"), arguments.wheel)
    drawn = drawn_structures(source, arguments.structures, arguments.seed)
    structures, texts, small = read_back(drawn, arguments.keep)
    print_counts("Structures of the AMCSD, by writer", structures)

    rates = speeds(texts)
    print(f"\n{len(texts)} files, structures a second: ours {rates['ours']:.1f}, ", end="")
    print(f"pymatgen {rates['pymatgen']:.1f}, ratio {rates['ours'] / rates['pymatgen']:.2f}")

    if arguments.cifs:
        files = sorted(arguments.cifs.rglob("*.cif"))
        small += [file.read_text(encoding="utf-8", errors="replace") for file in files]
    numbers = range(arguments.first, arguments.first + arguments.mutations)
    outcomes, memory, longest = judge_damaged(small, numbers, arguments.seed, arguments.keep)
    print(f"\n{arguments.mutations} damaged files, {outcomes.total()} structures")
    for what, count in outcomes.most_common():
        print(f"  {count:6d}  {what}")
    accepted = sum(count for what, count in outcomes.items() if what.startswith("accepted"))
    alone = sum(count for what, count in outcomes.items() if is_alone(what))
    print(f"{accepted} accepted, of which {alone} are as neither other reader reads them")
    print(f"at most {memory:.0f} MB and {longest:.1f} s for one")
    write_json(
        arguments.output,
        {
            "settings": settings,
            "structures": structures,
            "structures_per_second": rates,
            "damaged": {"files": arguments.mutations, "outcomes": outcomes},
            "megabytes": memory,
            "longest_seconds": longest,
        },
    )
    if any(map(is_failure, outcomes)):
        raise SystemExit("reading failed for some damaged files")


if __name__ == "__main__":
    main()

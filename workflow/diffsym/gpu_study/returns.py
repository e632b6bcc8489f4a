"""What comes back from the machine with the GPU, and how a later call goes on with it."""

import hashlib
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from diffsym.errors import DiffsymError
from diffsym.files import atomic_path, read_json, write_json
from diffsym.gpu_study.luggage import PLAN, RETURNED_BYTES
from diffsym.gpu_study.plan import Network, plain_experiment, read_plan

SUMMARY = "study.json"
LOGS = "logs.zip"
# Files of a network that come back, and bytes of its entries in an archive.
BUNDLED = ("weights.h5", "history.json", "result.json")
BUNDLE_SLACK = 2048


def fingerprint(luggage: Path) -> str:
    """Digest of the structures and settings of a luggage."""
    experiments, provenance = read_plan(luggage / PLAN)
    settings = [plain_experiment(experiment) for experiment in experiments.values()]
    content = json.dumps([list(experiments), settings, provenance["structures_sha256"]])
    return hashlib.sha256(content.encode()).hexdigest()


def claim(results: Path, luggage: Path) -> None:
    """Note which luggage the results are of; DiffsymError if they are of another one."""
    note = results / "luggage.json"
    if note.exists() and read_json(note)["sha256"] != fingerprint(luggage):
        raise DiffsymError(
            f"{results}: these results are of other structures or settings than {luggage}; "
            "remove the folder, or give another one as --results"
        )
    write_json(note, {"sha256": fingerprint(luggage)})


def adopt(returned: Path, results: Path, luggage: Path) -> None:
    """Take over what an earlier call on another machine has sent back.

    The summary alone tells which networks are done; their weights are needed for ensembles only.
    """
    if not (returned / SUMMARY).exists():
        return
    summary = read_json(returned / SUMMARY)
    if summary["luggage_sha256"] != fingerprint(luggage):
        raise DiffsymError(
            f"{returned / SUMMARY}: it is of other structures or settings than {luggage}; remove it"
        )
    for result in summary["networks"]:
        name = Network(result["experiment"], result["member"], 0).name
        write_json(results / "networks" / name / "result.json", result)
    for bundle in sorted(returned.glob("networks-*.zip")):
        with zipfile.ZipFile(bundle) as packed:
            for entry in packed.namelist():
                name, file = entry.split("/")
                with atomic_path(results / "networks" / name / file) as temporary:
                    temporary.write_bytes(packed.read(entry))


def bundles_of(folders: Sequence[Path]) -> list[list[Path]]:
    """Networks in their order, cut into bundles that are small enough to come back."""
    bundles: list[list[Path]] = []
    room = 0
    for folder in folders:
        size = sum(path.stat().st_size for path in _bundled(folder, BUNDLED)) + BUNDLE_SLACK
        if size > room:
            bundles.append([])
            room = RETURNED_BYTES
        bundles[-1].append(folder)
        room -= size
    return bundles


def write_bundle(path: Path, folders: Sequence[Path], patterns: Sequence[str] = BUNDLED) -> None:
    """Pack the files of some folders into one archive, those of each folder under its name."""
    with atomic_path(path) as temporary, zipfile.ZipFile(temporary, "w") as packed:
        for folder in folders:
            for file in _bundled(folder, patterns):
                # Weights are compressed already.
                kind = zipfile.ZIP_STORED if file.suffix == ".h5" else zipfile.ZIP_DEFLATED
                packed.write(file, f"{folder.name}/{file.name}", kind)


def _bundled(folder: Path, patterns: Sequence[str]) -> Iterator[Path]:
    for pattern in patterns:
        yield from sorted(folder.glob(pattern))


def send_back(
    output: Path, results: Path, summary: Mapping[str, Any], networks: Sequence[Path]
) -> list[str]:
    """Write the summary, the networks that are done, and the logs into the output.

    Returns
    -------
    list of str
        Names of files that are larger than what may come back.
    """
    write_json(results / SUMMARY, summary)
    write_json(output / SUMMARY, summary)
    names = [SUMMARY, LOGS]
    for number, folders in enumerate(bundles_of(networks), start=1):
        names.append(f"networks-{number}.zip")
        write_bundle(output / names[-1], folders)
    write_bundle(output / LOGS, [results], ["*.log"])
    return [name for name in names if (output / name).stat().st_size > RETURNED_BYTES]

"""Fill `docs/results.md` with the numbers of a study on a GPU.

    python -m diffsym.gpu_study.document data/gpu_study/study.json docs/results.md

What stands between two marks in the page is replaced; everything else of it stays.
"""

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from diffsym.errors import DiffsymError
from diffsym.files import read_json, write_text

BEGIN, END = "<!-- gpu-study: begin -->", "<!-- gpu-study: end -->"


def filled(page: str, section: str) -> str:
    """Return the page with another section between its marks."""
    if page.count(BEGIN) != 1 or page.count(END) != 1 or page.index(BEGIN) > page.index(END):
        raise DiffsymError(f"the page needs the marks {BEGIN} and {END}, once and in this order")
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{section.strip()}\n{END}{after}"


def section_of(study: Mapping[str, Any]) -> str:
    """Markdown of all numbers of a study."""
    provenance = study["provenance"]
    devices = ", ".join(f"{name} ({backend})" for backend, name in study["devices"].items())
    parts = [
        f"Device: {devices}; {study['cores']} cores. {study['spent']:.0f} s in all, of which "
        f"{study['waited_for_descriptors']:.0f} s went by until descriptors were ready. Code: "
        f"revision `{provenance['git_revision']}`; structures table: SHA-256 "
        f"`{provenance['structures_sha256'][:16]}`.",
        "Accuracy on the test part, which chooses nothing, in %, with 95 % bootstrap intervals "
        "over the groups of the split; weights in half precision. The label frequency always "
        "answers the most frequent groups of the training part.",
        table(
            [
                "network",
                "split",
                "groups",
                "trained on",
                "tested on",
                "epochs",
                "top 1",
                "top 6",
                "crystal system",
                "label frequency, top 1",
            ],
            [_accuracy_row(result) for result in study["networks"]]
            + [_ensemble_row(ensemble, study["networks"]) for ensemble in study["ensembles"]],
        ),
        "Speed: structures trained on per second; the same on one batch that is there already; the "
        "share of the time that the input costs; use and memory of the GPU by `nvidia-smi`, "
        "loading and evaluation included; memory is that of all processes.",
        table(
            [
                "network",
                "backend",
                "precision",
                "structures/s",
                "without input",
                "for input, %",
                "GPU busy, %",
                "GPU memory, MiB",
            ],
            [_speed_row(result) for result in study["networks"]],
        ),
        "Backends, structures per second without waiting for input:",
        table(["network", *_backends(study)], list(_rate_rows(study))),
        "Descriptors, computed by the cores while the GPU trains:",
        table(
            [
                "pass",
                "structures",
                "seconds",
                "structures/s",
                "processes",
                "kernels compiled after, s",
            ],
            [_pass_row(name, taken) for name, taken in study["descriptors"].items()],
        ),
    ]
    if study["failed"]:
        lines = [f"- `{name}`: {reason}" for name, reason in study["failed"].items()]
        parts += ["Not trained:", "\n".join(lines)]
    return "\n\n".join(parts)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def percent(score: Mapping[str, float]) -> str:
    """A share with its interval, in %."""
    value, low, high = (100 * score[key] for key in ("value", "low", "high"))
    return f"{value:.1f} [{low:.1f}, {high:.1f}]"


def _top(scores: Sequence[Mapping[str, float]], k: int) -> str:
    return percent(scores[k - 1]) if len(scores) >= k else "–"


def _accuracy_row(result: Mapping[str, Any]) -> list[str]:
    test = result["test"]
    return [
        f"`{result['experiment']}`, member {result['member']}",
        result["split"],
        str(result["n_classes"]),
        str(result["structures"]["train"]),
        str(test["n"]),
        str(result["epochs"]),
        _top(test["accuracy"], 1),
        _top(test["accuracy"], 6),
        percent(test["crystal_system"]["accuracy"]),
        _top(test["baseline"], 1),
    ]


def _ensemble_row(ensemble: Mapping[str, Any], networks: Sequence[Mapping[str, Any]]) -> list[str]:
    """Row of averaged networks: the first of them with the accuracies of their mean."""
    first = next(n for n in networks if n["experiment"] == ensemble["experiment"])
    row = _accuracy_row({**first, "test": ensemble["test"]})
    row[0] = f"`{ensemble['experiment']}`, mean of {ensemble['members']}"
    row[5] = "–"
    return row


def _number(value: float | None, digits: int = 0) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _speed_row(result: Mapping[str, Any]) -> list[str]:
    usage = result.get("gpu") or {}
    share = result["input_share"]
    return [
        f"`{result['experiment']}`, member {result['member']}",
        result["backend"],
        result["precision"],
        _number(result["structures_per_second"]),
        _number(result["structures_per_second_without_input"]),
        _number(None if share is None else 100 * share),
        _number(usage.get("utilisation_percent")),
        _number(usage.get("memory_mib")),
    ]


def _backends(study: Mapping[str, Any]) -> list[str]:
    return list(dict.fromkeys(name for rate in study["rates"] for name in rate["backends"]))


def _rate_rows(study: Mapping[str, Any]) -> Iterable[list[str]]:
    for rate in study["rates"]:
        answers = [rate["backends"].get(name, {}) for name in _backends(study)]
        yield [f"`{rate['experiment']}`", *(_number(answer.get("rate")) for answer in answers)]


def _pass_row(name: str, taken: Mapping[str, float]) -> list[str]:
    seconds = taken["seconds"]
    return [
        name,
        _number(taken["structures"]),
        _number(seconds, 1),
        _number(taken["structures"] / seconds if seconds else None),
        _number(taken["processes"]),
        _number(taken["compiled_after"], 1),
    ]


def main() -> None:
    """Fill the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("study", type=Path, help="study.json that came back")
    parser.add_argument("page", type=Path, help="page with the marks, such as docs/results.md")
    arguments = parser.parse_args()
    page = arguments.page.read_text(encoding="utf-8")
    write_text(arguments.page, filled(page, section_of(read_json(arguments.study))))


if __name__ == "__main__":
    try:
        main()
    except DiffsymError as error:
        sys.exit(str(error))

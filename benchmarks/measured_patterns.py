"""How often `diffsym predict` is right on measured patterns whose space groups are known.

    .venv/bin/python benchmarks/measured_patterns.py --patterns patterns.npz --wavelength CuKa

The patterns are a NumPy archive as of docs/measured.md. They are grouped by mineral and halved; the
calibration is fitted on one half and judged by the other. Beside the result stand the label
frequency, the result without any structure of the same mineral, and that on the patterns which
agree with the lines of some structure of their own label.
"""

import argparse
import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from scipy.sparse.csgraph import connected_components

from diffsym.errors import DiffsymError
from diffsym.identification.calibration import (
    GROUPS,
    Calibration,
    frequencies_of,
    sums_before,
)
from diffsym.identification.evidence import evidence_at
from diffsym.identification.fitting import Labelled, fit
from diffsym.identification.phases import Explained, explained
from diffsym.identification.search import compared, prepare, search
from diffsym.identification.wavelengths import radiation_of
from diffsym.scattering.types import Booleans, Floats, Integers, Reals
from diffsym.structures.space_groups import LAST_NUMBERS, mirror_image

# Patterns of one mineral, and a structure that is the pattern's own phase.
SAME_PATTERN, OWN_PHASE = 0.75, 0.5
RESAMPLES = 2000


def main() -> None:
    """Print the tables."""
    options = parsed()
    if options.patterns is None:
        print("measured patterns: none were named; do so with --patterns")
        return
    archive = np.load(options.patterns, allow_pickle=False)
    radiation = radiation_of(options.wavelength)
    evidence = evidence_at(options.evidence)
    known = evidence.known
    angles, labels = archive["two_theta"], archive["space_group"].astype(int)
    scores, curves, networks, explanations = [], [], [], []
    for intensity in archive["intensity"].astype(float):
        pattern = prepare(angles, intensity, radiation)
        found = search(pattern, known.lines)
        scores.append(found.score)
        best = int(found.score.argmax())
        explanations.append(explained(pattern, known.lines, best, found.zero_shift[best]))
        curve = np.convolve(compared(pattern.heights), np.ones(15), "same")
        curves.append(curve / np.linalg.norm(curve))
        given = [net(angles, intensity, radiation) for net in evidence.networks]
        usable = [one for one in given if one is not None]
        networks.append(np.mean(usable, axis=0) if usable else np.full(GROUPS, np.nan))
    labelled = Labelled(
        scores=np.array(scores),
        space_groups=known.space_groups,
        databases=known.databases,
        frequencies=frequencies_of(known.space_groups, known.databases),
        networks=np.array(networks) if evidence.networks else None,
        labels=labels,
    )
    minerals = minerals_of(np.array(curves), labels)
    order = np.random.default_rng(options.seed).permutation(minerals.max() + 1)
    fitted = np.isin(minerals, order[: len(order) // 2])
    calibration = fit(
        labelled.take(np.flatnonzero(fitted)),
        f"{fitted.sum()} measured patterns of {len(order) // 2} minerals",
    )
    print(json.dumps(asdict(calibration), indent=1))
    rows = np.flatnonzero(~fitted)
    judged, clusters = labelled.take(rows), minerals[rows]
    probabilities = judged.probabilities(calibration)
    show("label frequency", np.tile(judged.frequencies, (len(rows), 1)), judged.labels, clusters)
    untuned = Calibration(crowding=0, search=1, frequency=0)
    show("search, untuned", judged.probabilities(untuned), judged.labels, clusters)
    show("answer", probabilities, judged.labels, clusters)
    agrees = own_score(judged) >= OWN_PHASE
    show("own phase known", probabilities[agrees], judged.labels[agrees], clusters[agrees])
    without = replace(judged, scores=without_mineral(judged, known.names))
    show("same mineral removed", without.probabilities(calibration), judged.labels, clusters)
    certainty(judged, probabilities, calibration, [explanations[row] for row in rows], clusters)


def parsed() -> argparse.Namespace:
    """Options."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patterns", type=Path)
    parser.add_argument("--wavelength", default="CuKa")
    parser.add_argument("--evidence", type=Path, help="a pack or the results of a study")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if options.patterns is not None and not options.patterns.exists():
        raise DiffsymError(f"{options.patterns}: no such file")
    return options


def minerals_of(curves: Floats, labels: Integers) -> Integers:
    """Number of the mineral of each pattern: those of near-identical patterns and label are one."""
    alike = (curves @ curves.T > SAME_PATTERN) & (labels[:, None] == labels)
    return connected_components(alike)[1]


def own_score(judged: Labelled) -> Reals:
    """Best score of a structure with the right label for each pattern."""
    right = judged.space_groups == judged.labels[:, None]
    return np.where(right, judged.scores, 0).max(1)


def without_mineral(judged: Labelled, minerals: list[str | None]) -> Reals:
    """Scores in which structures of the pattern's own mineral are 0.

    The mineral has the name of the best structure of the right label, if that is the pattern's
    phase.
    """
    names = np.array([name or "" for name in minerals])
    scores = judged.scores.copy()
    for row, label in zip(scores, judged.labels, strict=True):
        right = np.where(judged.space_groups == label, row, 0)
        if right.max() >= OWN_PHASE:
            row[(names == names[right.argmax()]) | (right >= OWN_PHASE)] = 0
    return scores


def ranks(probabilities: Floats, labels: Integers) -> Integers:
    """Place of the right group in the answer to each pattern, the first is 0."""
    return (np.argsort(-probabilities, axis=1, kind="stable") == labels[:, None] - 1).argmax(1)


def show(name: str, probabilities: Floats, labels: Integers, clusters: Integers) -> None:
    """A line of the table: within one, five, ten; system; the more certain half."""
    rank = ranks(probabilities, labels)
    firsts = [0, *LAST_NUMBERS[:-1]]
    systems = np.add.reduceat(probabilities, firsts, axis=1).argmax(1)
    right_system = systems == np.searchsorted(LAST_NUMBERS, labels)
    half = np.argsort(-probabilities.max(1), kind="stable")[: len(labels) // 2]
    cells = [interval(rank < k, clusters) for k in (1, 5, 10)]
    cells += [interval(right_system, clusters), interval((rank < 1)[half], clusters[half])]
    print(f"{name:22} n={len(labels):4}", " | ".join(cells))


def interval(right: Booleans, clusters: Integers) -> str:
    """Percentage with its 95 % interval; minerals are drawn, not patterns."""
    generator = np.random.default_rng(0)
    present, codes = np.unique(clusters, return_inverse=True)
    sums = np.bincount(codes, right.astype(float))
    sizes = np.bincount(codes)
    drawn = generator.integers(0, len(present), (RESAMPLES, len(present)))
    means = sums[drawn].sum(1) / sizes[drawn].sum(1)
    low, high = np.quantile(means, [0.025, 0.975])
    return f"{100 * right.mean():5.1f} [{100 * low:.1f}, {100 * high:.1f}]"


def certainty(
    judged: Labelled,
    probabilities: Floats,
    calibration: Calibration,
    found: list[Explained],
    clusters: Integers,
) -> None:
    """How many answers are certain, how many of these right, and what the 90 % set covers."""
    rank = ranks(probabilities, judged.labels)
    first = probabilities.argmax(1)
    images = np.array([(mirror_image(group + 1) or group + 1) - 1 for group in range(GROUPS)])
    both = np.where(images == np.arange(GROUPS), 0, probabilities[:, images]) + probabilities
    certain = both[np.arange(len(first)), first] >= calibration.certain
    true = (rank < 1) | (images[first] == judged.labels - 1)
    certain &= judged.scores.max(1) >= calibration.least_score
    certain &= np.array([one.is_all(calibration) for one in found])
    right = interval(true[certain], clusters[certain])
    print(f"certain: {certain.sum()} of {len(certain)}, right {right}")
    inside = sums_before(probabilities)[np.arange(len(rank)), judged.labels - 1]
    covered = inside < calibration.cumulated
    sizes = calibration.set_of(probabilities).sum(1)
    quantiles = np.quantile(sizes, [0.1, 0.25, 0.5, 0.75, 0.9]).astype(int).tolist()
    print(f"90 % set: covers {interval(covered, clusters)}, sizes {quantiles}")


if __name__ == "__main__":
    main()

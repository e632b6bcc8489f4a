"""The sections of the report, in their order: each a small function from the study to content.

A section returns None where the study has nothing of its kind. A new system adds a section by
adding a function to `SECTIONS`.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pyarrow as pa
from markupsafe import Markup
from numpy.typing import NDArray
from scipy.sparse import csr_array

from diffsym import tables
from diffsym.evaluation import figures
from diffsym.evaluation.inputs import Experiment, Study, by_split
from diffsym.evaluation.macro import MACRO_SCORES
from diffsym.evaluation.members import answers_by_member, volumes_by_member
from diffsym.evaluation.series import MEANS, effects
from diffsym.evaluation.subgroups import Relation
from diffsym.evaluation.summary import PUBLISHED
from diffsym.evaluation.typesetting import formula_html, roman, symbol_html
from diffsym.evaluation.volumes import SHOWN_SHARE, VOLUME_SCORES, predicts_volumes
from diffsym.files import read_json
from diffsym.structures.space_groups import crystal_system

Cell = str | Markup
REJECTING_STAGES = {"read": "read", "check": "checked", "symmetry": "symmetry found"}
"""Stages of the rejected table in their order, and what an entry is after each of them."""
LEAKAGE_COLUMNS = {
    "share_with_training_formula": "same formula",
    "share_with_training_type": "same structure type",
    "share_near": "descriptor within threshold",
    "share_near_same_group": "and in the same group",
    "share_nearest_has_same_group": "nearest has the same group",
}
"""Shares of the test structures in a leakage report, and their headings."""
EXAMPLES = 15
"""Rows of a table of examples."""
PAIRS = 15
"""Confused pairs shown for each experiment."""


@dataclass(frozen=True)
class FigureBlock:
    """A figure with its caption.

    Attributes
    ----------
    key
        Identifier in the page.
    figure
        The picture.
    caption
        What it shows and how it was made.
    min_width
        Pixels below which the figure scrolls rather than shrinks.
    half
        Whether two such figures may stand side by side.
    """

    key: str
    figure: go.Figure
    caption: Cell
    min_width: int = 0
    half: bool = False


@dataclass(frozen=True)
class TableBlock:
    """A table with its caption; `numeric` columns are aligned to the right."""

    columns: Sequence[Cell]
    rows: Sequence[Sequence[Cell]]
    caption: Cell
    numeric: Sequence[int] = ()
    title: Cell = ""
    collapsed: bool = False


@dataclass(frozen=True)
class TextBlock:
    """Preformatted text behind a heading that unfolds."""

    title: str
    text: str


Block = FigureBlock | TableBlock | TextBlock


@dataclass(frozen=True)
class Section:
    """A chapter of the report.

    Attributes
    ----------
    key
        Anchor in the page.
    label
        Short name for the navigation.
    title, lead
        Heading, and the sentence below it.
    blocks
        Figures, tables and texts, from top to bottom.
    """

    key: str
    label: str
    title: str
    lead: Cell
    blocks: Sequence[Block]


def percent(value: float) -> str:
    """A share as "52.1 %"."""
    return f"{100 * value:.1f}\u202f%"


def percent_interval(entry: Mapping[str, float]) -> str:
    """An accuracy with its interval, "52.1 % [50.2, 54.0]"."""
    return f"{percent(entry['value'])} [{100 * entry['low']:.1f}, {100 * entry['high']:.1f}]"


def with_half_width(entry: Mapping[str, Any], *, sign: str = "") -> str:
    """A mean over test sets in percent with two digits of its half width, "72.1 ± 1.2".

    `sign` is "+" for differences, which show theirs.
    """
    value, half_width = 100 * entry["value"], entry["half_width"]
    if half_width is None:
        return minus(f"{value:{sign}.1f}")
    digits = 1 if half_width == 0 else 1 - math.floor(math.log10(100 * half_width))
    digits = min(max(digits, 0), 2)
    return minus(f"{value:{sign}.{digits}f} ± {100 * half_width:.{digits}f}")


def minus(text: str) -> str:
    """A number with a minus sign in place of a hyphen."""
    return text.replace("-", "\u2212")


def thousands(value: float) -> str:
    """An integer with thin spaces between thousands, "9 275"."""
    return f"{value:,.0f}".replace(",", "\u202f")


def group_cell(space_group: int) -> Markup:
    """Symbol and number of a space group behind the colour of its crystal system."""
    system = crystal_system(space_group)
    return Markup(
        '<span class="dot {}" title="{}"></span>{} <span class="number">{}</span>'
    ).format(system, system, symbol_html(space_group), space_group)


def _text(value: Any) -> str:
    """A string of a table; empty where there is none."""
    return "" if pd.isna(value) else str(value)


def _optional_group(number: float | None) -> Cell:
    return "none" if pd.isna(number) else group_cell(int(number))


def stage_counts(study: Study) -> dict[str, dict[str, int]]:
    """Entries of each source that are left after each stage, {source: {stage: number}}."""
    rejected = study.rejected.groupby(["source", "stage"]).size()
    counts = {}
    for source, numbers in study.statistics["sources"].items():
        left = numbers["entries"]
        counts[source] = {"entries": left}
        for stage, passed in REJECTING_STAGES.items():
            left -= int(rejected.get((source, stage), 0))
            counts[source][passed] = left
        counts[source]["unique"] = numbers["structures"]
    if study.experiments:
        inside = study.structures[study.structures["space_group"].isin(study.classes)]
        for source, numbers in counts.items():
            numbers["in the classes"] = int((inside["source"] == source).sum())
    return counts


def data(study: Study) -> Section:
    """Entries, space groups, rejections and relabellings."""
    structures = study.structures
    blocks: list[Block] = [
        FigureBlock(
            "stage-counts",
            figures.stage_counts(stage_counts(study)),
            "Entries that are left after each stage. Read: the source's record makes sense. "
            "Checked: distances, occupancies, composition and density are physically possible. "
            "Symmetry found: spglib gives a space group. Unique: one representative of each set of "
            "structures that have the same composition and match site by site.",
        ),
        FigureBlock(
            "space-groups",
            figures.space_group_histogram(structures["space_group"].to_numpy(), study.classes),
            Markup(
                "Space groups of the {} unique structures, determined with spglib at a tolerance "
                "of {} Å. Strong colours are the {} groups that the experiments learn; pale ones "
                "have too few structures."
            ).format(thousands(len(structures)), f"{study.inputs.symprec:g}", len(study.classes)),
        ),
    ]
    if len(study.rejected):
        blocks.append(
            FigureBlock(
                "rejections",
                figures.rejections(study.rejected),
                Markup(
                    "Why {} entries were rejected. Hover for an example of the reason; all of "
                    "them are in <code>results/rejected.parquet</code>."
                ).format(thousands(len(study.rejected))),
            )
        )
    blocks += _relabelled(structures) + _tolerance_dependence(study)
    return Section(
        "data",
        "Data",
        "The data",
        "Crystal structures, read from their source, checked, and given the space group "
        "that their coordinates have rather than the one that was declared.",
        blocks,
    )


def _relabelled(structures: pd.DataFrame) -> list[Block]:
    """Declared against determined space groups."""
    declared = structures[structures["declared_space_group"].notna()]
    changed = declared[declared["declared_space_group"] != declared["space_group"]]
    if changed.empty:
        return []
    pairs = (
        changed.groupby(["declared_space_group", "space_group"])
        .agg(
            count=("structure_id", "size"),
            name=("name", "first"),
            formula=("formula", "first"),
            structure_id=("structure_id", "first"),
            symbol=("declared_symbol", "first"),
        )
        .reset_index()
        .sort_values(
            ["count", "declared_space_group", "space_group"], ascending=[False, True, True]
        )
    )
    rows = [
        [
            group_cell(int(row["declared_space_group"])),
            group_cell(int(row["space_group"])),
            thousands(row["count"]),
            _text(row["name"]),
            formula_html(row["formula"]),
            _text(row["symbol"]),
            row["structure_id"],
        ]
        for row in pairs.head(EXAMPLES).to_dict("records")
    ]
    return [
        TableBlock(
            ["declared", "determined", "structures", "example", "formula", "declared as", "entry"],
            rows,
            Markup(
                "{} of {} structures with a declared space group ({}) have another one by their "
                "coordinates. The {} most frequent changes, each with one example."
            ).format(
                thousands(len(changed)),
                thousands(len(declared)),
                percent(len(changed) / len(declared)),
                len(rows),
            ),
            numeric=[2],
            title="Relabelled structures",
        )
    ]


def _tolerance_dependence(study: Study) -> list[Block]:
    """How the labels depend on the tolerance of the symmetry search."""
    tolerances = list(study.inputs.tolerances)
    if len(tolerances) < 2:
        return []
    lists = study.structures["space_group_by_tolerance"]
    by_tolerance = np.array([[0 if pd.isna(n) else int(n) for n in row] for row in lists])
    unstable = (by_tolerance != by_tolerance[:, :1]).any(axis=1)
    examples = study.structures[unstable].head(8)
    rows = [
        [
            _text(row["name"]),
            formula_html(row["formula"]),
            *(_optional_group(number) for number in row["space_group_by_tolerance"]),
            row["structure_id"],
        ]
        for row in examples.to_dict("records")
    ]
    return [
        FigureBlock(
            "tolerance",
            figures.tolerance_dependence(by_tolerance, tolerances, study.inputs.symprec),
            Markup(
                "The label of {} structures ({}) depends on the tolerance. A looser tolerance "
                "finds more symmetry; which one is right is a matter of the coordinates' "
                "precision, so the accuracies below carry this uncertainty of their labels."
            ).format(thousands(unstable.sum()), percent(unstable.mean())),
        ),
        TableBlock(
            ["name", "formula", *(f"{tolerance:g} Å" for tolerance in tolerances), "entry"],
            rows,
            "The first structures whose space group depends on the tolerance.",
            title="Examples",
            collapsed=True,
        ),
    ]


def _example_values(study: Study, path: Path) -> NDArray[np.float64]:
    """Values of a descriptor for the structure that is shown."""
    table = tables.read_table(path)
    row = table["structure_id"].to_pylist().index(study.example["structure_id"])
    values = tables.descriptor_values(table.slice(row, 1))
    dense = values.toarray() if isinstance(values, csr_array) else values
    return dense[0].astype(np.float64)


def _example_name(study: Study) -> Markup:
    """Name, formula and space group of the structure that is shown."""
    example = study.example
    return Markup("{} ({}, {})").format(
        _text(example["name"]) or example["structure_id"],
        formula_html(example["formula"]),
        symbol_html(int(example["space_group"])),
    )


def pair_distribution(study: Study) -> Section | None:
    """One pair distribution function as the networks see it."""
    blocks: list[Block] = []
    for name, descriptor in study.inputs.descriptors.items():
        if descriptor.kind != "pdf":
            continue
        X = _example_values(study, descriptor.table)
        blocks += [
            FigureBlock(
                f"descriptor-{name}",
                figures.pdf_example(descriptor.axis, X),
                Markup(
                    "<code>{}</code> of {}: the reduced pair distribution function scaled to "
                    "0 … 1 (<b>X</b>, {} values, above) and the products of all its pairs of "
                    "values (<b>X</b>², {} values, below). After Fig. 1 of Liu et al. (2019)."
                ).format(name, _example_name(study), len(X), thousands(len(X) * (len(X) - 1) / 2)),
                half=True,
            ),
            FigureBlock(
                f"descriptor-map-{name}",
                figures.quadratic_map(descriptor.axis, X),
                "The same products over the two distances they belong to. Correlations between "
                "distances carry symmetry that single distances do not; the lower triangle would "
                "repeat the upper one.",
                half=True,
            ),
        ]
    if not blocks:
        return None
    return Section(
        "pair-distribution",
        "PDF",
        "The pair distribution function",
        "A pair distribution function tells how often two atoms lie a distance r apart. Models "
        "that learn from it see nothing else: no cell, no composition.",
        blocks,
    )


def powder(study: Study) -> Section | None:
    """One powder pattern as the networks see it."""
    blocks: list[Block] = [
        FigureBlock(
            f"descriptor-{name}",
            figures.powder_example(descriptor.axis, _example_values(study, descriptor.table)),
            Markup(
                "<code>{}</code> of {}: {} intensities, the strongest scaled to 1{}. Noise and "
                "background, where networks learn with them, are drawn anew in each epoch and not "
                "shown. Compare Fig. 1 of Vecsei et al. (2019)."
            ).format(
                name,
                _example_name(study),
                thousands(len(descriptor.axis)),
                _radiation(descriptor.settings.get("wavelength")),
            ),
        )
        for name, descriptor in study.inputs.descriptors.items()
        if descriptor.kind == "powder"
    ]
    if not blocks:
        return None
    return Section(
        "powder",
        "Powder pattern",
        "The powder pattern",
        "A powder has crystals in all orientations, so that its diffraction pattern keeps the "
        "lengths of the scattering vectors alone. Models that learn from it see nothing else: no "
        "cell, no composition.",
        blocks,
    )


def _radiation(wavelength: float | Sequence[tuple[float, float]] | None) -> str:
    """Wavelength of a powder pattern in words, each line of a source with its weight."""
    if wavelength is None:
        return ""
    if isinstance(wavelength, float):
        return f", at a wavelength of {wavelength:g} Å"
    lines = " and ".join(f"{length:g} Å (weight {weight:g})" for length, weight in wavelength)
    return f", at wavelengths of {lines}"


def ideal(study: Study) -> Section | None:
    """One ideal profile as the networks see it."""
    blocks: list[Block] = []
    for name, descriptor in study.inputs.descriptors.items():
        if descriptor.kind != "ideal":
            continue
        profile = _example_values(study, descriptor.table)
        blocks.append(
            FigureBlock(
                f"descriptor-{name}",
                figures.ideal_example(descriptor.axis, profile),
                Markup(
                    "<code>{}</code> of {}: the sum of |F|² in each of {} bins of 1/d, the largest "
                    "scaled to 1; {} bins are not empty. See Ozaki et al. (2025), section 2.5."
                ).format(
                    name,
                    _example_name(study),
                    thousands(len(profile)),
                    thousands(int(np.count_nonzero(profile))),
                ),
            )
        )
    if not blocks:
        return None
    return Section(
        "ideal",
        "Ideal profile",
        "The ideal profile",
        "Lines of no width: nothing of an instrument is in it, neither a wavelength nor a width, a "
        "background or a Lorentz and polarisation factor. A measured pattern is brought to this "
        "form before a model sees it.",
        blocks,
    )


def learning(study: Study) -> Section | None:
    """Learning curves of the models that are trained in epochs."""
    trained = [experiment for experiment in study.experiments if experiment.histories]
    if not trained:
        return None
    return Section(
        "learning",
        "Learning",
        "Learning curves",
        "A gap between the training and the validation curve is what a network learnt by heart.",
        [
            FigureBlock(
                "learning-curves",
                figures.learning_curves(trained),
                "Accuracy and cost against the epoch, one line an ensemble member. The cost is the "
                "cross entropy in nat; networks that take several costs in turn, as those of "
                "Vecsei et al. (2019) do, show that of each epoch. "
                "The training curve is the mean over an epoch while the weights change and "
                "dropout is active; the validation curve is taken at its end without dropout. "
                "Class weights enter the training loss only. Networks that tell crystal systems "
                "apart are scored on systems here.",
            )
        ],
    )


def top_k(study: Study) -> Section | None:
    """Accuracy when several answers are allowed."""
    if not study.experiments:
        return None
    settings = study.experiments[0].metrics["settings"]
    return Section(
        "top-k",
        "Accuracy",
        "How many guesses it takes",
        Markup(
            "<i>A<sub>k</sub></i> is the share of test structures whose space group is among the "
            "<i>k</i> most probable answers."
        ),
        [
            FigureBlock(
                "top-k-accuracy",
                figures.top_k_accuracy(study.experiments),
                Markup(
                    "Test accuracy of each ensemble (probabilities averaged over its members) and, "
                    "below, what each further answer adds; after Fig. 2 of Liu et al. (2019). "
                    "Bars: {:.0f} % bootstrap intervals from {} resamples of the split's groups "
                    "(entries, formulae or structure types). They cover the choice of test "
                    "structures, not that of the training ones. Dotted: always answering the most "
                    "frequent training classes."
                ).format(100 * settings["confidence"], thousands(settings["resamples"])),
            ),
            FigureBlock(
                "top-n-accuracy",
                figures.top_n_accuracy(study.experiments),
                "The same up to ten answers, after Fig. 5(a) of Vecsei et al. (2019).",
            ),
            FigureBlock(
                "crystal-system-accuracy",
                figures.crystal_system_accuracy(study.experiments),
                "Space-group accuracy within each crystal system. Hover for how often the crystal "
                "system itself is right when the probabilities of its groups are summed.",
            ),
        ],
    )


def recall(study: Study) -> Section | None:
    """Recall of each space group."""
    if not study.experiments:
        return None
    return Section(
        "recall",
        "Recall",
        "Which space groups are found",
        "Recall is the share of a group's test structures that is recognised by the first answer.",
        [
            FigureBlock(
                f"recall-{split}",
                figures.recall_by_space_group(experiments),
                Markup(
                    "Split <code>{}</code>: recall against the space-group number. The area of a "
                    "marker is the group's frequency in training, its colour the crystal system; "
                    "after Fig. 3 of Liu et al. (2019). Recalls of rare groups rest on few test "
                    "structures: hover for the number."
                ).format(split),
            )
            for split, experiments in by_split(study.experiments).items()
        ],
    )


def confusion(study: Study) -> Section | None:
    """Confusion matrices and the most confused pairs."""
    if not study.experiments:
        return None
    best_first = sorted(study.experiments, key=lambda e: e.validation_accuracy, reverse=True)
    largest = max(len(experiment.metrics["classes"]) for experiment in best_first)
    blocks: list[Block] = [
        FigureBlock(
            "confusion-matrices",
            figures.confusion_matrices(best_first),
            "Each row is a true space group and sums to 100 %; test structures, first answer of "
            "the ensemble. Boxes and edge strips mark the crystal systems. Choose the experiment "
            "in the menu, drag to zoom, double-click to return.",
            min_width=figures.CELL * largest + 250,
        ),
        FigureBlock(
            "crystal-system-confusion",
            figures.crystal_system_confusion(study.experiments),
            "The same for the crystal systems, in percent of the true system: the answer is the "
            "system whose space groups have the largest sum of probabilities.",
            min_width=figures.PANELS_WIDTH,
        ),
        FigureBlock(
            "error-distances",
            figures.error_distances(study.experiments),
            "How far the wrong answers are from the truth: steps in the graph of maximal subgroups "
            "(pymatgen's table, types of translationengleiche and klassengleiche subgroups). Black "
            "bars: what would be found by chance, that is if wrong answers were drawn from the "
            "answers given to all other structures, as frequent answers are also central in the "
            "graph. Hatched: wrong answers of the label-frequency baseline, which knows but one "
            "group. After Fig. 3(c) of Vecsei et al. (2019).",
        ),
        *(_pairs_table(experiment, position) for position, experiment in enumerate(best_first)),
    ]
    return Section(
        "confusion",
        "Confusion",
        "What is mistaken for what",
        "A structure close to a higher symmetry is easily taken for it: many wrong answers are "
        "sub- or supergroups of the right one.",
        blocks,
    )


def relation_cell(relation: Relation) -> Cell:
    """A relation in words."""
    if relation.common is not None:
        return Markup("{} {} ({} steps)").format(
            relation.kind, symbol_html(relation.common), relation.distance
        )
    if relation.distance > 1:
        return f"{relation.kind} ({relation.distance} steps)"
    return relation.kind


def _pairs_table(experiment: Experiment, position: int) -> TableBlock:
    """The most confused pairs of one experiment; all but the first table are folded."""
    rows = [
        [
            group_cell(pair["true"]),
            group_cell(pair["predicted"]),
            thousands(pair["count"]),
            percent(pair["share_of_true"]),
            relation_cell(Relation(pair["relation"], pair["distance"], pair["common"])),
        ]
        for pair in experiment.test["confused_pairs"][:PAIRS]
    ]
    return TableBlock(
        ["true", "predicted", "structures", "of the true group", "the prediction is its"],
        rows,
        "Most frequent wrong first answers on the test part, and how the predicted group is "
        "related to the true one.",
        numeric=[2, 3],
        title=f"Most confused pairs: {experiment.label}, {experiment.split}",
        collapsed=position > 0,
    )


def splits(study: Study) -> Section | None:
    """The ladder of splits, and what leaks across each of them."""
    if not study.experiments:
        return None
    blocks: list[Block] = [
        FigureBlock(
            "accuracy-by-split",
            figures.accuracy_by_split(study.experiments),
            "The same models on each split. A random split puts isotypes of one structure type on "
            "both sides, so part of its accuracy is recognition of known structures; the drop "
            "from split to split measures that part. Bars: bootstrap intervals; black marks: "
            "label-frequency baseline.",
        )
    ]
    if study.leakage:
        blocks.append(_leakage_table(study.leakage))
    return Section(
        "splits",
        "Splits",
        "How much is memory",
        "Accuracy depends on how different the test structures are from the training ones.",
        blocks,
    )


def _leakage_table(leakage: Mapping[tuple[str, str], Mapping[str, Any]]) -> TableBlock:
    """Leakage of each descriptor and split."""
    return TableBlock(
        ["descriptor", "split", "test", *LEAKAGE_COLUMNS.values(), "median distance"],
        [
            [
                descriptor,
                split,
                thousands(report["test_structures"]),
                *(percent(report[key]) for key in LEAKAGE_COLUMNS),
                f"{report['median_distance']:.3f}",
            ]
            for (descriptor, split), report in leakage.items()
        ],
        Markup(
            "What the test structures share with the training part: a formula, a structure type, "
            "or a training descriptor within a root-mean-square distance of {}. The nearest "
            "training descriptor is a classifier, too: the share of test structures whose nearest "
            "neighbour is of their own group is what memory alone achieves."
        ).format(", ".join(dict.fromkeys(f"{r['threshold']:g}" for r in leakage.values()))),
        numeric=range(2, 4 + len(LEAKAGE_COLUMNS)),
        title="Leakage",
    )


def calibration(study: Study) -> Section | None:
    """Whether probabilities can be believed."""
    if not study.experiments:
        return None
    return Section(
        "calibration",
        "Calibration",
        "Can the probabilities be believed",
        "A calibrated model that says 70 % is right seven times out of ten.",
        [
            FigureBlock(
                "reliability",
                figures.reliability(study.experiments),
                "Above: accuracy of the first answers against their probability, in bins of equal "
                "width. Below the dotted line a model is too sure of itself. Below: how often each "
                "confidence occurs.",
            ),
            TableBlock(
                ["split", "model", "expected calibration error", "log loss / nat", "A₁"],
                [
                    [
                        experiment.split,
                        experiment.label,
                        percent(experiment.test["calibration"]["expected_calibration_error"]),
                        f"{experiment.test['log_loss']:.2f}",
                        percent_interval(experiment.test["accuracy"][0]),
                    ]
                    for experiment in study.experiments
                ],
                "Test part. The expected calibration error is the mean distance between accuracy "
                "and confidence over the bins, weighted by their counts.",
                numeric=[2, 3, 4],
            ),
        ],
    )


def certainty(study: Study) -> Section | None:
    """What is gained by leaving doubtful structures unclassified."""
    if not study.experiments:
        return None
    return Section(
        "certainty",
        "Certainty",
        "Leaving the doubtful ones out",
        "The certainty of an answer is its probability. A model that may refuse answers below a "
        "threshold is right more often, for fewer structures.",
        [
            FigureBlock(
                "certainty-histograms",
                figures.certainty_histograms(study.experiments),
                "Certainty of the right and of the wrong first answers, stacked; after Fig. 5(b) "
                "and (c) of Vecsei et al. (2019).",
                min_width=figures.PANELS_WIDTH,
            ),
            FigureBlock(
                "certainty-thresholds",
                figures.certainty_thresholds(study.experiments),
                "Structures below the threshold stay unclassified. Marked: the threshold that "
                "leaves one half unclassified, and the accuracy for the other half with its "
                "bootstrap interval; after Fig. 5(d) and (e) of Vecsei et al. (2019).",
                min_width=figures.PANELS_WIDTH,
            ),
            TableBlock(
                [
                    "split",
                    "model",
                    "A₁ of all",
                    "threshold",
                    "A₁ of the most certain half",
                    "label frequency, same half",
                ],
                [
                    [
                        experiment.split,
                        experiment.label,
                        percent_interval(experiment.test["accuracy"][0]),
                        f"{half['threshold']:.2f}",
                        percent_interval(half["accuracy"]),
                        percent_interval(half["baseline"]),
                    ]
                    for experiment in study.experiments
                    for half in [experiment.test["certainty"]["half_unclassified"]]
                ],
                "Test part. Structures that are as certain as the threshold count in part, so that "
                "exactly one half is classified. Last column: always answering the most frequent "
                "training class for the structures of that half.",
                numeric=[2, 3, 4, 5],
            ),
        ],
    )


def measured(study: Study) -> Section | None:
    """How networks do on measured patterns, and what a round trip through a pattern costs."""
    blocks = [*_measured_blocks(study), *_round_trip_blocks(study)]
    for experiment in study.experiments:
        for name, paths in experiment.inputs.measured.items():
            blocks += _answers_blocks(experiment, name, [tables.read_table(path) for path in paths])
    if not blocks:
        return None
    return Section(
        "measured",
        "Measured",
        "Measured patterns",
        "Networks that were trained on computed patterns meet measured ones. These choose nothing: "
        "no setting, no epoch.",
        blocks,
    )


def _measured_blocks(study: Study) -> list[Block]:
    """Accuracy on patterns of known space group; sets rendered of test structures are left out."""
    scored = [
        (experiment, name, entry)
        for experiment in study.experiments
        for name, entry in experiment.measured.items()
        if entry["part"] and not entry["round_trip"]
    ]
    if not scored:
        return []
    views = [experiment.on_measured(name) for experiment, name, _ in scored]
    return [
        TableBlock(
            [
                "patterns",
                "model",
                "known, in the classes",
                "A₁",
                "label frequency",
                "A₁, test part",
                "A₁ of all known",
                "crystal system",
                "label frequency",
                "centrosymmetric",
            ],
            [
                [
                    name,
                    experiment.label,
                    f"{entry['n_labelled']} of {entry['n']}, {entry['n_in_classes']}",
                    percent_interval(view.test["accuracy"][0]),
                    percent(view.test["baseline"][0]["value"]),
                    percent(experiment.test["accuracy"][0]["value"]),
                    percent(entry["accuracy_of_labelled"]),
                    percent_interval(view.test["crystal_systems"]["accuracy"]),
                    percent(view.test["crystal_systems"]["baseline"]["value"]),
                    percent_interval(view.test["centrosymmetric"]["accuracy"][0])
                    if view.test["centrosymmetric"]
                    else "",
                ]
                for (experiment, name, entry), view in zip(scored, views, strict=True)
            ],
            "Accuracy of first answers for the patterns whose space group is one of the classes, "
            "with 95 % bootstrap intervals over patterns, beside that of always answering the most "
            "frequent training class and that on the computed patterns of the test part. A₁ of all "
            "known counts the patterns of other groups as wrong. Last: only centrosymmetric groups "
            "come into question.",
            numeric=range(2, 10),
        ),
        FigureBlock(
            "measured-top-n",
            figures.top_n_accuracy(views),
            "Share of patterns whose space group is among the first n answers; after Fig. 5(a) of "
            "Vecsei et al. (2019).",
        ),
        FigureBlock(
            "measured-distances",
            figures.error_distances(views),
            "Steps between a wrong answer and the truth in the graph of maximal subgroups; after "
            "Fig. 3(c) of Vecsei et al. (2019). Bars and marks as in the section on confusion.",
        ),
        FigureBlock(
            "measured-certainty",
            figures.certainty_histograms(views),
            "Certainty of the right and of the wrong first answers, stacked; after Fig. 5(b) and "
            "(c) of Vecsei et al. (2019), which are of measured patterns.",
            min_width=figures.PANELS_WIDTH,
        ),
        FigureBlock(
            "measured-thresholds",
            figures.certainty_thresholds(views),
            "Patterns below the threshold stay unclassified. Marked: the threshold that leaves one "
            "half unclassified; after Fig. 5(d) and (e) of Vecsei et al. (2019).",
            min_width=figures.PANELS_WIDTH,
        ),
    ]


def _round_trip_blocks(study: Study) -> list[Block]:
    """What is lost if test structures come as patterns instead of as their own descriptors."""
    trips = [
        (experiment, name, entry["round_trip"])
        for experiment in study.experiments
        for name, entry in experiment.measured.items()
        if entry["round_trip"]
    ]
    if not trips:
        return []
    return [
        FigureBlock(
            "round-trip",
            figures.round_trips(trips),
            "The same test structures by their own descriptors and by patterns that were rendered "
            "of them with the peak shapes, noise and background of an instrument, and turned into "
            "the descriptor as a measured pattern is. What lies between the lines is the price of "
            "that way; 95 % bootstrap intervals over structures.",
            min_width=figures.PANELS_WIDTH,
        ),
        TableBlock(
            ["patterns", "model", "split", "own descriptor", "by pattern", "loss"],
            [
                [
                    name,
                    experiment.label,
                    experiment.split,
                    *(percent_interval(trip[key][0]) for key in ("structure", "pattern", "loss")),
                ]
                for experiment, name, trip in trips
            ],
            "First answers; the interval of the loss is that of the paired difference.",
            numeric=[3, 4, 5],
        ),
    ]


def _answers_blocks(
    experiment: Experiment, name: str, predictions: Sequence[pa.Table]
) -> list[Block]:
    """Answers of each member, and predicted volumes, for the first patterns of a set."""
    shown = predictions[0].slice(0, EXAMPLES)
    numbers = dict(
        zip(shown["structure_id"].to_pylist(), shown["space_group"].to_pylist(), strict=True)
    )
    headings = {
        pattern: pattern if number is None else Markup("{}: {}").format(pattern, group_cell(number))
        for pattern, number in numbers.items()
    }
    title = f"{name}, {experiment.label}, {experiment.split}"
    blocks: list[Block] = [
        member_answers_table(
            {headings[pattern]: answers_by_member(predictions, pattern) for pattern in numbers},
            title=f"Answers: {title}",
        )
    ]
    if predicts_volumes(predictions):
        volumes = {
            headings[pattern]: volumes_by_member(predictions, pattern) for pattern in numbers
        }
        blocks.append(member_volumes_table(volumes, title=f"Volumes: {title}"))
    return blocks


SCORE_NAMES = {"precision": "precision", "recall": "recall", "f1": "F₁", "accuracy": "accuracy"}
"""Macro scores in words."""
MEAN_NAMES = {"specific_mean": "specific mean", "ensemble_mean": "ensemble mean"}


def cells(study: Study) -> Section | None:
    """Volumes and densities, which filters limit and networks predict."""
    chosen = [
        experiment
        for experiment in study.experiments
        if experiment.inputs.series or experiment.inputs.filter or experiment.test["volume"]
    ]
    if not chosen:
        return None
    classes = {number for experiment in chosen for number in experiment.metrics["classes"]}
    inside = study.structures[study.structures["space_group"].isin(classes)]
    return Section(
        "cells",
        "Cells",
        "Volumes and densities",
        "Volumes of primitive cells and densities of atoms are nearly log-normal. Structures far "
        "from the mean may be left out of training, and networks may learn the volume, too.",
        [
            FigureBlock(
                "cell-distributions",
                figures.cell_distributions(
                    inside["primitive_volume"].to_numpy(), inside["number_density"].to_numpy()
                ),
                Markup(
                    "Logarithms of the volume <i>V</i> of the primitive cell and of the number "
                    "density of its <i>n</i> atoms, weighted by occupancy: {} structures of {} "
                    "space groups, and the normal distribution of greatest likelihood. After "
                    "Fig. 1 of Ozaki et al. (2025)."
                ).format(thousands(len(inside)), len(classes)),
            )
        ],
    )


def held_out_sets(study: Study) -> Section | None:
    """Members against their mean, over the disjoint test sets of each series."""
    series = study.series_means
    if not series:
        return None
    blocks: list[Block] = []
    unfiltered = {n: one for n, one in series.items() if one["settings"]["filter"] is None}
    if unfiltered:
        blocks += [_macro_table(unfiltered), *_published_macro_tables()]
    if len(unfiltered) < len(series):
        blocks.append(_filter_table(series))
    differences = effects(series)
    if differences:
        blocks.append(_effects_table(differences))
    return Section(
        "held-out-sets",
        "Test sets",
        "Several test sets",
        "The same experiment is repeated on disjoint test sets, so that the spread of its scores "
        "shows what they are worth.",
        blocks,
    )


def _macro_table(series: Mapping[str, Mapping[str, Any]]) -> TableBlock:
    """Macro scores of each series, in the rows of Table 3 of Ozaki et al. 2025."""
    means = MEAN_NAMES | {"baseline": "label frequency"}
    return TableBlock(
        ["macro score / %", "", *series],
        [
            [
                SCORE_NAMES[score],
                means[mean],
                *(with_half_width(one[mean][score]) for one in series.values()),
            ]
            for score in MACRO_SCORES
            for mean in means
        ],
        Markup(
            "Means over the test sets ({}) ± half the width of their 95 % intervals (Student’s t). "
            "Specific mean: of the members’ scores. Ensemble mean: score of the mean probability. "
            "Each space group counts the same; one that is never answered has precision 0. Label "
            "frequency: always answering the most frequent training class. After Table 3 of Ozaki "
            "et al. (2025)."
        ).format(
            ", ".join(
                f"{name}: {len(one['splits'])} sets, {one['settings']['members']} members"
                for name, one in series.items()
            )
        ),
        numeric=range(2, 2 + len(series)),
        title="Specific and ensemble means",
    )


def _published_macro_tables() -> list[Block]:
    """The same scores as articles give them."""
    return [
        TableBlock(
            ["macro score / %", "", *(model["model"] for model in publication["models"])],
            [
                [
                    SCORE_NAMES[score],
                    MEAN_NAMES[mean],
                    *(with_half_width(model[mean][score]) for model in publication["models"]),
                ]
                for score in publication["models"][0]["specific_mean"]
                for mean in MEANS
            ],
            f"Data: {publication['data']}; test: {publication['split']}. Targets that were reached "
            "on other data.",
            numeric=range(2, 2 + len(publication["models"])),
            title=f"Published: {publication['reference']}",
        )
        for publication in PUBLISHED
        if "specific_mean" in publication["models"][0]
    ]


def _filter_table(series: Mapping[str, Mapping[str, Any]]) -> TableBlock:
    """What is left of the scores when outliers do not train."""
    scores = ("precision", "recall", "f1")
    return TableBlock(
        [
            "series",
            "filter",
            "training structures",
            *(
                f"{SCORE_NAMES[score]}, {MEAN_NAMES[mean]} / %"
                for score in scores
                for mean in MEANS
            ),
        ],
        [
            [
                name,
                one["settings"]["filter"] or "none",
                _range(one["counts"]["train"]),
                *(with_half_width(one[mean][score]) for score in scores for mean in MEANS),
            ]
            for name, one in series.items()
        ],
        "Training without outliers in volume or density. All series are tested on sets without "
        "outliers. After Table 2 of Ozaki et al. (2025) and Table SXI of its supplement.",
        numeric=range(2, 3 + len(scores) * len(MEANS)),
        title="Leaving outliers out of training",
    )


def _range(counts: Sequence[int]) -> str:
    """Smallest and largest count, "31 041" or "30 980 … 31 041"."""
    return " … ".join(thousands(count) for count in sorted({min(counts), max(counts)}))


def _effects_table(differences: Sequence[Mapping[str, Any]]) -> TableBlock:
    """Differences that an ensemble, a second task and a filter make."""
    return TableBlock(
        ["effect of", "series", "compared with", *(SCORE_NAMES[score] for score in MACRO_SCORES)],
        [
            [
                entry["effect"],
                f"{entry['series']}, {MEAN_NAMES[entry['mean']]}",
                f"{entry['reference']}, {MEAN_NAMES[entry['reference_mean']]}",
                *(with_half_width(entry["differences"][score], sign="+") for score in MACRO_SCORES),
            ]
            for entry in differences
        ],
        "Differences of macro scores in percentage points, taken test set by test set, with their "
        "95 % intervals. One that covers zero may be chance.",
        numeric=range(3, 3 + len(MACRO_SCORES)),
        title="Effects",
    )


VOLUME_COLUMNS = {
    "lower_quartile": "lower quartile",
    "median": "median",
    "upper_quartile": "upper quartile",
    "within_5_percent": "within ±5 %",
    "within_10_percent": "within ±10 %",
}
"""Scores of predicted volumes in words."""


def volumes(study: Study) -> Section | None:
    """Errors of the predicted volumes."""
    predicting = [experiment for experiment in study.experiments if experiment.test["volume"]]
    if not predicting:
        return None
    return Section(
        "volumes",
        "Volumes",
        "The volume of the primitive cell",
        Markup(
            "The error of a predicted volume <i>V</i>′ is <i>V</i>′/<i>V</i> − 1. The ensemble’s "
            "volume is the geometric mean of its members’, which predict ln <i>V</i>."
        ),
        [
            FigureBlock(
                "volume-errors",
                figures.volume_errors(predicting),
                Markup(
                    "Errors of the ensembles’ standardised ln <i>V</i> on the test part; "
                    "<i>σ<sub>U</sub></i> is the standard deviation of ln <i>V</i> in training. "
                    "Lines: what the Cauchy and the normal distribution of greatest likelihood "
                    "have in each bin. The {} of the structures with the largest errors lie "
                    "outside the picture; the fits heed them. After Fig. 3 of Ozaki et al. (2025)."
                ).format(f"{1 - SHOWN_SHARE:.0%}".replace("%", "\u202f%")),
                min_width=figures.PANELS_WIDTH,
            ),
            _volume_fits_table(predicting),
            _volume_errors_table(study, predicting),
            *_published_volume_tables(),
        ],
    )


def _volume_fits_table(experiments: Sequence[Experiment]) -> TableBlock:
    """Parameters of the fitted distributions."""
    names = {"cauchy": "Cauchy", "normal": "normal"}
    parameters = {"location": "location", "scale": "scale", "log_likelihood": "ln likelihood"}
    rows: list[list[Cell]] = []
    for experiment in experiments:
        errors = experiment.test["volume"]["standardised_error"]
        rows.append(
            [
                experiment.split,
                experiment.label,
                f"{experiment.test['volume']['ln_volume']['deviation']:.3f}",
                *(
                    minus(f"{errors[name][key]:.{1 if key == 'log_likelihood' else 4}f}")
                    for name in names
                    for key in parameters
                ),
            ]
        )
    return TableBlock(
        [
            "split",
            "model",
            Markup("<i>σ<sub>U</sub></i>"),
            *(f"{name}: {word}" for name in names.values() for word in parameters.values()),
        ],
        rows,
        "Fitted to the errors of the standardised ln V. The distribution with the larger "
        "likelihood describes them better. Location and scale of the normal distribution are its "
        "mean and standard deviation.",
        numeric=range(2, 3 + len(names) * len(parameters)),
        title="Distributions of the error",
    )


def _volume_errors_table(study: Study, experiments: Sequence[Experiment]) -> TableBlock:
    """Quartiles and shares: of each experiment on one test set, and of series on several."""
    answers = {"ensemble": "ensemble", "baseline": "mean of training"}
    rows: list[list[Cell]] = [
        [
            f"{experiment.label}, {experiment.split}",
            answers[who],
            *(
                minus(percent_interval(experiment.test["volume"][who][name]))
                for name in VOLUME_SCORES
            ),
        ]
        for experiment in experiments
        for who in answers
    ]
    rows += [
        [
            f"{name}, {len(one['splits'])} test sets",
            answers[who],
            *(f"{with_half_width(one['volume'][who][score])}\u202f%" for score in VOLUME_SCORES),
        ]
        for name, one in study.series_means.items()
        if one["volume"]
        for who in answers
    ]
    return TableBlock(
        ["", "volume", *(VOLUME_COLUMNS[name] for name in VOLUME_SCORES)],
        rows,
        "Relative error of the predicted volume. One half of the structures lies between the "
        "quartiles. Brackets: bootstrap intervals; ±: 95 % interval over the test sets. Mean of "
        "training: always answering the geometric mean of the training volumes, which is what is "
        "known without a diffraction pattern.",
        numeric=range(2, 2 + len(VOLUME_SCORES)),
        title="Errors of the volume",
    )


def _published_volume_tables() -> list[Block]:
    """Quartiles as articles give them."""
    return [
        TableBlock(
            ["model", *(VOLUME_COLUMNS[key] for key in model["volume"])],
            [[model["model"], *(minus(percent(error)) for error in model["volume"].values())]],
            f"Data: {publication['data']}; test: {publication['split']}. Targets that were reached "
            "on other data.",
            numeric=range(1, 1 + len(model["volume"])),
            title=f"Published: {publication['reference']}",
        )
        for publication in PUBLISHED
        for model in publication["models"]
        if "volume" in model
    ]


def member_answers_table(
    answers: Mapping[str, Sequence[Sequence[Mapping[str, Any]]]], *, title: str = ""
) -> TableBlock:
    """Most probable space groups of patterns by each member and by their mean.

    Parameters
    ----------
    answers
        Result of `diffsym.evaluation.members.answers_by_member` by the name of the pattern.
    title
        Of the table.
    """
    rows: list[list[Cell]] = [
        [
            name if rank == 1 else "",
            str(rank),
            *(
                Markup("{} ({:.0f}\u202f%)").format(
                    group_cell(answer["space_group"]), 100 * answer["probability"]
                )
                for answer in row
            ),
        ]
        for name, ranked in answers.items()
        for rank, row in enumerate(ranked, start=1)
    ]
    return TableBlock(
        ["pattern", "", *_member_columns(len(rows[0]) - 3)],
        rows,
        "Space groups and their probabilities by each member of the ensemble and by the mean "
        "probability. 0 % is less than 0.5 %. After Tables 4 and 5 of Ozaki et al. (2025).",
        title=title,
    )


def member_volumes_table(
    volumes: Mapping[str, Mapping[str, Any]], *, title: str = ""
) -> TableBlock:
    """Predicted primitive volumes of patterns by each member and by their mean.

    Parameters
    ----------
    volumes
        Result of `diffsym.evaluation.members.volumes_by_member` by the name of the pattern.
    title
        Of the table.
    """
    rows: list[list[Cell]] = []
    for name, entry in volumes.items():
        true = entry["true"]
        rows.append(
            [
                name,
                *(f"{volume:.1f}" for volume in [*entry["members"], entry["ensemble"]]),
                "" if true is None else f"{true:.1f}",
                "" if true is None else minus(f"{100 * (entry['ensemble'] / true - 1):+.1f}"),
            ]
        )
    return TableBlock(
        ["pattern", *_member_columns(len(rows[0]) - 4), "true", "error of the mean / %"],
        rows,
        "Volumes of the primitive cell in Å³; the mean is the geometric one. After Table 6 of "
        "Ozaki et al. (2025).",
        numeric=range(1, len(rows[0])),
        title=title,
    )


def _member_columns(members: int) -> list[str]:
    """Headings of the members and of their mean."""
    return [*(roman(number) for number in range(1, members + 1)), "mean"]


def sweeps(study: Study) -> Section | None:
    """Hyper-parameter sweeps, one table each."""
    if not study.sweeps:
        return None
    return Section(
        "sweeps",
        "Sweeps",
        "Hyper-parameters",
        "Each row is a complete experiment. Rows are to be compared by their validation accuracy.",
        [_sweep_table(name, rows) for name, rows in study.sweeps.items()],
    )


def _sweep_table(name: str, rows: Sequence[Experiment]) -> TableBlock:
    keys = [
        key
        for key in rows[0].inputs.model_settings
        if len({str(row.inputs.model_settings.get(key)) for row in rows}) > 1
    ]
    return TableBlock(
        [
            *(key.replace("_", " ") for key in keys),
            "members",
            "validation A₁",
            "test A₁",
            "test A₁ of one member",
        ],
        [
            [
                *(str(row.inputs.model_settings.get(key)) for key in keys),
                str(row.inputs.members),
                percent_interval(row.metrics["parts"]["validation"]["accuracy"][0]),
                percent_interval(row.test["accuracy"][0]),
                _mean_and_spread(row.test),
            ]
            for row in rows
        ],
        "The settings that differ, and the accuracies with bootstrap intervals; for a single "
        "member the mean and the standard deviation over the members' seeds.",
        numeric=range(len(keys) + 4),
        title=name,
    )


def _mean_and_spread(part: Mapping[str, Any]) -> str:
    mean = percent(part["members_mean"][0])
    return f"{mean} ± {100 * part['members_spread'][0]:.1f}" if part["members_spread"] else mean


ACCURACY_COLUMNS = {
    "crystal_system": "crystal system",
    "top_1": "space group",
    "top_6": "space group, top 6",
    "centrosymmetric": "centrosymmetric only",
    "half_unclassified": "half unclassified",
}
"""Kinds of accuracy in the literature and their headings."""


def published(study: Study) -> Section | None:
    """Figures of the literature with their data, and the same quantities on ours."""
    if not study.experiments:
        return None
    return Section(
        "published",
        "Literature",
        "What was published",
        "Targets from the literature. They were reached on other data, which is licensed, so they "
        "and the accuracies of this study are not two measurements of the same thing.",
        [*(_publication_table(entry) for entry in PUBLISHED), _own_table(study)],
    )


def _publication_table(publication: Mapping[str, Any]) -> TableBlock:
    """What one article reports, with a column for each accuracy that it gives."""
    models = publication["models"]
    columns = {
        prefix + key: heading + suffix
        for key, heading in ACCURACY_COLUMNS.items()
        for prefix, suffix in (("", ", test"), ("measured_", ", measured"))
        if any(prefix + key in model for model in models)
    }
    data = [f"Test: {publication['data']}; {publication['split']}."]
    if publication["measured_data"]:
        data.append(f"Measured: {publication['measured_data']}.")
    return TableBlock(
        ["model", *columns.values()],
        [
            # As many digits as were printed: percent() would add some.
            [
                model["model"],
                *(f"{100 * model[key]:.3g}\u202f%" if key in model else "" for key in columns),
            ]
            for model in models
        ],
        " ".join([*data, "Accuracies as printed in the article, without intervals."]),
        numeric=range(1, 1 + len(columns)),
        title=f"{publication['reference']}: {publication['descriptor']}",
    )


def _quantities(part: Mapping[str, Any]) -> dict[str, float]:
    """Accuracies of a part under the keys of `ACCURACY_COLUMNS`, as far as it has them."""
    values = {f"top_{entry['k']}": entry["value"] for entry in part["accuracy"]} | {
        "crystal_system": part["crystal_systems"]["accuracy"]["value"],
        "half_unclassified": part["certainty"]["half_unclassified"]["accuracy"]["value"],
    }
    if part["centrosymmetric"]:
        values["centrosymmetric"] = part["centrosymmetric"]["accuracy"][0]["value"]
    return {key: values[key] for key in ACCURACY_COLUMNS if key in values}


def _own_table(study: Study) -> TableBlock:
    """The quantities of the literature as this study has them, on computed and measured data."""
    rows: list[list[Cell]] = []
    sets: set[str] = set()
    for experiment in study.experiments:
        parts = {"test part": experiment.test}
        for name, entry in experiment.measured.items():
            if entry["part"] and not entry["round_trip"]:
                parts[f"measured: {name}"] = entry["part"]
                sets.add(name)
        for data, part in parts.items():
            values = _quantities(part)
            rows.append(
                [
                    experiment.inputs.descriptor,
                    experiment.inputs.model,
                    experiment.split,
                    data,
                    *(percent(values[key]) if key in values else "" for key in ACCURACY_COLUMNS),
                ]
            )
    sources = ", ".join(study.statistics["sources"])
    measured_data = (
        f"measured patterns of {', '.join(sorted(sets))}" if sets else "no measured data"
    )
    return TableBlock(
        ["descriptor", "model", "split", "data", *ACCURACY_COLUMNS.values()],
        rows,
        f"Test part: computed from {thousands(len(study.structures))} unique structures of "
        f"{sources}, of which the experiments use those in their {len(study.classes)} groups; "
        f"{measured_data}. Crystal systems are told by the summed probabilities of their groups, "
        "while Vecsei et al. trained networks for them. Intervals and baselines stand in the "
        "summary and in the sections above.",
        numeric=range(4, 4 + len(ACCURACY_COLUMNS)),
        title="This study: the same quantities on its own data",
    )


def provenance(study: Study) -> Section:
    """What made these results."""
    inputs = study.inputs
    blocks: list[Block] = [
        TableBlock(
            ["", ""],
            list(_flattened(read_json(path))),
            "",
            title=heading,
            collapsed=True,
        )
        for heading, path in inputs.provenance.items()
    ]
    if study.experiments:
        blocks.append(
            TableBlock(
                ["experiment", "seed", "members", "training", "training structures", "test"],
                [
                    [
                        experiment.inputs.name,
                        str(experiment.inputs.seed),
                        str(experiment.inputs.members),
                        experiment.inputs.training or "none",
                        thousands(experiment.metrics["counts"]["train"]),
                        thousands(experiment.metrics["counts"]["test"]),
                    ]
                    for experiment in study.experiments
                ],
                "The seed is that of the first member; the others count on from it.",
                numeric=[1, 2, 4, 5],
                title="Seeds",
                collapsed=True,
            )
        )
    if inputs.benchmarks:
        blocks.append(_benchmark_table(inputs.benchmarks))
    if inputs.resolved_configuration is not None:
        blocks.append(
            TextBlock(
                "Resolved configuration",
                inputs.resolved_configuration.read_text(encoding="utf-8"),
            )
        )
    return Section(
        "provenance",
        "Provenance",
        "Provenance",
        "All that is needed to make this page again.",
        blocks,
    )


def _flattened(content: Any, prefix: str = "") -> Iterable[tuple[str, str]]:
    """Leaves of nested JSON as (dotted key, value)."""
    if isinstance(content, Mapping):
        for key, value in content.items():
            yield from _flattened(value, f"{prefix}.{key}" if prefix else str(key))
    else:
        yield prefix, str(content)


def _benchmark_table(benchmarks: Mapping[str, Sequence[Any]]) -> TableBlock:
    """Wall time and memory of each rule."""
    rows = []
    for rule, paths in benchmarks.items():
        if not paths:
            continue
        jobs = pd.concat([pd.read_csv(path, sep="\t", na_values="-") for path in paths])
        rows.append(
            [
                rule,
                thousands(len(jobs)),
                f"{jobs['s'].sum():,.1f}",
                f"{jobs['s'].max():,.1f}",
                thousands(jobs["max_rss"].max()) if jobs["max_rss"].notna().any() else "",
            ]
        )
    return TableBlock(
        ["rule", "jobs", "sum / s", "longest / s", "peak memory / MiB"],
        rows,
        "Wall times as measured by Snakemake. Jobs run side by side, so the workflow took less "
        "than the sum; jobs shorter than a second are not sampled for memory.",
        numeric=[1, 2, 3, 4],
        title="Wall times",
        collapsed=True,
    )


SECTIONS: tuple[Callable[[Study], Section | None], ...] = (
    data,
    pair_distribution,
    powder,
    ideal,
    learning,
    top_k,
    recall,
    confusion,
    splits,
    calibration,
    certainty,
    measured,
    cells,
    held_out_sets,
    volumes,
    sweeps,
    published,
    provenance,
)
"""The report from top to bottom, below its summary."""

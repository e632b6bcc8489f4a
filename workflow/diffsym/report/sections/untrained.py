"""Section on space groups that networks were not trained for."""

from collections.abc import Mapping

from markupsafe import Markup

from diffsym.evaluation.published import TIONG_2020
from diffsym.evaluation.scores import Recognition
from diffsym.report import figures
from diffsym.report.results import Experiment, Results
from diffsym.report.sections.blocks import (
    Block,
    FigureBlock,
    Section,
    TableBlock,
    group_cell,
    percent,
    percent_interval,
    points_interval,
)
from diffsym.report.typesetting import thousands


def untrained(results: Results) -> Section | None:
    """Recognition of untrained groups by the similarity of features."""
    recognitions = {
        experiment.name: (experiment, results.recognitions[experiment.name])
        for experiment in results.experiments
        if experiment.name in results.recognitions
    }
    if not recognitions:
        return None
    experiments, contents = zip(*recognitions.values(), strict=True)
    settings = contents[0].settings
    published, theirs = next(
        (model, model.untrained) for model in TIONG_2020.models if model.untrained
    )
    blocks: list[Block] = [
        FigureBlock(
            "untrained-top-k",
            figures.untrained.untrained_top_k(experiments, contents),
            Markup(
                "Share of the test half whose group is among the <i>k</i> most similar; after Fig. "
                "3f of Tiong et al. (2020), who report {} for <i>k</i> = 1 and {} for <i>k</i> = 5 "
                "with a network trained for {} groups, on {} structures of {} groups from the "
                "Materials Project, which is not directly comparable. Mean and nearest: a group is "
                "represented by the mean of its references, or by its most similar reference. "
                "Images: means of 32 × 32 blocks of pixels in place of the features, without any "
                "network. Dotted: always predicting the groups with the most references. Bars: "
                "{:.0f} % bootstrap intervals from {} resamples."
            ).format(
                percent(theirs.top_1),
                percent(theirs.top_5),
                published.n_classes,
                thousands(theirs.structures),
                theirs.groups,
                100 * settings.confidence,
                thousands(settings.resamples),
            ),
            min_width=figures.style.PANELS_WIDTH if len(recognitions) > 2 else 0,
        ),
        _accuracy_table(recognitions),
        *(_group_table(*recognition) for recognition in recognitions.values()),
    ]
    return Section(
        "untrained",
        "Untrained groups",
        "Space groups that no network was trained for",
        "Half of the structures of each such group are references. Each structure of the other "
        "half is compared with them by the cosine of the features that enter the network’s output "
        "layer, summed over the three images and over the members of the ensemble.",
        blocks,
    )


def _accuracy_table(
    recognitions: Mapping[str, tuple[Experiment, Recognition]],
) -> TableBlock:
    """Counts and top-1 accuracies of each experiment."""
    return TableBlock(
        [
            "model",
            "split",
            "groups",
            "references",
            "tested",
            "represented by",
            "A₁, features",
            "A₁, images",
            "difference / %p",
            "label frequency",
        ],
        [
            [
                experiment.label,
                experiment.split,
                str(len(content.groups)),
                *(
                    thousands(sum(getattr(group, half) for group in content.groups))
                    for half in ("reference", "test")
                ),
                in_words,
                percent_interval(getattr(content.accuracy.features, reading)[0]),
                percent_interval(getattr(content.accuracy.images, reading)[0]),
                points_interval(getattr(content.gain_over_images, reading)[0]),
                percent_interval(content.baseline[0]),
            ]
            for experiment, content in recognitions.values()
            for reading, in_words in (("mean", "mean"), ("nearest", "nearest reference"))
        ],
        "Top-1 accuracies. Difference: features minus images on the same resamples, in "
        "percentage points. Isotypes of a tested structure may be among the references, unless the "
        "split keeps structure types together.",
        numeric=[2, 3, 4, 6, 7, 8, 9],
    )


def _group_table(experiment: Experiment, content: Recognition) -> TableBlock:
    """Structures of each untrained group and correct top-1 predictions."""
    left_out = content.left_out
    structures = sum(group.structures for group in left_out)
    return TableBlock(
        ["space group", "references", "tested", "correct, mean", "correct, nearest"],
        [
            [
                group_cell(group.space_group),
                *map(str, (group.reference, group.test, group.right.mean, group.right.nearest)),
            ]
            for group in content.groups
        ],
        "Correct: top-1 predictions from features. Left out because one half would be empty: "
        f"groups {len(left_out)}, structures {structures}.",
        numeric=range(1, 5),
        title=f"Untrained groups of {experiment.label}, split {experiment.split}",
        collapsed=True,
    )

"""Section on the literature: published results, and the same quantities in this study."""

from diffsym.evaluation.published import PUBLISHED
from diffsym.evaluation.scores import Part, Publication
from diffsym.report.results import Results
from diffsym.report.sections.blocks import Cell, Section, TableBlock, percent
from diffsym.report.typesetting import thousands

ACCURACY_COLUMNS = {
    "crystal_system": "crystal system",
    "top_1": "space group",
    "top_6": "space group, top 6",
    "centrosymmetric": "centrosymmetric only",
    "half_unclassified": "half unclassified",
}
"""Kinds of accuracy in the literature and their headings."""


def published(results: Results) -> Section:
    """Published results with their data, and the same quantities on ours."""
    return Section(
        "published",
        "Literature",
        "Published results",
        "Targets from the literature. They were obtained on other data, most of it licensed, so "
        "they are not directly comparable with the accuracies of this study.",
        [*(_publication_table(entry) for entry in PUBLISHED), _own_table(results)],
    )


def _publication_table(publication: Publication) -> TableBlock:
    """Results of one article, with one column per accuracy it gives."""
    models = publication.models
    columns = {
        prefix + key: heading + suffix
        for key, heading in ACCURACY_COLUMNS.items()
        for prefix, suffix in (("", ", test"), ("measured_", ", measured"))
        if any(getattr(model, prefix + key, None) is not None for model in models)
    }
    data = [f"Test: {publication.data}; {publication.split}."]
    if publication.measured_data:
        data.append(f"Measured: {publication.measured_data}.")
    return TableBlock(
        ["model", *columns.values()],
        [
            # As many digits as printed; percent() would add some.
            [
                model.model,
                *(
                    "" if (share := getattr(model, key)) is None else f"{100 * share:.3g}\u202f%"
                    for key in columns
                ),
            ]
            for model in models
        ],
        " ".join([*data, "Accuracies as printed in the article, without intervals."]),
        numeric=range(1, 1 + len(columns)),
        title=f"{publication.reference}: {publication.descriptor}",
    )


def _quantities(part: Part) -> dict[str, float]:
    """Accuracies of a part under the keys of `ACCURACY_COLUMNS`, where available."""
    values = {f"top_{entry.k}": entry.value for entry in part.accuracy} | {
        "crystal_system": part.crystal_systems.accuracy.value,
        "half_unclassified": part.certainty.half_unclassified.accuracy.value,
    }
    if part.centrosymmetric:
        values["centrosymmetric"] = part.centrosymmetric.accuracy[0].value
    return {key: values[key] for key in ACCURACY_COLUMNS if key in values}


def _own_table(results: Results) -> TableBlock:
    """The quantities of the literature in this study, on computed and measured data."""
    rows: list[list[Cell]] = []
    sets: set[str] = set()
    for experiment in results.experiments:
        parts = {"test set": experiment.part}
        for name, entry in experiment.scores.measured.items():
            if entry.part and not entry.round_trip:
                parts[f"measured: {name}"] = entry.part
                sets.add(name)
        for data, part in parts.items():
            values = _quantities(part)
            rows.append(
                [
                    experiment.settings.descriptor,
                    experiment.settings.model,
                    experiment.split,
                    data,
                    *(percent(values[key]) if key in values else "" for key in ACCURACY_COLUMNS),
                ]
            )
    sources = ", ".join(results.sources)
    measured_data = (
        f"measured patterns of {', '.join(sorted(sets))}" if sets else "no measured data"
    )
    return TableBlock(
        ["descriptor", "model", "split", "data", *ACCURACY_COLUMNS.values()],
        rows,
        f"Test set: computed from {thousands(len(results.structures))} unique structures from "
        f"{sources}, restricted to the experiments' {len(results.classes)} groups; "
        f"{measured_data}. Crystal systems follow from the summed probabilities of their groups; "
        "Vecsei et al. trained networks for them. Intervals and baselines are in the "
        "summary and in the sections above.",
        numeric=range(4, 4 + len(ACCURACY_COLUMNS)),
        title="This study: the same quantities on its own data",
    )

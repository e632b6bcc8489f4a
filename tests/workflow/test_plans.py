"""An edit reruns exactly the stages that read what was edited."""

import pytest

AFTER_EVALUATION = {"summarise": 1, "make_report": 1}
AFTER_DESCRIPTOR = {
    "measure_leakage": 3,
    "fit_logistic": 2,
    "train_network": 4,
    "evaluate_experiment": 5,
    **AFTER_EVALUATION,
}
STORED_PATTERNS = {"compute_descriptor": 2, "assemble_descriptor": 1, "measure_leakage": 1}
POWDER_NETWORKS = {
    "train_network": 3,
    "follow_epochs": 3,
    "evaluate_experiment": 3,
    **AFTER_EVALUATION,
}
# Test structures rendered as patterns, and what a network on ideal profiles says of them.
ROUND_TRIP = {"simulate_measured": 1, "convert_measured": 1, "predict_measured": 1}
# Powder patterns and ideal profiles, from which also the disjoint sets are drawn.
AFTER_REFLECTIONS = {
    "compute_descriptor": 4,
    "assemble_descriptor": 2,
    "make_split": 2,
    "measure_leakage": 4,
    "train_network": 6,
    "follow_epochs": 3,
    "evaluate_experiment": 6,
    **ROUND_TRIP,
    **AFTER_EVALUATION,
}
# What is asked of networks on images beside their predictions.
FEATURES = {"recognise_untrained": 1, "show_feature_maps": 2}
AFTER_STRUCTURES = {
    "compute_reflections": 2,
    "compute_descriptor": 10,
    "assemble_descriptor": 5,
    "make_filter": 1,
    "make_split": 5,
    "select_classes": 2,
    "measure_leakage": 9,
    "fit_logistic": 2,
    "train_network": 13,
    "follow_epochs": 3,
    "evaluate_experiment": 14,
    "show_patterns": 1,
    **ROUND_TRIP,
    **FEATURES,
    **AFTER_EVALUATION,
}

CONFIGURATION_EDITS = {
    "nothing": ({}, {}),
    "title of the report": ({"report": {"title": "Another title"}}, {"make_report": 1}),
    "training": (
        {"trainings": {"short": {"learning_rate": 0.002}}},
        {"train_network": 4, "evaluate_experiment": 3, **AFTER_EVALUATION},
    ),
    "model": (
        {"models": {"lr_linear": {"max_epochs": 21}}},
        {"fit_logistic": 1, "evaluate_experiment": 1, **AFTER_EVALUATION},
    ),
    "split": (
        {"splits": {"formula": {"seed": 2}}},
        {
            "make_split": 1,
            "measure_leakage": 1,
            "train_network": 1,
            "evaluate_experiment": 1,
            **AFTER_EVALUATION,
        },
    ),
    "cross-validation": (
        {
            "splits": {"formula": {"folds": 3}},
            "experiments": {"cnn_formula": {"cross_validation": True}},
        },
        {
            "make_split": 1,
            "measure_leakage": 1,
            "train_network": 3,
            "evaluate_experiment": 1,
            **AFTER_EVALUATION,
        },
    ),
    "filter that disjoint sets are drawn from": (
        {"filters": {"ordinary": {"volume": 2}}},
        {
            "make_filter": 1,
            "make_split": 2,
            "measure_leakage": 2,
            "train_network": 2,
            "evaluate_experiment": 2,
            **AFTER_EVALUATION,
        },
    ),
    "filter of one training": (
        {"filters": {"wide": {"volume": 3}}, "experiments": {"cnn": {"filter": "wide"}}},
        {"make_filter": 1, "train_network": 2, "evaluate_experiment": 1, **AFTER_EVALUATION},
    ),
    "class set": (
        {"class_sets": {"frequent": {"min_entries": 7}}},
        {
            "select_classes": 1,
            "make_filter": 1,
            "make_split": 2,
            "measure_leakage": 2,
            "fit_logistic": 2,
            "train_network": 10,
            "follow_epochs": 3,
            "predict_measured": 1,
            # The networks on images have classes of their own, and these untrained ones.
            "recognise_untrained": 1,
            "evaluate_experiment": 11,
            **AFTER_EVALUATION,
        },
    ),
    "untrained groups": (
        {
            "class_sets": {"others": {"most_populated": 7}},
            "experiments": {"shaped_msdn": {"untrained": "others"}},
        },
        {"select_classes": 1, "recognise_untrained": 1, **AFTER_EVALUATION},
    ),
    "shape of patterns": (
        {"descriptors": {"shaped_tiong2020": {"threshold": 0.3}}},
        {
            **STORED_PATTERNS,
            "train_network": 2,
            "evaluate_experiment": 2,
            # Spot and shaped patterns no longer share a gallery.
            "show_patterns": 2,
            **FEATURES,
            **AFTER_EVALUATION,
        },
    ),
    "descriptor": (
        {"descriptors": {"pdf_liu2019": {"u_iso": 0.01}}},
        {"compute_descriptor": 2, "assemble_descriptor": 1, **AFTER_DESCRIPTOR},
    ),
    "duplicates": (
        {"structures": {"duplicates": {"stol": 0.2}}},
        {"unique_structures": 1, **AFTER_STRUCTURES},
    ),
    "symmetry": (
        {"structures": {"symmetry": {"symprec": 0.02}}},
        {"parse_structures": 2, "unique_structures": 1, **AFTER_STRUCTURES},
    ),
    "evaluation": (
        {"evaluation": {"bootstrap_samples": 101}},
        {"evaluate_experiment": 14, "recognise_untrained": 1, **AFTER_EVALUATION},
    ),
    "reflections": (
        {"reflections": {"d_star_max": 1.07}},
        {"compute_reflections": 2, **AFTER_REFLECTIONS},
    ),
    "search for lines in patterns": (
        {"measured": {"diffractometer": {"search": {"signal_to_noise": 6}}}},
        {
            "convert_measured": 1,
            "predict_measured": 1,
            "evaluate_experiment": 1,
            **AFTER_EVALUATION,
        },
    ),
    "snapshots": (
        {"trainings": {"short": {"snapshot_every": 1}}},
        {"train_network": 4, "follow_epochs": 4, "evaluate_experiment": 3, **AFTER_EVALUATION},
    ),
    # Networks see widths of their own, and no width needs a structure factor.
    "width of stored peaks": (
        {"descriptors": {"xrd_vecsei2019": {"peaks": {"w": 0.02}}}},
        {**STORED_PATTERNS, "make_report": 1},
    ),
    "noise": (
        {"descriptors": {"xrd_vecsei2019": {"augmentation": {"noise": [0.0, 0.01]}}}},
        POWDER_NETWORKS,
    ),
}


@pytest.mark.parametrize(("overlay", "jobs"), CONFIGURATION_EDITS.values(), ids=CONFIGURATION_EDITS)
def test_edited_configuration(tiny_study, overlay, jobs):
    assert tiny_study.planned(overlay=overlay) == jobs


CODE_EDITS = {
    "evaluation/metrics.py": {"evaluate_experiment": 14, **AFTER_EVALUATION},
    "evaluation/ranks.py": {
        "evaluate_experiment": 14,
        "recognise_untrained": 1,
        **AFTER_EVALUATION,
    },
    "report/figures/accuracy.py": {"make_report": 1},
    "descriptors/electron.py": {
        "compute_descriptor": 4,
        "assemble_descriptor": 2,
        "measure_leakage": 2,
        "train_network": 3,
        "evaluate_experiment": 3,
        "show_patterns": 1,
        **FEATURES,
        **AFTER_EVALUATION,
    },
    "models/tiong2020_msdn.py": {
        "train_network": 1,
        "evaluate_experiment": 1,
        "recognise_untrained": 1,
        "show_feature_maps": 1,
        **AFTER_EVALUATION,
    },
    "scattering/pdf.py": {
        "compute_descriptor": 2,
        "assemble_descriptor": 1,
        **AFTER_DESCRIPTOR,
    },
    "scattering/reflections.py": {"compute_reflections": 2, **AFTER_REFLECTIONS},
    "descriptors/powder_noise.py": {**POWDER_NETWORKS, **ROUND_TRIP, "evaluate_experiment": 4},
    "experimental/profile_fit.py": {
        "convert_measured": 1,
        "predict_measured": 1,
        "evaluate_experiment": 1,
        **AFTER_EVALUATION,
    },
    "models/spgnet.py": {
        "train_network": 3,
        "predict_measured": 1,
        "evaluate_experiment": 3,
        **AFTER_EVALUATION,
    },
    "models/liu2019_cnn.py": {"train_network": 4, "evaluate_experiment": 3, **AFTER_EVALUATION},
    "structures/duplicates.py": {"unique_structures": 1, **AFTER_STRUCTURES},
    "structures/sources/local.py": {},
}


@pytest.fixture(scope="module")
def commented(tiny_study, tmp_path_factory):
    """A copy of the tiny study with a comment more in each of these modules."""
    study = tiny_study.copy(tmp_path_factory.mktemp("commented") / "study")
    for module in CODE_EDITS:
        path = study.folder / "workflow" / "diffsym" / module
        path.write_text(path.read_text() + "\n# A comment reruns nothing.\n")
    return study


def test_a_comment_reruns_nothing(commented):
    assert commented.planned() == {}


@pytest.mark.parametrize(("module", "jobs"), CODE_EDITS.items(), ids=CODE_EDITS)
def test_edited_code(commented, module, jobs):
    path = commented.folder / "workflow" / "diffsym" / module
    text = path.read_text()
    path.write_text(text + "\nNEW = 1\n")
    try:
        assert commented.planned() == jobs
    finally:
        path.write_text(text)


@pytest.mark.parametrize(
    ("target", "rules"),
    [
        # What was fetched is not fetched again, even so.
        ("structures", {"parse_structures", "unique_structures"}),
        ("descriptors", {"compute_descriptor", "assemble_descriptor"}),
        ("splits", {"make_split"}),
        ("results/splits/stratified.parquet", {"make_split"}),
        ("models", {"select_classes", "fit_logistic", "train_network"}),
        ("evaluation", {"evaluate_experiment", "summarise"}),
    ],
)
def test_named_targets_end_at_their_stage(tiny_study, target, rules):
    planned = set(tiny_study.planned("--forceall", target)) - {target}
    assert rules <= planned
    assert "make_report" not in planned
    if target == "structures":
        assert planned == rules

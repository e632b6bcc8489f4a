"""The configuration is judged before the job graph is built, one sentence a mistake."""

import copy
import re

import pytest
import yaml

from diffsym.errors import DiffsymError
from diffsym.generated import REPOSITORY
from diffsym.study.loading import load_configuration


def merged(base, overlay):
    for key, value in overlay.items():
        if isinstance(value, dict) and isinstance(base.get(key), dict):
            merged(base[key], value)
        else:
            base[key] = value
    return base


@pytest.fixture
def raw():
    return yaml.safe_load((REPOSITORY / "config.yaml").read_text())


@pytest.mark.parametrize(
    "overlay", ["liu2019", "vecsei2019", "ozaki2025", "materials_project", "gpu"]
)
def test_overlays_are_valid(raw, overlay):
    text = (REPOSITORY / "config" / f"{overlay}.yaml").read_text()
    study = load_configuration(merged(raw, yaml.safe_load(text)))
    assert study.experiments_to_run()


def test_recipes_of_sources_are_valid(raw):
    text = (REPOSITORY / "docs" / "sources.md").read_text()
    recipes = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert len(recipes) == text.count("kind: ")
    for recipe in recipes:
        overlay = yaml.safe_load(recipe)
        study = load_configuration(merged(copy.deepcopy(raw), overlay))
        assert set(overlay["sources"]) <= set(study.structures.sources)


def test_sweep_expands_to_the_rows_of_the_paper(raw):
    raw["report"]["sweeps"] = ["liu2019_table4"]
    study = load_configuration(raw)
    names = [name for name in study.experiments_to_run() if name.startswith("liu2019_table4")]
    assert len(names) == 10
    assert study.models["liu2019_table4_10"].filters == (256, 64)
    assert study.experiments["liu2019_table4_10"].members == 3
    assert (
        study.models["liu2019_table4_10"].pool_size == study.models["liu2019_cnn_small"].pool_size
    )


def test_a_cross_validation_has_a_member_a_fold(raw):
    raw["splits"]["formula"]["folds"] = 10
    raw["experiments"]["cnn_formula"] |= {"cross_validation": True, "members": 1}
    study = load_configuration(raw)
    assert study.experiments["cnn_formula"].members == 10
    # What a study was made with can be read again.
    raw["experiments"]["cnn_formula"]["members"] = 10
    assert load_configuration(raw).experiments["cnn_formula"].members == 10


def test_rows_of_a_sweep_over_a_cross_validation_have_its_members(raw):
    raw["experiments"]["cnn"] |= {"cross_validation": True, "members": 1}
    rows = [{"model": {"kernel_size": 8}}, {"model": {"kernel_size": 16}}]
    raw["sweeps"] = {"kernels": {"base": "cnn", "rows": rows}}
    study = load_configuration(raw)
    assert [study.experiments[f"kernels_0{row}"].members for row in (1, 2)] == [5, 5]
    rows[1]["members"] = 3
    with pytest.raises(DiffsymError, match=r"sweeps\.kernels\.rows\[1\]\.members: a cross-valid"):
        load_configuration(raw)


def test_the_tolerance_in_use_is_among_the_compared(raw):
    raw["structures"]["symmetry"] = {"symprec": 0.05, "tolerances": [0.1, 0.01]}
    assert load_configuration(raw).structures.symmetry.tolerances == (0.01, 0.05, 0.1)


def test_experiments_take_what_they_lack_from_the_defaults(raw):
    raw["defaults"] = {"split": "formula", "classes": "frequent", "seed": 7}
    raw["experiments"]["cnn"].pop("split", None)
    raw["experiments"]["cnn"]["seed"] = 3
    raw["experiments"]["lr_x"].pop("split", None)
    raw["experiments"]["lr_x"].pop("seed", None)
    experiments = load_configuration(raw).experiments
    assert (experiments["cnn"].split, experiments["cnn"].seed) == ("formula", 3)
    assert (experiments["lr_x"].split, experiments["lr_x"].seed) == ("formula", 7)


def test_preferred_orientation_about_an_axis(raw):
    raw["reflections"] = {"preferred_axis": [0, 0, 1]}
    raw["descriptors"]["xrd_vecsei2019"]["augmentation"] = {"march_ratio": [0.6, 1.2]}
    study = load_configuration(raw)
    assert study.reflections.preferred_axis == (0, 0, 1)
    assert study.descriptors["xrd_vecsei2019"].augmentation.march_ratio == (0.6, 1.2)


def test_an_ideal_profile_has_the_keys_of_the_paper(raw):
    raw["descriptors"]["ideal"] = {"kind": "ideal"}
    ideal = load_configuration(raw).descriptors["ideal"]
    assert (ideal.d_star_min, ideal.d_star_max, ideal.bins) == (0.1131, 1.0625, 10_001)
    assert ideal.b_iso == 2.0


def test_electron_patterns_are_those_of_the_paper(raw):
    raw["descriptors"]["images"] = {"kind": "electron", "pattern": "shaped"}
    images = load_configuration(raw).descriptors["images"]
    assert (images.pixels, images.wavelength, images.ewald) == (224, 0.035, "sphere")


MISTAKES = {
    "misspelt key": (
        ["structures", "shard"], 3, "structures: unknown key 'shard'; did you mean 'shards'?",
    ),
    "misspelt top-level key": (
        ["modells"], {}, "top level: unknown key 'modells'; did you mean 'models'?",
    ),
    "misspelt filter": (
        ["sources", "amcsd", "select"], {"element": ["Si"]},
        "sources.amcsd.select: unknown key 'element'; did you mean 'elements'?",
    ),
    "misspelt element": (
        ["sources", "amcsd", "select"], {"elements": ["SI", "O"]},
        "sources.amcsd.select.elements: 'SI' is no element with a form factor; "
        "did you mean 'Si'?",
    ),
    "misspelt default": (
        ["defaults", "splits"], "stratified",
        "defaults: unknown key 'splits'; did you mean 'split'?",
    ),
    "default of no section": (
        ["defaults", "classes"], "frequen",
        "defaults.classes: 'frequen' is not a section of class_sets; did you mean 'frequent'?",
    ),
    "unknown reference": (
        ["experiments", "cnn", "descriptor"], "pdf_liu",
        "experiments.cnn.descriptor: 'pdf_liu' is not a section of descriptors; "
        "did you mean 'pdf_liu2019'?",
    ),
    "unknown experiment": (
        ["report", "experiments"], ["cnnn"],
        "report.experiments[0]: 'cnnn' is not a section of experiments; did you mean 'cnn'?",
    ),
    "wrong type": (
        ["structures", "shards"], "many", "structures.shards: input should be a valid integer",
    ),
    "out of range": (
        ["splits", "stratified", "test_fraction"], 1.5,
        "splits.stratified.test_fraction: input should be less than 1",
    ),
    "unknown kind": (
        ["splits", "stratified", "kind"], "random",
        "splits.stratified: the kind 'random' is none of 'stratified', 'formula', 'prototype', "
        "'ozaki2025'",
    ),
    "missing kind": (
        ["splits", "stratified"], {"seed": 1}, "splits.stratified: the key 'kind' is required",
    ),
    # A section may have the name of its kind.
    "section named as its kind": (
        ["splits", "formula", "folds"], 1, "splits.formula.folds: input should be greater than",
    ),
    "reversed range": (
        ["descriptors", "pdf_liu2019", "r_min"], 30.0,
        "descriptors.pdf_liu2019: r_min must be smaller than r_max",
    ),
    "step above the Nyquist step": (
        ["descriptors", "pdf_liu2019", "r_step"], 0.2,
        "descriptors.pdf_liu2019: r_step 0.2 A is above pi / q_max = 0.1366 A",
    ),
    "two rules for the classes": (
        ["class_sets", "frequent", "named"], "liu2019-45",
        "class_sets.frequent: give exactly one of min_entries, most_populated, "
        "space_groups and named, not 2",
    ),
    "network without training": (
        ["experiments", "cnn", "training"], None,
        "experiments.cnn.training: model liu2019_cnn_small is a network",
    ),
    "pack of a regression": (
        ["packs", "default", "experiments"], ["xrd_cnn", "lr_x"],
        "packs.default.experiments[1]: lr_x has no networks that take measured powder patterns",
    ),
    "pack of networks for images": (
        ["packs", "default", "experiments"], ["shaped_msdn"],
        "packs.default.experiments[0]: shaped_msdn has no networks that take measured powder",
    ),
    "pack of a series": (
        ["packs", "default", "experiments"], ["disjoint_spgvolnet"],
        "packs.default.experiments[0]: disjoint_spgvolnet stands for several experiments",
    ),
    "pack of nobody": (
        ["packs", "default", "experiments"], ["xrd_cn"],
        "packs.default.experiments[0]: 'xrd_cn' is not a section of experiments; did you mean",
    ),
    "empty pack": (
        ["packs", "default"], {"search": False},
        "packs.default: nothing goes in; name experiments, or set search: true",
    ),
    "folds of a regression": (
        ["experiments", "lr_x", "cross_validation"], True,
        "experiments.lr_x.cross_validation: a logistic regression chooses its penalty on the folds",
    ),
    "members beside folds": (
        ["experiments", "cnn"],
        {
            "descriptor": "pdf_liu2019",
            "split": "stratified",
            "classes": "frequent",
            "model": "liu2019_cnn_small",
            "training": "short",
            "members": 3,
            "cross_validation": True,
        },
        "experiments.cnn.members: a cross-validation has one member per fold, 5 with split "
        "stratified; remove the key",
    ),
    "several logistic members": (
        ["experiments", "lr_x", "members"], 2,
        "experiments.lr_x.members: a logistic regression has one member",
    ),
    "sweep of an unknown key": (
        ["sweeps", "liu2019_table4", "rows"], [{"model": {"kernel": 3}}],
        "models.liu2019_table4_01: unknown key 'kernel'; did you mean 'kernel_size'?",
    ),
    "pattern beyond the reflections": (
        ["descriptors", "xrd_vecsei2019", "two_theta_max"], 120.0,
        "descriptors.xrd_vecsei2019.two_theta_max: the pattern ends at 1/d = 1.1234 1/A",
    ),
    "empty range of angles": (
        ["descriptors", "xrd_vecsei2019", "two_theta_min"], 90.0,
        "descriptors.xrd_vecsei2019: two_theta_max must exceed two_theta_min",
    ),
    "peaks narrower than the step": (
        ["descriptors", "xrd_vecsei2019", "augmentation"], {"sigma": [0.001, 0.1]},
        "descriptors.xrd_vecsei2019: augmentation.sigma allows peaks of 0.0024 degrees",
    ),
    "falling range": (
        ["descriptors", "xrd_vecsei2019", "augmentation"], {"noise": [0.2, 0.1]},
        "descriptors.xrd_vecsei2019.augmentation.noise: the first value must not exceed",
    ),
    "preferred orientation without an axis": (
        ["descriptors", "xrd_vecsei2019", "augmentation"], {"march_ratio": [0.6, 1]},
        "descriptors.xrd_vecsei2019.augmentation.march_ratio: preferred orientation needs an axis; "
        "set reflections.preferred_axis",
    ),
    "axis of no plane": (
        ["reflections"], {"preferred_axis": [0, 0, 0]},
        "reflections: preferred_axis 0, 0, 0 is no plane; give a plane such as 0, 0, 1, or null",
    ),
    "march ratio of zero": (
        ["descriptors", "xrd_vecsei2019", "augmentation"], {"march_ratio": [0, 1]},
        "descriptors.xrd_vecsei2019.augmentation.march_ratio.0: input should be greater than 0",
    ),
    "reversed reflections": (
        ["reflections"], {"d_star_min": 2.0}, "reflections: d_star_min must be smaller",
    ),
    "falling range of 1/d": (
        ["descriptors", "ideal"], {"kind": "ideal", "d_star_min": 1.1},
        "descriptors.ideal: d_star_min must be smaller than d_star_max",
    ),
    "profile beyond the reflections": (
        ["descriptors", "ideal"], {"kind": "ideal", "d_star_max": 1.2},
        "descriptors.ideal: the profile runs from 0.1131 to 1.2 1/A and the reflections from 0.01",
    ),
    "profile before the reflections": (
        ["descriptors", "ideal"], {"kind": "ideal", "d_star_min": 0.005},
        "descriptors.ideal: the profile runs from 0.005 to 1.0625 1/A",
    ),
    "more bins than two bytes count": (
        ["descriptors", "ideal"], {"kind": "ideal", "bins": 65_537},
        "descriptors.ideal.bins: input should be less than or equal to 65536",
    ),
    "measured patterns for a network on pair distribution functions": (
        ["experiments", "cnn", "measured"], ["diffractometer"],
        "experiments.cnn.measured: measured powder patterns go into networks on descriptors of",
    ),
    "unknown set of measured patterns": (
        ["experiments", "xrd_cnn", "measured"], ["difractometer"],
        "experiments.xrd_cnn.measured[0]: 'difractometer' is not a section of measured; did you "
        "mean 'diffractometer'?",
    ),
    "rendered test structures beyond the reflections": (
        ["measured", "diffractometer", "two_theta_max"], 150.0,
        "measured.diffractometer.two_theta_max: the pattern ends at 1/d = 1.25",
    ),
    "search for lines without limits": (
        ["measured", "diffractometer", "search"], {"profile_error": 1.5},
        "measured.diffractometer.search.profile_error: input should be less than 1",
    ),
    "products of too many values": (
        ["experiments", "lr_x2", "descriptor"], "xrd_vecsei2019",
        "experiments.lr_x2.model: the products of all values of xrd_vecsei2019 are too many",
    ),
    "volumes beside crystal systems": (
        ["experiments", "ideal_spgvolnet", "target"], "crystal_system",
        "experiments.ideal_spgvolnet.target: model spgvolnet_small classifies space groups",
    ),
    "untrained groups of no class set": (
        ["experiments", "cnn", "untrained"], "frequen",
        "experiments.cnn.untrained: 'frequen' is not a section of class_sets; "
        "did you mean 'frequent'?",
    ),
    "untrained groups for a network without streams": (
        ["experiments", "cnn", "untrained"], "frequent",
        "experiments.cnn.untrained: features of model liu2019_cnn_small are not compared stream by "
        "stream; name one of kind tiong2020_msdn, tiong2020_msvgg, or remove the key",
    ),
    "images of an odd size": (
        ["descriptors", "shaped_tiong2020", "pixels"], 100,
        "descriptors.shaped_tiong2020.pixels: input should be a multiple of 32",
    ),
    "detector beyond the sphere": (
        ["descriptors", "shaped_tiong2020", "wavelength"], 0.8,
        "descriptors.shaped_tiong2020: the corner of the detector lies beyond the Ewald sphere",
    ),
    "beam stop within the beam": (
        ["descriptors", "shaped_tiong2020", "size"], 20.0,
        "descriptors.shaped_tiong2020: beam_stop 0.06 1/A is below 1.7 / size = 0.0850",
    ),
    "beam stop as large as the detector": (
        ["descriptors", "shaped_tiong2020", "beam_stop"], 1.0,
        "descriptors.shaped_tiong2020: beam_stop must be smaller than q_max",
    ),
    "images for a network on profiles": (
        ["experiments", "cnn", "descriptor"], "spot_tiong2020",
        "experiments.cnn.model: spot_tiong2020 are images, which model liu2019_cnn_small does not "
        "take; name one of kind tiong2020_msdn, tiong2020_msvgg, ziletti2018, alexnet, "
        "applications",
    ),
    "profiles for a network on images": (
        ["experiments", "shaped_msdn", "descriptor"], "pdf_liu2019",
        "experiments.shaped_msdn.descriptor: model tiong2020_msdn_small takes images; name a "
        "descriptor of kind electron",
    ),
    "another cost of streams": (
        ["trainings", "tiong2020_short", "losses"], ["quadratic"],
        "trainings.tiong2020_short.losses: model tiong2020_msvgg_small of experiments.shaped_msvgg "
        "adds up the cross entropies of its streams",
    ),
    "weighted streams": (
        ["trainings", "tiong2020_short", "class_weights"], "inverse_frequency",
        "trainings.tiong2020_short.class_weights: stream models such as tiong2020_msdn_small",
    ),
    "unequal shares of a batch": (
        ["trainings", "short", "devices"], 3,
        "trainings.short: batch_size 64 cannot be shared equally by devices: 3; give a multiple",
    ),
    "unknown cost": (
        ["trainings", "short", "losses"], ["mse"], "trainings.short.losses.0: input should be",
    ),
    "neither a search nor a list": (
        ["sources", "cod"], {"kind": "cod"}, "sources.cod: give either a search, for example",
    ),
    "a search by something else": (
        ["sources", "cod"], {"kind": "cod", "search": {"element1": "Ti"}},
        "sources.cod.search: unknown parameter 'element1'",
    ),
    "name unfit for a file": (
        ["descriptors", "PDF 2"], {"kind": "pdf"},
        "descriptors.PDF 2: the name 'PDF 2' must be lower case letters, digits and _",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("where", "value", "sentence"), MISTAKES.values(), ids=MISTAKES)
def test_mistakes_are_named(raw, where, value, sentence):
    broken = copy.deepcopy(raw)
    section = broken
    for key in where[:-1]:
        section = section[key]
    section[where[-1]] = value
    with pytest.raises(DiffsymError) as error:
        load_configuration(broken)
    assert sentence in str(error.value)


@pytest.fixture
def ozaki2025(raw):
    """A study with a series of experiments on disjoint test sets."""
    text = (REPOSITORY / "config" / "ozaki2025.yaml").read_text()
    return merged(raw, yaml.safe_load(text))


def test_an_experiment_on_disjoint_sets_stands_for_one_on_each(ozaki2025):
    study = load_configuration(ozaki2025)
    assert study.series()["ozaki2025_spgvolnet"] == [
        f"ozaki2025_spgvolnet_{number}" for number in range(1, 6)
    ]
    runs = study.experiments_to_run()
    assert sum(study.experiments[run].members for run in runs) == 240
    for number in range(1, 6):
        run = study.experiments[f"ozaki2025_spgnet_1_volume_{number}"]
        assert run.split == f"ozaki2025_{number}"
        assert run.filter == "d_sigma_volume"
        assert study.splits[run.split].held_out == number
        assert study.splits[run.split].seed == study.splits["ozaki2025"].seed
    # What stands for others is not run itself.
    assert not set(runs) & set(study.series())


def test_a_sweep_over_disjoint_sets_runs_each_row_on_each_set(ozaki2025):
    ozaki2025["sweeps"]["factors"] = {
        "base": "ozaki2025_spgnet",
        "rows": [{"model": {"hidden_factors": [5]}}, {"model": {"hidden_factors": [20, 5]}}],
    }
    ozaki2025["report"] = {"experiments": ["cnn"], "sweeps": ["factors"]}
    study = load_configuration(ozaki2025)
    runs = [f"factors_{row:02d}_{number}" for row in (1, 2) for number in range(1, 6)]
    assert study.experiments_to_run() == ["cnn", *runs]
    assert study.models[study.experiments["factors_02_3"].model].hidden_factors == (20, 5)


def test_one_set_alone_makes_no_series(ozaki2025):
    ozaki2025["splits"]["ozaki2025"]["held_out"] = 2
    study = load_configuration(ozaki2025)
    assert "ozaki2025_spgnet" not in study.series()
    assert study.experiments_to_run() == list(study.report.experiments)


SERIES_MISTAKES = {
    "no ideal profiles": (
        {"splits": {"ozaki2025": {"descriptor": "pdf_liu2019"}}},
        "splits.ozaki2025.descriptor: pdf_liu2019 is of kind pdf; name one of kind ideal",
    ),
    "no such filter": (
        {"splits": {"ozaki2025": {"filter": "d_sigma_volum"}}},
        "splits.ozaki2025.filter: 'd_sigma_volum' is not a section of filters; "
        "did you mean 'd_sigma_volume'?",
    ),
    "no such filter of training": (
        {"experiments": {"cnn": {"filter": "d_3sigma_volume"}}},
        "experiments.cnn.filter: 'd_3sigma_volume' is not a section of filters; "
        "did you mean 'd_sigma_volume'?",
    ),
    "no such classes": (
        {"splits": {"ozaki2025": {"classes": "frequently"}}},
        "splits.ozaki2025.classes: 'frequently' is not a section of class_sets; "
        "did you mean 'frequent'?",
    ),
    "no such set": (
        {"splits": {"ozaki2025": {"held_out": 6}}},
        "splits.ozaki2025: held_out must not exceed sets",
    ),
    "a single set": (
        {"splits": {"ozaki2025": {"sets": 1}}},
        "splits.ozaki2025.sets: input should be greater than or equal to 2",
    ),
    "no width": (
        {"filters": {"d_sigma_volume": {"volume": 0}}},
        "filters.d_sigma_volume.volume: input should be greater than 0",
    ),
    "name of a part": (
        {"splits": {"ozaki2025_3": {"kind": "formula"}}},
        "splits: the name ozaki2025_3 is taken by a section",
    ),
}


@pytest.mark.parametrize(
    ("overlay", "sentence"), SERIES_MISTAKES.values(), ids=list(SERIES_MISTAKES)
)
def test_mistakes_of_series_and_filters_are_named(ozaki2025, overlay, sentence):
    with pytest.raises(DiffsymError) as error:
        load_configuration(merged(ozaki2025, overlay))
    assert sentence in str(error.value)


def test_all_mistakes_are_listed_together(raw):
    raw["structures"]["shard"] = 1
    raw["splits"]["formula"]["seed"] = -1
    with pytest.raises(DiffsymError) as error:
        load_configuration(raw)
    assert len(str(error.value).splitlines()) == 3


def test_the_study_of_shaped_patterns_has_every_network_on_every_set_of_groups(raw):
    text = (REPOSITORY / "config" / "tiong2020.yaml").read_text()
    study = load_configuration(merged(raw, yaml.safe_load(text)))
    runs = study.experiments_to_run()
    experiments = [study.experiments[run] for run in runs]
    assert len({(e.classes, e.model) for e in experiments}) == len(runs) == 4 * 7
    assert sum(e.members for e in experiments) == 4 * 10 + 4 * 6

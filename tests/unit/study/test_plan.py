"""The plan of a study: files, settings, modules and jobs of every rule, without Snakemake."""

import subprocess
import sys

import pytest
import yaml
from study import REPOSITORY

from diffsym.structures.sources import amcsd
from diffsym.study.layout import Layout
from diffsym.study.loading import load_configuration
from diffsym.study.plan import Plan, threads_of_job

RESULTS = "results"


def plan_of(**changes):
    """Plan of the default study with other values of some sections."""
    raw = yaml.safe_load((REPOSITORY / "config.yaml").read_text())
    for section, values in changes.items():
        for name, value in values.items():
            if isinstance(value, dict):
                raw.setdefault(section, {}).setdefault(name, {}).update(value)
            else:
                raw[section][name] = value
    return Plan(load_configuration(raw), Layout())


@pytest.fixture(scope="module")
def plan():
    return plan_of()


def test_planning_imports_nothing_heavy():
    heavy = ["numpy", "pandas", "pyarrow", "numba", "keras", "pymatgen", "snakemake"]
    code = (
        "import sys, diffsym.study.loading, diffsym.study.plan; "
        f"sys.exit(str(set({heavy}) & set(sys.modules) or ''))"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert not finished.stderr.strip()


def test_the_wheel_of_the_default_database_has_the_name_that_the_source_fetches(plan):
    assert plan.source_path("amcsd") == f"data/downloads/{amcsd.WHEEL}"


def test_a_folder_of_the_user_is_read_where_it_lies():
    plan = plan_of(
        sources={"mine": {"kind": "local", "path": "data/mine"}},
        structures={"sources": ["mine"]},
    )
    assert plan.source_path("mine") == "data/mine"
    assert [(key, path) for key, path, _ in plan.user_files()] == [
        ("sources.mine.path", "data/mine")
    ]
    assert plan.source_module("mine") == "diffsym.structures.sources.local"


def test_entries_of_the_cod_are_read_from_the_archive_that_is_fetched():
    search = {"kind": "cod", "search": {"el1": "Ti"}}
    plan = plan_of(sources={"titanium": search}, structures={"sources": ["titanium"]})
    (file,) = [file for file, source in plan.downloads.items() if source == "sources.titanium"]
    assert plan.source_path("titanium") == f"data/downloads/{file}"
    assert plan.fetched_source(file)["search"] == {"el1": "Ti"}
    assert plan.jobs()["fetch_source"] == [f"fetch_source/{file}"]
    assert not list(plan.user_files())


def test_measured_patterns_are_read_from_the_archives_that_are_fetched():
    minerals = {"measured": {"minerals": {"kind": "rruff"}}}
    plan = plan_of(**minerals)
    (file,) = [file for file, key in plan.downloads.items() if key == "measured.minerals"]
    assert plan.measured_path("minerals") == f"data/downloads/{file}"
    assert plan.fetched_source(file)["kind"] == "rruff"
    assert file in plan.missing_downloads
    assert plan.reader_modules("minerals")[0] == "diffsym.experimental.rruff.reading"
    # No experiment of the report asks for them.
    assert f"fetch_source/{file}" not in plan.jobs()["fetch_source"]
    [experiment] = [name for name in plan.experiments if plan.patterns(name)][:1]
    used = plan_of(**minerals, experiments={experiment: {"measured": ["minerals"]}})
    assert f"fetch_source/{file}" in used.jobs()["fetch_source"]
    assert "read_measured/minerals" in used.jobs()["read_measured"]
    assert not list(used.user_files())


def test_nothing_is_fetched_again_that_lies_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    chosen = {"kind": "optimade", "provider": "https://example.org", "filter": "nelements=2"}
    files = set()
    for other in [{}, {"select": {"ordered": True}}, {"licence": "CC0"}, {"page_limit": 100}]:
        plan = plan_of(sources={"binary": chosen | other}, structures={"sources": ["binary"]})
        files |= {file for file, source in plan.downloads.items() if source == "sources.binary"}
    (file,) = files
    assert file in plan.missing_downloads
    path = tmp_path / plan.download(file)
    path.parent.mkdir(parents=True)
    path.touch()
    assert file not in plan.missing_downloads


def test_descriptors_are_computed_from_structures_or_from_lines(plan):
    structures = f"{RESULTS}/structures.parquet"
    assert plan.descriptor_files("pdf_liu2019", 3) == {"structures": structures}
    assert plan.descriptor_files("ideal_ozaki2025", 3) == {
        "structures": structures,
        "reflections": f"{RESULTS}/reflections/shard-3.parquet",
    }


def test_only_srreal_needs_an_environment_of_its_own(plan):
    assert plan.descriptor_environment("pdf_liu2019") == "descriptors"
    other = plan_of(descriptors={"pdf_liu2019": {"engine": "srreal"}})
    assert other.descriptor_environment("pdf_liu2019") == "srreal"
    assert other.descriptor_environment("xrd_vecsei2019") == "descriptors"


def test_disjoint_sets_are_drawn_from_profiles_and_a_filter(plan):
    assert plan.split_files("stratified") == {"structures": f"{RESULTS}/structures.parquet"}
    assert plan.split_module("stratified") == "diffsym.datasets.splits"
    assert plan.split_files("disjoint_2") == {
        "structures": f"{RESULTS}/structures.parquet",
        "descriptor": f"{RESULTS}/descriptors/ideal_ozaki2025.parquet",
        "filter": f"{RESULTS}/filters/ordinary/frequent.parquet",
    }
    assert plan.split_module("disjoint_2") == "diffsym.datasets.disjoint_sets"
    assert "disjoint" not in plan.single_splits
    assert {"disjoint_1", "disjoint_2", "formula"} <= set(plan.single_splits)


def test_patterns_with_noise_are_rendered_from_lines(plan):
    files = plan.network_files("xrd_cnn")
    assert files["descriptor"] == [f"{RESULTS}/reflections/shard-{k}.parquet" for k in range(4)]
    assert plan.rendered_patterns("xrd_cnn")["wavelength"] == 1.54184
    assert "peaks" not in plan.rendered_patterns("xrd_cnn")
    assert plan.network_modules("xrd_cnn") == [
        "diffsym.models.park2017_cnn",
        "diffsym.datasets.augmented",
    ]
    assert plan.rendered_patterns("cnn") is None
    assert plan.network_modules("cnn") == ["diffsym.models.liu2019_cnn"]


def test_networks_that_predict_volumes_read_the_structures(plan):
    assert "structures" in plan.network_files("ideal_spgvolnet")
    assert "structures" not in plan.network_files("cnn")


def test_a_filter_belongs_to_training_and_not_to_untrained_groups():
    plan = plan_of(experiments={"shaped_msdn": {"filter": "ordinary"}})
    table = f"{RESULTS}/filters/ordinary/eight.parquet"
    assert plan.experiment_files("shaped_msdn")["filter"] == table
    assert plan.evaluation_files("shaped_msdn")["filter"] == table
    assert "filter" not in plan.untrained_files("shaped_msdn")
    assert plan.evaluation_files("cnn")["filter"] == []
    assert ("ordinary", "eight") in plan.filters()


def test_members_have_seeds_and_folds_of_their_own(plan):
    assert [plan.seed("cnn", member) for member in ("0", 1)] == [1, 2]
    assert plan.validation_fold("cnn", "1") is None
    crossed = plan_of(experiments={"shaped_msvgg": {"cross_validation": True}})
    assert crossed.validation_fold("shaped_msvgg", "1") == 1
    assert (
        len(crossed.member_files("shaped_msvgg", "model.keras"))
        == crossed.study.splits["stratified"].folds
    )


def test_models_are_networks_or_logistic_regressions(plan):
    assert plan.logistic_experiments == ["lr_x", "lr_x2"]
    assert set(plan.logistic_experiments).isdisjoint(plan.network_experiments)
    assert set(plan.histories()) == set(plan.experiments) - {"lr_x", "lr_x2"}


def test_test_structures_become_measured_patterns_of_their_split(plan):
    assert plan.patterns("ideal_spgvolnet") == {"diffractometer": "stratified/"}
    assert plan.measured_predictions("ideal_spgvolnet") == {
        "diffractometer": [
            f"{RESULTS}/experiments/ideal_spgvolnet/members/0/measured/"
            "stratified/diffractometer.parquet"
        ]
    }
    assert (
        plan.pattern_search("diffractometer")
        == plan.settings("measured", "diffractometer")["search"]
    )
    assert plan.followed_files("cnn") == {"patterns": [], "measured": []}


def test_only_networks_with_snapshots_are_followed(plan):
    assert list(plan.followed_epochs()) == ["xrd_cnn", "xrd_cnn_systems", "xrd_dense"]


def test_a_series_stands_for_its_parts(plan):
    assert plan.series() == {"disjoint_spgvolnet": ["disjoint_spgvolnet_1", "disjoint_spgvolnet_2"]}
    assert "disjoint_spgvolnet" not in plan.experiments


def test_rows_of_a_sweep_show_neither_maps_nor_untrained_groups():
    plan = plan_of(
        sweeps={"sides": {"base": "shaped_msdn", "rows": [{"model": {"side": 32}}]}},
        report={"sweeps": ["sides"]},
    )
    assert plan.sweep_of_experiments() == {"sides_01": "sides"}
    assert "sides_01" in plan.experiments
    assert list(plan.untrained()) == ["shaped_msdn"]
    assert list(plan.feature_maps()) == ["shaped_msvgg", "shaped_msdn"]


def test_figures_show_no_row_of_a_sweep_and_one_run_of_a_series(plan):
    assert len(plan.shown()) == len(plan.experiments) - 1
    assert "disjoint_spgvolnet_1" in plan.shown()
    assert "disjoint_spgvolnet_2" not in plan.shown()
    swept = plan_of(
        sweeps={"sides": {"base": "shaped_msdn", "rows": [{"model": {"side": 32}}]}},
        report={"sweeps": ["sides"]},
    )
    assert swept.shown() == plan.shown()


def test_descriptors_that_differ_only_in_the_pattern_share_a_gallery(plan):
    both = ["spot_tiong2020", "shaped_tiong2020"]
    assert plan.galleries() == {"spot_tiong2020": both}
    assert plan.report_files()["galleries"] == [f"{RESULTS}/galleries/spot_tiong2020.npz"]
    assert plan.gallery_files()["descriptors"] == [
        f"{RESULTS}/descriptors/{name}.parquet" for name in both
    ]
    assert "pattern" not in plan.gallery_settings("spot_tiong2020")
    along_lattice = plan_of(descriptors={"shaped_tiong2020": {"beam": "lattice"}})
    assert along_lattice.galleries() == {name: [name] for name in both}


def test_classes_of_untrained_groups_are_selected_too(plan):
    assert plan.class_sets() == ["frequent", "eight"]
    assert plan.class_list("liu2019") == ["data/class_sets/liu2019-45.csv"]
    assert plan.class_list("frequent") == []


def test_every_job_of_the_default_study_is_counted(plan):
    counts = {rule: len(jobs) for rule, jobs in plan.jobs().items()}
    assert counts == {
        "parse_structures": 4,
        "describe_source": 1,
        "compute_reflections": 4,
        "compute_descriptor": 20,
        "assemble_descriptor": 5,
        "make_filter": 1,
        "make_split": 5,
        "select_classes": 2,
        "measure_leakage": 9,
        "fit_logistic": 2,
        "train_network": 15,
        "read_measured": 0,
        "simulate_measured": 1,
        "convert_measured": 1,
        "predict_measured": 1,
        "index_entries": 0,
        "answer_measured": 0,
        "follow_epochs": 3,
        "evaluate_experiment": 14,
        "recognise_untrained": 1,
        "show_feature_maps": 2,
        "show_patterns": 1,
        "fetch_source": 1,
        "unique_structures": 1,
        "summarise": 1,
    }
    assert plan.benchmarks()["train_network"][0] == f"{RESULTS}/benchmarks/train_network/cnn-0.tsv"


def test_lines_are_computed_only_where_a_descriptor_needs_them():
    plan = plan_of(report={"experiments": ["cnn"]})
    assert plan.jobs()["compute_reflections"] == []
    assert plan.descriptor_tables() == [f"{RESULTS}/descriptors/pdf_liu2019.parquet"]


def test_the_report_reads_all_that_its_experiments_made(plan):
    files = plan.report_files()
    assert len(files["metrics"]) == len(plan.experiments) == 14
    assert files["leakage"][0] == f"{RESULTS}/leakage/pdf_liu2019/stratified.json"
    assert files["sources"] == [f"{RESULTS}/provenance/sources/amcsd.json"]
    assert len(files["histories"]) == 15


def test_a_pack_is_made_from_networks_structures_and_what_is_known_of_them():
    plan = plan_of(
        packs={"both": {"experiments": ["cnn_dense", "ideal_spgvolnet"], "search": False}},
        experiments={
            "cnn_dense": {
                "descriptor": "xrd_vecsei2019",
                "model": "vecsei2019_dense",
                "training": "vecsei2019_short_dense",
                "members": 2,
                "seed": 5,
            }
        },
    )
    assert {f"{RESULTS}/packs/default.zip", f"{RESULTS}/packs/both.zip"} <= set(plan.packs())
    default = plan.pack_files("default")
    member = f"{RESULTS}/experiments/xrd_cnn/members/0"
    assert default["networks"] == [f"{member}/model.keras"]
    # All entries and their lines, shard by shard: those of copies differ in composition.
    assert default["structures"][0] == f"{RESULTS}/structures/amcsd/shard-0.parquet"
    assert len(default["structures"]) == len(default["reflections"]) == 4
    assert default["sources"] == [f"{RESULTS}/provenance/sources/amcsd.json"]
    both = plan.pack_files("both")
    assert (both["structures"], both["reflections"]) == ([], [])
    assert len(both["networks"]) == 3
    packed = plan.pack_ensembles("both")
    assert list(packed) == ["cnn_dense", "ideal_spgvolnet"]
    assert packed["cnn_dense"]["seeds"] == [5, 6]
    assert (packed["cnn_dense"]["model"], packed["cnn_dense"]["split"]) == (
        "vecsei2019_dense", "stratified",
    )  # fmt: skip
    # What is taken away is no part of the report, nor of what it waits for.
    assert "make_pack" not in plan.jobs()


def test_two_jobs_of_several_threads_share_the_cores_of_a_machine():
    assert [threads_of_job(4, cores) for cores in (1, 2, 3, 6, 8, 24)] == [1, 1, 1, 3, 4, 4]
    assert threads_of_job(4, None) == 4

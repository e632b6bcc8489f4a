"""Measured patterns go through the real workflow: read, converted, classified, evaluated, shown."""

import json

import numpy as np
import pyarrow as pa
import pytest
from rruff_archives import dif, named, packed, pattern, profile
from servers import ArchiveServer, serving

from diffsym.descriptors.lines import lines_of
from diffsym.scattering.powder import CU_K_ALPHA_DOUBLET, PeakShape, powder_pattern, two_theta_grid
from diffsym.tables import ANSWERED, MEASURED, REFLECTIONS, REJECTED, STRUCTURES, read_table

OVERLAY = {
    "measured": {
        "laboratory": {
            "kind": "patterns",
            "path": "laboratory",
            "wavelength": [[1.540593, 2 / 3], [1.544427, 1 / 3]],
        }
    },
    "experiments": {
        "xrd_dense": {"measured": ["laboratory"]},
        "ideal_spgvolnet": {"measured": ["diffractometer", "laboratory"]},
    },
}


@pytest.fixture(scope="module")
def laboratory(tiny_study, tmp_path_factory):
    """A copy of the tiny study with a folder of patterns of its own structures, one broken."""
    study = tiny_study.copy(tmp_path_factory.mktemp("measured") / "study")
    folder = study.folder / "laboratory"
    folder.mkdir()
    structures = read_table(study.results / "structures.parquet", STRUCTURES)
    shards = sorted((study.results / "reflections").glob("shard-*.parquet"))
    lines = pa.concat_tables(read_table(path, REFLECTIONS) for path in shards)
    lines = lines_of(lines)
    two_theta = two_theta_grid()
    index = ["file,space_group,primitive_volume"]
    rows = np.flatnonzero(np.isin(structures["space_group"].to_numpy(), classes(study)))[:3]
    for row in rows:
        pattern = powder_pattern(
            lines[row], two_theta, shape=PeakShape.gaussian(0.05), radiation=CU_K_ALPHA_DOUBLET
        )
        counts = np.random.default_rng(row).poisson(20 + 5000 * pattern)
        np.savetxt(folder / f"{row}.xy", np.column_stack([two_theta, counts]), fmt="%.4f")
        group, volume = (structures[key][row] for key in ("space_group", "primitive_volume"))
        index.append(f"{row}.xy,{group},{volume}")
    (folder / "broken.xy").write_text("no pattern\n")
    (folder / "patterns.csv").write_text("\n".join([*index, "broken.xy,2,"]) + "\n")
    return study


def classes(study):
    return json.loads((study.results / "classes" / "frequent.json").read_text())["classes"]


def test_a_set_trains_nothing_anew(laboratory):
    assert laboratory.planned(overlay=OVERLAY) == {
        "read_measured": 1,
        "convert_measured": 2,
        "predict_measured": 2,
        "index_entries": 2,
        "answer_measured": 1,
        "follow_epochs": 1,
        "evaluate_experiment": 2,
        "summarise": 1,
        "make_report": 1,
    }


def test_patterns_are_classified_and_shown(laboratory):
    laboratory.run(overlay=OVERLAY)
    results = laboratory.results
    patterns = read_table(results / "measured" / "laboratory.parquet", MEASURED)
    rejected = read_table(results / "measured" / "laboratory.rejected.parquet", REJECTED)
    assert patterns.num_rows == 3
    assert rejected["entry_id"].to_pylist() == ["broken.xy"]
    for experiment in ("xrd_dense", "ideal_spgvolnet"):
        folder = results / "experiments" / experiment
        metrics = json.loads((folder / "metrics.json").read_text())["measured"]["laboratory"]
        assert (metrics["n"], metrics["n_labelled"], metrics["n_in_classes"]) == (3, 3, 3)
        assert 0 <= metrics["part"]["accuracy"][0]["value"] <= 1
        answers = read_table(folder / "members" / "0" / "measured" / "laboratory.parquet")
        assert answers["structure_id"].to_pylist() == patterns["pattern_id"].to_pylist()
    assert answers["true_volume"].to_pylist() == pytest.approx(
        patterns["primitive_volume"].to_pylist(), rel=1e-5
    )
    course = json.loads(
        (results / "experiments" / "xrd_dense" / "members" / "0" / "epochs.json").read_text()
    )
    assert course["epochs"] == [1, 2]
    assert len(course["accuracy"]["laboratory"]) == 2
    found = read_table(results / "answered" / "laboratory.parquet", ANSWERED)
    assert found["pattern_id"].to_pylist() == patterns["pattern_id"].to_pylist()
    first = [ranked[0] for ranked in found["ranked"].to_pylist()]
    # The patterns are those of structures that the search knows.
    assert sum(np.equal(first, patterns["space_group"].to_pylist())) >= 2
    page = (results / "report.html").read_text()
    assert "Answers of the search: laboratory" in page
    assert "measured: laboratory" in page
    assert "Measured patterns" in page


def test_the_last_snapshot_is_the_network_of_the_predictions(laboratory):
    """The course is computed by another job from stored weights; it must end where training did."""
    folder = laboratory.results / "experiments" / "xrd_dense"
    history = json.loads((folder / "members" / "0" / "history.json").read_text())
    course = json.loads((folder / "members" / "0" / "epochs.json").read_text())
    test = json.loads((folder / "metrics.json").read_text())["parts"]["test"]
    kept = course["epochs"].index(history["kept_epoch"])
    assert course["accuracy"]["test"][kept] == pytest.approx(test["accuracy"][0]["value"])


def test_a_set_that_is_not_there_is_named(laboratory):
    overlay = {
        **OVERLAY,
        "measured": {"laboratory": {"kind": "patterns", "path": "labratory"}},
    }
    status, output = laboratory.dry_run(overlay=overlay)
    assert status
    assert "measured.laboratory.path: 'labratory' does not exist" in output


def minerals(server):
    return {
        "measured": {"minerals": {"kind": "rruff", "url": f"{server}/powder"}},
        "experiments": {"xrd_dense": {"measured": ["minerals"]}},
    }


def test_minerals_are_fetched_and_read(laboratory):
    stem = "Quartz__R040031-1"
    profiles = {named(stem, "Xray_Data_XY_RAW", 1): pattern("Quartz", "R040031-1", profile(26.6))}
    cells = {named(stem, "DIF_File", 2): dif("P3_221", "4.914 4.914 5.405 90 90 120")}
    files = {"/powder/XY_RAW.zip": packed(profiles), "/powder/DIF.zip": packed(cells)}
    target = "results/measured/minerals.parquet"
    with serving(ArchiveServer(files)) as server:
        overlay = minerals(server.url)
        laboratory.run(target, overlay=overlay)
        assert len(server.asked) == 2
        planned = laboratory.planned(target, overlay=overlay)
    patterns = read_table(laboratory.folder / target, MEASURED)
    assert patterns["pattern_id"].to_pylist() == [f"minerals:{stem}"]
    assert patterns["space_group"].to_pylist() == [154]
    record = json.loads((laboratory.results / "measured" / "minerals.json").read_text())
    assert [entry["mineral"] for entry in record["patterns"]] == ["Quartz"]
    assert not planned, "what lies there is not fetched again"


def test_archives_that_cannot_be_fetched_are_told_before_any_job_starts(laboratory):
    overlay = minerals("http://127.0.0.1:9")
    status, output = laboratory.attempt("results/measured/minerals.parquet", overlay=overlay)
    assert status
    assert "measured.minerals: data/downloads/rruff-" in output
    assert "cannot be fetched: http://127.0.0.1:9/powder/XY_RAW.zip: no answer" in output

"""A full disk is told in a sentence, and a rerun with more room ends with the same bytes."""

import shutil

from diffsym.files import sha256


def test_a_descriptor_that_finds_no_room_is_completed_later(tiny_study, tmp_path, small_disk):
    study = tiny_study.copy(tmp_path / "study")
    descriptors = study.results / "descriptors"
    shutil.rmtree(descriptors)
    table = "results/descriptors/pdf_liu2019.parquet"

    small_disk(descriptors, "32k")
    status, output = study.attempt("--keep-going", table)
    assert status != 0
    for shard in range(2):
        path = f"results/descriptors/pdf_liu2019/shard-{shard}.parquet"
        assert f"compute_descriptor: {path}: no room to write it" in output
    assert not [path for path in descriptors.rglob("*") if path.is_file()]

    small_disk(descriptors, "1m")
    study.run(table)
    assert sha256(study.folder / table) == sha256(tiny_study.folder / table)

"""Scores come back from their files as they were, and nothing else is taken for scores."""

from dataclasses import replace

import jsonschema
import numpy as np
import pytest
from pydantic_core import PydanticSerializationError
from scored import metrics_with, some_metrics

from diffsym.errors import DiffsymError
from diffsym.evaluation.scores import Metrics, Summary
from diffsym.evaluation.storage import documentation, plain, read_scores, write_scores
from diffsym.evaluation.summary import summarise
from diffsym.files import read_json, write_json


def test_scores_survive_their_file(tmp_path):
    metrics = some_metrics()
    write_scores(tmp_path / "metrics.json", metrics)
    assert read_scores(tmp_path / "metrics.json", Metrics) == metrics
    settings = dict.fromkeys(("descriptor", "split", "classes", "model", "training"), "x")
    summary = summarise({"a": settings | {"members": 1, "seed": 0}}, {"a": metrics})
    write_scores(tmp_path / "summary.json", summary)
    assert plain(read_scores(tmp_path / "summary.json", Summary)) == read_json(
        tmp_path / "summary.json"
    )


def test_files_fit_their_schema():
    schema = documentation()
    schema |= schema["files"]["metrics.json"]
    content = plain(some_metrics())
    jsonschema.validate(content, schema)
    del content["parts"]["test"]["macro"]["f1"]
    with pytest.raises(jsonschema.ValidationError, match="'f1' is a required property"):
        jsonschema.validate(content, schema)


def test_every_score_is_explained():
    sections = documentation()["$defs"].items()
    fields = [(name, key, field) for name, s in sections for key, field in s["properties"].items()]
    assert not [
        (name, key) for name, key, field in fields if not {"description", "$ref"} & field.keys()
    ]


def test_what_is_no_number_of_its_field_is_not_written(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_scores(tmp_path / "metrics.json", metrics_with(np.nan, 0.5))
    with pytest.raises(PydanticSerializationError):
        write_scores(tmp_path / "metrics.json", replace(some_metrics(), n_members=np.int64(1)))
    assert not list(tmp_path.iterdir())


def test_other_content_is_refused_with_its_place(tmp_path):
    content = plain(some_metrics())
    content["parts"]["test"]["n"] = "many"
    write_json(tmp_path / "metrics.json", content)
    with pytest.raises(DiffsymError, match=r"metrics.json: parts.test.n: .* delete the file"):
        read_scores(tmp_path / "metrics.json", Metrics)

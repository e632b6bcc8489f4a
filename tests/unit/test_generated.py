"""Generated files agree with what they are generated from."""

import jsonschema
import pytest
import yaml

from diffsym.generated import REPOSITORY, generated_files
from diffsym.study.loading import load_configuration


@pytest.mark.parametrize("path", generated_files())
def test_generated_file_is_up_to_date(path):
    assert (REPOSITORY / path).read_text() == generated_files()[path], "run `make generated`"


def test_default_configuration_fits_the_json_schema():
    schema = generated_files()["workflow/schemas/config.schema.json"]
    raw = yaml.safe_load((REPOSITORY / "config.yaml").read_text())
    jsonschema.validate(raw, yaml.safe_load(schema))
    load_configuration(raw)


def test_every_key_of_the_configuration_is_explained():
    def keys(schema):
        for section in schema["$defs"].values():
            yield from section.get("properties", {}).items()
        yield from schema["properties"].items()

    schema = yaml.safe_load(generated_files()["workflow/schemas/config.schema.json"])
    unexplained = [name for name, key in keys(schema) if not key.get("description")]
    assert not unexplained

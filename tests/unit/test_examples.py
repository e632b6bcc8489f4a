"""Examples in docstrings of kernels give what they say."""

import doctest
import importlib

import pytest

KERNELS = (
    "form_factors",
    "ideal",
    "line_grids",
    "pdf",
    "powder",
    "reflections",
    "types",
    "zone_axis",
)


@pytest.mark.parametrize("name", KERNELS)
def test_examples_run(name):
    module = importlib.import_module(f"diffsym.scattering.{name}")
    failed, examples = doctest.testmod(module)
    assert examples > 0
    assert failed == 0

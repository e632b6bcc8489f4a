"""Commands start with the packages of `pip install diffsym` alone, without any extra."""

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import distribution, packages_distributions

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from diffsym.app.command import COMMANDS
from diffsym.generated import REPOSITORY

PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# Refuses what is neither in Python nor in the given packages, as if it were not installed.
ALONE = """
import json, runpy, sys

class Refusing:
    known = set(json.loads(sys.argv.pop(1))) | set(sys.stdlib_module_names) | {"diffsym"}

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in self.known:
            raise ModuleNotFoundError(f"{name} is not part of the installation", name=name)

sys.meta_path.insert(0, Refusing())
runpy.run_module(sys.argv.pop(1), run_name="__main__", alter_sys=True)
"""


def with_requirements(names: Iterable[str]) -> set[str]:
    """Distributions, and what they require here, without their extras."""
    found, queue = set(), list(names)
    while queue:
        name = canonicalize_name(queue.pop())
        if name in found:
            continue
        found.add(name)
        for text in distribution(name).requires or ():
            needed = Requirement(text)
            if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                queue.append(needed.name)
    return found


def modules_with(*extras: str) -> list[str]:
    """Top-level modules of the base installation and of some extras."""
    sections = [PROJECT["dependencies"], *(PROJECT["optional-dependencies"][e] for e in extras)]
    there = with_requirements(Requirement(text).name for section in sections for text in section)
    return [
        module
        for module, names in packages_distributions().items()
        if not there.isdisjoint(map(canonicalize_name, names))
    ]


def run_alone(module: str, *arguments: str, extras: Iterable[str] = ()):
    known = json.dumps(modules_with(*extras))
    return subprocess.run(
        [sys.executable, "-c", ALONE, known, module, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_needs_no_more_than_its_own_extra(command):
    extras = {command} & set(PROJECT["optional-dependencies"])
    done = run_alone("diffsym.app.command", command, "--help", extras=extras)
    assert (done.returncode, done.stderr) == (0, "")
    assert command in done.stdout


@pytest.mark.parametrize("module", ["keras", "pydantic", "diffsym.models.networks"])
def test_what_makes_studies_is_no_part_of_the_base_installation(module):
    done = run_alone(module)
    assert done.returncode == 1
    assert re.search(r"ModuleNotFoundError: \w+ is not part of the installation", done.stderr)


def test_the_extra_for_developers_has_all_others():
    extras = PROJECT["optional-dependencies"]
    [own] = [Requirement(text) for text in extras["dev"] if text.startswith("diffsym[")]
    assert own.extras == set(extras) - {"dev"}

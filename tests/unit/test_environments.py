"""Conda environments and the container: versions of the lock, all packages that jobs import."""

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from spython.main.parse.parsers import SingularityParser

from diffsym.generated import CONDA_PYTHON, REPOSITORY, conda_environments, locked_versions
from diffsym.provenance import code_files
from diffsym.settings.measured.readers import MODULES
from diffsym.study.configuration import Descriptor, Model, Source, Split
from diffsym.study.sections import sections_in

LIBRARY = REPOSITORY / "workflow" / "diffsym"
SCRIPTS = REPOSITORY / "workflow" / "scripts"
RULE = re.compile(
    r'^rule (?P<name>\w+):.*?conda:\s+(?P<conda>\S+)\s.*?script:\s+"(?P<script>\S+)"',
    re.MULTILINE | re.DOTALL,
)
DESCRIPTORS, SOURCES = sections_in(Descriptor), sections_in(Source)
# What a file imports by name, which a section or a table gives it.
BY_NAME = {
    "compute_descriptor.py": [section.module for section in DESCRIPTORS],
    "convert_measured.py": [section.conversion for section in DESCRIPTORS if section.conversion],
    "make_split.py": [section.module for section in sections_in(Split)],
    "diffsym.structures.fetching": [
        section.fetched_by() for section in SOURCES if section.download
    ],
    "diffsym.structures.sources": [section.module for section in SOURCES],
    "diffsym.experimental.readers": list(MODULES),
    "diffsym.datasets.opening": ["diffsym.datasets.augmented"],
    "diffsym.models.member": [section.module for section in sections_in(Model)],
    "diffsym.report.results": [section.module for section in DESCRIPTORS],
    # The class of a section; its room imports nothing but annotated-types.
    "diffsym.settings.base": [],
}
OURS_BY_NAME = re.compile(r'import_module\((?!"(?:tensorflow|torch|jax|h5py)")')
# `descriptor_environment` chooses one of these.
OF_DESCRIPTORS = ("descriptors", "srreal")
DISTRIBUTIONS = {
    module: {canonicalize_name(name) for name in names}
    for module, names in packages_distributions().items()
} | {"diffpy": {"diffpy.srreal"}}


def rules():
    """Environment and script of each rule that runs a script."""
    for file in sorted((REPOSITORY / "rules").glob("*.smk")):
        # A rule without a script, such as a class set's, ends before the next one begins.
        for block in re.split(r"(?m)^(?=rule )", file.read_text()):
            for found in RULE.finditer(block):
                named = re.fullmatch(r'"\.\./envs/(\w+)\.yaml"', found["conda"])
                for environment in [named[1]] if named else OF_DESCRIPTORS:
                    script = found["script"].rpartition("/")[2]
                    yield pytest.param(environment, script, id=f"{found['name']}-{environment}")


def packages(environment):
    """Names of the distributions that an environment installs on purpose."""
    content = yaml.safe_load((REPOSITORY / "envs" / f"{environment}.yaml").read_text())
    names = {part.split()[0] for part in content["dependencies"] if isinstance(part, str)}
    [pip] = [part["pip"] for part in content["dependencies"] if isinstance(part, dict)]
    return names | {Requirement(requirement).name for requirement in pip}


def imported(path):
    """Top-level names of all modules that a file imports, at whatever place."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0]


def files_of_job(script):
    """All code of ours that a script may run, modules that are imported by name included."""
    modules: set[str] = set()
    while True:
        files = code_files(SCRIPTS / script, *modules)
        by_name = {name for name, path in files.items() if OURS_BY_NAME.search(path.read_text())}
        found = {module for name in by_name for module in BY_NAME[name]}
        if found <= modules:
            return files
        modules |= found


@pytest.mark.parametrize("path", conda_environments())
def test_conda_environments_hold_the_versions_of_the_lock(path):
    environment = yaml.safe_load((REPOSITORY / path).read_text())
    [pip] = [part["pip"] for part in environment["dependencies"] if isinstance(part, dict)]
    versions = locked_versions()
    assert pip
    for requirement in pip:
        required = Requirement(requirement)
        assert required.specifier == SpecifierSet(f"=={versions[required.name]}")


def test_all_scripts_belong_to_a_rule_with_an_environment():
    scripts = {rule.values[1] for rule in rules()}
    assert scripts == {path.name for path in SCRIPTS.glob("*.py")}


@pytest.mark.parametrize(("environment", "script"), list(rules()))
def test_the_environment_of_a_rule_has_what_its_jobs_import(environment, script):
    # Snakemake itself puts its own package within reach of a script, and JAX is for those who
    # ask for it.
    known = {*sys.stdlib_module_names, "diffsym", "snakemake", "jax"}
    names = {name for path in files_of_job(script).values() for name in imported(path)} - known
    assert names
    if environment != "srreal":
        names.discard("diffpy")
    there = packages(environment)
    assert not {name for name in names if there.isdisjoint(DISTRIBUTIONS[name])}


def test_the_container_is_made_from_the_lock():
    definition = SingularityParser(str(REPOSITORY / "envs" / "apptainer.def"))
    recipe = definition.parse()["spython-base"]
    assert recipe.fromHeader == f"python:{CONDA_PYTHON}-slim-bookworm"
    source, target = recipe.files[0].split()
    assert (REPOSITORY / source).is_file()
    assert any(
        line.startswith("python -m pip install")
        and "--require-hashes" in line
        and line.endswith(f"--requirement {target}")
        for line in recipe.install
    )
    # What `--sdm apptainer` starts is what the definition says to build.
    [image] = re.findall(
        r'^container: "(\S+)"', (REPOSITORY / "Snakefile").read_text(), re.MULTILINE
    )
    assert f"apptainer build {image} envs/apptainer.def" in Path(definition.filename).read_text()

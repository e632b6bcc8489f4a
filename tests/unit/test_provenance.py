"""A job's code digest changes with the code it runs and with nothing else."""

import os

import pytest

from diffsym import provenance


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A small package of which a script imports one module, and that one others."""
    root = tmp_path / "diffsym"
    root.mkdir()
    (root / "used.py").write_text("from diffsym import below, inner\nVALUE = below.VALUE\n")
    (root / "below.py").write_text("VALUE = 1\n")
    (root / "unused.py").write_text("VALUE = 2\n")
    (root / "__init__.py").write_text("def offered():\n    from diffsym import unused\n")
    (root / "inner").mkdir()
    (root / "inner" / "__init__.py").write_text("from diffsym.inner import topic\n")
    (root / "inner" / "topic.py").write_text("from diffsym.inner.shared import VALUE\n")
    (root / "inner" / "shared.py").write_text("VALUE = 5\n")
    (tmp_path / "script.py").write_text("from diffsym.used import VALUE\nprint(VALUE)\n")
    monkeypatch.setattr(provenance, "PACKAGE_ROOT", root)
    yield root
    provenance._parsed.cache_clear()


def digest(root, *modules):
    provenance._parsed.cache_clear()
    return provenance.code_digest(root.parent / "script.py", *modules)


@pytest.mark.parametrize(
    "name",
    [
        "used.py",
        "below.py",
        "../script.py",
        "inner/__init__.py",
        "inner/topic.py",
        "inner/shared.py",
    ],
)
def test_an_edit_of_imported_code_changes_it(package, name):
    before = digest(package)
    (package / name).write_text((package / name).read_text() + "OTHER = 3\n")
    assert digest(package) != before


def test_other_code_and_comments_do_not(package):
    before = digest(package)
    (package / "unused.py").write_text("VALUE = 4\n")
    (package / "below.py").write_text('"""A docstring."""\n# A comment.\nVALUE = 1\n')
    assert digest(package) == before


def test_the_meaning_of_a_field_is_no_code(package):
    field = "class Section:\n    width: float = 1.0\n"
    (package / "below.py").write_text(field)
    before = digest(package)
    (package / "below.py").write_text(field + '    """Width, A."""\n')
    assert digest(package) == before
    (package / "below.py").write_text(field.replace("1.0", "2.0"))
    assert digest(package) != before


def test_modules_chosen_at_run_time_are_named(package):
    before = digest(package, "diffsym.unused")
    (package / "unused.py").write_text("VALUE = 4\n")
    assert digest(package, "diffsym.unused") != before


def test_a_listing_follows_every_file_below_a_folder(tmp_path):
    def listed():
        provenance.listing_digest.cache_clear()
        return provenance.listing_digest(tmp_path)

    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "a.cif").write_text("data_a")
    digests = [listed()]
    assert listed() == digests[0]
    (tmp_path / "below" / "a.cif").write_text("data_ab")
    digests.append(listed())
    os.utime(tmp_path / "below" / "a.cif", (0, 0))
    digests.append(listed())
    (tmp_path / "b.cif").write_text("")
    digests.append(listed())
    assert len(set(digests)) == 4
    assert provenance.listing_digest(tmp_path / "b.cif") is None


def test_a_listing_bears_links_to_nothing_and_odd_names(tmp_path):
    (tmp_path / "gone.cif").symlink_to(tmp_path / "nowhere.cif")
    with open(os.fsencode(tmp_path) + b"/caf\xe9.cif", "w") as handle:  # noqa: PTH123
        handle.write("data_a")
    provenance.listing_digest.cache_clear()
    assert len(provenance.listing_digest(tmp_path)) == 16


def test_every_relevant_package_has_a_version():
    versions = provenance.software_versions()
    assert set(provenance.RELEVANT_PACKAGES) < set(versions)


def test_outside_git_the_revision_is_unknown(tmp_path):
    assert provenance.git_revision(tmp_path) == "unknown"

"""What a result was made from: code digests, software versions, git revision, checksums."""

import ast
import hashlib
import os
import platform
import subprocess
from functools import cache
from importlib.metadata import version
from pathlib import Path

PACKAGE_ROOT = Path(__file__).resolve().parent

# The packages whose version can change a number in a result.
RELEVANT_PACKAGES = (
    "snakemake",
    "numpy",
    "scipy",
    "pandas",
    "pyarrow",
    "gemmi",
    "spglib",
    "pymatgen",
    "pymatgen-core",
    "numba",
    "scikit-learn",
    "keras",
    "tensorflow",
    "plotly",
)


def _module_file(module: str) -> Path | None:
    """Source file of a module of this package, or None if there is no such module."""
    relative = Path(*module.split(".")[1:])
    for candidate in (
        PACKAGE_ROOT / relative.with_suffix(".py") if relative.parts else None,
        PACKAGE_ROOT / relative / "__init__.py",
    ):
        if candidate is not None and candidate.is_file():
            return candidate
    return None


def _imports(tree: ast.AST) -> set[str]:
    """Names of the modules of this package that a syntax tree may import."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    # The package itself does nothing on import; what it offers to users is no part of a job.
    return {name for name in names if name.startswith(f"{PACKAGE_ROOT.name}.")}


def _without_docstrings(tree: ast.Module) -> ast.Module:
    """Remove the strings that stand alone: those of modules, classes, functions and fields."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            node.body = [part for part in node.body if not _is_string(part)]
    return tree


def _is_string(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


@cache
def _parsed(path: Path) -> tuple[str, frozenset[str]]:
    """Digest of a file's meaning (comments and docstrings left out) and its imports."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imports = frozenset(_imports(tree))
    meaning = ast.dump(_without_docstrings(tree))
    return hashlib.sha256(meaning.encode()).hexdigest(), imports


def code_files(script: str | Path, *modules: str) -> dict[str, Path]:
    """Files of all code of ours that a job runs.

    Parameters
    ----------
    script
        The Python script of the rule.
    modules
        Modules that the script imports by name at run time (the module of a named section's kind).

    Returns
    -------
    dict
        Name of the script and of each module -> its file.
    """
    script = Path(script).resolve()
    files = {script.name: script}
    queue = sorted(_parsed(script)[1] | set(modules))
    while queue:
        module = queue.pop()
        path = _module_file(module)
        if path is None or module in files:
            continue
        files[module] = path
        queue.extend(sorted(_parsed(path)[1]))
    return files


def code_digest(script: str | Path, *modules: str) -> str:
    """Digest of all code of ours that a job runs.

    Rules carry it among their parameters, so that an edit of the library reruns exactly the
    stages that import the edited module, while an edited comment reruns none.

    Parameters
    ----------
    script, modules
        As of `code_files`.

    Returns
    -------
    str
        Sixteen hexadecimal digits.
    """
    files = code_files(script, *modules)
    lines = "\n".join(f"{name} {_parsed(path)[0]}" for name, path in sorted(files.items()))
    return hashlib.sha256(lines.encode()).hexdigest()[:16]


@cache
def listing_digest(path: str | Path) -> str | None:
    """Digest of names, sizes and times of all that is below a folder.

    Snakemake sees no change of a file inside a folder that is an input. A folder is walked once in
    a process, however many jobs read it.

    Returns
    -------
    str or None
        Sixteen hexadecimal digits; None if the path is no folder.
    """
    if not Path(path).is_dir():
        return None
    files: list[tuple[list[str], str]] = []
    folders = [("", str(path))]
    for below, folder in folders:
        for entry in os.scandir(folder):
            status, name = _status(entry), f"{below}{entry.name}"
            files.append((name.split("/"), f"{name} {status.st_size} {status.st_mtime_ns}"))
            if entry.is_dir(follow_symlinks=False):
                folders.append((f"{name}/", entry.path))
    lines = "\n".join(line for _, line in sorted(files))
    # Names of files need not be UTF-8.
    return hashlib.sha256(lines.encode(errors="surrogateescape")).hexdigest()[:16]


def _status(entry: os.DirEntry[str]) -> os.stat_result:
    """Size and time of a file; of the link itself if it leads to nothing."""
    try:
        return entry.stat()
    except OSError:
        return entry.stat(follow_symlinks=False)


def software_versions() -> dict[str, str]:
    """Versions of Python and of the packages that can change a number."""
    return {"python": platform.python_version()} | {
        package: version(package) for package in RELEVANT_PACKAGES
    }


def git_revision(folder: str | Path) -> str:
    """Commit of the working tree, marked where files differ from it; "unknown" outside git."""

    def git(*arguments: str) -> str:
        completed = subprocess.run(
            ["git", "-C", str(folder), *arguments], check=True, capture_output=True, text=True
        )
        return completed.stdout.strip()

    try:
        revision = git("rev-parse", "HEAD")
        return f"{revision} with local changes" if git("status", "--porcelain") else revision
    except (OSError, subprocess.CalledProcessError):
        return "unknown"

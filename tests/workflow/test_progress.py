"""The line of progress of real runs of Snakemake: in a file, on a terminal, and beside errors."""

import os
import pty
import re
import subprocess
import sys

import pytest

SNAKEFILE = """
from diffsym.progress import follow, handler

handler.ON_TERMINAL = handler.IN_FILE = 0.5

onstart:
    follow(workflow, lambda rule, wildcards: 30.0 if rule == "train" else 2.0)

rule all:
    input: expand("lists/{name}", name=["a", "b"]), "network"

rule list:
    output: "lists/{name}"
    benchmark: "benchmarks/{name}.tsv"
    shell: "touch {output}"

rule train:
    input: "lists/a", "lists/b"
    output: "network"
    log: "train.log"
    benchmark: "benchmarks/train.tsv"
    shell:
        "for i in 1 2; do sleep 1; echo epoch $i of 3: loss 1.2, seconds 1 >> {log}; done;"
        "sleep 1; test ! -e broken && touch {output}"
"""
LINE = re.compile(r"^\d\d:\d\d:\d\d  (.*)$", re.MULTILINE)


@pytest.fixture
def command(tmp_path):
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    return [sys.executable, "-m", "snakemake", "--cores", "2", "--directory", str(tmp_path)]


def run(command, folder, *options):
    """Exit status and output of a run whose output is no terminal."""
    finished = subprocess.run(
        [*command, "--snakefile", str(folder / "Snakefile"), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return finished.returncode, finished.stdout


def on_terminal(command, folder):
    """Everything that a run writes on a terminal."""
    leader, follower = pty.openpty()
    with subprocess.Popen(
        [*command, "--snakefile", str(folder / "Snakefile")], stdout=follower, stderr=follower
    ):
        os.close(follower)
        written = b""
        while True:
            try:
                written += os.read(leader, 4096)
            except OSError:  # the end of a terminal
                os.close(leader)
                return written.decode()


def test_a_log_has_lines_errors_and_nothing_about_each_job(command, tmp_path):
    (tmp_path / "broken").touch()
    status, output = run(command, tmp_path, "--show-failed-logs")
    assert status != 0
    lines = LINE.findall(output)
    assert any("running: train (epoch 1 of 3)" in line for line in lines)
    assert re.fullmatch(r"2 of 3 jobs  1 failed  in \d+ s", lines[-1])
    # The error, and the log of the job that failed.
    assert "Error in rule train" in output
    assert "epoch 2 of 3: loss 1.2" in output
    assert "Finished jobid" not in output

    # The lists are there, and the training took 30 s by guess.
    status, output = run(command, tmp_path, "--dry-run")
    assert not LINE.findall(output)
    assert "train" in output


def test_a_terminal_has_one_line_that_is_written_over(command, tmp_path):
    # As if in the last run.
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "train.tsv").write_text("s\n130\n")
    written = on_terminal(command, tmp_path)
    lines = [line.strip() for line in written.split("\r\x1b[K")]
    assert any("about 2 min left" in line for line in lines)
    assert re.search(r"3 of 3 jobs  in \d+ s$", written.strip())
    # Whoever asks Snakemake for silence or for everything gets it.
    assert not LINE.findall(run(command, tmp_path, "--quiet", "progress", "--forceall")[1])
    (tmp_path / "network").unlink()
    detailed = run(command, tmp_path, "--printshellcmds")[1]
    assert "Finished jobid" in detailed
    assert LINE.findall(detailed)

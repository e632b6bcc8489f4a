"""With what patterns are answered, and the pack that comes with the installation."""

import subprocess
import sys

import numpy as np
import pytest

from diffsym.errors import DiffsymError
from diffsym.identification import evidence as module
from diffsym.identification.answer import answer_pattern
from diffsym.identification.bundled import BUNDLED
from diffsym.identification.evidence import evidence_at
from diffsym.identification.pack import read_card
from diffsym.identification.search import D_STAR_MIN, STEP
from diffsym.identification.wavelengths import radiation_of
from diffsym.scattering.powder import PeakShape, powder_pattern
from diffsym.scattering.types import Lines

MINERALS = BUNDLED / "minerals.zip"


def test_the_installation_brings_minerals(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    evidence = evidence_at(None)
    assert evidence.name == "minerals"
    assert len(evidence.known.structure_ids) == len(evidence.known.lines) > 9000
    card = read_card(MINERALS)
    source = card.sources["amcsd"]
    assert source.structures == card.search.structures == len(evidence.known.lines)
    assert "American Mineralogist" in source.citation
    assert source.licence


def test_without_networks_nothing_that_runs_networks_is_loaded():
    """onnxruntime takes time to load, and keeps a record of its use for its makers."""
    program = (
        "import sys; from diffsym.identification.bundled import BUNDLED; "
        "from diffsym.identification.evidence import evidence_at; "
        "assert evidence_at(BUNDLED / 'minerals.zip').networks == (); "
        "sys.exit('onnxruntime' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def lines_of(known, row):
    """1/d and intensity of the lines of a structure."""
    begin, end = known.lines.offsets[row : row + 2]
    d_star = D_STAR_MIN * np.exp(STEP * known.lines.places[begin:end])
    return d_star, known.lines.intensity[begin:end]


def test_quartz_is_found_among_them():
    """Lines from its lattice and the atoms of the database, at molybdenum's wavelength."""
    evidence = evidence_at(MINERALS)
    known = evidence.known
    # The strongest line of quartz, 101, lies at 3.34 A; some were measured under pressure.
    quartz = [lines_of(known, row) for row, name in enumerate(known.names) if name == "Quartz"]
    d_star, intensity = min(quartz, key=lambda one: abs(1 / one[0][one[1].argmax()] - 3.343))
    assert 1 / d_star[intensity.argmax()] == pytest.approx(3.343, abs=0.01)
    radiation = radiation_of("MoKa")
    angles = np.arange(4.0, 50.0, 0.01)
    curve = powder_pattern(
        Lines.of_one(d_star, intensity.astype(float)),
        angles,
        radiation=radiation,
        shape=PeakShape.gaussian(0.03),
    )
    counts = np.random.default_rng(0).poisson(20000 * curve / curve.max() + 40)
    answer = answer_pattern(angles, counts, radiation, evidence)
    assert answer.nearest[0].name == "Quartz"
    # Powder patterns cannot tell P3_121 from P3_221.
    assert {one.space_group for one in answer.ranked[:2]} == {152, 154}
    assert answer.certain
    assert answer.certainty == pytest.approx(sum(one.probability for one in answer.ranked[:2]))
    assert "mirror image" in answer.reason


def test_a_pack_of_the_working_folder_comes_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    own = module.USUAL[0]
    own.parent.mkdir(parents=True)
    own.write_bytes(b"no pack")
    with pytest.raises(DiffsymError, match="not a pack"):
        evidence_at(None)
    own.unlink()
    monkeypatch.setattr(module, "USUAL", (own, tmp_path / "absent.zip", tmp_path / "results"))
    with pytest.raises(DiffsymError, match="no structures and reflections of a study"):
        evidence_at(None)

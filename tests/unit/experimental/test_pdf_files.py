"""Measured pair distribution functions: read, refused for what they are, and prepared."""

import instrument_files as files
import numpy as np
import pytest
from instrument_files import G, R
from whole_files import FUNCTIONS

from diffsym.app.command import main
from diffsym.descriptors.pdf import axis
from diffsym.errors import DiffsymError
from diffsym.experimental.pdf import band_limited, prepared
from diffsym.experimental.readers import read_measured, read_pattern, read_pdf
from diffsym.experimental.readers.base import MeasuredPattern, MeasuredPdf, Unreadable
from diffsym.scattering.pdf import pair_distribution_functions
from diffsym.scattering.types import Cells
from diffsym.settings.descriptors.pdf import Pdf

NICKEL = Cells.of_one(
    3.524 * np.eye(3), [28] * 4, [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]
)


@pytest.fixture
def written(tmp_path):
    def write(name, content):
        (tmp_path / name).write_bytes(content)
        return tmp_path / name

    return write


def facts(pdf):
    return pdf.q_max, pdf.q_min, pdf.q_damp, pdf.radiation, pdf.program


@pytest.mark.parametrize("kind", FUNCTIONS)
def test_every_heading_is_understood(written, tmp_path, kind):
    name, content, told = FUNCTIONS[kind]
    path = written(name, content)
    pdf = read_pdf(path)
    assert not isinstance(pdf, Unreadable), pdf
    np.testing.assert_allclose(pdf.r, R, rtol=1e-12)
    np.testing.assert_array_equal(pdf.G, G)
    assert facts(pdf) == told
    assert isinstance(read_measured(path), MeasuredPdf)
    pattern = read_pattern(path)
    assert isinstance(pattern, Unreadable)
    assert "this is a pair distribution function" in pattern.reason
    assert pattern.reason.endswith("no powder pattern; give a pattern over 2theta")
    # What is converted is read back.
    output = tmp_path / "out.xy"
    assert main(["convert", str(path), "-o", str(output)]) == 0
    again = read_pdf(output)
    assert facts(again) == told
    np.testing.assert_array_equal(again.r, pdf.r)
    np.testing.assert_array_equal(again.G, G)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.gr", b"        1250\nrmc G(r) SrTiO3\n" + files.gr(), "but that of RMCProfile"),
        ("a.gr", files.gr(function=np.where(R < 2, -0.176, G / 9)), "but that of RMCProfile"),
        ("a.gr", files.gr(function=1 + np.where(R < 2, -1, G / 9)), "but g(r), which tends to 1"),
        ("a.gr", files.gr("#L r g(r)\n"), "its columns are 'r g(r)'"),
        ("a.gr", files.gr("[PDF]\n#L Q($\\AA^{-1}$) F($\\AA^{-1}$)\n"), "its columns are 'Q("),
        ("a.gr", files.gr("#L r (nm) G(r)\n"), "the distances r are in nm"),
        (
            "a.gr",
            files.gr(files.PDFGETX3).partition(b"\n12.0000")[0],
            "should end at 25 A and ends at",
        ),
        ("a.gr", files.gr()[:300], "points; give at least 50"),
        ("a.gr", files.gr(r=R[::-1]), "do not rise"),
        ("a.gr", b"only words", "0 points; give at least 50"),
        ("a.gr", b"", "the file is empty"),
        ("a.gr", b"1\n2\n3\n", "needs two columns"),
        ("a.gr", bytes(range(256)) * 99, ""),
        ("a.xy", files.pairs().encode(), "this is a powder pattern"),
    ],
)
def test_what_is_no_reduced_function_is_refused(written, name, content, words):
    pdf = read_pdf(written(name, content))
    assert isinstance(pdf, Unreadable), pdf
    assert words in pdf.reason
    assert "\n" not in pdf.reason


def test_points_without_a_number_are_left_out(written):
    pdf = read_pdf(written("a.gr", files.gr(function=np.where(R[7] == R, np.nan, G))))
    assert len(pdf.r) == len(R) - 1
    assert pdf.repairs == ("1 points without a number were left out",)


def test_options_that_say_nothing_of_it_are_refused(written, capsys):
    path = written("a.gr", files.gr())
    assert main(["convert", str(path), "--unit", "Q"]) == 2
    assert "this is a pair distribution function; leave out" in capsys.readouterr().err


def of_nickel(r, q_max, *, q_damp=0.0, q_min=0.5):
    return pair_distribution_functions(
        NICKEL, r, q_min=q_min, q_max=q_max, u_iso=0.006, q_damp=q_damp, q_broad=0.0
    )[0]


FINE = 0.01 * np.arange(1, 5001)


def settings(**keys):
    return Pdf(kind="pdf", **keys)


def difference(ours, reference):
    return np.sqrt(((ours - reference) ** 2).sum() / (reference**2).sum())


@pytest.mark.parametrize(("start", "step"), [(0, 1), (0, 7), (100, 1)])
def test_a_lower_limit_is_that_of_the_kernel(start, step):
    """What was measured to 30 1/A becomes what the kernel computes to 20 1/A."""
    fine = FINE[start::step]
    onto = np.pi / 20 * np.arange(10, 180)
    ours = band_limited(fine, of_nickel(FINE, 30)[start::step], onto, 0.5, 20)
    grid = np.linspace(onto[0], onto[-1], len(onto))
    assert difference(ours, of_nickel(grid, 20)) < 0.02


def test_a_function_of_the_descriptor_is_left_as_it_is():
    keys = settings(q_max=23.0, r_max=30.0, q_damp=0.04)
    measured = MeasuredPdf(FINE, of_nickel(FINE, 23, q_damp=0.04), q_max=23, q_min=0.5, q_damp=0.04)
    found = prepared(measured, keys)
    assert found.repairs == ()
    assert found.is_measured.all()
    np.testing.assert_array_equal(found.r, axis(keys))
    assert difference(found.G, of_nickel(found.r, 23, q_damp=0.04)) < 0.02
    assert (found.values.min(), found.values.max()) == (0, 1)
    assert found.values[found.G.argmax()] == 1


def test_another_damping_is_turned_into_the_descriptors():
    keys = settings(q_max=20.0, r_max=30.0, q_damp=0.05)
    for own in (0.02, 0.06):
        measured = MeasuredPdf(
            FINE, of_nickel(FINE, 25, q_damp=own), q_max=25, q_min=0.5, q_damp=own
        )
        found = prepared(measured, keys)
        assert difference(found.G, of_nickel(found.r, 20, q_damp=0.05)) < 0.03
        assert found.repairs == (
            "Qmax is 25 1/A; the termination at 20 1/A was applied",
            f"Qdamp is {own:g} 1/A; the 0.05 1/A of the descriptor were applied",
        )
    measured = MeasuredPdf(FINE, of_nickel(FINE, 25), q_max=20, q_min=0.5, q_damp=0.2)
    found = prepared(measured, keys)
    assert found.repairs[0].endswith("but nothing was amplified more than 10 times")


def test_what_cannot_be_recovered_is_told():
    keys = settings(q_max=23.0, r_max=30.0)
    measured = MeasuredPdf(FINE, of_nickel(FINE, 15, q_min=0.9), q_max=15, q_min=0.9, radiation="N")
    found = prepared(measured, keys)
    assert [sentence.split(",")[0] for sentence in found.repairs] == [
        "this is a function of neutrons",
        "Q ends at 15 1/A",
        "Q begins at 0.9 1/A",
        "the file does not say Qdamp; it was taken for the descriptor's 0.04 1/A",
    ]
    # Nothing is sharper than what was measured.
    assert difference(found.G, of_nickel(found.r, 15, q_min=0.9)) < 0.03
    # A coarse grid carries no more.
    coarse = slice(None, None, 25)
    found = prepared(MeasuredPdf(FINE[coarse], of_nickel(FINE, 12)[coarse]), keys)
    assert "what lies above 12.57 1/A was removed" in found.repairs[0]


def test_what_lies_below_the_descriptors_range_is_removed():
    measured = MeasuredPdf(
        FINE, of_nickel(FINE, 23) + 0.4 * np.sin(0.2 * FINE), q_max=23, q_min=0.1, q_damp=0.04
    )
    found = prepared(measured, settings(q_max=23.0))
    assert found.repairs == ("Qmin is 0.1 1/A; what lies below 0.5 1/A was removed",)
    assert difference(found.G, of_nickel(found.r, 23)) < 0.05


def test_what_was_not_measured_is_marked():
    keys = settings(q_max=23.0, r_min=1.5, r_max=30.0)
    G_fine = of_nickel(FINE, 23)
    part = (FINE > 3.005) & (FINE < 25.005)
    found = prepared(MeasuredPdf(FINE[part], G_fine[part], q_max=23, q_damp=0.04), keys)
    ripple = 2 * np.pi / 23
    np.testing.assert_array_equal(found.is_measured, (found.r >= 3.01) & (found.r <= 25 - ripple))
    assert (found.G[~found.is_measured] == 0).all()
    n = int((~found.is_measured).sum())
    assert found.repairs == (
        f"{n} of {len(found.r)} distances of the descriptor were not measured; G is 0 there",
    )
    inner = found.is_measured
    assert difference(found.G[inner], of_nickel(found.r, 23)[inner]) < 0.03
    short = FINE < 15
    with pytest.raises(DiffsymError, match=r"covers 4\d% of the 1.5 to 29.9 A of the descriptor"):
        prepared(MeasuredPdf(FINE[short], G_fine[short]), keys)


@pytest.fixture(scope="module")
def folder(shared_dir):
    folder = shared_dir / "data" / "instrument_files"
    if not folder.exists():
        pytest.skip("the instrument files beside the checkout are absent")
    return folder


@pytest.mark.parametrize(
    ("name", "q_max", "least"),
    [
        ("Ni_2-8.chi.gr", 23.0, 0.95),
        ("Ni-neutron.gr", 23.0, 0.95),
        ("Ni-lownoise.gr", 15.0, 0.98),
        ("Ni_xpdfsuite.gr", 15.0, 0.95),
        ("Ni_pdfgui.dat", 15.0, 0.93),
    ],
)
def test_measured_nickel_is_nickel(folder, name, q_max, least):
    """At the same Qmax, measured functions correlate with that of our kernel, and another less."""
    measured = read_pdf(folder / name)
    keys = settings(q_max=q_max, r_max=min(30.0, float(measured.r[-1]) - 0.5))
    found = prepared(measured, keys)
    ours = pair_distribution_functions(
        NICKEL, found.r, q_min=0.5, q_max=q_max, u_iso=0.006, q_damp=0.04, q_broad=0.01
    )[0]
    assert np.corrcoef(found.G[found.is_measured], ours[found.is_measured])[0, 1] > least
    larger = Cells.of_one(1.05 * NICKEL.lattices[0], [28] * 4, NICKEL.frac_coords)
    others = pair_distribution_functions(
        larger, found.r, q_min=0.5, q_max=q_max, u_iso=0.006, q_damp=0.04, q_broad=0.01
    )[0]
    assert np.corrcoef(found.G[found.is_measured], others[found.is_measured])[0, 1] < 0.5


def test_the_functions_of_the_folder_are_those_of_the_manifest(folder):
    for name, n, last, largest, total in [
        ("Ni_2-8.chi.gr", 2000, 20, 14.64718, -97.3927439108),
        ("Ni-neutron.gr", 2000, 20, 22.357, -2.546),
        ("Si_NOMAD.gr", 5033, 50.33, 17.293922, -173.680083918),
        ("Ni-lownoise.gr", 6001, 60, 8.03116, -8.5318245084),
        ("diamond_NOM_127827.gr", 2501, 50.02, 41.0876, 769.88561095),
        ("Ni_xpdfsuite.gr", 8001, 80, 5.61045, 4.91029103826),
        ("Ni_pdfgui.dat", 1001, 20, 44.3044, -34.5672992),
    ]:
        pdf = read_pdf(folder / name)
        assert (len(pdf.r), pdf.r[-1]) == (n, last)
        assert pdf.G.max() == largest
        assert pdf.G.sum() == pytest.approx(total, rel=1e-9)
    assert isinstance(read_pdf(folder / "srtio3_rmc.gr"), Unreadable)
    assert isinstance(read_measured(folder / "MnO.xy"), MeasuredPattern)

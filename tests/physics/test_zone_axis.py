"""Electron-diffraction images against sums over all atoms of finite crystals, and geometry."""

import numba
import numpy as np
import pytest
from crystals import crystals, lattices, moved, supercell
from diffpy.structure import Atom
from diffpy.structure import Lattice as DiffpyLattice
from diffpy.structure import Structure as DiffpyStructure
from hypothesis import given
from hypothesis import strategies as st
from pymatgen.analysis.diffraction.tem import TEMCalculator
from pymatgen.core import Element, Lattice, Structure
from scipy.ndimage import rotate
from scipy.spatial.transform import Rotation

from diffsym.errors import DiffsymError
from diffsym.scattering.form_factors import form_factors
from diffsym.scattering.types import Cells
from diffsym.scattering.zone_axis import beam_frames, zone_axis_images

SETTINGS = {
    "beam": "cartesian",
    "shape": "gaussian",
    "size": 30.0,
    "ewald": "sphere",
    "wavelength": 0.035,
    "q_max": 0.8,
    "pixels": 64,
    "b_iso": 0.0,
    "radiation": "electron",
}
TRICLINIC = (
    np.array([[3.1, 0, 0], [0.7, 3.6, 0], [-0.5, 0.4, 4.2]]),
    np.array([8, 56, 22, 8]),
    np.array([[0.1, 0.2, 0.3], [0.83, 0.01, 0.42], [0.5, 0.5, 0.9], [0.05, 0.6, 0.77]]),
    np.array([1.0, 0.6, 0.4, 1.0]),
)
TRIGONAL = Lattice.hexagonal(4.9, 5.4).matrix
# A detector whose pixel centres hold the points of a cubic reciprocal lattice of 1/4 1/A: every
# tenth pixel from the middle one.
ON_PIXELS = {"pixels": 81, "q_max": 81 * 0.025 / 2}


def images(cell, **changes):
    return zone_axis_images(Cells.of_one(*cell), **(SETTINGS | changes))


def surface(*, pixels, q_max, curvature):
    """Scattering vectors of the pixels in the frame u, v, w, (rows, columns, 3)."""
    q = (np.arange(pixels) - (pixels - 1) / 2) * 2 * q_max / pixels
    u, v = np.meshgrid(q, q)
    k = 1 / curvature if curvature else np.inf
    w = np.sqrt(k**2 - u**2 - v**2) - k if curvature else np.zeros_like(u)
    return np.stack([u, v, w], axis=-1)


def atom_by_atom(cell, cells, vectors, weight=np.ones_like, radiation="electron"):
    """Scattered amplitude of every atom added up; `weight` of a position is the crystal's shape.

    `vectors` are scattering vectors in the frame of the lattice, `cells` how many along a, b, c.
    """
    lattice, numbers, coordinates, occupancies = cell
    d_star = np.linalg.norm(vectors, axis=-1)
    steps = np.stack(np.meshgrid(*[np.arange(n) for n in cells], indexing="ij"), -1).reshape(-1, 3)
    total = np.zeros(d_star.shape, complex)
    for number, position, occupancy in zip(numbers, coordinates, occupancies, strict=True):
        places = (steps + position) @ lattice
        shape = weight(places[:, 0])
        phases = np.exp(2j * np.pi * (vectors @ places.T))
        f = form_factors([number], d_star.ravel(), radiation).reshape(d_star.shape)
        total += occupancy * f * (phases @ shape)
    return total


@pytest.mark.parametrize("beam", ["cartesian", "lattice"])
@pytest.mark.parametrize(("ewald", "curvature"), [("sphere", 0.035), ("sphere", 0.2), ("plane", 0)])
def test_every_atom_of_a_parallelepiped(beam, ewald, curvature):
    detector = {"pixels": 13, "q_max": 1.1}
    size = 12.0  # 4 x 3 x 3 cells
    ours = images(
        TRICLINIC,
        **detector,
        beam=beam,
        ewald=ewald,
        wavelength=curvature or 0.035,
        shape="parallelepiped",
        size=size,
    )
    cells = np.rint(size / np.linalg.norm(TRICLINIC[0], axis=1)).astype(int)
    assert cells.tolist() == [4, 3, 3]
    for frame, image in zip(beam_frames(TRICLINIC[0], beam), ours, strict=True):
        vectors = surface(**detector, curvature=curvature) @ frame
        expected = np.abs(atom_by_atom(TRICLINIC, cells, vectors) / cells.prod()) ** 2
        np.testing.assert_allclose(image, expected, rtol=1e-8, atol=1e-12 * expected.max())


@pytest.mark.parametrize("radiation", ["electron", "xray"])
@pytest.mark.parametrize(("ewald", "curvature"), [("sphere", 0.2), ("plane", 0)])
def test_every_atom_of_a_gaussian_crystal_wherever_its_centre_is(ewald, curvature, radiation):
    lattice, numbers, coordinates, occupancies = TRICLINIC
    detector, size = {"pixels": 9, "q_max": 0.9}, 5.0
    sigma = size / np.sqrt(8 * np.log(2))
    ours = images(
        TRICLINIC,
        **detector,
        ewald=ewald,
        wavelength=curvature or 0.035,
        size=size,
        radiation=radiation,
    )
    n, offsets = 11, 6
    steps = np.stack(np.meshgrid(*[np.arange(n)] * 3, indexing="ij"), -1).reshape(-1, 3)
    # Centres of the envelope at equal steps over one cell in the middle of the block.
    inside = np.stack(np.meshgrid(*[np.arange(offsets) / offsets] * 3, indexing="ij"), -1)
    centres = (inside.reshape(-1, 3) + (n - 1) / 2) @ lattice
    for frame, image in zip(beam_frames(lattice), ours, strict=True):
        vectors = (surface(**detector, curvature=curvature) @ frame).reshape(-1, 3)
        d_star = np.linalg.norm(vectors, axis=1)
        amplitudes = np.zeros((len(vectors), len(centres)), complex)
        for number, position, occupancy in zip(numbers, coordinates, occupancies, strict=True):
            places = (steps + position) @ lattice
            squares = ((places[:, np.newaxis] - centres) ** 2).sum(axis=-1)
            f = occupancy * form_factors([number], d_star, radiation)[0]
            phases = f[:, np.newaxis] * np.exp(2j * np.pi * (vectors @ places.T))
            amplitudes += phases @ np.exp(-squares / (2 * sigma**2))
        # A crystal scatters in phase as many cells as fill the volume of its envelope.
        cells = (2 * np.pi) ** 1.5 * sigma**3 / np.linalg.det(lattice)
        expected = (np.abs(amplitudes / cells) ** 2).mean(axis=1).reshape(image.shape)
        np.testing.assert_allclose(image, expected, rtol=0, atol=1e-6 * expected.max())
        strong = expected > 1e-3 * expected.max()
        np.testing.assert_allclose(image[strong], expected[strong], rtol=1e-6)


@crystals
@given(lattices(), st.floats(10, 40), st.sampled_from(["sphere", "plane"]))
def test_no_spot_is_forgotten(lattice, size, ewald):
    """Every reciprocal lattice point of a large block, its spot written out over all pixels."""
    curvature = 0.035 if ewald == "sphere" else 0.0
    detector = {"pixels": 32, "q_max": 0.5}
    cell = lattice, [14], [[0.0, 0.0, 0.0]], [1.0]
    ours = images(cell, **detector, size=size, ewald=ewald)
    exponent = (np.pi * size) ** 2 / (2 * np.log(2))
    reach = int(2 * np.linalg.norm(lattice, axis=1).max()) + 1
    hkl = np.stack(np.meshgrid(*[np.arange(-reach, reach + 1)] * 3), -1).reshape(-1, 3)
    points = hkl @ np.linalg.inv(lattice).T
    points = points[np.linalg.norm(points, axis=1) < 1.2]
    for frame, image in zip(beam_frames(lattice), ours, strict=True):
        vectors = surface(**detector, curvature=curvature)
        f = form_factors([14], np.linalg.norm(vectors, axis=-1).ravel(), "electron")
        spots = np.zeros(image.shape)
        for point in points @ frame.T:
            spots += np.exp(-exponent * ((vectors - point) ** 2).sum(axis=-1))
        expected = f.reshape(image.shape) ** 2 * spots
        np.testing.assert_allclose(image, expected, rtol=0, atol=1e-6 * expected.max())


def test_spots_are_where_the_reciprocal_lattice_is():
    beta = np.radians(101)
    lattice = np.array([[5.1, 0, 0], [0, 6.3, 0], [7.7 * np.cos(beta), 0, 7.7 * np.sin(beta)]])
    cell = lattice, [26], [[0.2, 0.1, 0.3]], [1.0]
    image = images(cell, ewald="plane", pixels=201, size=60.0)[1]  # along b: a* and c* in plane
    step = 2 * 0.8 / 201
    reciprocal = np.linalg.inv(lattice).T
    for h in range(-2, 3):
        for l in range(-3, 4):
            g = h * reciprocal[0] + l * reciprocal[2]
            assert g[1] == pytest.approx(0, abs=1e-12)
            # Along y the detector's columns run along z and its rows along x.
            column, row = (np.array([g[2], g[0]]) / step + 100).round().astype(int)
            box = image[row - 4 : row + 5, column - 4 : column + 5]
            offsets = np.arange(-4, 5)
            centre = np.array([box.sum(axis=0), box.sum(axis=1)]) @ offsets / box.sum()
            expected = np.array([g[2], g[0]]) / step + 100 - [column, row]
            np.testing.assert_allclose(centre, expected, atol=0.06)
    # Nothing else is bright.
    assert (image > 1e-3 * image.max()).mean() < 0.2


def test_axes_of_cells_without_right_angles():
    lattice = TRICLINIC[0]
    cartesian, along = beam_frames(lattice, "cartesian"), beam_frames(lattice, "lattice")
    np.testing.assert_array_equal(cartesian[:, 2], np.eye(3))
    np.testing.assert_array_equal(cartesian[0], np.eye(3)[[1, 2, 0]])
    for frames in (cartesian, along):
        np.testing.assert_allclose(
            frames @ frames.transpose(0, 2, 1), np.tile(np.eye(3), (3, 1, 1)), atol=1e-12
        )
        np.testing.assert_allclose(np.linalg.det(frames), 1)
    np.testing.assert_allclose(along[:, 2] * np.linalg.norm(lattice, axis=1)[:, None], lattice)
    # The vector after the beam's has no component along v.
    np.testing.assert_allclose(
        np.sum(np.roll(lattice, -1, axis=0) * along[:, 1], axis=1), 0, atol=1e-12
    )
    orthogonal = np.diag([3.0, 4.0, 5.0])
    np.testing.assert_allclose(
        beam_frames(orthogonal, "lattice"), beam_frames(orthogonal), atol=1e-15
    )
    # Along c the whole layer hk0 is on the plane; z is no zone axis of this cell, few spots are.
    by_axes, by_vectors = (
        images(TRICLINIC, ewald="plane", beam=b)[2] for b in ("cartesian", "lattice")
    )
    assert (by_vectors > 1e-4 * by_vectors.max()).sum() > 2 * (by_axes > 1e-4 * by_axes.max()).sum()


def test_ring_of_the_first_laue_zone():
    """Points of the layer l = -1 meet the Ewald sphere where q_w = -c*."""
    c = 6.0
    cell = np.diag([2.6, 2.6, c]), [29], [[0.0, 0.0, 0.0]], [1.0]
    pixels, q_max, wavelength = 256, 2.4, 0.08
    image = images(cell, pixels=pixels, q_max=q_max, wavelength=wavelength, size=80.0)[2]
    radius = np.sqrt(2 / (wavelength * c) - 1 / c**2)
    vectors = surface(pixels=pixels, q_max=q_max, curvature=0)
    q = np.linalg.norm(vectors, axis=-1)
    bright = q[(image > 1e-3 * image.max()) & (q > 1.2)]
    assert len(bright) > 20
    # A spot of 80 A reaches 0.02 / A off the sphere, which rises by wavelength x radius.
    np.testing.assert_allclose(bright, radius, atol=0.12)


@pytest.mark.parametrize(
    ("centring", "translations", "absent"),
    [
        ("F", 1 - np.eye(3), lambda hkl: len(set(hkl % 2)) > 1),
        ("I", np.ones((1, 3)), lambda hkl: hkl.sum() % 2 == 1),
        ("C", [[1, 1, 0]], lambda hkl: hkl[:2].sum() % 2 == 1),
        ("P", np.empty((0, 3)), lambda _: False),
    ],
)
def test_extinction_by_centring(centring, translations, absent):
    places = np.array([np.zeros(3), *translations]) / 2
    motif = np.array([[0.11, 0.23, 0.05], [0.7, 0.4, 0.9]])
    coordinates = (motif[:, np.newaxis] + places).reshape(-1, 3)
    numbers = np.repeat([25, 8], len(places))
    cell = 4.0 * np.eye(3), numbers, coordinates, np.ones(len(numbers))
    for axis, image in enumerate(images(cell, **ON_PIXELS, ewald="plane", size=60.0)):
        for row in range(-4, 5):
            for column in range(-4, 5):
                hkl = np.roll([column, row, 0], axis + 1)
                value = image[40 + 10 * row, 40 + 10 * column] / image.max()
                assert (value < 1e-7) == absent(hkl), (centring, hkl, value)


def ring(pixels):
    """Pixels that stay inside when an image is turned, without the direct beam."""
    place = (2 * np.arange(pixels) + 1) / pixels - 1
    squares = place[:, np.newaxis] ** 2 + place**2
    return (squares > 0.15**2) & (squares < 0.95**2)


def with_motions(lattice, motions, motif, numbers):
    """A crystal with the given motions x -> x W + t of fractional rows."""
    coordinates = np.concatenate([motif @ np.array(W) + t for W, t in motions])
    return lattice, np.tile(numbers, len(motions)), coordinates, np.ones(len(coordinates))


MOTIF = np.array([[0.13, 0.27, 0.08], [0.41, 0.06, 0.35]])
FOURFOLD = np.array([[0, 1, 0], [-1, 0, 0], [0, 0, 1]])
THREEFOLD = np.array([[0, 1, 0], [-1, -1, 0], [0, 0, 1]])


def test_fourfold_axis_shows_in_the_image_along_it():
    powers = [(np.linalg.matrix_power(FOURFOLD, n), 0) for n in range(4)]
    crystal = with_motions(np.diag([5.0, 5.0, 6.1]), powers, MOTIF, [13, 16])
    x, _, z = images(crystal, wavelength=0.1)
    scale = z.max()
    np.testing.assert_allclose(np.rot90(z), z, atol=1e-12 * scale)
    assert np.abs(z - z.T).max() > 1e-3 * scale  # 4, not 4mm
    assert np.abs(np.rot90(x) - x).max() > 1e-3 * x.max()
    # The axis takes the image along y to that along -x, up to the sign of the beam.
    flat_x, flat_y, _ = images(crystal, ewald="plane")
    np.testing.assert_allclose(flat_x, np.rot90(flat_y)[:, ::-1], atol=1e-12 * flat_x.max())


def test_cubic_crystals_have_the_same_image_along_all_axes():
    cycle = np.array([[0, 1, 0], [0, 0, 1], [1, 0, 0]])
    powers = [(np.linalg.matrix_power(cycle, n), 0) for n in range(3)]
    x, y, z = images(with_motions(5.2 * np.eye(3), powers, MOTIF, [13, 16]))
    np.testing.assert_allclose(x, y, rtol=0, atol=1e-12 * x.max())
    np.testing.assert_allclose(x, z, rtol=0, atol=1e-12 * x.max())


def test_threefold_axis_is_sixfold_without_curvature_only():
    powers = [(np.linalg.matrix_power(THREEFOLD, n), 0) for n in range(3)]
    crystal = with_motions(TRIGONAL, powers, MOTIF, [13, 16])
    inside = ring(200)
    # Long waves, so that the sphere meets the layers above, which have the threefold axis only.
    settings = {"pixels": 200, "q_max": 1.2, "size": 10.0, "wavelength": 0.4}
    flat = images(crystal, ewald="plane", **settings)[2]
    curved = images(crystal, **settings)[2]
    for image, angle, same in [
        (flat, 60, True),
        (flat, 90, False),
        (curved, 120, True),
        (curved, 60, False),
    ]:
        turned = rotate(image, angle, reshape=False, order=3)  # bicubic
        difference = np.abs(turned - image)[inside].max() / image[inside].max()
        assert difference < 5e-3 if same else difference > 5e-2, (angle, difference)


def test_equal_crystals_have_equal_images():
    change = np.array([[1, 1, 0], [-1, 1, 0], [0, 0, 2]])
    larger = supercell(TRICLINIC, change)
    ours, theirs = images(TRICLINIC), images(larger)
    # |F|^2 is that of the cell given.
    np.testing.assert_allclose(theirs, 16 * ours, rtol=1e-9, atol=1e-9 * theirs.max())


@st.composite
def cells(draw):
    """A lattice of any shape with one to four scatterers anywhere in it."""
    n = draw(st.integers(1, 4))
    numbers = np.array([draw(st.integers(1, 98)) for _ in range(n)])
    coordinates = np.array([[draw(st.floats(-1, 1)) for _ in range(3)] for _ in range(n)])
    occupancies = np.array([draw(st.sampled_from([0.25, 0.5, 1.0])) for _ in range(n)])
    return draw(lattices()), numbers, coordinates, occupancies


@crystals
@given(moved(cells()), st.sampled_from(["sphere", "plane"]))
def test_any_origin_and_order_of_atoms(pair, ewald):
    (lattice, *_), (_, *others) = pair
    ours = images(pair[0], ewald=ewald)
    theirs = images((lattice, *others), ewald=ewald)
    np.testing.assert_allclose(theirs, ours, rtol=0, atol=1e-12 * ours.max())


@crystals
@given(cells())
def test_rotation_of_crystal_and_beam_together(cell):
    rotation = Rotation.random(random_state=1).as_matrix()
    ours = images(cell, beam="lattice")
    theirs = images((cell[0] @ rotation, *cell[1:]), beam="lattice")
    np.testing.assert_allclose(theirs, ours, rtol=0, atol=1e-9 * ours.max())


@crystals
@given(cells())
def test_friedel_pairs_without_curvature(cell):
    for image in images(cell, ewald="plane"):
        np.testing.assert_allclose(image, image[::-1, ::-1], rtol=0, atol=1e-12 * image.max())


def test_displacement_factor_and_shared_sites():
    lattice = 4.0 * np.eye(3)
    rest = images((lattice, [29], [[0, 0, 0]], [1.0]), **ON_PIXELS, ewald="plane")
    hot = images((lattice, [29], [[0, 0, 0]], [1.0]), **ON_PIXELS, ewald="plane", b_iso=1.5)
    shared = images((lattice, [29, 29], np.zeros((2, 3)), [0.3, 0.7]), **ON_PIXELS, ewald="plane")
    np.testing.assert_allclose(shared, rest, rtol=1e-12)
    # At 300 the amplitude is multiplied by exp(-B s^2), s = 3/8 1/A.
    assert hot[0, 40, 70] / rest[0, 40, 70] == pytest.approx(np.exp(-2 * 1.5 * (3 / 8) ** 2))


PEROVSKITE = Structure(
    4 * np.eye(3),
    ["Sr", "Ti", "O", "O", "O"],
    [[0, 0, 0], [0.5] * 3, [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]],
)


def perovskite_images(**changes):
    cell = PEROVSKITE.lattice.matrix, PEROVSKITE.atomic_numbers, PEROVSKITE.frac_coords, np.ones(5)
    return images(cell, **ON_PIXELS, size=60.0, **changes)


def test_intensities_of_pymatgen():
    """|F|^2 of hk0 by TEMCalculator, whose form factors are another fit."""
    calculator = TEMCalculator(voltage=110.8)
    points = [(h, k, 0) for h in range(-3, 4) for k in range(-3, 4) if (h, k) != (0, 0)]
    spacings = calculator.get_interplanar_spacings(PEROVSKITE, points)
    theirs = calculator.cell_intensity(PEROVSKITE, calculator.bragg_angles(spacings))
    image = perovskite_images(ewald="plane")[2]
    assert len(theirs) == 48
    for (h, k, l), value in theirs.items():
        ours = image[40 + 10 * k, 40 + 10 * h]
        assert ours == pytest.approx(value, rel=0.03, abs=3e-3 * max(theirs.values())), (h, k, l)


def test_positions_and_intensities_of_diffsims(monkeypatch):
    """Every spot along all axes, with our envelope as its shape factor.

    Its beam travels along -z, so its axes are u, -v and -w. Its form factors are another fit.
    """
    with monkeypatch.context() as patch:
        # What it would compile on import, for half a minute, runs here a few times.
        patch.setattr(numba.config, "DISABLE_JIT", True)
        from diffsims.generators.simulation_generator import SimulationGenerator  # noqa: PLC0415
        from orix.crystal_map import Phase  # noqa: PLC0415
        from orix.quaternion import Rotation as OrixRotation  # noqa: PLC0415
    _, numbers, coordinates, occupancies = TRICLINIC
    ours = images((4 * np.eye(3), numbers, coordinates, occupancies), **ON_PIXELS, size=60.0)
    atoms = [
        Atom(Element.from_Z(int(number)).symbol, position, occupancy=occupancy)
        for number, position, occupancy in zip(numbers, coordinates, occupancies, strict=True)
    ]
    structure = DiffpyStructure(atoms, DiffpyLattice(4, 4, 4, 90, 90, 90))
    phase = Phase("crystal", space_group=1, structure=structure)
    exponent = (np.pi * 60.0) ** 2 / (2 * np.log(2))
    generator = SimulationGenerator(
        110.7778,
        scattering_params="xtables",
        shape_factor_model=lambda error, _: np.exp(-exponent * error**2),
    )
    assert generator.wavelength == pytest.approx(0.035, abs=1e-7)
    for frame, image in zip(beam_frames(4 * np.eye(3)), ours, strict=True):
        simulation = generator.calculate_diffraction2d(
            phase,
            rotation=OrixRotation.from_matrix((frame * [[1], [-1], [-1]]).T),
            reciprocal_radius=0.95,
            max_excitation_error=0.05,
            with_direct_beam=False,  # which it would list twice
        )
        spots = simulation.coordinates
        columns, rows = np.rint(spots.data[:, :2] * [40, -40]).astype(int).T + 40
        assert len(spots.intensity) == 44  # all within the radius
        np.testing.assert_allclose(image[rows, columns], spots.intensity, rtol=0.015)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"beam": "diagonal"}, "beam is one of cartesian, lattice, not 'diagonal'"),
        ({"shape": "cube"}, "one of the shapes gaussian, parallelepiped"),
        ({"size": 0.0}, "a size above 0 A"),
        ({"ewald": "cone"}, "an Ewald surface out of sphere, plane"),
        ({"wavelength": 1.5}, "wavelength x q_max below 0.707"),
        ({"wavelength": 0.8, "size": 1.0}, "reach beyond the Ewald sphere"),
        ({"q_max": 3.0}, "form factors are tabulated up to 4 / A"),
        ({"radiation": "neutron"}, "radiation is one of xray, electron"),
    ],
)
def test_settings_out_of_range(changes, message):
    with pytest.raises(DiffsymError, match=message):
        images(TRICLINIC, **changes)


def test_impossible_structures():
    with pytest.raises(DiffsymError, match="this is no crystal: the cell has a volume of 0"):
        images((np.zeros((3, 3)), [6], [[0, 0, 0]], [1.0]))


def test_a_single_pixel_and_an_odd_number():
    cell = 4.0 * np.eye(3), [6], [[0.0, 0.0, 0.0]], [1.0]
    (direct_beam,) = form_factors([6], [0.0], "electron")[0] ** 2
    for pixels in (1, 3):
        image = images(cell, pixels=pixels)[0]
        assert image[pixels // 2, pixels // 2] == pytest.approx(direct_beam)

"""The pair distribution function by diffpy.srreal, where it is installed.

Written against its documented interface (diffpy.srreal 1.4). G(r) is computed on the requested grid
itself, as Liu et al. (2019) did, so on the Nyquist grid it is aliased by one to three per cent.
"""

from typing import Any

import gemmi
import numpy as np

from diffsym.errors import DiffsymError
from diffsym.scattering.pdf import step_of_distances
from diffsym.scattering.types import Cells, Floats


def _engine() -> tuple[Any, Any]:
    """PDFCalculator of diffpy.srreal and the module diffpy.structure."""
    try:
        import diffpy.structure  # noqa: PLC0415 - optional
        from diffpy.srreal.pdfcalculator import PDFCalculator  # noqa: PLC0415 - optional
    except ImportError as error:
        raise DiffsymError(
            f"engine: srreal needs diffpy.srreal, which is not installed ({error}); install it "
            "from conda-forge (envs/srreal.yaml, `snakemake --sdm conda`) or set engine: native"
        ) from None
    return PDFCalculator, diffpy.structure


def pair_distribution_functions(
    cells: Cells,
    r: Floats,
    *,
    q_min: float,
    q_max: float,
    u_iso: float,
    q_damp: float,
    q_broad: float,
) -> Floats:
    """Reduced X-ray pair distribution functions of many structures.

    Parameters and result are those of `diffsym.scattering.pdf.pair_distribution_functions`; orbits
    are not read, because diffpy.srreal sums over all pairs of the cell.

    Raises
    ------
    DiffsymError
        If diffpy.srreal is not installed, or `r` is not a uniform grid of multiples of its step.
    """
    calculator_type, structure = _engine()
    step = step_of_distances(r)
    if abs(r[0] / step - round(r[0] / step)) > 1e-6:
        raise DiffsymError("engine: srreal computes at multiples of the step of r only")
    calculator = calculator_type(
        rmin=r[0],
        rmax=r[-1] + step / 2,
        rstep=step,
        qmin=q_min,
        qmax=q_max,
        qdamp=q_damp,
        qbroad=q_broad,
        scatteringfactortable="xray",
    )
    functions = np.full((len(cells), len(r)), np.nan)
    for row in range(len(cells)):
        if cells.impossibility(row):
            continue
        cell = cells[row]
        atoms = [
            structure.Atom(
                gemmi.Element(int(number)).name, place, occupancy=occupancy, Uisoequiv=u_iso
            )
            for number, place, occupancy in zip(
                cell.atomic_numbers, cell.frac_coords, cell.occupancies, strict=True
            )
        ]
        crystal = structure.Structure(atoms, lattice=structure.Lattice(base=cell.lattices[0]))
        _, functions[row] = calculator(crystal)
    return functions

"""Compute electron-diffraction patterns of a structure from each of several crystal systems."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from diffsym.descriptors import electron
from diffsym.evaluation.examples import examples_of_systems
from diffsym.files import atomic_path
from diffsym.job import job
from diffsym.settings import settings_of
from diffsym.tables import STRUCTURES, read_table

with job(snakemake):
    structures = read_table(snakemake.input.structures, STRUCTURES)
    for path in snakemake.input.descriptors:
        described = read_table(path, columns=["structure_id"])["structure_id"]
        structures = structures.filter(pc.is_in(structures["structure_id"], described))
    shown = examples_of_systems(structures.select(["structure_id", "space_group"]).to_pandas())
    structures = structures.take(pc.index_in(pa.array(shown), structures["structure_id"]))
    patterns = {
        pattern: electron.compute(
            structures, settings_of({**snakemake.params.settings, "pattern": pattern})
        ).values
        for pattern in ("spot", "shaped")
    }
    with atomic_path(snakemake.output.gallery) as temporary:
        np.savez_compressed(temporary, structure_ids=shown, **patterns)

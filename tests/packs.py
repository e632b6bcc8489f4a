"""Packs made by hand, whole and broken ones."""

import hashlib
import json
import zipfile
from pathlib import Path

import numpy as np
import onnx
import pyarrow as pa

from diffsym.descriptors.reflections import compute
from diffsym.identification.card import EnsembleCard, Estimate, Score, SourceCard
from diffsym.identification.contents import card_of
from diffsym.identification.ensembles import INPUT, PROBABILITIES
from diffsym.identification.known import KnownStructures
from diffsym.identification.pack import CARD, network_file, write_pack
from diffsym.identification.search import known_lines
from diffsym.scattering.powder import CU_K_ALPHA_DOUBLET, PeakShape, powder_pattern
from diffsym.scattering.types import Lines
from diffsym.settings.descriptors.powder import Powder
from diffsym.settings.reflections import Reflections

CLASSES = (2, 14, 15, 62)
DESCRIPTOR = Powder(two_theta_min=20.0, two_theta_max=24.0, two_theta_step=0.5)
POINTS = 9


def linear_network(weights, name=INPUT) -> bytes:
    """A graph with the softmax of a product, (batch, m) to (batch, k)."""
    size, classes = np.shape(weights)
    kind = onnx.TensorProto.FLOAT
    graph = onnx.helper.make_graph(
        [
            onnx.helper.make_node("MatMul", [name, "weights"], ["product"]),
            onnx.helper.make_node("Softmax", ["product"], [PROBABILITIES]),
        ],
        "network",
        [onnx.helper.make_tensor_value_info(name, kind, ["batch", size])],
        [onnx.helper.make_tensor_value_info(PROBABILITIES, kind, ["batch", classes])],
        [onnx.numpy_helper.from_array(np.asarray(weights, np.float32), "weights")],
    )
    opset = onnx.helper.make_opsetid("", 17)
    return onnx.helper.make_model(graph, opset_imports=[opset], ir_version=9).SerializeToString()


def ensemble(experiment="powder", seeds=(3, 4), target="space_group") -> EnsembleCard:
    score = Score(
        n=50,
        accuracy=Estimate(value=0.6, low=0.5, high=0.7),
        baseline=Estimate(value=0.2, low=0.1, high=0.3),
    )
    return EnsembleCard(
        experiment=experiment,
        model="vecsei2019_dense",
        descriptor=DESCRIPTOR,
        target=target,
        classes=CLASSES,
        training_counts=(10, 30, 20, 40),
        split="stratified",
        seeds=seeds,
        validation=score,
        test=score,
    )


def lines_of(entries) -> pa.Table:
    """Reflections of structures."""
    return compute(entries, Reflections(d_star_min=0.05, d_star_max=1.9))


def known_of(entries, reflections) -> KnownStructures:
    """Structures and their reflections, ready to be searched; the first one has no name."""
    return KnownStructures(
        lines=known_lines(reflections),
        structure_ids=entries["structure_id"].to_pylist(),
        names=[None, *entries["name"].to_pylist()[1:]],
        formulas=entries["formula"].to_pylist(),
        space_groups=entries["space_group"].to_numpy().astype(np.int64),
    )


def measured(reflections, row) -> tuple[np.ndarray, np.ndarray]:
    """Angles, degrees, and counts as a diffractometer with a copper anode would give them."""
    lines = Lines.of_one(
        reflections["d_star"][row].values.to_numpy(),
        reflections["intensity"][row].values.to_numpy().astype(float),
    )
    angles = np.arange(10.0, 90.0, 0.02)
    curve = powder_pattern(
        lines, angles, radiation=CU_K_ALPHA_DOUBLET, shape=PeakShape.gaussian(0.05)
    )
    return angles, np.random.default_rng(row).poisson(3000 * curve / curve.max() + 60)


SOURCE = SourceCard(
    structures=3,
    description="minerals",
    version="of today",
    licence="free",
    citation="Nobody (2026)",
)


def pack_of(
    path: Path,
    known: KnownStructures | None = None,
    *,
    ensembles=(),
    networks=None,
    calibration=None,
) -> Path:
    """A pack with random networks unless some are given."""
    rng = np.random.default_rng(0)
    made = {
        one.experiment: [linear_network(rng.normal(size=(POINTS, len(CLASSES)))) for _ in one.seeds]
        for one in ensembles
    }
    card = card_of(
        path.stem,
        sources={"amcsd": SOURCE},
        ensembles=ensembles,
        known=known,
        calibrated=calibration is not None,
    )
    write_pack(path, card, networks=networks or made, known=known, calibration=calibration)
    return path


def contents(path: Path) -> dict[str, bytes]:
    """All files of a pack."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def repacked(path: Path, files: dict[str, bytes], *, deflated=(), honest=True) -> Path:
    """A pack with other files, of which its card knows size and digest if it is honest."""
    if honest and CARD in files:
        card = json.loads(files[CARD])
        card["files"] |= {
            name: {"size": len(files[name]), "sha256": hashlib.sha256(files[name]).hexdigest()}
            for name in set(card["files"]) & set(files)
        }
        files = files | {CARD: json.dumps(card).encode()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            kind = zipfile.ZIP_DEFLATED if name in deflated else zipfile.ZIP_STORED
            archive.writestr(name, content, kind)
    return path


FIRST_NETWORK = network_file("powder", 0)

"""Put networks, known structures and what they are into one file."""

from diffsym.evaluation.scores import Metrics
from diffsym.evaluation.storage import read_scores
from diffsym.files import read_json
from diffsym.identification.contents import card_of, ensemble_card, source_cards
from diffsym.identification.known import known_structures
from diffsym.identification.pack import write_pack
from diffsym.job import job
from diffsym.keras_backend import configure
from diffsym.models.networks import load_model
from diffsym.models.onnx_export import as_onnx
from diffsym.settings import settings_of
from diffsym.tables import STRUCTURES, read_table

with job(snakemake):
    configure(threads=snakemake.threads)
    ensembles = snakemake.params.ensembles
    structures, reflections = snakemake.input.structures, snakemake.input.reflections
    known = known_structures(structures, reflections) if structures else None
    card = card_of(
        snakemake.wildcards.pack,
        sources=source_cards(
            map(read_json, snakemake.input.sources),
            (
                name
                for path in structures
                for name in read_table(path, STRUCTURES, ["source"])["source"].to_pylist()
            ),
        ),
        ensembles=[
            ensemble_card(
                name,
                model=ensemble["model"],
                descriptor=settings_of(ensemble["descriptor"]),
                target=ensemble["target"],
                split=ensemble["split"],
                seeds=ensemble["seeds"],
                metrics=read_scores(ensemble["metrics"], Metrics),
                history=read_json(ensemble["histories"][0]),
            )
            for name, ensemble in ensembles.items()
        ],
        known=known,
    )
    networks = {
        name: [as_onnx(load_model(path)) for path in ensemble["networks"]]
        for name, ensemble in ensembles.items()
    }
    write_pack(snakemake.output.pack, card, networks=networks, known=known)

"""Train one member of an ensemble of networks."""

from diffsym.datasets.opening import open_described
from diffsym.files import read_json
from diffsym.job import job
from diffsym.keras_backend import configure
from diffsym.models.member import train_and_predict
from diffsym.settings import settings_of

with job(snakemake):
    params = snakemake.params
    training = settings_of(params.training)
    configure(
        threads=snakemake.threads,
        devices=training.devices,
        deterministic=training.deterministic,
        precision=training.precision,
    )
    classes = read_json(snakemake.input.classes)["classes"]
    parts = open_described(
        dict(snakemake.input.items()),
        classes,
        patterns=settings_of(params.patterns) if params.patterns else None,
        seed=params.seed,
        validation_fold=params.validation_fold,
    )
    member = train_and_predict(
        parts,
        classes,
        settings_of(params.model),
        training,
        number=int(snakemake.wildcards.member),
        seed=params.seed,
        by_system=params.target == "crystal_system",
        checkpoint=params.checkpoint,
        snapshots=params.snapshots,
    )
    member.write(snakemake.output)

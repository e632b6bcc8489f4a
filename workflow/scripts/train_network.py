"""Train one member of an ensemble of networks."""

from diffsym.datasets.opening import open_described
from diffsym.files import read_json
from diffsym.job import job
from diffsym.models.member import Task, configure_for, train_and_predict
from diffsym.models.training import Run
from diffsym.settings import settings_of

with job(snakemake):
    params = snakemake.params
    training = settings_of(params.training)
    configure_for(training, threads=snakemake.threads)
    parts = open_described(
        dict(snakemake.input.items()),
        read_json(snakemake.input.classes)["classes"],
        rendered=settings_of(params.rendered) if params.rendered else None,
        seed=params.seed,
        validation_fold=params.validation_fold,
    )
    member = train_and_predict(
        parts,
        settings_of(params.model),
        training,
        task=Task(int(snakemake.wildcards.member), params.seed, params.target),
        run=Run(checkpoint=params.checkpoint, snapshots=params.snapshots),
    )
    member.write(snakemake.output)

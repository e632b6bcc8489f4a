from snakemake.utils import min_version

min_version("9.20")


configfile: "config.yaml"


# For `--sdm apptainer` alone; envs/apptainer.def says how to build it.
container: "diffsym.sif"


include: "rules/common.smk"
include: "rules/structures.smk"
include: "rules/descriptors.smk"
include: "rules/splits.smk"
include: "rules/models.smk"
include: "rules/experimental.smk"
include: "rules/evaluation.smk"


localrules:
    all,
    structures,
    descriptors,
    splits,
    models,
    evaluation,


rule all:
    default_target: True
    input:
        "results/report.html",


rule structures:
    input:
        "results/structures.parquet",
        "results/rejected.parquet",


rule descriptors:
    input:
        descriptor_tables(),


rule splits:
    input:
        split_tables(),


rule models:
    input:
        all_predictions(),


rule evaluation:
    input:
        "results/summary.json",

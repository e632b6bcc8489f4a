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
include: "rules/packs.smk"


localrules:
    all,
    structures,
    descriptors,
    splits,
    models,
    evaluation,
    packs,


# What cannot be fetched is said before anything runs; then a line says what runs, how far it is,
# and about how long it will take.
onstart:
    from diffsym.progress import follow

    check_downloads(workflow.dag.needrun_jobs())
    follow(workflow, lambda rule, wildcards: expected_seconds(PLAN, rule, wildcards))


rule all:
    default_target: True
    input:
        LAYOUT.report,


rule structures:
    input:
        LAYOUT.structures,
        LAYOUT.rejected,


rule descriptors:
    input:
        PLAN.descriptor_tables(),


rule splits:
    input:
        PLAN.split_tables(),


rule models:
    input:
        PLAN.predictions(),


rule evaluation:
    input:
        LAYOUT.summary,


rule packs:
    input:
        PLAN.packs(),

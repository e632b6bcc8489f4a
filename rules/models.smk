rule train_network:
    input:
        unpack(ask(PLAN.network_files, "experiment")),
    output:
        model=LAYOUT.member(name="model.keras"),
        history=LAYOUT.member(name="history.json"),
        snapshots=LAYOUT.member(name="snapshots.zip"),
        predictions=LAYOUT.member(name="predictions.parquet"),
    log:
        LAYOUT.log("train_network/{experiment}-{member}"),
    benchmark:
        LAYOUT.benchmark("train_network/{experiment}-{member}")
    wildcard_constraints:
        experiment=one_of(PLAN.network_experiments),
    conda:
        "../envs/training.yaml"
    threads: share_of_cores(4)
    resources:
        mem_mb=request(4000, 8),
        runtime=request(240, 1),
    params:
        model=ask(PLAN.model_settings, "experiment"),
        training=ask(PLAN.training_settings, "experiment"),
        rendered=ask(PLAN.rendered_patterns, "experiment"),
        target=ask(PLAN.target, "experiment"),
        seed=ask(PLAN.seed, "experiment", "member"),
        validation_fold=ask(PLAN.validation_fold, "experiment", "member"),
        # No outputs: a killed training resumes from here, and Snakemake removes the outputs of
        # killed jobs.
        checkpoint=LAYOUT.member(name="checkpoint.npz"),
        snapshots=LAYOUT.member(name="snapshots"),
        code=lambda wildcards: script_digest(
            "train_network.py", *PLAN.network_modules(wildcards.experiment)
        ),
    message:
        "Training member {wildcards.member} of {wildcards.experiment}"
    script:
        "../workflow/scripts/train_network.py"


rule fit_logistic:
    input:
        unpack(ask(PLAN.experiment_files, "experiment")),
    output:
        model=LAYOUT.member(name="model.npz"),
        history=LAYOUT.member(name="history.json"),
        predictions=LAYOUT.member(name="predictions.parquet"),
    log:
        LAYOUT.log("fit_logistic/{experiment}-{member}"),
    benchmark:
        LAYOUT.benchmark("fit_logistic/{experiment}-{member}")
    wildcard_constraints:
        experiment=one_of(PLAN.logistic_experiments),
    conda:
        "../envs/training.yaml"
    threads: share_of_cores(8)
    resources:
        mem_mb=request(4000, 200),
        runtime=request(120, 2),
    params:
        model=ask(PLAN.model_settings, "experiment"),
        seed=ask(PLAN.seed, "experiment", "member"),
        code=lambda wildcards: script_digest(
            "fit_logistic.py", PLAN.model_module(wildcards.experiment)
        ),
    message:
        "Fitting the logistic regression of {wildcards.experiment}"
    script:
        "../workflow/scripts/fit_logistic.py"

rule train_network:
    input:
        unpack(network_input),
    output:
        model="results/experiments/{experiment}/members/{member}/model.keras",
        history="results/experiments/{experiment}/members/{member}/history.json",
        snapshots="results/experiments/{experiment}/members/{member}/snapshots.zip",
        predictions="results/experiments/{experiment}/members/{member}/predictions.parquet",
    log:
        "results/logs/train_network/{experiment}-{member}.log",
    benchmark:
        "results/benchmarks/train_network/{experiment}-{member}.tsv"
    wildcard_constraints:
        experiment=one_of(NETWORK_EXPERIMENTS),
    conda:
        "../envs/training.yaml"
    threads: 4
    resources:
        mem_mb=request(4000, 8),
        runtime=request(240, 1),
    params:
        model=lambda wildcards: settings("models", experiment_settings(wildcards).model),
        training=lambda wildcards: settings("trainings", experiment_settings(wildcards).training),
        patterns=augmented_patterns,
        target=lambda wildcards: experiment_settings(wildcards).target,
        seed=member_seed,
        validation_fold=validation_fold,
        # No outputs: a killed training resumes from here, and Snakemake removes the outputs of
        # killed jobs.
        checkpoint="results/experiments/{experiment}/members/{member}/checkpoint.npz",
        snapshots="results/experiments/{experiment}/members/{member}/snapshots",
        code=lambda wildcards: script_digest("train_network.py", *network_modules(wildcards)),
    message:
        "Training member {wildcards.member} of {wildcards.experiment}"
    script:
        "../workflow/scripts/train_network.py"


rule fit_logistic:
    input:
        unpack(experiment_input),
    output:
        model="results/experiments/{experiment}/members/{member}/model.npz",
        history="results/experiments/{experiment}/members/{member}/history.json",
        predictions="results/experiments/{experiment}/members/{member}/predictions.parquet",
    log:
        "results/logs/fit_logistic/{experiment}-{member}.log",
    benchmark:
        "results/benchmarks/fit_logistic/{experiment}-{member}.tsv"
    wildcard_constraints:
        experiment=one_of(LOGISTIC_EXPERIMENTS),
    conda:
        "../envs/training.yaml"
    threads: 8
    resources:
        mem_mb=request(4000, 200),
        runtime=request(120, 2),
    params:
        model=lambda wildcards: settings("models", experiment_settings(wildcards).model),
        seed=member_seed,
        code=lambda wildcards: script_digest("fit_logistic.py", model_module(wildcards)),
    message:
        "Fitting the logistic regression of {wildcards.experiment}"
    script:
        "../workflow/scripts/fit_logistic.py"

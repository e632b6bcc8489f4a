rule evaluate_experiment:
    input:
        unpack(experiment_input),
        structures="results/structures.parquet",
        predictions=lambda wildcards: member_files(wildcards.experiment, "predictions.parquet"),
    output:
        metrics="results/experiments/{experiment}/metrics.json",
    params:
        experiment=lambda wildcards: settings("experiments", wildcards.experiment),
        bootstrap_samples=STUDY.evaluation.bootstrap_samples,
        seed=STUDY.evaluation.seed,
        code=script_digest("evaluate_experiment.py"),
    log:
        "results/logs/evaluate_experiment/{experiment}.log",
    benchmark:
        "results/benchmarks/evaluate_experiment/{experiment}.tsv"
    threads: 1
    resources:
        mem_mb=memory(2000, 10),
        runtime=runtime(30),
    message:
        "Evaluating {wildcards.experiment}"
    conda:
        "../envs/evaluation.yaml"
    script:
        "../workflow/scripts/evaluate_experiment.py"


rule summarise:
    input:
        metrics=all_metrics(),
    output:
        summary="results/summary.json",
    params:
        experiments=EXPERIMENTS,
        code=script_digest("summarise.py"),
    log:
        "results/logs/summarise.log",
    benchmark:
        "results/benchmarks/summarise.tsv"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=runtime(10),
    message:
        "Summarising all experiments"
    conda:
        "../envs/evaluation.yaml"
    script:
        "../workflow/scripts/summarise.py"

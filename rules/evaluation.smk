rule evaluate_experiment:
    input:
        split=lambda wildcards: f"results/splits/{experiment_settings(wildcards).split}.parquet",
        predictions=lambda wildcards: member_files(wildcards.experiment, "predictions.parquet"),
        filter=lambda wildcards: experiment_input(wildcards).get("filter", []),
        measured=lambda wildcards: sum(measured_predictions(wildcards.experiment).values(), []),
    output:
        metrics="results/experiments/{experiment}/metrics.json",
    log:
        "results/logs/evaluate_experiment/{experiment}.log",
    benchmark:
        "results/benchmarks/evaluate_experiment/{experiment}.tsv"
    conda:
        "../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=request(2000, 10),
        runtime=request(30, 1),
    params:
        bootstrap_samples=STUDY.evaluation.bootstrap_samples,
        seed=STUDY.evaluation.seed,
        cross_validation=lambda wildcards: experiment_settings(wildcards).cross_validation,
        measured=lambda wildcards: measured_predictions(wildcards.experiment),
        code=script_digest("evaluate_experiment.py"),
    message:
        "Evaluating {wildcards.experiment}"
    script:
        "../workflow/scripts/evaluate_experiment.py"


rule recognise_untrained:
    input:
        unpack(untrained_input),
    output:
        recognition="results/experiments/{experiment}/untrained.json",
    log:
        "results/logs/recognise_untrained/{experiment}.log",
    benchmark:
        "results/benchmarks/recognise_untrained/{experiment}.tsv"
    wildcard_constraints:
        experiment=one_of(untrained_results()),
    conda:
        "../envs/training.yaml"
    threads: 4
    resources:
        mem_mb=request(6000, 8),
        runtime=request(60, 1),
    params:
        bootstrap_samples=STUDY.evaluation.bootstrap_samples,
        seed=STUDY.evaluation.seed,
        code=script_digest("recognise_untrained.py"),
    message:
        "Recognising groups that {wildcards.experiment} was not trained for"
    script:
        "../workflow/scripts/recognise_untrained.py"


rule show_feature_maps:
    input:
        descriptor=lambda wildcards: experiment_input(wildcards)["descriptor"],
        classes=lambda wildcards: experiment_input(wildcards)["classes"],
        model="results/experiments/{experiment}/members/0/model.keras",
        predictions="results/experiments/{experiment}/members/0/predictions.parquet",
    output:
        maps="results/experiments/{experiment}/feature_maps.npz",
    log:
        "results/logs/show_feature_maps/{experiment}.log",
    benchmark:
        "results/benchmarks/show_feature_maps/{experiment}.tsv"
    wildcard_constraints:
        experiment=one_of(feature_maps()),
    conda:
        "../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=request(3000, 4),
        runtime=request(30, 0.2),
    params:
        code=script_digest("show_feature_maps.py"),
    message:
        "Showing what the first blocks of {wildcards.experiment} see"
    script:
        "../workflow/scripts/show_feature_maps.py"


rule summarise:
    input:
        metrics=all_metrics(),
    output:
        summary="results/summary.json",
    log:
        "results/logs/summarise.log",
    benchmark:
        "results/benchmarks/summarise.tsv"
    localrule: True
    conda:
        "../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=request(1000),
        runtime=request(10),
    params:
        experiments={name: settings("experiments", name) for name in EXPERIMENTS},
        series=series_in_use(),
        code=script_digest("summarise.py"),
    message:
        "Summarising all experiments"
    script:
        "../workflow/scripts/summarise.py"


rule make_report:
    input:
        structures="results/structures.parquet",
        rejected="results/rejected.parquet",
        statistics="results/structures.json",
        summary="results/summary.json",
        metrics=all_metrics(),
        histories=[path for paths in histories().values() for path in paths],
        courses=[path for paths in followed_epochs().values() for path in paths],
        untrained=list(untrained_results().values()),
        feature_maps=list(feature_maps().values()),
        measured=[
            path
            for name in EXPERIMENTS
            for paths in measured_predictions(name).values()
            for path in paths
        ],
        sources=expand("results/provenance/sources/{source}.json", source=STUDY.structures.sources),
        descriptors=descriptor_tables(),
        splits=split_tables(),
        leakage=leakage_files(),
        templates=multiext("workflow/diffsym/report/templates/report", ".html", ".css"),
    output:
        report="results/report.html",
        configuration="results/provenance/config.yaml",
        software="results/provenance/software.json",
        data="results/provenance/data.json",
    log:
        "results/logs/make_report.log",
    benchmark:
        "results/benchmarks/make_report.tsv"
    conda:
        "../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=request(2000, 4),
        runtime=request(30, 0.1),
    params:
        study=STUDY.model_dump(mode="json"),
        experiments=EXPERIMENTS,
        descriptors=used("descriptor"),
        leakage=leakage_pairs(),
        histories=histories(),
        courses=followed_epochs(),
        untrained=untrained_results(),
        feature_maps=feature_maps(),
        measured={name: measured_predictions(name) for name in EXPERIMENTS},
        sweep_of=sweep_of_experiments(),
        series_of={run: name for name, runs in series_in_use().items() for run in runs},
        sources=STUDY.structures.sources,
        benchmarks=benchmark_files(),
        code=script_digest(
            "make_report.py",
            *[
                f"diffsym.descriptors.{STUDY.descriptors[name].kind}"
                for name in used("descriptor")
            ],
        ),
    message:
        "Making results/report.html"
    script:
        "../workflow/scripts/make_report.py"

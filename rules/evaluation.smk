rule evaluate_experiment:
    input:
        unpack(ask(PLAN.evaluation_files, "experiment")),
    output:
        metrics=LAYOUT.experiment(name="metrics.json"),
    log:
        LAYOUT.log("evaluate_experiment/{experiment}"),
    benchmark:
        LAYOUT.benchmark("evaluate_experiment/{experiment}")
    conda:
        "../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=request(2000, 10),
        runtime=request(30, 1),
    params:
        bootstrap_samples=STUDY.evaluation.bootstrap_samples,
        seed=STUDY.evaluation.seed,
        cross_validation=ask(PLAN.cross_validation, "experiment"),
        measured=ask(PLAN.measured_predictions, "experiment"),
        code=script_digest("evaluate_experiment.py"),
    message:
        "Evaluating {wildcards.experiment}"
    script:
        "../workflow/scripts/evaluate_experiment.py"


rule recognise_untrained:
    input:
        unpack(ask(PLAN.untrained_files, "experiment")),
    output:
        recognition=LAYOUT.experiment(name="untrained.json"),
    log:
        LAYOUT.log("recognise_untrained/{experiment}"),
    benchmark:
        LAYOUT.benchmark("recognise_untrained/{experiment}")
    wildcard_constraints:
        experiment=one_of(PLAN.untrained()),
    conda:
        "../envs/training.yaml"
    threads: share_of_cores(4)
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
        unpack(ask(PLAN.feature_map_files, "experiment")),
    output:
        maps=LAYOUT.experiment(name="feature_maps.npz"),
    log:
        LAYOUT.log("show_feature_maps/{experiment}"),
    benchmark:
        LAYOUT.benchmark("show_feature_maps/{experiment}")
    wildcard_constraints:
        experiment=one_of(PLAN.feature_maps()),
    conda:
        "../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=request(3000, 4),
        runtime=request(30, 0.2),
    params:
        code=script_digest("show_feature_maps.py"),
    message:
        "Extracting feature maps of the first blocks of {wildcards.experiment}"
    script:
        "../workflow/scripts/show_feature_maps.py"


rule show_patterns:
    input:
        unpack(lambda _: PLAN.gallery_files()),
    output:
        gallery=LAYOUT.gallery(),
    log:
        LAYOUT.log("show_patterns/{descriptor}"),
    benchmark:
        LAYOUT.benchmark("show_patterns/{descriptor}")
    wildcard_constraints:
        descriptor=one_of(PLAN.galleries()),
    conda:
        "../envs/descriptors.yaml"
    threads: 1
    resources:
        mem_mb=request(1500, 2),
        runtime=request(10),
    params:
        settings=ask(PLAN.gallery_settings, "descriptor"),
        code=script_digest("show_patterns.py"),
    message:
        "Computing patterns of a few structures for the report"
    script:
        "../workflow/scripts/show_patterns.py"


rule summarise:
    input:
        metrics=PLAN.metrics(),
    output:
        summary=LAYOUT.summary,
    log:
        LAYOUT.log("summarise"),
    benchmark:
        LAYOUT.benchmark("summarise")
    localrule: True
    conda:
        "../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=request(1000),
        runtime=request(10),
    params:
        experiments={name: PLAN.settings("experiments", name) for name in PLAN.experiments},
        series=PLAN.series(),
        shown=PLAN.shown(),
        code=script_digest("summarise.py"),
    message:
        "Summarising all experiments"
    script:
        "../workflow/scripts/summarise.py"


rule make_report:
    input:
        unpack(lambda _: PLAN.report_files()),
        templates=multiext("workflow/diffsym/report/templates/report", ".html", ".css"),
    output:
        report=LAYOUT.report,
        configuration=LAYOUT.provenance("config.yaml"),
        software=LAYOUT.provenance("software.json"),
        data=LAYOUT.provenance("data.json"),
    log:
        LAYOUT.log("make_report"),
    benchmark:
        LAYOUT.benchmark("make_report")
    conda:
        "../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=request(2000, 4),
        runtime=request(30, 0.1),
    params:
        study=values_of(STUDY),
        code=script_digest(
            "make_report.py",
            *map(PLAN.descriptor_module, PLAN.used("descriptor")),
        ),
    message:
        "Writing results/report.html"
    script:
        "../workflow/scripts/make_report.py"

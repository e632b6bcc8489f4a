rule make_filter:
    input:
        structures=LAYOUT.structures,
        classes=LAYOUT.classes(),
    output:
        table=LAYOUT.filter(),
        statistics=LAYOUT.filter(suffix="json"),
    log:
        LAYOUT.log("make_filter/{filter}-{class_set}"),
    benchmark:
        LAYOUT.benchmark("make_filter/{filter}-{class_set}")
    conda:
        "../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=request(1000, 1),
        runtime=request(10, 0.5),
    params:
        settings=settings_of("filters"),
        code=script_digest("make_filter.py"),
    message:
        "Finding outliers in class set {wildcards.class_set}: {wildcards.filter}"
    script:
        "../workflow/scripts/make_filter.py"


rule make_split:
    input:
        unpack(ask(PLAN.split_files, "split")),
    output:
        split=LAYOUT.split(),
        report=LAYOUT.split(suffix="json"),
    log:
        LAYOUT.log("make_split/{split}"),
    benchmark:
        LAYOUT.benchmark("make_split/{split}")
    wildcard_constraints:
        split=one_of(PLAN.single_splits),
    conda:
        "../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=request(1500, 4),
        runtime=request(30, 1),
    params:
        settings=settings_of("splits"),
        code=lambda wildcards: script_digest("make_split.py", PLAN.split_module(wildcards.split)),
    message:
        "Splitting the structures: {wildcards.split}"
    script:
        "../workflow/scripts/make_split.py"


rule select_classes:
    input:
        structures=LAYOUT.structures,
        published=ask(PLAN.class_list, "class_set"),
    output:
        classes=LAYOUT.classes(),
    log:
        LAYOUT.log("select_classes/{class_set}"),
    benchmark:
        LAYOUT.benchmark("select_classes/{class_set}")
    localrule: True
    conda:
        "../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=request(1000, 1),
        runtime=request(10, 0.1),
    params:
        settings=settings_of("class_sets"),
        code=script_digest("select_classes.py"),
    message:
        "Selecting the space groups of class set {wildcards.class_set}"
    script:
        "../workflow/scripts/select_classes.py"


rule measure_leakage:
    input:
        structures=LAYOUT.structures,
        descriptor=LAYOUT.descriptor(),
        split=LAYOUT.split(),
    output:
        leakage=LAYOUT.leakage(),
    log:
        LAYOUT.log("measure_leakage/{descriptor}-{split}"),
    benchmark:
        LAYOUT.benchmark("measure_leakage/{descriptor}-{split}")
    conda:
        "../envs/training.yaml"
    threads: share_of_cores(2)
    resources:
        mem_mb=request(2000, 4),
        runtime=request(60, 1),
    params:
        threshold=STUDY.evaluation.leakage_threshold,
        code=script_digest("measure_leakage.py"),
    message:
        "Measuring the leakage of split {wildcards.split} in {wildcards.descriptor}"
    script:
        "../workflow/scripts/measure_leakage.py"

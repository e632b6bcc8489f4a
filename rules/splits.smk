rule make_filter:
    input:
        structures="results/structures.parquet",
        classes="results/classes/{class_set}.json",
    output:
        table="results/filters/{filter}/{class_set}.parquet",
        statistics="results/filters/{filter}/{class_set}.json",
    log:
        "results/logs/make_filter/{filter}-{class_set}.log",
    benchmark:
        "results/benchmarks/make_filter/{filter}-{class_set}.tsv"
    conda:
        "../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=request(1000, 1),
        runtime=request(10, 0.5),
    params:
        settings=lambda wildcards: settings("filters", wildcards.filter),
        code=script_digest("make_filter.py"),
    message:
        "Finding outliers of class set {wildcards.class_set}: {wildcards.filter}"
    script:
        "../workflow/scripts/make_filter.py"


rule make_split:
    input:
        unpack(split_input),
    output:
        split="results/splits/{split}.parquet",
        report="results/splits/{split}.json",
    log:
        "results/logs/make_split/{split}.log",
    benchmark:
        "results/benchmarks/make_split/{split}.tsv"
    wildcard_constraints:
        split=one_of([name for name, split in STUDY.splits.items() if not is_series(split)]),
    conda:
        "../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=request(1500, 4),
        runtime=request(30, 1),
    params:
        settings=lambda wildcards: settings("splits", wildcards.split),
        code=lambda wildcards: script_digest("make_split.py", *split_modules(wildcards)),
    message:
        "Splitting the structures: {wildcards.split}"
    script:
        "../workflow/scripts/make_split.py"


rule select_classes:
    input:
        structures="results/structures.parquet",
        named=class_list_file,
    output:
        classes="results/classes/{class_set}.json",
    log:
        "results/logs/select_classes/{class_set}.log",
    benchmark:
        "results/benchmarks/select_classes/{class_set}.tsv"
    localrule: True
    conda:
        "../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=request(1000, 1),
        runtime=request(10, 0.1),
    params:
        settings=lambda wildcards: settings("class_sets", wildcards.class_set),
        code=script_digest("select_classes.py"),
    message:
        "Selecting the space groups of class set {wildcards.class_set}"
    script:
        "../workflow/scripts/select_classes.py"


rule measure_leakage:
    input:
        structures="results/structures.parquet",
        descriptor="results/descriptors/{descriptor}.parquet",
        split="results/splits/{split}.parquet",
    output:
        leakage="results/leakage/{descriptor}/{split}.json",
    log:
        "results/logs/measure_leakage/{descriptor}-{split}.log",
    benchmark:
        "results/benchmarks/measure_leakage/{descriptor}-{split}.tsv"
    conda:
        "../envs/training.yaml"
    threads: 2
    resources:
        mem_mb=request(2000, 4),
        runtime=request(60, 1),
    params:
        threshold=STUDY.evaluation.leakage_threshold,
        code=script_digest("measure_leakage.py"),
    message:
        "Measuring how much of split {wildcards.split} leaks in {wildcards.descriptor}"
    script:
        "../workflow/scripts/measure_leakage.py"

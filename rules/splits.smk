rule make_split:
    input:
        structures="results/structures.parquet",
    output:
        split="results/splits/{split}.parquet",
    params:
        settings=lambda wildcards: settings("splits", wildcards.split),
        code=script_digest("make_split.py"),
    log:
        "results/logs/make_split/{split}.log",
    benchmark:
        "results/benchmarks/make_split/{split}.tsv"
    threads: 1
    resources:
        mem_mb=memory(1500, 4),
        runtime=runtime(30),
    message:
        "Splitting the structures: {wildcards.split}"
    conda:
        "../envs/training.yaml"
    script:
        "../workflow/scripts/make_split.py"


rule select_classes:
    input:
        structures="results/structures.parquet",
        named=class_list_file,
    output:
        classes="results/classes/{class_set}.json",
    params:
        settings=lambda wildcards: settings("class_sets", wildcards.class_set),
        code=script_digest("select_classes.py"),
    log:
        "results/logs/select_classes/{class_set}.log",
    benchmark:
        "results/benchmarks/select_classes/{class_set}.tsv"
    threads: 1
    resources:
        mem_mb=memory(1000, 1),
        runtime=runtime(10),
    message:
        "Selecting the space groups of class set {wildcards.class_set}"
    conda:
        "../envs/training.yaml"
    script:
        "../workflow/scripts/select_classes.py"


rule measure_leakage:
    input:
        structures="results/structures.parquet",
        descriptor="results/descriptors/{descriptor}.parquet",
        split="results/splits/{split}.parquet",
    output:
        leakage="results/leakage/{descriptor}/{split}.json",
    params:
        threshold=STUDY.evaluation.leakage_threshold,
        code=script_digest("measure_leakage.py"),
    log:
        "results/logs/measure_leakage/{descriptor}-{split}.log",
    benchmark:
        "results/benchmarks/measure_leakage/{descriptor}-{split}.tsv"
    threads: 2
    resources:
        mem_mb=memory(2000, 4),
        runtime=runtime(60),
    message:
        "Measuring how much of split {wildcards.split} leaks in {wildcards.descriptor}"
    conda:
        "../envs/training.yaml"
    script:
        "../workflow/scripts/measure_leakage.py"

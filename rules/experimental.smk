rule read_measured:
    input:
        lambda wildcards: STUDY.measured[wildcards.measured].path,
    output:
        patterns="results/measured/{measured}.parquet",
        rejected="results/measured/{measured}.rejected.parquet",
    log:
        "results/logs/read_measured/{measured}.log",
    benchmark:
        "results/benchmarks/read_measured/{measured}.tsv"
    wildcard_constraints:
        measured=one_of(measured_of_kind("patterns")),
    conda:
        "../envs/descriptors.yaml"
    threads: 1
    resources:
        mem_mb=request(1500, 10),
        runtime=request(30, 1),
    params:
        settings=lambda wildcards: settings(
            "measured", wildcards.measured, without=["kind", "citation", "search"]
        ),
        listing=lambda wildcards: listing_digest(STUDY.measured[wildcards.measured].path),
        code=script_digest("read_measured.py"),
    message:
        "Reading measured patterns: {wildcards.measured}"
    script:
        "../workflow/scripts/read_measured.py"


rule simulate_measured:
    input:
        structures="results/structures.parquet",
        reflections=expand("results/reflections/shard-{shard}.parquet", shard=SHARDS),
        split="results/splits/{split}.parquet",
    output:
        patterns="results/measured/{measured}-{split}.parquet",
    log:
        "results/logs/simulate_measured/{measured}-{split}.log",
    benchmark:
        "results/benchmarks/simulate_measured/{measured}-{split}.tsv"
    wildcard_constraints:
        measured=one_of(measured_of_kind("simulated")),
    conda:
        "../envs/descriptors.yaml"
    threads: 1
    resources:
        mem_mb=request(1500, 4),
        runtime=request(30, 2),
    params:
        settings=lambda wildcards: settings(
            "measured", wildcards.measured, without=["kind", "search"]
        ),
        code=script_digest("simulate_measured.py"),
    message:
        "Rendering test structures of {wildcards.split} as {wildcards.measured} would measure them"
    script:
        "../workflow/scripts/simulate_measured.py"


rule convert_measured:
    input:
        patterns="results/measured/{patterns}.parquet",
    output:
        descriptor="results/measured/{patterns}/{descriptor}.parquet",
        rejected="results/measured/{patterns}/{descriptor}.rejected.parquet",
    log:
        "results/logs/convert_measured/{patterns}-{descriptor}.log",
    benchmark:
        "results/benchmarks/convert_measured/{patterns}-{descriptor}.tsv"
    conda:
        "../envs/descriptors.yaml"
    threads: 1
    resources:
        mem_mb=request(1500, 20),
        runtime=request(60, 5),
    params:
        settings=lambda wildcards: settings("descriptors", wildcards.descriptor),
        search=lambda wildcards: settings("measured", wildcards.patterns.split("-")[0])["search"],
        code=lambda wildcards: script_digest(
            "convert_measured.py",
            f"diffsym.experimental.{STUDY.descriptors[wildcards.descriptor].kind}",
        ),
    message:
        "Turning measured patterns {wildcards.patterns} into {wildcards.descriptor}"
    script:
        "../workflow/scripts/convert_measured.py"


rule predict_measured:
    input:
        unpack(measured_input),
        model="results/experiments/{experiment}/members/{member}/model.keras",
        history="results/experiments/{experiment}/members/{member}/history.json",
    output:
        predictions="results/experiments/{experiment}/members/{member}/measured/{patterns}.parquet",
    log:
        "results/logs/predict_measured/{experiment}-{member}-{patterns}.log",
    benchmark:
        "results/benchmarks/predict_measured/{experiment}-{member}-{patterns}.tsv"
    conda:
        "../envs/training.yaml"
    threads: 2
    resources:
        mem_mb=request(3000, 20),
        runtime=request(30, 2),
    params:
        target=lambda wildcards: experiment_settings(wildcards).target,
        code=script_digest("predict_measured.py"),
    message:
        "Classifying {wildcards.patterns} with member {wildcards.member} of {wildcards.experiment}"
    script:
        "../workflow/scripts/predict_measured.py"


rule follow_epochs:
    input:
        unpack(network_input),
        unpack(followed_input),
        model="results/experiments/{experiment}/members/{member}/model.keras",
        snapshots="results/experiments/{experiment}/members/{member}/snapshots.zip",
    output:
        epochs="results/experiments/{experiment}/members/{member}/epochs.json",
    log:
        "results/logs/follow_epochs/{experiment}-{member}.log",
    benchmark:
        "results/benchmarks/follow_epochs/{experiment}-{member}.tsv"
    conda:
        "../envs/training.yaml"
    threads: 4
    resources:
        mem_mb=request(4000, 8),
        runtime=request(60, 2),
    params:
        patterns=augmented_patterns,
        target=lambda wildcards: experiment_settings(wildcards).target,
        measured=lambda wildcards: measured_patterns(wildcards.experiment),
        code=lambda wildcards: script_digest("follow_epochs.py", *feeding_modules(wildcards)),
    message:
        "Following member {wildcards.member} of {wildcards.experiment} over its epochs"
    script:
        "../workflow/scripts/follow_epochs.py"

rule fetch_amcsd:
    output:
        AMCSD_WHEEL,
    log:
        "results/logs/fetch_amcsd.log",
    benchmark:
        "results/benchmarks/fetch_amcsd.tsv"
    retries: 2
    localrule: True
    conda:
        "../envs/structures.yaml"
    message:
        "Fetching the American Mineralogist Crystal Structure Database (21 MB)"
    script:
        "../workflow/scripts/fetch_amcsd.py"


rule parse_structures:
    input:
        lambda wildcards: source_path(STUDY.sources[wildcards.source]),
    output:
        structures="results/structures/{source}/shard-{shard}.parquet",
        rejected="results/structures/{source}/rejected-{shard}.parquet",
    log:
        "results/logs/parse_structures/{source}-{shard}.log",
    benchmark:
        "results/benchmarks/parse_structures/{source}-{shard}.tsv"
    conda:
        "../envs/structures.yaml"
    threads: 1
    resources:
        mem_mb=request(1500, 4),
        runtime=request(60, 1),
    params:
        source=lambda wildcards: settings("sources", wildcards.source),
        listing=lambda wildcards: listing_digest(source_path(STUDY.sources[wildcards.source])),
        shards=STUDY.structures.shards,
        symmetry=STUDY.structures.symmetry.model_dump(),
        checks=STUDY.structures.checks.model_dump(),
        code=lambda wildcards: script_digest(
            "parse_structures.py",
            f"diffsym.structures.sources.{STUDY.sources[wildcards.source].kind}",
        ),
    message:
        "Reading, checking and standardising {wildcards.source}, shard {wildcards.shard}"
    script:
        "../workflow/scripts/parse_structures.py"


rule describe_source:
    input:
        lambda wildcards: source_path(STUDY.sources[wildcards.source]),
    output:
        "results/provenance/sources/{source}.json",
    log:
        "results/logs/describe_source/{source}.log",
    benchmark:
        "results/benchmarks/describe_source/{source}.tsv"
    localrule: True
    conda:
        "../envs/structures.yaml"
    threads: 1
    resources:
        mem_mb=request(1000, 1),
        runtime=request(10, 0.1),
    params:
        source=lambda wildcards: settings("sources", wildcards.source),
        listing=lambda wildcards: listing_digest(source_path(STUDY.sources[wildcards.source])),
        code=lambda wildcards: script_digest(
            "describe_source.py",
            f"diffsym.structures.sources.{STUDY.sources[wildcards.source].kind}",
        ),
    message:
        "Recording version, licence and checksums of {wildcards.source}"
    script:
        "../workflow/scripts/describe_source.py"


rule unique_structures:
    input:
        structures=expand(
            "results/structures/{source}/shard-{shard}.parquet",
            source=STUDY.structures.sources,
            shard=SHARDS,
        ),
        rejected=expand(
            "results/structures/{source}/rejected-{shard}.parquet",
            source=STUDY.structures.sources,
            shard=SHARDS,
        ),
    output:
        structures="results/structures.parquet",
        rejected="results/rejected.parquet",
        duplicates="results/duplicates.parquet",
        statistics="results/structures.json",
    log:
        "results/logs/unique_structures.log",
    benchmark:
        "results/benchmarks/unique_structures.tsv"
    conda:
        "../envs/structures.yaml"
    threads: 8
    resources:
        mem_mb=request(3000, 30),
        runtime=request(60, 5),
    params:
        duplicates=STUDY.structures.duplicates.model_dump(),
        tolerances=STUDY.structures.symmetry.tolerances,
        shards=STUDY.structures.shards,
        code=script_digest("unique_structures.py"),
    message:
        "Removing duplicates"
    script:
        "../workflow/scripts/unique_structures.py"

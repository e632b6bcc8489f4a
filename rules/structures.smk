rule fetch_source:
    output:
        PLAN.download(),
    log:
        LAYOUT.log("fetch_source/{download}"),
    benchmark:
        LAYOUT.benchmark("fetch_source/{download}")
    wildcard_constraints:
        download=one_of(map(re.escape, PLAN.missing_downloads)),
    retries: 2
    localrule: True
    conda:
        "../envs/sources.yaml"
    params:
        source=ask(PLAN.fetched_source, "download"),
    message:
        "Fetching {wildcards.download}"
    script:
        "../workflow/scripts/fetch_source.py"


rule parse_structures:
    input:
        ask(PLAN.source_path, "source"),
    output:
        structures=LAYOUT.parsed(),
        rejected=LAYOUT.rejected_while_parsing(),
    log:
        LAYOUT.log("parse_structures/{source}-{shard}"),
    benchmark:
        LAYOUT.benchmark("parse_structures/{source}-{shard}")
    conda:
        "../envs/structures.yaml"
    threads: 1
    resources:
        mem_mb=request(1500, 4),
        runtime=request(60, 1),
    params:
        source=settings_of("sources"),
        listing=lambda wildcards: listing_digest(PLAN.source_path(wildcards.source)),
        shards=STUDY.structures.shards,
        symmetry=as_plain(STUDY.structures.symmetry),
        checks=as_plain(STUDY.structures.checks),
        code=lambda wildcards: script_digest(
            "parse_structures.py",
            PLAN.source_module(wildcards.source),
        ),
    message:
        "Reading, checking and standardising {wildcards.source}, shard {wildcards.shard}"
    script:
        "../workflow/scripts/parse_structures.py"


rule describe_source:
    input:
        ask(PLAN.source_path, "source"),
    output:
        LAYOUT.source_record(),
    log:
        LAYOUT.log("describe_source/{source}"),
    benchmark:
        LAYOUT.benchmark("describe_source/{source}")
    localrule: True
    conda:
        "../envs/structures.yaml"
    threads: 1
    resources:
        mem_mb=request(1000, 1),
        runtime=request(10, 0.1),
    params:
        source=settings_of("sources"),
        listing=lambda wildcards: listing_digest(PLAN.source_path(wildcards.source)),
        code=lambda wildcards: script_digest(
            "describe_source.py",
            PLAN.source_module(wildcards.source),
        ),
    message:
        "Recording version, licence and checksums of {wildcards.source}"
    script:
        "../workflow/scripts/describe_source.py"


rule unique_structures:
    input:
        structures=expand(LAYOUT.parsed(), source=STUDY.structures.sources, shard=PLAN.shards),
        rejected=expand(
            LAYOUT.rejected_while_parsing(), source=STUDY.structures.sources, shard=PLAN.shards
        ),
    output:
        structures=LAYOUT.structures,
        rejected=LAYOUT.rejected,
        duplicates=LAYOUT.duplicates,
        statistics=LAYOUT.statistics,
    log:
        LAYOUT.log("unique_structures"),
    benchmark:
        LAYOUT.benchmark("unique_structures")
    conda:
        "../envs/structures.yaml"
    threads: 8
    resources:
        mem_mb=request(3000, 30),
        runtime=request(60, 5),
    params:
        duplicates=as_plain(STUDY.structures.duplicates),
        tolerances=list(STUDY.structures.symmetry.tolerances),
        shards=STUDY.structures.shards,
        code=script_digest("unique_structures.py"),
    message:
        "Removing duplicates"
    script:
        "../workflow/scripts/unique_structures.py"

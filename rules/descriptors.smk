rule compute_reflections:
    input:
        structures="results/structures.parquet",
    output:
        "results/reflections/shard-{shard}.parquet",
    log:
        "results/logs/compute_reflections/{shard}.log",
    benchmark:
        "results/benchmarks/compute_reflections/{shard}.tsv"
    conda:
        "../envs/descriptors.yaml"
    threads: 1
    resources:
        mem_mb=request(1500, 4),
        runtime=request(60, 2),
    params:
        settings=STUDY.reflections.model_dump(),
        code=script_digest("compute_reflections.py"),
    message:
        "Computing reflections, shard {wildcards.shard}"
    script:
        "../workflow/scripts/compute_reflections.py"


rule compute_descriptor:
    input:
        unpack(descriptor_input),
    output:
        descriptor="results/descriptors/{descriptor}/shard-{shard}.parquet",
        rejected="results/descriptors/{descriptor}/rejected-{shard}.parquet",
    log:
        "results/logs/compute_descriptor/{descriptor}-{shard}.log",
    benchmark:
        "results/benchmarks/compute_descriptor/{descriptor}-{shard}.tsv"
    conda:
        descriptor_environment
    threads: 1
    resources:
        mem_mb=request(1500, 4),
        runtime=request(60, 2),
    params:
        settings=lambda wildcards: settings(
            "descriptors", wildcards.descriptor, without=["augmentation"]
        ),
        code=lambda wildcards: script_digest(
            "compute_descriptor.py",
            f"diffsym.descriptors.{STUDY.descriptors[wildcards.descriptor].kind}",
        ),
    message:
        "Computing descriptor {wildcards.descriptor}, shard {wildcards.shard}"
    script:
        "../workflow/scripts/compute_descriptor.py"


rule assemble_descriptor:
    input:
        descriptor=expand("results/descriptors/{{descriptor}}/shard-{shard}.parquet", shard=SHARDS),
        rejected=expand("results/descriptors/{{descriptor}}/rejected-{shard}.parquet", shard=SHARDS),
    output:
        descriptor="results/descriptors/{descriptor}.parquet",
        rejected="results/descriptors/{descriptor}.rejected.parquet",
    log:
        "results/logs/assemble_descriptor/{descriptor}.log",
    benchmark:
        "results/benchmarks/assemble_descriptor/{descriptor}.tsv"
    conda:
        "../envs/descriptors.yaml"
    threads: 1
    resources:
        mem_mb=request(1500, 0.2),
        runtime=request(30, 0.05),
    params:
        code=script_digest("assemble_descriptor.py"),
    message:
        "Assembling descriptor {wildcards.descriptor}"
    script:
        "../workflow/scripts/assemble_descriptor.py"

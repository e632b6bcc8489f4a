rule compute_reflections:
    input:
        structures=LAYOUT.structures,
    output:
        LAYOUT.reflections(),
    log:
        LAYOUT.log("compute_reflections/{shard}"),
    benchmark:
        LAYOUT.benchmark("compute_reflections/{shard}")
    conda:
        "../envs/descriptors.yaml"
    threads: 1
    resources:
        mem_mb=request(1500, 4),
        runtime=request(60, 2),
    params:
        settings=as_plain(STUDY.reflections),
        code=script_digest("compute_reflections.py"),
    message:
        "Computing reflections, shard {wildcards.shard}"
    script:
        "../workflow/scripts/compute_reflections.py"


rule compute_descriptor:
    input:
        unpack(ask(PLAN.descriptor_files, "descriptor", "shard")),
    output:
        descriptor=LAYOUT.descriptor_shard(),
        rejected=LAYOUT.undescribed_shard(),
    log:
        LAYOUT.log("compute_descriptor/{descriptor}-{shard}"),
    benchmark:
        LAYOUT.benchmark("compute_descriptor/{descriptor}-{shard}")
    conda:
        lambda wildcards: f"../envs/{PLAN.descriptor_environment(wildcards.descriptor)}.yaml"
    threads: 1
    resources:
        mem_mb=request(1500, 4),
        runtime=request(60, 2),
    params:
        settings=settings_of("descriptors", without=["augmentation"]),
        code=lambda wildcards: script_digest(
            "compute_descriptor.py",
            PLAN.descriptor_module(wildcards.descriptor),
        ),
    message:
        "Computing descriptor {wildcards.descriptor}, shard {wildcards.shard}"
    script:
        "../workflow/scripts/compute_descriptor.py"


rule assemble_descriptor:
    input:
        descriptor=expand(LAYOUT.descriptor_shard("{{descriptor}}"), shard=PLAN.shards),
        rejected=expand(LAYOUT.undescribed_shard("{{descriptor}}"), shard=PLAN.shards),
    output:
        descriptor=LAYOUT.descriptor(),
        rejected=LAYOUT.undescribed(),
    log:
        LAYOUT.log("assemble_descriptor/{descriptor}"),
    benchmark:
        LAYOUT.benchmark("assemble_descriptor/{descriptor}")
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

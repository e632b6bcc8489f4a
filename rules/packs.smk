rule index_entries:
    input:
        structures=LAYOUT.parsed(),
    output:
        LAYOUT.entry_lines(),
    log:
        LAYOUT.log("index_entries/{source}-{shard}"),
    benchmark:
        LAYOUT.benchmark("index_entries/{source}-{shard}")
    conda:
        "../envs/descriptors.yaml"
    threads: 1
    resources:
        mem_mb=request(1500, 4),
        runtime=request(60, 2),
    params:
        code=script_digest("index_entries.py"),
    message:
        "Computing lines for the search, {wildcards.source}, shard {wildcards.shard}"
    script:
        "../workflow/scripts/index_entries.py"


rule make_pack:
    input:
        unpack(ask(PLAN.pack_files, "pack")),
    output:
        pack=LAYOUT.pack(),
    log:
        LAYOUT.log("make_pack/{pack}"),
    benchmark:
        LAYOUT.benchmark("make_pack/{pack}")
    wildcard_constraints:
        pack=one_of(list(STUDY.packs)),
    conda:
        "../envs/training.yaml"
    threads: share_of_cores(2)
    resources:
        mem_mb=request(3000, 20),
        runtime=request(30, 1),
    params:
        ensembles=ask(PLAN.pack_ensembles, "pack"),
        code=script_digest("make_pack.py"),
    message:
        "Packing {wildcards.pack}: networks and known structures in one file"
    script:
        "../workflow/scripts/make_pack.py"

rule read_measured:
    input:
        ask(PLAN.measured_path, "measured"),
    output:
        patterns=LAYOUT.measured(drawn=""),
        rejected=LAYOUT.rejected_measured(),
        record=LAYOUT.measured_record(),
    log:
        LAYOUT.log("read_measured/{measured}"),
    benchmark:
        LAYOUT.benchmark("read_measured/{measured}")
    wildcard_constraints:
        measured=one_of(PLAN.read),
    conda:
        "../envs/descriptors.yaml"
    threads: 1
    resources:
        mem_mb=request(1500, 10),
        runtime=request(30, 1),
    params:
        settings=settings_of("measured", without=["citation", "search"]),
        listing=lambda wildcards: listing_digest(PLAN.measured_path(wildcards.measured)),
        code=lambda wildcards: script_digest(
            "read_measured.py", *PLAN.reader_modules(wildcards.measured)
        ),
    message:
        "Reading measured patterns: {wildcards.measured}"
    script:
        "../workflow/scripts/read_measured.py"


rule simulate_measured:
    input:
        structures=LAYOUT.structures,
        reflections=PLAN.reflections(),
        split=LAYOUT.split(),
    output:
        patterns=LAYOUT.measured(drawn="{split}/"),
    log:
        LAYOUT.log("simulate_measured/{split}/{measured}"),
    benchmark:
        LAYOUT.benchmark("simulate_measured/{split}/{measured}")
    wildcard_constraints:
        measured=one_of(PLAN.simulated),
    conda:
        "../envs/descriptors.yaml"
    threads: 1
    resources:
        mem_mb=request(1500, 4),
        runtime=request(30, 2),
    params:
        settings=settings_of("measured", without=["search"]),
        code=script_digest("simulate_measured.py"),
    message:
        "Rendering test structures of {wildcards.split} as measured patterns: {wildcards.measured}"
    script:
        "../workflow/scripts/simulate_measured.py"


rule convert_measured:
    input:
        patterns=LAYOUT.measured(),
    output:
        descriptor=LAYOUT.converted(),
        rejected=LAYOUT.unconverted(),
    log:
        LAYOUT.log("convert_measured/{descriptor}/{drawn}{measured}"),
    benchmark:
        LAYOUT.benchmark("convert_measured/{descriptor}/{drawn}{measured}")
    conda:
        "../envs/descriptors.yaml"
    threads: 1
    resources:
        mem_mb=request(1500, 20),
        runtime=request(60, 5),
    params:
        settings=settings_of("descriptors"),
        search=ask(PLAN.pattern_search, "measured"),
        code=lambda wildcards: script_digest(
            "convert_measured.py",
            PLAN.conversion_module(wildcards.descriptor),
        ),
    message:
        "Converting measured patterns {wildcards.drawn}{wildcards.measured} to {wildcards.descriptor}"
    script:
        "../workflow/scripts/convert_measured.py"


rule predict_measured:
    input:
        unpack(ask(PLAN.measured_files, "experiment", "measured", "drawn")),
        model=LAYOUT.member(name="model.keras"),
        history=LAYOUT.member(name="history.json"),
    output:
        predictions=LAYOUT.member(name="measured/{drawn}{measured}.parquet"),
    log:
        LAYOUT.log("predict_measured/{drawn}{measured}/{experiment}-{member}"),
    benchmark:
        LAYOUT.benchmark("predict_measured/{drawn}{measured}/{experiment}-{member}")
    conda:
        "../envs/training.yaml"
    threads: share_of_cores(2)
    resources:
        mem_mb=request(3000, 20),
        runtime=request(30, 2),
    params:
        target=ask(PLAN.target, "experiment"),
        code=script_digest("predict_measured.py"),
    message:
        "Classifying {wildcards.measured} with member {wildcards.member} of {wildcards.experiment}"
    script:
        "../workflow/scripts/predict_measured.py"


rule answer_measured:
    input:
        unpack(ask(PLAN.answer_files, "measured")),
    output:
        LAYOUT.answered(),
    log:
        LAYOUT.log("answer_measured/{measured}"),
    benchmark:
        LAYOUT.benchmark("answer_measured/{measured}")
    wildcard_constraints:
        measured=one_of(PLAN.read),
    conda:
        "../envs/descriptors.yaml"
    threads: 1
    resources:
        mem_mb=request(1500, 10),
        runtime=request(60, 2),
    params:
        code=script_digest("answer_measured.py"),
    message:
        "Searching for {wildcards.measured} among all structures"
    script:
        "../workflow/scripts/answer_measured.py"


rule follow_epochs:
    input:
        unpack(ask(PLAN.network_files, "experiment")),
        unpack(ask(PLAN.followed_files, "experiment")),
        model=LAYOUT.member(name="model.keras"),
        snapshots=LAYOUT.member(name="snapshots.zip"),
    output:
        epochs=LAYOUT.member(name="epochs.json"),
    log:
        LAYOUT.log("follow_epochs/{experiment}-{member}"),
    benchmark:
        LAYOUT.benchmark("follow_epochs/{experiment}-{member}")
    conda:
        "../envs/training.yaml"
    threads: share_of_cores(4)
    resources:
        mem_mb=request(4000, 8),
        runtime=request(60, 2),
    params:
        rendered=ask(PLAN.rendered_patterns, "experiment"),
        target=ask(PLAN.target, "experiment"),
        measured=ask(PLAN.patterns, "experiment"),
        code=lambda wildcards: script_digest(
            "follow_epochs.py", *PLAN.feeding_modules(wildcards.experiment)
        ),
    message:
        "Evaluating member {wildcards.member} of {wildcards.experiment} over its epochs"
    script:
        "../workflow/scripts/follow_epochs.py"

# make report   set up the environment and make results/report.html
# make test     set up the environment and run the tests
# make lint     formatting, style, types, workflow
# make bench    all benchmarks; each prints its ratios and writes JSON to results/benchmarks
# make gpu-luggage  pack what the study on a GPU needs; make gpu-study  run it there (docs/gpu.md)
# make chaos    studies while Snakemake, jobs and daemons of SLURM are killed 52 times (half an hour)

# The first interpreter that runs and is recent enough; an older one may come first on the PATH.
PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3; do \
	$$python -c 'import ensurepip, sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
	2>/dev/null && echo $$python && break; done)
BIN := .venv/bin
CORES ?= all
MEMORY_MB ?= $(shell $(PYTHON) -c 'import os; \
	print(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * 3 // 4 // 10**6)')
LOCALLY = --profile workflow/profiles/local --cores $(CORES) --resources mem_mb=$(MEMORY_MB)
# Tests of a file stay with one worker; tests/conftest.py says how many there are, and in which order
# they take the files.
WORKERS := --numprocesses logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder

# Benchmarks need not be typed to the end, but what they call has to be there, and take what is given.
LENIENT := --explicit-package-bases --ignore-missing-imports $(addprefix --disable-error-code=, \
	arg-type assignment call-overload index misc operator return-value)

# The study on a GPU (docs/gpu.md): what travels, what it may take, and where its results go.
LUGGAGE ?= build/gpu
SECONDS ?= 540
OUT ?= results/gpu/returned
OVERLAYS ?= config/gpu_study.yaml

# Some containers forbid Python to keep compiled modules; each job would compile its imports again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: report test lint format bench chaos gpu-luggage gpu-study generated lock clean

report: .venv/ready
	$(BIN)/snakemake $(LOCALLY) -- results/report.html

test: .venv/ready
	$(BIN)/python -m pytest $(WORKERS)

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile rules
	$(BIN)/mypy
	MYPYPATH=workflow:benchmarks $(BIN)/mypy --no-warn-unused-ignores $(LENIENT) benchmarks
	$(BIN)/snakemake --lint

format: .venv/ready
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile rules

bench: .venv/ready results/structures.parquet
	for benchmark in benchmarks/*.py; do $(BIN)/python $$benchmark || exit 1; done

# Without a SLURM that can be started here: make chaos CHAOS='--slurm-kills 0'
chaos: .venv/ready
	PYTHONPATH=tests $(BIN)/python -m slurm.chaos $(CHAOS)

gpu-luggage: .venv/ready
	$(BIN)/python -m diffsym.gpu_study.pack --overlay $(OVERLAYS) --luggage $(LUGGAGE)

# On the machine with the GPU: its own python3, and nothing but what came along.
gpu-study:
	python3 -m pip install --quiet --no-index --no-deps --no-compile --no-cache-dir --upgrade \
		--target $(LUGGAGE)/site $(LUGGAGE)/wheels/*.whl
	PYTHONPATH=$(LUGGAGE)/site:workflow python3 -m diffsym.gpu_study \
		--luggage $(LUGGAGE) --results results/gpu --output $(OUT) --seconds $(SECONDS)

results/structures.parquet: .venv/ready
	$(BIN)/snakemake $(LOCALLY) -- $@

# Schemas, configuration reference and conda environments, from their sources.
generated: .venv/ready
	$(BIN)/python -m diffsym.generated

# New versions for everything; then run the tests.
lock: .venv/ready
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --upgrade \
		--generate-hashes --no-emit-index-url --no-emit-find-links --no-header \
		-o requirements.lock
	$(MAKE) generated

# The stamp is younger than the lock once the environment is complete. uv, itself from the lock,
# installs it in a fifth of pip's time; pip follows where a site's settings are for pip alone.
.venv/ready: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "diffsym needs Python 3.11, 3.12 or 3.13 with venv;" \
		"name it: make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv .venv
	sed -n '/^uv==/,/[^\\]$$/p' requirements.lock | \
		$(BIN)/python -m pip install --quiet --require-hashes -r /dev/stdin
	$(BIN)/uv pip install --quiet --require-hashes --python .venv -r requirements.lock || \
		$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

clean:
	rm -rf results .snakemake

#!/usr/bin/env bash
# Snakemake looks at all waiting jobs once a second for EACH job that has finished so far.
#
# Version:   snakemake 9.27.1
# Expected:  while one long job occupies all cores and others wait, the scheduler rests, or looks for
#            jobs to start at a constant rate, however many jobs have finished before.
# Behaviour: each look at waiting jobs books another one after the timespan of
#            --max-jobs-per-timespan (a second by default), and each job that ends adds a chain of
#            such looks that lasts as long as jobs wait. After 80 jobs there are some 80 looks a
#            second, each of which evaluates resources and input sizes of all waiting jobs. A study of
#            124 jobs spent more than two minutes of processor time on it, and runs that only wait
#            take a core. A longer timespan (--max-jobs-per-timespan 1000/10s) spaces the looks.
# Output:    printed below: looks a second during the long job after 5 and after 80 finished jobs.
# The script fails if the rate no longer grows with the number of finished jobs.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet snakemake==9.27.1

cat > Snakefile <<'WORKFLOW'
N = int(config["finished"])

rule all:
    input:
        "long", expand("waits/{i}", i=range(5)),

rule short:
    output: touch("short/{i}")
    shell: "true"

rule long:
    input: expand("short/{i}", i=range(N))
    output: touch("long")
    threads: workflow.cores
    priority: 10
    shell: "sleep 12"

rule waits:
    input: expand("short/{i}", i=range(N))
    output: touch("waits/{i}")
    threads: workflow.cores
    shell: "true"
WORKFLOW

looks_a_second() {
  rm -rf short waits long .snakemake
  venv/bin/snakemake --cores 4 --verbose --config finished="$1" > log 2>&1
  # Looks at the five jobs that wait while the long one runs.
  echo $(($(grep -c 'Ready jobs: 5$' log) / 12))
}

few=$(looks_a_second 5)
many=$(looks_a_second 80)
echo "looks a second while one job runs: $few after 5 finished jobs, $many after 80"
[ "$many" -ge $((2 * few)) ] || { echo "changed: the rate no longer grows"; exit 1; }

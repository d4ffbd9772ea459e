#!/usr/bin/env bash
# How busy a sweep keeps the cores: bench/sweep.sh BUILD_FOLDER [RUNS [REQUESTS]]. 200 runs of about 2 s each unless said otherwise; goal: at least 95 %.
# "Busy" counts processes at work over processes allowed, over the wall time of the sweep; on a machine that others use the wall time says more about them.
set -euo pipefail
cd "$(dirname "$0")/.."
orrery=$PWD/$1/src/cli/orrery
runs=${2:-200}
requests=${3:-2M}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/study.yaml" <<TEXT
name: busy
question: How busy are the cores?
scenario: $PWD/scenarios/oracles/dispatch.yaml
set: {params.requests: $requests, params.load: {from: 0.5, to: 0.9, count: $((runs / 20))}}
policies: [random, power_of_d]
seeds: 10
metrics: [latency.e2e.mean]
compare: {baseline: random}
TEXT
"$orrery" sweep "$folder/study.yaml" -o "$folder/out" -q | grep -E 'planned|about|busy'
"$orrery" status "$folder/out" --json | awk -F'[:,]' '/"time_used_s"/ {t = $2} /"done"/ {n = $2} END {printf "%d runs of %.2f s on average\n", n, t / n}'

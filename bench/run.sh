#!/usr/bin/env bash
# Speed on this machine: bench/run.sh BUILD_FOLDER. Best of three; wall times on a shared machine are noisy, ratios less so.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$1
orrery=$build/src/cli/orrery
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# speed SCENARIO ARGUMENTS…: requests per second of wall time, the best of three runs
speed() {
    local best=0 now
    for _ in 1 2 3; do
        "$orrery" run "$@" -q -o "$folder/bench.h5"
        now=$("$orrery" summary "$folder/bench.h5" | awk '/requests per second of wall/ {print $(NF - 1)}')
        best=$(awk -v a="$best" -v b="$now" 'BEGIN {print (a > b ? a : b)}')
    done
    echo "$best"
}

"$build/bench/bench_queue"

national=$(speed scenarios/national_day.yaml --set 'duration=6 h' --set start=2026-05-13T12:00:00+08:00)
output=$("$orrery" summary --json "$folder/bench.h5" | awk -F'[:,]' '/"output_s"/ {o = $2} /"wall_s"/ {w = $2} END {printf "%.1f", 100 * o / w}')
printf 'national day, output on: %.0f requests/s on one core (floor 300000); writing takes %s %% of the run\n' "$national" "$output"
dense=$(speed scenarios/national_day.yaml --set 'duration=15 min' --set start=2026-05-13T12:00:00+08:00 --set params.scale=16)
printf 'the same at 16 times the clients: %.0f requests/s, %.2f of that\n' "$dense" "$(awk -v a="$dense" -v b="$national" 'BEGIN {print a / b}')"

mm1=$(speed scenarios/oracles/station.yaml)
printf 'M/M/1 through a scenario file: %.0f customers/s on one core\n' "$mm1"
if /usr/bin/python3 -c 'import simpy' 2>/dev/null; then
    simpy=$(/usr/bin/python3 bench/simpy_mm1.py 200000)
    printf '  SimPy on the same machine: %.0f customers/s; orrery is %.1f times as fast\n' "$simpy" "$(awk -v a="$mm1" -v b="$simpy" 'BEGIN {print a / b}')"
else
    echo '  (SimPy is not installed: apt-get install python3-simpy3 for the ratio)'
fi

#!/usr/bin/env bash
# Speed on this machine: bench/run.sh BUILD_FOLDER [scale]. Best of three; wall times on a shared machine are noisy, ratios less so.
# With `scale` also what a run costs as its world grows (bench/scale.py).
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

# peer NAME SPEED: a peer's M/M/1 beside ours, on the engine alone with every draw addressed and through a scenario file
peer() {
    awk -v name="$1" -v peer="$2" -v engine="$engine" -v file="$mm1" \
        'BEGIN {printf "  %s: %.0f customers/s; the engine is %.1f times as fast, a scenario file %.1f times\n", name, peer, engine / peer, file / peer}'
}

"$build/bench/bench_queue"
"$build/bench/bench_serving"
alone=$("$build/bench/bench_engine")
echo "$alone"
engine=$(awk '/^M\/M\/1/ {print 1e6 * $6}' <<<"$alone")

national=$(speed scenarios/national_day.yaml --set 'duration=6 h' --set start=2026-05-13T12:00:00+08:00)
output=$("$orrery" summary --json "$folder/bench.h5" | awk -F'[:,]' '/"output_s"/ {o = $2} /"wall_s"/ {w = $2} END {printf "%.1f", 100 * o / w}')
printf 'national day, output on: %.0f requests/s on one core (floor 600000, goal 1000000); writing takes %s %% of the run\n' "$national" "$output"
dense=$(speed scenarios/national_day.yaml --set 'duration=15 min' --set start=2026-05-13T12:00:00+08:00 --set params.scale=16)
printf 'the same at 16 times the clients: %.0f requests/s, %.2f of that\n' "$dense" "$(awk -v a="$dense" -v b="$national" 'BEGIN {print a / b}')"

mm1=$(speed scenarios/oracles/station.yaml)
printf 'M/M/1 through a scenario file: %.0f customers/s on one core\n' "$mm1"
if /usr/bin/python3 -c 'import simpy' 2>/dev/null; then
    peer SimPy "$(/usr/bin/python3 bench/simpy_mm1.py 200000)"
else
    echo '  (SimPy is not installed: apt-get install python3-simpy3 for the ratio)'
fi
if pkg-config --exists simgrid 2>/dev/null; then
    # shellcheck disable=SC2046 # the flags are words
    "${CXX:-c++}" -O2 -std=c++17 bench/simgrid_mm1.cpp -o "$folder/simgrid_mm1" $(pkg-config --cflags --libs simgrid)
    peer "SimGrid, with actors" "$(for _ in 1 2 3; do "$folder/simgrid_mm1" 200000 || exit; done | sort -g | tail -n 1)"
else
    echo '  (SimGrid is not installed: apt-get install libsimgrid-dev for the ratio)'
fi

if [ "${2:-}" = scale ]; then
    /usr/bin/python3 bench/scale.py "$build"
fi

#!/usr/bin/env bash
# From which density of requests a second thread pays: bench/threads.sh BUILD_FOLDER. Both cores must be idle. The threshold of `--threads auto`
# (src/grid/partition.c) is where the ratio passes 1.
set -euo pipefail
cd "$(dirname "$0")/.."
orrery=$1/src/cli/orrery
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# speed THREADS SCALE DURATION: requests per second of wall time, the best of three, and the density
speed() {
    local best=0 now
    for _ in 1 2 3; do
        "$orrery" run scenarios/national_day.yaml --set start=2026-05-13T12:00:00+08:00 --set params.scale="$2" --set duration="$3" --threads "$1" -q -o "$folder/bench.h5"
        now=$("$orrery" summary "$folder/bench.h5" | awk '/requests per second of wall/ {print $(NF - 1)}')
        best=$(awk -v a="$best" -v b="$now" 'BEGIN {print (a > b ? a : b)}')
    done
    echo "$best"
}

echo "scale  requests per window and lane  requests/s on 1 thread  on 2  ratio"
for row in "1 4h" "2 2h" "4 1h" "8 30min" "16 15min" "25 10min" "50 5min" "100 3min"; do
    set -- $row
    one=$(speed 1 "$1" "$2")
    two=$(speed 2 "$1" "$2")
    density=$("$orrery" summary --json "$folder/bench.h5" | awk -F'[:,]' '/"window_requests"/ {print $2}')
    awk -v s="$1" -v d="$density" -v a="$one" -v b="$two" 'BEGIN {printf "%5s  %28.2f  %22.0f  %6.0f  %.2f\n", s, d, a, b, b / a}'
done

"""Other makers than NVIDIA (and NVIDIA's cards for China): every published point, measured beside simulated, with the confidence of each input.

Limits: Ascend 910B (data/measured/ascend_910b.csv) 25 % in the mean on the rows that were not calibrated on (fold b); MI300X and H100 of InferenceMAX 25 % in the
mean for TPOT and throughput; every figure of data/measured/other_makers.csv and edge.csv 35 %; what FlagPerf measured against the peaks and shares that the
catalogues give 35 %.
"""
import csv
import os

import table

NAMES = {"tpot_ms": "TPOT", "tokens_s": "tokens/s", "ttft_ms": "TTFT"}


def rows_of(file):
    with open(os.path.join(table.ROOT, "data", file)) as f:
        return list(csv.DictReader(line for line in f if not line.startswith("#")))


def print_points(points):
    confidence = {r["name"]: r["confidence"] for r in rows_of("accelerators.csv")}
    for p in points:
        for what in ("tpot_ms", "tokens_s", "ttft_ms"):
            e = table.error(p, what)
            if e is None:
                continue
            given = p["given"]
            published = given.get("published") or given.get("confidence") or "-"
            name = f"{p['accelerator']} {p['engine'] or '-'} {p['model']} {p['precision']}, {p['concurrency']:g} users, {p['input']:g}/{p['output']:g}, {p['phase']}"
            print(f"  {name:<88} {NAMES[what]:<9}{p[what]:>11.5g}{p['simulated_' + what]:>11.5g} {100 * e:+7.1f} %  figure: {published}, accelerator: {confidence[p['accelerator']]}"
                  + (f"  ({given['assumed']})" if given.get("assumed") else ""))


def means(title, points, limit, whats=("tpot_ms", "tokens_s")):
    for what in whats:
        e = table.errors(points, what)
        if e:
            table.check(f"{title}: {NAMES[what]}, mean of {len(e)} (worst {100 * max(e, key=abs):+.1f} %)", 100 * table.mean_of(e), limit)


def main():
    measured = os.path.join(table.ROOT, "data", "measured")
    print("point, measured, simulated, error; confidence of the figure as its source has it (A primary, B secondary, C recollection; or high) and of the accelerator's data")
    ascend = table.validated(f"{measured}/ascend_910b.csv")
    print_points(ascend)
    for model in ("qwen3-32b", "qwen3-30b-a3b", None):
        for fold in "ab":
            mine = [p for p in ascend if p["given"]["fold"] == fold and model in (None, p["model"])]
            means(f"Ascend 910B, {model or 'both'}, {'calibrated on' if fold == 'a' else 'held out'}", mine, 25)
    imax = table.validated(f"{measured}/inferencemax.csv")
    for accelerator in ("mi300x", "h100"):
        means(f"InferenceMAX, {accelerator}", [p for p in imax if p["accelerator"] == accelerator], 25)
    print(f"        {sum(abs(e) > 0.25 for what in ('tpot_ms', 'tokens_s') for e in table.errors(imax, what))} of its {len(imax)} points are more than 25 % off in TPOT or throughput")
    for file in ("other_makers.csv", "edge.csv"):
        points = table.validated(f"{measured}/{file}")
        print_points(points)
        for what in ("tpot_ms", "tokens_s", "ttft_ms"):
            e = table.errors(points, what)
            table.check(f"{file}: {NAMES[what]}, worst of {len(e)}", 100 * max(map(abs, e)), 35)
    flagperf(measured)
    table.done()


def flagperf(measured):
    """Micro-benchmarks are no serving: they are compared with what the catalogues say the card has, and with the share of it that a dense model is given."""
    accelerators = {r["name"]: r for r in rows_of("accelerators.csv")}
    shares = {r["accelerator"]: r for r in rows_of("calibrations.csv") if r["model"] == "dense" and r["engine"] == "*"}
    for r in rows_of("measured/flagperf.csv"):
        peak = float(accelerators[r["accelerator"]][r["column"]]) * float(r["scale"])
        share = float(shares[r["accelerator"]][r["share"]]) if r["share"] else 1
        table.check(f"FlagPerf, {r['accelerator']}: {r['metric']} {r['measured']} against {peak:g}" + (f" x {share:g}" if r["share"] else ""), 100 * (peak * share / float(r["measured"]) - 1), 35)


main()

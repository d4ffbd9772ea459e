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


def confidences():
    return {r["name"]: r["confidence"] for r in rows_of("accelerators.csv")}


def each_point(points):
    """A line per published figure: what it is, how far one can trust it and the data sheet behind the simulation, and what had to be assumed of its conditions."""
    confidence = confidences()
    for p in points:
        for what in NAMES:
            e = table.error(p, what)
            if e is not None:
                given, phase = p["given"], "" if p["phase"] == "both" else f", {p['phase']}"
                table.check(f"{p['accelerator']} x {p['group']:g}, {p['engine']}, {p['model']} {p['precision']}, {p['concurrency']:g} users, {p['input']:g}/{p['output']:g}{phase}: {NAMES[what]} {p[what]:.6g} "
                            f"(figure {given['published']}, accelerator {confidence[p['accelerator']]}" + (f"; assumed: {given['assumed']}" if given["assumed"] else "") + ")", 100 * e, 35)


def print_points(points):
    confidence = confidences()
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
    each_point(table.validated(f"{measured}/other_makers.csv"))
    all_reduce(measured)
    flagperf(measured)
    edge = table.validated(f"{measured}/edge.csv")
    print_points(edge)
    for what in NAMES:
        e = table.errors(edge, what)
        table.check(f"edge.csv: {NAMES[what]}, worst of {len(e)}", 100 * max(map(abs, e)), 35)
    ranges()
    table.done()


def calibration_of(accelerator):
    """Its row for dense models under any engine."""
    return next(r for r in rows_of("calibrations.csv") if (r["accelerator"], r["engine"], r["model"]) == (accelerator, "*", "dense"))


def all_reduce(measured):
    """The time of one all-reduce alone, by the formula of src/serve/roofline.h: the lesser of one shot and a ring."""
    links = {r["name"]: float(r["link_gb_s"]) for r in rows_of("accelerators.csv")}
    for r in rows_of("measured/all_reduce.csv"):
        k, group, size = calibration_of(r["accelerator"]), int(r["group"]), float(r["megabytes"])
        moved = 1e3 * size / (links[r["accelerator"]] * float(k["ecm"])) # microseconds
        got = float(k["ar_us"]) + min((group - 1) * moved, float(k["ar2_us"]) + 2 * (group - 1) / group * moved)
        table.check(f"{r['accelerator']} x {group}: all-reduce of {size:g} MB, {r['ms']} ms (figure {r['published']}, accelerator {confidences()[r['accelerator']]})", 100 * (1e-3 * got / float(r["ms"]) - 1), 35)


def ranges():
    """Accelerators that nobody measured carry the widest ranges: no other row is less certain of any coefficient."""
    widest = {}
    for r in rows_of("calibrations.csv"):
        for part in filter(None, r["range"].split(";")):
            column, low, high = part.replace("=", "..").split("..")
            widest.setdefault(column, {}).setdefault(r["accelerator"], []).append(float(high) - float(low))
    vendor = {r["name"]: r["vendor"] for r in rows_of("accelerators.csv")}
    blind = [a for a, v in vendor.items() if v in ("Cambricon", "Hygon", "Moore Threads")]
    assert len(blind) >= 5
    narrower = [(a, column) for column, of in widest.items() if column != "ar2_us" for a in blind if a not in of or min(of[a]) < max(w for other in of.values() for w in other)]
    table.check("coefficients of Cambricon, Hygon and Moore Threads of which another accelerator's row is less certain", len(narrower), 0, "")


def flagperf(measured):
    """Micro-benchmarks are no serving: they are compared with what the catalogues say the card has, and with the share of it that a dense model is given."""
    accelerators = {r["name"]: r for r in rows_of("accelerators.csv")}
    shares = {r["accelerator"]: r for r in rows_of("calibrations.csv") if r["model"] == "dense" and r["engine"] == "*"}
    for r in rows_of("measured/flagperf.csv"):
        peak = float(accelerators[r["accelerator"]][r["column"]]) * float(r["scale"])
        share = float(shares[r["accelerator"]][r["share"]]) if r["share"] else 1
        table.check(f"FlagPerf, {r['accelerator']}: {r['metric']} {r['measured']} against {peak:g}" + (f" x {share:g}" if r["share"] else "") + f" (figure A, accelerator {accelerators[r['accelerator']]['confidence']})", 100 * (peak * share / float(r["measured"]) - 1), 35)


main()

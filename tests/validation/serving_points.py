"""Published points of H100, B200 and B300 under vLLM, TensorRT-LLM and SGLang, each simulated as its closed loop. Needs the recorded data beside the project.

With the catalogue's rows; with one row for all dense models; and carried over: dense models of B200 from a fit to H100 alone, each engine and model of H100 from a fit
to the others, and each mixture of experts from one row for all the others (rows in transfer.csv, made by this script with `--fit`, which takes some minutes).
"""
import csv
import gzip
import os
import shutil
import statistics
import sys

import table

POINTS = os.path.join(table.SHARED, "data", "perf", "serving_points.csv.gz")
TRANSFER = os.path.join(table.ROOT, "tests", "validation", "transfer.csv")
DENSE = ("Llama", "Qwen3-32B")
PAIRS = (("vllm", "Llama-3.1-70B"), ("vllm", "Qwen3-32B"), ("trtllm", "Llama-3.1-8B"), ("trtllm", "Qwen3-32B"), ("sglang", "Qwen3-32B"))


def tpot(title, points, mean, median=None, p90=None, bias=None):
    signed = table.errors(points, "tpot_ms")
    sizes = sorted(map(abs, signed))
    table.check(f"{title}: TPOT, mean of {len(sizes)}", 100 * statistics.fmean(sizes), mean)
    if median:
        table.check(f"{title}: TPOT, median", 100 * statistics.median(sizes), median)
        table.check(f"{title}: TPOT, 90th percentile", 100 * statistics.quantiles(sizes, n=10, method="inclusive")[8], p90)
        table.check(f"{title}: TPOT, bias", 100 * statistics.fmean(signed), bias)


def ttft(title, points, low, high, limit):
    e = table.errors([p for p in points if low <= p["concurrency"] <= high], "ttft_ms")
    if e:
        table.check(f"{title}: TTFT, {low:g} to {high:g} users, mean of {len(e)}", 100 * table.mean_of(e), limit)


def is_dense(point):
    return any(name in point["given"]["model_path"] for name in DENSE)


def rows():
    with gzip.open(POINTS, "rt") as f:
        return list(csv.DictReader(f))


def write(path, chosen):
    with open(path, "w") as f:
        w = csv.DictWriter(f, chosen[0].keys(), lineterminator="\n")
        w.writeheader()
        w.writerows(chosen)
    return path


def of_pair(row, pair):
    return row["backend"] == pair[0] and pair[1] in row["model_path"]


def fit():
    """Makes transfer.csv: what fits to a part of the points come to."""
    h100 = [r for r in rows() if r["system"] == "h100_sxm" and any(name in r["model_path"] for name in DENSE)]
    if os.path.exists(TRANSFER):
        os.remove(TRANSFER)
    for pair in (None, *PAIRS):
        chosen = write(os.path.join(table.FOLDER, "chosen.csv"), [r for r in h100 if pair is None or not of_pair(r, pair)])
        one = os.path.join(table.FOLDER, "row.csv")
        if os.path.exists(one):
            os.remove(one)
        table.orrery("calibrate", chosen, "--accelerator", "h100", "--folds", 0, "--data", generic(None), "-o", one)
        with open(one) as f, open(TRANSFER, "a") as out:
            head, row = f.read().splitlines()
            out.write(("" if pair else "left_out," + head + "\n") + ("none" if pair is None else "/".join(pair)) + "," + row + "\n")


def fit_mixtures():
    """Adds to transfer.csv, per mixture of experts, one row for all the others; of each accelerator, engine, model and precision ten points, so that all count alike."""
    everything = rows()
    points = table.validated(write(os.path.join(table.FOLDER, "all.csv"), everything))
    groups = {}
    for row, p in zip(everything, points):
        if not is_dense(p) and table.error(p, "tpot_ms") is not None:
            groups.setdefault((p["accelerator"], p["engine"], p["model"], p["precision"]), []).append(row)
    for model in sorted({key[2] for key in groups}):
        chosen = [of[int(i * max(1, len(of) / 10))] for key, of in groups.items() if key[2] != model for i in range(min(10, len(of)))]
        one = os.path.join(table.FOLDER, "row.csv")
        if os.path.exists(one):
            os.remove(one)
        table.orrery("calibrate", write(os.path.join(table.FOLDER, "chosen.csv"), chosen), "--accelerator", "*", "--folds", 0, "--data", generic(None, "moe"), "-o", one)
        with open(one) as f, open(TRANSFER, "a") as out:
            out.write(f"moe/{model}," + f.read().splitlines()[1] + "\n")


def generic(row, kind="dense"):
    """A copy of the catalogues whose calibrations are one row for everything: `row`, or the catalogue's for all models of a kind."""
    folder = os.path.join(table.FOLDER, "data")
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(os.path.join(table.ROOT, "data"), folder)
    path = os.path.join(folder, "calibrations.csv")
    with open(path) as f:
        lines = [line for line in csv.reader(line for line in f if not line.startswith("#"))]
    head = lines[0]
    if row is None:
        row = dict(zip(head, next(line for line in lines if line[:3] == ["*", "*", kind])))
    row = {**row, "accelerator": "*", "engine": "*", "model": "*"}
    with open(path, "w") as f:
        w = csv.DictWriter(f, head, extrasaction="ignore", lineterminator="\n")
        w.writeheader()
        w.writerow(row)
    return folder


def main():
    if not os.path.exists(POINTS):
        print("SKIPPED: no ../shared/data/perf/serving_points.csv.gz beside the project")
        sys.exit(77)
    if "--fit" in sys.argv:
        fit()
        fit_mixtures()
    everything = rows()
    points = table.validated(write(os.path.join(table.FOLDER, "all.csv"), everything))
    reasons = [p["left_out"] for p in points if p["left_out"]]
    print(f"{len(points) - len(reasons)} of {len(points)} points count; left out: " + ", ".join(f"{reasons.count(r)} ({r})" for r in sorted(set(reasons))))
    dense, mixtures = [p for p in points if is_dense(p)], [p for p in points if not is_dense(p)]
    frozen = [p for p in table.validated(os.path.join(table.FOLDER, "all.csv"), "--calibration", "*/*/dense") if is_dense(p)]
    tpot("dense, one row for all", frozen, 11, 7, 25, 3)
    for accelerator, engine, model in sorted({(p["accelerator"], p["engine"], p["model"]) for p in dense if not p["left_out"]}):
        mine = [p for p in dense if (p["accelerator"], p["engine"], p["model"]) == (accelerator, engine, model)]
        if len(table.errors(mine, "tpot_ms")) >= 5:
            tpot(f"{accelerator}, {engine}, {model}", mine, 12 if engine == "sglang" else 8)
    for model in sorted({p["model"] for p in mixtures if not p["left_out"]}):
        tpot(f"mixture of experts, {model}", [p for p in mixtures if p["model"] == model], 18)
    ttft("dense", dense, 1, 16, 15)
    ttft("mixtures of experts", mixtures, 1, 16, 25)
    ttft("dense", dense, 32, 128, 30)
    ttft("mixtures of experts", mixtures, 32, 128, 30)
    with open(TRANSFER) as f:
        transfer = list(csv.DictReader(f))
    for row in transfer:
        if row["left_out"] == "none":
            chosen = [r for r in everything if r["system"] == "b200_sxm"]
            title = "dense, fitted on H100, predicts B200"
        elif row["left_out"].startswith("moe/"):
            model = row["left_out"].split("/")[1]
            chosen = [r for r, p in zip(everything, points) if p["model"] == model]
            title = f"mixtures of experts, one row for all the others, predicts {model}"
        else:
            chosen = [r for r in everything if r["system"] == "h100_sxm" and of_pair(r, row["left_out"].split("/"))]
            title = f"dense, fitted without {row['left_out']}, predicts it"
        tpot(title, table.validated(write(os.path.join(table.FOLDER, "part.csv"), chosen), data=generic(row)), 40 if row["left_out"].startswith("moe/") else 20)
    table.done()


main()

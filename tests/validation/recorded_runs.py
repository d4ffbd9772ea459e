"""Recorded runs: 300 requests that vLLM served, replayed through the grid (casys-kaist/LLMServingSim 5daddb2, MIT; ../shared/data/perf/vllm_e2e).

Every *_meta.json in the folder (or in one given as a fourth argument) with its *_requests.csv is a run; the file's name begins with the accelerator. Limits:
mean and median of E2E, TTFT and TPOT 5 %, their 99th percentiles 8 %. Running and waiting sequences over time are drawn next to the measured ones into
recorded_runs.png (a fifth argument names another file), where matplotlib can be had.
"""
import csv
import glob
import json
import os
import sys

import h5py
import numpy as np

import table

ACCELERATORS = {"RTXPRO6000": "rtx_pro_6000", "H100": "h100", "A100": "a100", "A6000": "rtx_a6000", "L40S": "l40s", "RTX4090": "rtx4090", "H200": "h200", "B200": "b200"}
MODELS = {"Llama-3.1-8B": "llama-3.1-8b", "Llama-3.1-70B": "llama-3.1-70b", "Qwen3-30B-A3B": "qwen3-30b-a3b", "Qwen3-32B": "qwen3-32b", "Qwen3-8B": "qwen3-8b", "Qwen3-14B": "qwen3-14b",
          "Mixtral-8x7B": "mixtral-8x7b", "gpt-oss-20b": "gpt-oss-20b", "gpt-oss-120b": "gpt-oss-120b"}


def scenario(meta, name, trace):
    """One site without a network: what vLLM did, and nothing else."""
    e = meta["engine_kwargs"]
    accelerator = ACCELERATORS[name.split("_")[0]]
    model = next(ours for theirs, ours in MODELS.items() if theirs in e["model"])
    data_parallel = e["data_parallel_size"]
    data = os.path.join(table.ROOT, "data")
    catalogues = "\n".join(f"  {c}: {data}/{c}.csv" for c in ("accelerators", "engines", "calibrations", "models", "prices"))
    # Ranks that share the experts step together, each with a scheduler of its own: one scheduler with the limits of all of them is nearest to that.
    return f"""name: {name}
duration: never
catalogues:
{catalogues}
network: {{hop_delay: 0, end_delay: 0}}
sites:
  - {{id: bench, kind: hub}}
services:
  - {{name: model, kind: llm, model: {model}}}
pools:
  - {{id: replica, site: bench, service: model, accelerator: {accelerator}, engine: vllm, group: {e["tensor_parallel_size"] * data_parallel}, data_parallel: {data_parallel},
     max_batch: {e["max_num_seqs"] * data_parallel}, token_budget: {e["max_num_batched_tokens"] * data_parallel}, precision: bf16, prefix_cache: off}}
clients:
  - {{class: users, service: model, replay: {trace}, where: [{{site: bench}}]}}
brain: {{telemetry: {{period: never}}}}
policy: {{name: nearest}}
output: {{sample: 1, bin: 1 s, latency_bin: 1 s}}
"""


def statistics_of(arrival, first, last, output):
    many = output > 1
    times = {"TTFT": first - arrival, "TPOT": ((last - first) / np.maximum(output - 1, 1))[many], "E2E": last - arrival}
    return {(name, what): f(v) for name, v in times.items() for what, f in (("mean", np.mean), ("median", np.median), ("p99", lambda x: np.percentile(x, 99)))}


def measured_series(path):
    """Time, running and waiting, every second; None where it was not recorded."""
    if not os.path.exists(path):
        return None
    with open(path) as f:
        rows = list(csv.DictReader(f))
    return tuple(np.array([float(r[k]) for r in rows]) for k in ("t", "running", "waiting"))


def replay(folder, name, meta):
    """Measured and simulated statistics, and both series of (time, running, waiting)."""
    with open(f"{folder}/{name}_requests.csv") as f:
        rows = [{k: float(v) for k, v in r.items()} for r in csv.DictReader(f)]
    rows.sort(key=lambda r: r["arrival_s"])
    m = {k: np.array([r[k] for r in rows]) for k in rows[0]}
    trace = os.path.join(table.FOLDER, f"{name}.csv")
    with open(trace, "w") as f:
        f.write("TIMESTAMP,ContextTokens,GeneratedTokens\n")
        f.writelines(f"{r['arrival_s']:.6f},{r['input_tokens']:.0f},{r['output_tokens']:.0f}\n" for r in rows)
    out = table.scenario(scenario(meta, name, trace), name)
    with h5py.File(out) as h:
        q = {k: h["requests"][k][()] for k in ("began", "ttft", "e2e", "output", "end")}
        began = q["began"] * 1e-9
        site = {k: h["sites"][k][()] for k in ("time", "width", "slot_time", "waiting")}
        series = (site["time"] + site["width"]) * 1e-9, site["slot_time"] / (site["width"] * 1e-9), site["waiting"]
        simulated = began - began.min(), (q["began"] + q["ttft"]) * 1e-9 - began.min(), (q["began"] + q["e2e"]) * 1e-9 - began.min(), q["output"].astype(float)
    assert len(began) == len(rows), f"{len(rows)} requests were sent, {len(began)} came back"
    measured = m["arrival_s"] - m["arrival_s"].min(), m["first_token_s"] - m["arrival_s"].min(), m["last_token_s"] - m["arrival_s"].min(), m["output_tokens"]
    return statistics_of(*measured), statistics_of(*simulated), measured_series(f"{folder}/{name}_timeseries.csv"), series


def draw(runs, path):
    try:
        import matplotlib
        matplotlib.use("Agg")
        import matplotlib.pyplot as plt
    except ImportError:
        print("matplotlib is not there: no picture")
        return
    figure, axes = plt.subplots(len(runs), 1, figsize=(9, 3.2 * len(runs)), squeeze=False)
    for ax, (name, (_, _, measured, simulated)) in zip(axes[:, 0], runs.items()):
        for series, style, label in (measured, "-", "vLLM"), (simulated, "--", "Orrery"):
            if series is not None:
                ax.plot(series[0], series[1], style, color="tab:blue", label=f"running, {label}")
                ax.plot(series[0], series[2], style, color="tab:orange", label=f"waiting, {label}")
        ax.set(title=name, xlabel="time / s", ylabel="requests")
        ax.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    print(f"drawn into {path}")


def main():
    folder = sys.argv[3] if len(sys.argv) > 3 else os.path.join(table.SHARED, "data", "perf", "vllm_e2e")
    metas = sorted(glob.glob(f"{folder}/*_meta.json"))
    if not metas:
        print("SKIPPED: no ../shared/data/perf/vllm_e2e beside the project")
        sys.exit(77)
    runs = {}
    for path in metas:
        name = os.path.basename(path)[:-len("_meta.json")]
        with open(path) as f:
            runs[name] = replay(folder, name, json.load(f))
        measured, simulated = runs[name][:2]
        print(name)
        for key in measured:
            title = f"{name.replace('_', ', ', 1)}: {key[0]} {key[1]}, measured {measured[key]:.4f} s, simulated {simulated[key]:.4f} s"
            table.check(title, 100 * (simulated[key] / measured[key] - 1), 8 if key[1] == "p99" else 5)
    draw(runs, sys.argv[4] if len(sys.argv) > 4 else os.path.join(os.path.dirname(table.ORRERY), "recorded_runs.png"))
    table.done()


main()

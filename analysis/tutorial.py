# Runs and studies as data frames: a tour in cells (`# %%`), for an editor that runs them one by one, or as a whole:
#     PYTHONPATH=analysis python3 analysis/tutorial.py
# It needs the program (./dev build) and Debian's python3-h5py, python3-pandas and python3-matplotlib. Figures go to out/figures.

# %% Two runs of ninety minutes before noon, under two policies, on the same seed: the same requests arrive in both.
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "analysis"))
ORRERY = os.environ.get("ORRERY", os.path.join(ROOT, "build", "src", "cli", "orrery"))
OUT = os.environ.get("ORRERY_OUT", "out")

import orrery
import orrery.figures as figures

os.makedirs(os.path.join(OUT, "figures"), exist_ok=True)
for policy in ("nearest", "power_of_d"):
    subprocess.run([ORRERY, "run", os.path.join(ROOT, "scenarios", "national_day.yaml"), "-q", "--policy", policy, "--set", "duration=90 min", "--set", "start=2026-05-13T10:30:00+08:00", "--set", "output.sample=0.05",
                    "-o", os.path.join(OUT, f"tutorial-{policy}.h5")], check=True)
runs = {policy: orrery.open(os.path.join(OUT, f"tutorial-{policy}.h5")) for policy in ("nearest", "power_of_d")}
day = runs["power_of_d"]
print(day)

# %% The numbers, under the names of `orrery summary --json`.
for name, value in day.summary.items():
    print(f"{name:28} {value:,.4g}")

# %% Any table of the file is a data frame that knows its units.
pools = day.pools
print(pools[["id", "accelerator", "group", "replicas", "slots"]].head())
print(pools.attrs["units"]["kv_tokens"])

# %% Sampled requests: which class waits for its first token, and where?
requests = day.requests
print(requests.groupby("class_name")["ttft_s"].describe(percentiles=[0.5, 0.99])[["count", "mean", "50%", "99%"]])

# %% Percentiles come from histograms over all requests, not from the sample.
print("phone, TTFT p99:", {policy: round(run.latency("phone", "ttft").quantile(0.99), 3) for policy, run in runs.items()}, "s")
figures.save(figures.latency_cdf(runs, "ttft"), os.path.join(OUT, "figures", "ttft"))
figures.save(figures.utilisation(day), os.path.join(OUT, "figures", "utilisation"))

# %% A study: from which age on does the fullest map mislead? (Small here; scenarios/studies/stale_state.yaml as shipped takes some minutes.)
subprocess.run([ORRERY, "sweep", os.path.join(ROOT, "scenarios", "studies", "stale_state.yaml"), "-q", "--set", "params.requests=20k", "--set", "params.seeds=4", "-o", os.path.join(OUT, "tutorial-study")], check=True)
study = orrery.open_study(os.path.join(OUT, "tutorial-study"))
print(study.question)
print(study.pivot("latency.e2e.mean", "state_age").round(2))

# %% Its runs, one row each, and one of them opened.
table = study.runs
print(table[["policy", "seed", "state_age", "latency.e2e.mean"]].head())
with study.run(table["address"].iloc[0]) as one:
    print(one)

# %% Figures for a paper.
figures.save(figures.over_axis(study, "latency.e2e.mean", "state_age", unit="service times"), os.path.join(OUT, "figures", "state_age"))
figures.save(figures.heat_map(study, "latency.e2e.mean", "state_age", unit="service times"), os.path.join(OUT, "figures", "heat_map"))
figures.save(figures.pareto(study, "latency.e2e.mean", "latency.e2e.p99", units=("service times", "service times")), os.path.join(OUT, "figures", "pareto"))
print(sorted(os.listdir(os.path.join(OUT, "figures"))))

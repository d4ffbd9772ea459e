"""A study of 40 short runs, and how to watch its folder: what test_sweep and test_slurm have in common."""
import glob
import json
import os

import h5py
from harness import contents, orrery, path, scenario, write

STUDY = """
name: {name}
question: Which policy has the shorter waits?
scenario: {scenario}
set:
  params.stations: 20
  params.requests: {requests}
  params.load: {loads}
policies: [random, {{name: power_of_d, label: d2, options: {{d: 2}}}}]
seeds: {seeds}
metrics: [latency.e2e.mean, latency.e2e.p99]
compare: {{baseline: random}}
"""
# Where the program was started does not belong to the result; the rest of /host is left out by contents().
PLACE = ("/@scenario_file",)


def study(name, requests="5k", loads="[0.5, 0.8]", seeds=10):
    return write(name + ".yaml", STUDY.format(name=name, scenario=scenario("oracles/dispatch.yaml"), requests=requests, loads=loads, seeds=seeds))


def run_files(folder):
    """Address -> path of the runs that are done."""
    return {os.path.basename(f)[:-3]: f for f in glob.glob(os.path.join(path(folder), "runs", "*.h5"))}


def stamps(folder):
    """What changes when a run is done again: time and inode of its file."""
    found = {}
    for address, file in run_files(folder).items():
        there = os.stat(file)
        found[address] = (there.st_mtime_ns, there.st_ino)
    return found


def values(folder):
    """Everything that the runs of a folder hold, outside /host."""
    return {a: {k: v for k, v in contents(f).items() if k not in PLACE} for a, f in run_files(folder).items()}


def metrics(folder):
    """The table of study.h5 by address, without what depends on the machine."""
    with h5py.File(os.path.join(path(folder), "study.h5")) as f:
        addresses = [a.decode() for a in f["/runs/address"][()]]
        columns = {k: f["/metrics"][k][()].tolist() for k in f["/metrics"] if not k.startswith("speed.")}
        return {a: {k: repr(c[i]) for k, c in columns.items()} for i, a in enumerate(addresses)}, f.attrs["status"].decode()


def status(folder):
    done = orrery("status", path(folder), "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def same_results(folder, other):
    a, b = values(folder), values(other)
    assert a.keys() == b.keys(), f"{len(a)} and {len(b)} runs"
    for address in a:
        differing = sorted(k for k in a[address].keys() | b[address].keys() if a[address].get(k) != b[address].get(k))
        assert not differing, f"run {address} differs at {differing[:5]}"
    assert metrics(folder) == metrics(other), "study.h5 has other numbers"

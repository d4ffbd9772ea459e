"""Recorded traces: how many iterations one event of the server stands for (the Azure conversation trace), and what prefix caches find (the Mooncake conversation trace).

Counts and shares, no speed: they are the same on every machine. Needs the recorded traces beside the project.
"""
import os
import sys

import h5py

import table

TRACES = os.path.join(table.SHARED, "data", "traces")
AZURE, MOONCAKE = (os.path.join(TRACES, name) for name in ("AzureLLMInferenceTrace_conv.csv.gz", "mooncake_conversation_trace.jsonl.gz"))


def run(scenario, trace, *options):
    """The file and the summary of a shipped scenario with such a trace; options as `key=value`."""
    out = os.path.join(table.FOLDER, "trace.h5")
    table.orrery("run", os.path.join(table.ROOT, "scenarios", scenario), "-q", "-o", out, "--set", f"params.trace={trace}", *(word for option in options for word in ("--set", option)))
    return out, table.summary(out)


def jumps(speed, most_batch, least):
    """Two replicas, and the trace so many times as fast as recorded."""
    out, n = run("replay.yaml", AZURE, "params.replicas=2", f"clients.0.replay_speed={speed}")
    with h5py.File(out) as f:
        iterations, plans, events = f["serving/iterations"][:].sum(), f["serving/plans"][:].sum(), f["host"].attrs["events"]
    assert n["requests"]["served"] == n["requests"]["offered"] == 19366
    title = f"Azure, {n['batch']['mean']:.1f} sequences in the mean batch: {iterations} iterations"
    table.check(f"{title}, per event of a server", iterations / plans, least, "", least=True)
    table.check(f"{title}, per event of any kind (arrivals, network, router)", iterations / events, 1, "", least=True)
    table.check(f"Azure at {speed} times its speed: mean batch", n["batch"]["mean"], most_batch, "sequences")


def hits(blocks, stated):
    """One instance that serves one request at a time, in the order of the trace: its cache is the LRU list of so many parts of 512 tokens."""
    _, n = run("mooncake.yaml", MOONCAKE, "pools.0.replicas=1", "pools.0.max_batch=1", f"pools.0.cache={blocks * 512}", "clients.0.replay_jitter=0 s", "policy.name=random")
    table.check(f"Mooncake, LRU list of {blocks} blocks: finds {n['tokens']['cached_share']:.4f} of the input tokens, stated {stated}", 100 * (n["tokens"]["cached_share"] - stated), 0.5, "points")


def routed():
    """Four instances of 8 x H100 with 435 GB of KV each, as scenarios/mooncake.yaml has them."""
    shortest, aware = (run("mooncake.yaml", MOONCAKE, f"policy.name={policy}", "seed=1")[1] for policy in ("join_shortest_queue", "prefix_aware"))
    found = [n["tokens"]["cached_share"] for n in (shortest, aware)]
    table.check(f"Mooncake, four routed instances: prefix_aware finds {found[1]:.3f}, join_shortest_queue {found[0]:.3f} of the input; times as much", found[1] / found[0], 2, "", least=True)
    for name, key in (("mean", "mean"), ("p99", "p99")):
        times = [n["latency"]["ttft"][key] for n in (shortest, aware)]
        table.check(f"Mooncake, TTFT, {name}: {times[1]:.2f} s under prefix_aware, of {times[0]:.2f} s under join_shortest_queue", 100 * times[1] / times[0], 100)


def main():
    if not (os.path.exists(AZURE) and os.path.exists(MOONCAKE)):
        print("SKIPPED: no recorded traces in ../shared/data/traces beside the project")
        sys.exit(77)
    jumps(0.85, 12, 6)
    jumps(1.56, 31, 3)
    for blocks, stated in ((1000, 0.045), (10000, 0.215), (50000, 0.362)):
        hits(blocks, stated)
    routed()
    table.done()


main()

"""Promises about whole runs: sameness, conservation, common random numbers, recorded traces, what a killed run leaves."""
import os
import re
import signal
import subprocess
import time

import h5py
import numpy as np

from harness import BUSY, ORRERY, ROOT, SCENARIOS, SHARED, Skip, contents, differing, main, orrery, path, run, scenario, summary, write

NATIONAL = scenario("national_day.yaml")
DISPATCH = scenario("oracles/dispatch.yaml")
# What names the run itself: everything else must not depend on it.
OF_THE_RUN = ("/@", "/scenario/text")


def requests(file):
    """Rows of /requests as {(class, ingress, number): row}."""
    with h5py.File(file) as f:
        table = {name: f["requests"][name][:] for name in f["requests"]}
    keys = list(zip(table["class"], table["ingress"], table["number"]))
    assert len(set(keys)) == len(keys), "a request stands twice"
    return table, {key: i for i, key in enumerate(keys)}


def test_the_same_scenario_and_seed_give_the_same_bytes():
    a, b = run(NATIONAL, "a.h5", *BUSY), run(NATIONAL, "b.h5", *BUSY)
    assert differing(a, b) == [], differing(a, b)
    other = run(NATIONAL, "c.h5", *BUSY, "--seed", 2)
    assert "/latency/count" in differing(a, other), "another seed must give another run"


def test_partitions_in_shuffled_order_give_the_same_bytes_as_one():
    one = run(NATIONAL, "one.h5", *BUSY)
    for partitions, shuffle in ((2, 1), (3, 7), (7, 3), (40, 11)):
        many = run(NATIONAL, "many.h5", *BUSY, "--partitions", partitions, "--shuffle", shuffle)
        assert differing(one, many) == [], (partitions, differing(one, many))


def test_a_policy_changes_no_arrival_class_or_length():
    files = [run(NATIONAL, f"{p}.h5", *BUSY, "--set", "output.sample=0.2", "-p", p) for p in ("random", "nearest", "cost_first")]
    (first, index), *others = [requests(f) for f in files]
    for table, at in others:
        common = index.keys() & at.keys()
        assert len(common) > 0.9 * len(index), "most requests end within the run under every policy"
        i, k = [index[c] for c in common], [at[c] for c in common]
        for column in ("began", "client", "output"):
            assert np.array_equal(first[column][i], table[column][k]), column
        total = lambda t, rows: (t["input"][rows].astype(int) + t["cached_input"][rows])
        assert np.array_equal(total(first, i), total(table, k)), "prompt length"
    offered = {summary(f)["requests"]["offered"] for f in files}
    assert len(offered) == 1, offered


def test_an_unused_site_changes_nothing_but_its_own_rows():
    base = f"imports: {NATIONAL}\n"
    plain = run(write("plain.yaml", base), "plain.h5", *BUSY)
    alone = run(write("alone.yaml", base + "sites:\n  - {id: AAA, name: Nowhere}\n"), "alone.h5", *BUSY)
    linked = run(write("linked.yaml", base + "sites:\n  - {id: AAA, name: Nowhere, latitude: 39.9, longitude: 116.4}\nlinks:\n  - {a: AAA, b: BJ, distance: 5000 km}\n"), "linked.h5", *BUSY)
    tables = ("/scenario/sites", "/scenario/links")
    for other in (alone, linked):
        changed = differing(plain, other, OF_THE_RUN + tables)
        assert changed == [], changed
        x, y = contents(plain), contents(other)
        assert y["/scenario/sites/id"].startswith(x["/scenario/sites/id"]), "its row comes last"


def test_random_and_round_robin_do_not_notice_the_age_of_state():
    for policy in ("random", "weighted_round_robin"):
        runs = [run(DISPATCH, f"age{i}.h5", "-p", policy, "--set", "params.requests=20k", "--set", "output.sample=1", "--set", f"params.state_age={age}")
                for i, age in enumerate((0, 0.5, 10))]
        tables = [requests(r)[0] for r in runs]
        for t in tables[1:]:
            for column in tables[0]:
                if column != "state_age":
                    assert np.array_equal(tables[0][column], t[column]), (policy, column)


def test_the_audit_holds_in_every_shipped_scenario():
    seen = 0
    for folder, _, files in os.walk(SCENARIOS):
        for name in files:
            if not name.endswith(".yaml") or os.path.basename(folder) == "studies":
                continue
            seen += 1
            file = os.path.join(folder, name)
            with open(file) as text:
                countable = re.search(r"^  requests: \{", text.read(), re.M)
            short = BUSY if name == "national_day.yaml" else ["--set", "params.requests=20k"] if countable else []
            numbers = summary(run(file, "shipped.h5", *short))
            assert numbers["audit"]["failed"] == 0 and numbers["audit"]["checks"] >= 15, name
            assert numbers["status"] == "complete", name
    assert seen >= 4


def test_every_offered_request_ends_once_also_under_overload_and_with_old_reports():
    hard = ["--set", "params.state_age=5 min", "--set", "brain.telemetry.loss=0.5", "-p", "join_shortest_queue"]
    n = summary(run(NATIONAL, "hard.h5", *BUSY, *hard))["requests"]
    assert n["offered"] == n["served"] + n["refused"] + n["abandoned"] + n["failed"] + n["in_flight"]
    assert n["failed"] + n["abandoned"] > 0 and n["retries"] > 0, "the case must be hard enough to matter"


def test_a_recorded_trace_is_replayed_to_the_last_request():
    trace = os.path.join(SHARED, "data", "traces", "AzureLLMInferenceTrace_conv.csv.gz")
    if not os.path.exists(trace):
        raise Skip("the recorded trace is not here")
    file = run(scenario("replay.yaml"), "replay.h5", "--set", f"params.trace={trace}")
    n = summary(file)
    assert n["requests"]["offered"] == n["requests"]["served"] == 19366, n["requests"]
    assert n["tokens"]["output"] == 4089180 or n["tokens"]["output"] > 4000000
    with h5py.File(file) as f:
        assert len(f["requests/began"]) == 19366
        assert f["requests/output"][:].sum() == n["tokens"]["output"]


def test_the_shipped_sample_of_a_trace_gives_each_row_its_request():
    import csv
    with open(os.path.join(ROOT, "data", "azure_conversation_sample.csv")) as f:
        rows = list(csv.DictReader(f))
    table, index = requests(run(scenario("replay.yaml"), "sample.h5"))
    assert len(rows) == len(index) == 500
    for number, row in enumerate(rows):
        i = index[(0, 0, number)]
        assert table["input"][i] + table["cached_input"][i] == int(row["ContextTokens"])
        assert table["output"][i] == int(row["GeneratedTokens"])
    starts = [table["began"][index[(0, 0, k)]] for k in range(500)]
    assert starts == sorted(starts) and starts[0] == 0


def test_the_default_world_is_dense_in_its_busiest_hour():
    busiest = summary(run(NATIONAL, "dense.h5", "--set", "duration=1 h", "--set", "start=2026-05-13T17:00:00+08:00"))
    assert busiest["batch"]["mean"] >= 16, busiest["batch"]
    assert 0.5 <= busiest["utilisation"]["accelerators"] <= 0.8, busiest["utilisation"]


def test_price_and_batch_do_not_depend_on_scale():
    hour = ["--set", "duration=1 h", "--set", "start=2026-05-13T17:00:00+08:00"]
    runs = [summary(run(NATIONAL, "scale.h5", *hour, "--set", f"params.scale={s}")) for s in (1, 4, 16)]
    for get in (lambda n: n["cost"]["per_million_tokens_yuan"], lambda n: n["batch"]["mean"]):
        values = [get(n) for n in runs]
        assert max(values) / min(values) < 1.05, values
    assert 15.5 < runs[2]["requests"]["offered"] / runs[0]["requests"]["offered"] < 16.5


STATION = """\
name: stations
duration: never
sites: [{id: here, population: 5}, {id: near, population: 3}, {id: far, population: 1}]
links: [{a: here, b: near, delay: 1 ms}, {a: near, b: far, delay: 1 ms}]
services: [{name: job, kind: station, mean: "MEAN", discipline: fifo}]
pools: [{site: near, service: job, servers: 4}]
clients: [{class: people, service: job, population: POPULATION, rate: "RATE", requests: 20000}]
policy: {name: random}
brain: {telemetry: {period: never}}
"""


def test_sums_of_latency_do_not_overflow():
    text = STATION.replace("MEAN", "3 d").replace("POPULATION", "9").replace("RATE", "10 /day").replace("servers: 4", "servers: 400")
    file = run(write("slow.yaml", text), "slow.h5", "--set", "output.sample=1", "--set", "output.bin=100 d", "--set", "output.latency_bin=100 d")
    n = summary(file)
    with h5py.File(file) as f:
        exact = f["requests/e2e"][:].astype(float).sum() / 1e9 / len(f["requests/e2e"])
    assert n["latency"]["e2e"]["mean"] * 60000 > 2 ** 63 / 1e9, "the case must be hard enough to matter"
    assert abs(n["latency"]["e2e"]["mean"] / exact - 1) < 1e-9, (n["latency"]["e2e"]["mean"], exact)


def test_small_populations_keep_their_load():
    for population in (1, 2, 9, 10, 1000):
        text = STATION.replace("MEAN", "1 ms").replace("POPULATION", str(population)).replace("RATE", f"{90 / population} /s").replace("duration: never", "duration: 100 s")
        text = text.replace(", requests: 20000", "")
        offered = summary(run(write("few.yaml", text), "few.h5"))["requests"]["offered"]
        assert abs(offered / 9000 - 1) < 0.05, (population, offered)


def test_attempts_are_first_ones_and_retries():
    text = STATION.replace("MEAN", "3 s").replace("POPULATION", "9").replace("RATE", "0.2 /s").replace("requests: 20000}", "requests: 3000, timeout: 4 s, patience: 10 s, retry: {limit: 3, backoff: 1 s}}")
    file = run(write("retry.yaml", text), "retry.h5")
    with h5py.File(file) as f:
        c = {k: f["tokens/counts"][k][:].sum() for k in ("offered", "attempts", "retries")}
    assert c["retries"] > 1000 and c["attempts"] == c["offered"] + c["retries"], c


def test_a_killed_run_leaves_a_file_that_opens():
    partial, with_requests = path("killed.partial.h5"), 0
    for delay in (0.4, 0.9, 1.3, 1.8, 2.2, 2.7, 3.1, 3.6):
        process = subprocess.Popen([ORRERY, "run", NATIONAL, "-q", "-o", path("killed.h5")])
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not os.path.exists(path("killed.h5")), "nothing under the final name"
        if not os.path.exists(partial): # killed before anything was simulated
            continue
        with h5py.File(partial) as f:
            assert f.attrs["status"].decode() == "partial"
            f.visititems(lambda _, item: item[()] is None if isinstance(item, h5py.Dataset) else None)  # all of it can be read
            with_requests += f.attrs["simulated_until"] > 0 and len(f["requests/began"]) > 0 and f["latency/count"][:].sum() > 0
        os.unlink(partial)
    assert with_requests >= 4, with_requests


def test_an_interrupted_run_ends_in_order_and_says_so():
    process = subprocess.Popen([ORRERY, "run", NATIONAL, "-q", "-o", path("stopped.h5")], stderr=subprocess.PIPE, text=True)
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    _, words = process.communicate()
    assert process.returncode == 1 and "interrupted" in words, (process.returncode, words)
    n = summary(path("stopped.h5"))
    assert n["status"] == "partial" and n["audit"]["failed"] == 0 and n["requests"]["offered"] > 0


def test_latency_percentiles_agree_with_the_rows():
    file = run(NATIONAL, "all.h5", *BUSY, "--set", "output.sample=1")
    n, (table, _) = summary(file), requests(file)
    served = table["end"] == 0
    for metric in ("ttft", "e2e", "tpot"):
        values = np.sort(table[metric][served & (table[metric] >= 0)]) / 1e9
        assert n["latency"][metric]["count"] == len(values)
        assert abs(n["latency"][metric]["mean"] - values.mean()) < 1e-9 * len(values)
        for q in (50, 90, 95, 99):
            exact = values[int(np.ceil(q / 100 * len(values))) - 1]
            assert abs(n["latency"][metric][f"p{q}"] / exact - 1) < 0.01, (metric, q)
    assert n["tokens"]["output"] == table["output"][served].sum()
    assert abs(n["cost"]["total_yuan"] - table["cost"][served].sum() / 1e9) < 1e-6


def test_little_s_law_holds_between_the_tables():
    file = run(NATIONAL, "little.h5", *BUSY, "--set", "output.sample=1")
    with h5py.File(file) as f:
        slot_seconds = f["sites/slot_time"][:].sum()
        r = f["requests"]
        inside = ((r["server_e2e"][:] - r["server_wait"][:])[r["end"][:] == 0]).sum() / 1e9
    assert 0.9 < inside / slot_seconds < 1.001, (inside, slot_seconds)


if __name__ == "__main__":
    main()

"""Promises about prefix caches in whole runs: what a session finds of itself, what a trace finds in a cache of known size, and what a router gains that
remembers where it has sent which parts of prompts. Parts have 512 tokens."""
import collections
import gzip
import json
import os
import subprocess

import h5py
import numpy as np

from harness import ROOT, SHARED, Skip, differing, main, path, run, scenario, summary, write

PART = 512
MOONCAKE = scenario("mooncake.yaml")
SAMPLE = os.path.join(ROOT, "data", "mooncake_conversation_sample.jsonl")
FULL = os.path.join(SHARED, "data", "traces", "mooncake_conversation_trace.jsonl.gz")

# Sessions of whole numbers: in each turn 5,000 tokens and an answer of 1,000 after a prefix of 100, of which whole blocks of 16 tokens are kept: 96. The
# context of 40,960 tokens holds six turns.
PREFIX, HEAD, ASKED, ANSWERED, FIT = 100, 96, 5000, 1000, 6
SESSIONS = f"""
duration: 2 h
catalogues: {{{", ".join(f"{name}: {ROOT}/data/{name}.csv" for name in ("accelerators", "engines", "calibrations", "models", "prices"))}}}
sites: [{{id: here}}]
services: [{{name: chat, kind: llm, model: qwen3-8b}}]
pools: [{{id: p, site: here, service: chat, accelerator: h100, replicas: 4, expose: replica, max_batch: 64, cache: 100M}}]
clients:
  - {{class: people, service: chat, population: 1000, rate: 0.00002 /s, where: [{{site: here}}], prefix: {PREFIX}, input: {{mean: {ASKED}}}, output: {{mean: {ANSWERED}}},
     session: {{turns: 20, think: {{mean: 5 s}}}}}}
brain: {{telemetry: {{period: 0 s}}}}
output: {{sample: 1}}
"""


def set_to(options):
    return [word for key, value in options.items() for word in ("--set", f"{key}={value}")]


def rows(file):
    with h5py.File(file) as f:
        return {name: f["requests"][name][:].astype(np.int64) for name in ("number", "turn", "pool", "cached_input", "input", "output", "began")}


def test_a_turn_finds_the_parts_of_the_turns_before_it_until_its_history_is_dropped():
    one = rows(run(write("sessions.yaml", SESSIONS), "sessions.h5", "--set", "pools.0.replicas=1", "--policy", "random"))
    assert len(one["turn"]) > 1000 and one["turn"].max() > 3 * FIT
    first = np.argmin(one["began"])
    for i in range(len(one["turn"])):
        told = one["turn"][i] % FIT * (ASKED + ANSWERED)
        assert one["cached_input"][i] + one["input"][i] == PREFIX + told + ASKED
        expected = HEAD + (PREFIX + told - HEAD) // PART * PART if told else HEAD
        if i != first: # nobody was there before
            assert one["cached_input"][i] == expected, (one["turn"][i], one["cached_input"][i], expected)


def test_a_policy_that_wants_them_is_shown_the_names_of_a_prompts_parts():
    source, policy = os.path.join(ROOT, "tests", "policies", "blocks_policy.c"), path("blocks.so")
    subprocess.run(["cc", "-shared", "-fPIC", "-I", os.path.join(ROOT, "include"), source, "-o", policy], check=True)
    file = run(write("sessions.yaml", SESSIONS), "blocks.h5", "--policy", policy, *set_to({"pools.0.replicas": 1, "clients.0.requests": 1, "clients.0.session.turns": 100}))
    with h5py.File(file) as f:
        assert f["requests/turn"][:].max() >= 2 * FIT, "some histories are dropped"
        assert f["tokens/counts/bad_decisions"][:].sum() == 0


def test_prefix_aware_leaves_a_session_where_its_history_is():
    spread, kept = (rows(run(write("sessions.yaml", SESSIONS), f"{policy}.h5", "--policy", policy)) for policy in ("join_shortest_queue", "prefix_aware"))
    moved = {}
    for name, r in (("spread", spread), ("kept", kept)):
        order = np.lexsort((r["turn"], r["number"]))
        same = np.diff(r["number"][order]) == 0
        inside = same & (r["turn"][order][1:] % FIT > 0)
        moved[name] = np.mean((np.diff(r["pool"][order]) != 0)[inside])
    assert moved["kept"] < 0.01 and moved["spread"] > 0.3, moved
    again = kept["turn"] % FIT > 0
    assert kept["cached_input"][again].sum() > 1.3 * spread["cached_input"][spread["turn"] % FIT > 0].sum()


def trace(file):
    with (gzip.open if file.endswith(".gz") else open)(file, "rt") as f:
        return [json.loads(line) for line in f]


def least_recently_used(requests, blocks):
    """Share of the input found when a look-up stops at the first part that is missing, and then all whole parts are put in, the head as the latest."""
    cache, found = collections.OrderedDict(), 0
    for r in requests:
        parts, hits = r["hash_ids"][:r["input_length"] // PART], 0
        while hits < len(parts) and parts[hits] in cache:
            hits += 1
        found += hits * PART
        for part in reversed(parts):
            cache[part] = True
            cache.move_to_end(part)
        while len(cache) > blocks:
            cache.popitem(last=False)
    return found / sum(r["input_length"] for r in requests)


def share_of_one_after_the_other(file, blocks):
    """The cached share of the input with one instance that serves one request at a time, in the order of the trace."""
    options = {"params.trace": file, "pools.0.replicas": 1, "pools.0.max_batch": 1, "pools.0.cache": blocks * PART, "clients.0.replay_jitter": "0 s", "output.sample": 0}
    n = summary(run(MOONCAKE, "serial.h5", "--policy", "random", *set_to(options)))
    assert n["requests"]["served"] == n["requests"]["offered"] == len(trace(file))
    return n["tokens"]["cached_share"]


def test_a_cache_of_so_many_blocks_finds_what_an_lru_list_of_them_finds():
    for blocks in (300, 1000, 3000, 10000):
        share, expected = share_of_one_after_the_other(SAMPLE, blocks), least_recently_used(trace(SAMPLE), blocks)
        assert abs(share - expected) < 0.002, (blocks, share, expected)


def test_the_whole_trace_finds_what_an_lru_list_finds():
    if not os.path.exists(FULL):
        raise Skip("the Mooncake trace is not here")
    for blocks, stated in ((1000, 0.045), (10000, 0.215), (50000, 0.362)):
        share, expected = share_of_one_after_the_other(FULL, blocks), least_recently_used(trace(FULL), blocks)
        assert abs(share - expected) < 0.002 and abs(share - stated) < 0.005, (blocks, share, expected)


def shares(file, *arguments):
    """Cached share of the input under both policies, on the same seeds."""
    return [[summary(run(MOONCAKE, f"{policy}.h5", "--set", f"params.trace={file}", "--policy", policy, "--seed", seed, *arguments))["tokens"]["cached_share"] for seed in (1, 2)]
            for policy in ("join_shortest_queue", "prefix_aware")]


def test_prefix_aware_finds_more_than_join_shortest_queue():
    shortest, aware = shares(SAMPLE)
    assert min(aware) > 1.4 * max(shortest), (shortest, aware)


def test_prefix_aware_finds_more_in_the_whole_trace():
    if not os.path.exists(FULL):
        raise Skip("the Mooncake trace is not here")
    shortest, aware = shares(FULL)
    assert min(aware) > 2 * max(shortest), (shortest, aware)


def test_prefix_aware_does_not_depend_on_threads():
    file = scenario("national_day.yaml")
    words = ["--set", "duration=20 min", "--policy", "prefix_aware"]
    one, more = run(file, "one.h5", *words), run(file, "more.h5", *words, "--partitions", 5, "--shuffle", 3)
    assert differing(one, more) == []
    assert summary(one)["tokens"]["cached_share"] > 0


if __name__ == "__main__":
    main()

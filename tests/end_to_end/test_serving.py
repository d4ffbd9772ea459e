"""Promises about replicas of llm pools, by hand on round numbers (bench.py): which coefficients hold, how engines batch, hand-over, speculation, thinking, images, times
between tokens."""
import math

import h5py
import numpy as np

import bench
from bench import KV_ELEMENTS, MODELS, PEAK, calibration, catalogues, decode, near, prefill, requests, serve, step, table, trace
from harness import main, orrery, path, run, scenario, summary, write

ONE = "requests: 1, rate: 1 /s, input: {mean: 300}, output: {mean: 50}"


def only(file):
    rows = requests(file)
    assert len(rows) == 1 and rows[0]["end"] == 0, rows
    return rows[0]


def serving(file, pool=0):
    columns = table(file, "serving")
    return {c: columns[c][list(columns["pool"]).index(pool)].item() for c in columns}


# Coefficients and engines


def test_one_request_takes_what_the_formula_says():
    for group, model in ((1, "plain"), (2, "plain"), (4, "mixture")):
        row = only(serve(f"one-{group}-{model}", [f"group: {group}"], [ONE], model=model))
        near(row["ttft"], prefill(300, group=group, model=model))
        near(row["e2e"], prefill(300, group=group, model=model) + decode(49, 301, group=group, model=model))
        near(row["tpot"], decode(49, 301, group=group, model=model) / 49)


def test_the_calibration_that_says_most_about_a_pool_counts():
    """Accelerator before model, model by name before its kind, kind before engine; the base time tells which row it was."""
    rows = {("*", "*", "*"): 1000, ("*", "mixing", "*"): 2000, ("*", "*", "dense"): 3000, ("*", "mixing", "dense"): 4000, ("*", "*", "plain"): 5000, ("*", "mixing", "plain"): 6000,
            ("box", "*", "*"): 7000, ("box", "mixing", "*"): 8000, ("box", "*", "dense"): 9000, ("box", "*", "plain"): 10000, ("box", "mixing", "plain"): 11000}
    others = [("crate", "mixing", "plain"), ("box", "whole", "plain"), ("box", "mixing", "moe"), ("box", "mixing", "sees")]
    kept = list(rows)
    while kept:
        text = "".join(calibration(*key, base_us=20000) for key in others) + "".join(calibration(*key, base_us=rows[key]) for key in kept)
        row = only(serve("calibrated", [""], [ONE], calibrations=text))
        near(row["ttft"], prefill(300, base=1e-6 * rows[kept.pop()]))


def test_weights_and_cache_of_each_precision_take_their_bytes():
    """Of weights and cache, bytes per number and the peak in 10^12/s; the cache is what 100 GB leave, and is read at each step."""
    weights, bandwidth = {"bf16": (2, 100), "fp8": (1, 200), "int8": (1, 200), "int4": (0.5, 100)}, 1e12
    cache = {"bf16": 2, "fp8": 1, "int8": 1, "int4": 0.53125}
    for precision, (size, peak) in weights.items():
        for kept, kv in {**cache, "same": 2 if precision == "bf16" else 1}.items():
            file = serve("precise", [f"precision: {precision}, kv_precision: {kept}"], [ONE])
            assert table(file, "scenario/pools")["kv_tokens"][0] == (100 * 10**9 - int(5e9 * size)) // (KV_ELEMENTS * kv), (precision, kept)
            row = only(file)
            steps = sum(1e-3 + ((1e10 / (peak * 1e12)) ** 1.4 + (5e9 * size / bandwidth) ** 1.4) ** (1 / 1.4) + (301 + k) * KV_ELEMENTS * kv / bandwidth for k in range(49))
            near(row["e2e"] - row["ttft"], steps, 100)


def test_who_runs_on_accelerators_that_nobody_measured_is_told():
    assumed = calibration("crate").replace(",derived,", ",assumed,ec=0.1..1")
    pools = ["accelerator: box", "accelerator: crate", "accelerator: crate, id: again"]
    where = bench.scenario("unmeasured", pools, [ONE], calibrations=calibration() + assumed)
    note = "nothing was measured of such models on Crate: "
    done = orrery("run", where, "-o", path("unmeasured.h5"))
    assert done.returncode == 0 and note in done.stdout, done.stdout + done.stderr
    assert note in orrery("check", where).stdout and note in orrery("summary", path("unmeasured.h5")).stdout
    assert summary(path("unmeasured.h5"))["unmeasured"] == ["Crate"]
    file = serve("measured", pools, [ONE])
    assert summary(file)["unmeasured"] == [] and "nothing was measured" not in orrery("summary", file).stdout


def test_the_front_end_delays_a_request_before_it_queues():
    row = only(serve("front", [""], [ONE], calibrations=calibration(front_ms=15)))
    near(row["ttft"], 0.015 + prefill(300))
    near(row["server_ttft"], prefill(300))


def test_engines_batch_prompts_each_in_its_way():
    """One decodes; at 1 s come prompts of 700, 600 and 1500 tokens; an iteration holds 1000."""
    t = trace("engines.csv", (0, 10, 200), (1, 700, 2), (1, 600, 2), (1, 1500, 2))
    traced = {"mixing": [(1, 999), (1, 998), (1, 803)], "whole": [(1, 700), (1, 600), (1, 1500)], "first": [(0, 1000), (0, 1000), (0, 800)]}
    for engine, expected in traced.items():
        file = serve(f"engine-{engine}", [f"id: pool, engine: {engine}"], [f"replay: {t}"], output="sample: 1, iterations: pool")
        it = table(file, "serving/trace")
        busy = [i for i in range(len(it["start"])) if it["prompt_tokens"][i] > 0]
        assert (it["prompt_tokens"][busy[0]], it["decoding"][busy[0]]) == (10, 0)
        of_others = [(min(1, int(it["decoding"][i])), int(it["prompt_tokens"][i])) for i in busy[1:]]
        assert of_others == expected, (engine, of_others)
        assert all((it["stalled"][i] > 0) == (engine == "first") for i in busy[1:])
        assert sum(it["prompt_tokens"]) == 10 + 700 + 600 + 1500
        rows = requests(file)
        assert [r["end"] for r in rows] == [0] * 4 and max(r["e2e"] + r["began"] for r in rows) <= 1e9 * (it["start"] + it["duration"])[-1] + 2


def test_a_pool_s_token_budget_is_its_own_then_its_engine_s_then_the_scenario_s():
    for pool, budget in (("", 1000), (", token_budget: 400", 400), (', engine: ""', 256), (', engine: "", token_budget: 128', 128)):
        file = serve("budget", ["id: pool" + pool], ["requests: 1, rate: 1 /s, input: {mean: 2500}, output: {mean: 1}"], rest="duration: never\nserving: {token_budget: 256}\n",
                     output="iterations: pool")
        assert table(file, "serving/trace")["prompt_tokens"][0] == budget, pool


# Hand-over


BANDWIDTH = 8e9 # bit/s, of one port
PAIR = ["id: prefill, hand_over: {to: decode, bandwidth: 8 Gbit/s}", "id: decode"]


def carried(tokens):
    return tokens * KV_ELEMENTS * 2 * 8 / BANDWIDTH


def test_a_request_is_prefilled_here_carried_and_decoded_there():
    file = serve("hand", PAIR, [ONE])
    row = only(file)
    near(row["ttft"], prefill(300))
    near(row["e2e"], prefill(300) + carried(300) + decode(49, 301))
    assert serving(file, 0)["handed_over"] == 1 and serving(file, 0)["iterations"] == 1 and serving(file, 1)["iterations"] == 49
    assert row["pool"] == 0, "clients know of the pool that they asked"
    assert len(table(file, "tokens/pools")["pool"]) == 2
    tokens = table(file, "tokens/pools")
    assert list(tokens["input"]) == [300, 0] and list(tokens["output"]) == [0, 50]


def test_two_transfers_share_the_port_of_their_replica_one_after_the_other():
    t = trace("two.csv", (0, 300, 2), (0, 300, 2))
    both = step(prompt=600, pairs=2 * 300 * 150)
    a, b = requests(serve("port", PAIR, [f"replay: {t}"]))
    near(a["e2e"], both + carried(300) + decode(1, 301))
    near(b["e2e"], both + 2 * carried(300) + decode(1, 301))
    a, b = requests(serve("ports", [PAIR[0] + ", replicas: 2", PAIR[1]], [f"replay: {t}"]))
    near(a["e2e"], prefill(300) + carried(300) + decode(1, 301, 2))
    near(b["e2e"], a["e2e"] * 1e-9)
    wide = requests(serve("wide", [PAIR[0] + ", group: 2", PAIR[1]], [f"replay: {t}"])) # a port per accelerator
    near(wide[0]["e2e"], step(prompt=600, pairs=2 * 300 * 150, group=2) + carried(300) / 2 + decode(1, 301))


def test_one_token_needs_no_hand_over():
    file = serve("short", PAIR, ["requests: 1, rate: 1 /s, input: {mean: 300}, output: {mean: 1}"])
    near(only(file)["e2e"], prefill(300))
    assert serving(file, 0)["handed_over"] == 0


FAR = """\
name: far
CATALOGUES
duration: never
network: {hop_delay: 0, end_delay: 0}
sites: [{id: home}, {id: here}]
links: [{a: home, b: here, delay: 50 ms}]
services: [{name: model, kind: llm, model: plain}]
pools:
  - {id: prefill, site: here, service: model, accelerator: box, engine: mixing, hand_over: {to: decode, bandwidth: 100 Mbit/s}}
  - {id: decode, site: here, service: model, accelerator: box, engine: mixing}
clients: [{class: c, service: model, replay: TRACE, where: [{site: home}], timeout: 100 ms}]
brain: {telemetry: {period: 0 s}}
policy: {name: nearest}
output: {sample: 1}
"""


def test_who_gives_up_during_the_transfer_is_not_decoded():
    """Its first token is made at 85 ms and on its way when the client gives up at 100 ms; the cache of 300 tokens travels for 0.96 s."""
    text = FAR.replace("CATALOGUES", catalogues()).replace("TRACE", trace("once.csv", (0, 300, 50)))
    file = run(write("far.yaml", text), "far.h5")
    row, numbers, pools = requests(file)[0], summary(file), table(file, "tokens/pools")
    assert row["end"] == 3 and numbers["audit"]["failed"] == 0
    assert serving(file, 1)["admissions"] == 0 and serving(file, 0)["handed_over"] == 0 and serving(file, 0)["iterations"] == 1
    assert list(pools["cancelled"]) == [1, 0] and list(pools["cancelled_output"]) == [1, 0], "the first token was made, and is paid"
    kept = run(write("far.yaml", text.replace("timeout: 100 ms", "timeout: 200 ms")), "far.h5")
    assert requests(kept)[0]["end"] == 0 and serving(kept, 0)["handed_over"] == 1


def test_without_a_replica_to_decode_the_request_is_lost_and_asked_again():
    plan = "duration: never\nplan: [{at: 0 s, pool: decode, replicas: 0, how: evict}]\n"
    ask = f"replay: {trace('once.csv', (0, 300, 50))}, retry: {{limit: 2, backoff: 1 s, jitter: 0}}"
    file = serve("nobody", PAIR, [ask], rest=plan)
    row = requests(file)[0]
    assert row["end"] == 3 and row["attempts"] == 3, row
    with h5py.File(file) as f:
        reasons = dict(zip(f["decisions/reasons/reason"].asstr()[:], f["decisions/reasons/count"][:]))
    assert reasons["lost"] == 1 and serving(file, 0)["lost"] == 3 and serving(file, 0)["handed_over"] == 0
    assert summary(file)["audit"]["failed"] == 0
    back = plan.replace("}]", "}, {at: 500 ms, pool: decode, replicas: 1}]")
    file = serve("somebody", [PAIR[0], PAIR[1] + ", load: {bandwidth: 1 Tbit/s, start: 100 ms}"], [ask], rest=back)
    once = prefill(300) + carried(300)
    near(requests(file)[0]["e2e"], once + 1 + once + decode(49, 301))
    assert requests(file)[0]["attempts"] == 2


def test_what_is_handed_over_is_conserved():
    file = serve("much", [PAIR[0] + ", replicas: 2", PAIR[1] + ", replicas: 2, max_batch: 6"],
                 ["rate: 12 /s, population: 1, input: {law: lognormal, mean: 400}, output: {law: lognormal, mean: 30}, timeout: 2 s, patience: 3 s, retry: {limit: 1}"], rest="duration: 30 s\n")
    numbers, made, kept = summary(file), serving(file, 0), serving(file, 1)
    assert numbers["audit"]["failed"] == 0 and numbers["requests"]["served"] > 200
    pools = table(file, "tokens/pools")
    assert made["handed_over"] <= kept["admissions"] + 12 and pools["done"][1] <= made["handed_over"]


# Speculation


def spoken(drafts, acceptance, seed, answer=65, most=400):
    file = serve("spoken", [f"id: pool, max_batch: 1, speculation: {{drafts: {drafts}, acceptance: {acceptance}, draft_cost: 0}}"],
                 [f"requests: {most}, rate: 1000 /s, input: {{mean: 10}}, output: {{mean: {answer}}}"], "--seed", str(seed), output="sample: 0")
    return serving(file)["iterations"] - most, most, file


def renewals(drafts, acceptance, tokens):
    """Mean number of steps until `tokens` are made, exactly: over the laws of the number made after k steps."""
    chance = [acceptance**k * (1 - acceptance) for k in range(drafts)] + [acceptance**drafts]
    mean, state = 0.0, np.zeros(tokens)
    state[0] = 1
    while state.sum() > 1e-15:
        mean += state.sum()
        after = np.zeros(tokens)
        for k, p in enumerate(chance):
            after[k + 1:] += p * state[:tokens - k - 1] if k + 1 < tokens else 0
        state = after
    return mean


def test_the_mean_number_of_steps_is_that_of_a_renewal_process():
    """Exactly up to 64 tokens, by the central limit theorem beyond: 20 seeds of 400 requests; 99.9 % intervals."""
    for drafts, acceptance, answer in ((3, 0.7, 65), (1, 0.5, 33), (5, 0.8, 301)):
        means = [(lambda made: made[0] / made[1])(spoken(drafts, acceptance, seed, answer)) for seed in range(1, 21)]
        truth, error = renewals(drafts, acceptance, answer - 1), np.std(means, ddof=1) / math.sqrt(20)
        assert error < 0.01 * truth, "the interval would let errors of 1 % pass"
        assert abs(np.mean(means) - truth) < 3.88 * error, (drafts, acceptance, np.mean(means), truth, error) # t of 19 degrees of freedom


def test_drafts_that_are_all_kept_or_all_refused_are_exact():
    for acceptance, steps in ((0, 64), (1, 16)):
        made, count, file = spoken(3, acceptance, 1, most=20)
        assert made == steps * count, (acceptance, made)
        assert serving(file)["gaps"] == made
    file = serve("kept", ["speculation: {drafts: 3, acceptance: 1, draft_cost: 0.1}"], ["requests: 1, rate: 1 /s, input: {mean: 300}, output: {mean: 65}"])
    row, compute, weights = only(file), 2 * 5e9 * 4 / PEAK, 1e10 / 1e12
    body = 1.3 * (1e-3 + (compute**1.4 + weights**1.4) ** (1 / 1.4))
    near(row["e2e"] - row["ttft"], sum(body + (301 + 4 * k) * KV_ELEMENTS * 2 / 1e12 for k in range(16)))


def test_speculation_makes_a_lonely_request_faster_by_what_it_keeps():
    plain = only(serve("slow", [""], ["requests: 1, rate: 1 /s, input: {mean: 300}, output: {mean: 4001}"]))
    fast = only(serve("fast", ["speculation: {drafts: 3, acceptance: 0.8, draft_cost: 0}"], ["requests: 1, rate: 1 /s, input: {mean: 300}, output: {mean: 4001}"]))
    per_step = 1 + 0.8 + 0.64 + 0.512
    assert 0.9 < plain["tpot"] / fast["tpot"] / per_step < 1.05, (plain["tpot"], fast["tpot"])


# Thinking


def test_hidden_thoughts_delay_the_first_token_that_is_seen():
    think = "requests: 1, rate: 1 /s, input: {mean: 300}, output: {mean: 50}, thinking: {mean: 150, hidden: %s}"
    seen, hidden = only(serve("seen", [""], [think % "false"])), only(serve("hidden", [""], [think % "true"]))
    near(seen["ttft"], prefill(300))
    for row in (seen, hidden):
        assert row["output"] == 200, "thoughts are tokens, and paid"
        near(row["e2e"], prefill(300) + decode(199, 301))
        near(row["tpot"], decode(199, 301) / 199)
        near(row["server_ttft"], prefill(300))
    near(hidden["ttft"], prefill(300) + decode(199, 301) * 150 / 199)
    # Tokens come evenly, says the model of it; in truth a little earlier, for contexts grow.
    assert 0 < hidden["ttft"] - 1e9 * (prefill(300) + decode(150, 301)) < 0.02 * hidden["ttft"]


def test_what_was_thought_is_not_said():
    file = serve("talk", ["engine: keeping"], ["users: 1, requests: 1, input: {mean: 300}, output: {mean: 50}, thinking: {mean: 150}"])
    assert only(file)["input"] == 300
    file = serve("turns", [""], ["requests: 3, rate: 1 /s, session: {turns: 4}, input: {mean: 300}, output: {mean: 50}, thinking: {mean: 150}"])
    for row in requests(file):
        assert row["input"] + row["cached_input"] == 300 + row["turn"] * 350, row


# Images


def test_images_are_encoded_with_the_prompt_tokens_that_stand_for_them():
    row = only(serve("picture", [""], ["requests: 1, rate: 1 /s, input: {mean: 300}, images: {mean: 2}, output: {mean: 5}"], model="sees"))
    assert row["input"] == 300 + 2 * 256
    near(row["ttft"], step(prompt=812, pairs=812 * 406, images=512, model="sees"))
    assert 1e9 * 2 * 0.5e9 * 4 * 512 / PEAK == 20480000.0, "of which 20 ms for the encoder"


def test_an_image_split_by_chunks_is_encoded_in_both():
    file = serve("split", ["id: pool, token_budget: 400"], ["requests: 1, rate: 1 /s, input: {mean: 250}, images: {mean: 1}, output: {mean: 1}"], model="sees", output="sample: 1, iterations: pool")
    it = table(file, "serving/trace")
    assert list(it["prompt_tokens"]) == [400, 106]
    first = sum(it["duration"])
    # The image stands at the beginning: all of it is in the first chunk.
    near(1e9 * it["duration"][0], step(prompt=400, pairs=400 * 200, images=256, model="sees"))
    near(1e9 * it["duration"][1], prefill(106, 400, model="sees"))
    near(only(file)["e2e"], first)


def test_an_image_takes_its_steps():
    for together in (1, 3):
        t = trace("draw.csv", *[(0, 100, 20)] * together)
        rows = requests(serve("draw", [""], [f"replay: {t}"], model="draws"))
        assert len(rows) == together
        for row in rows:
            near(row["e2e"] - row["ttft"], decode(19, 101, together, model="draws"))
    assert MODELS["draws"][-1] == 1024 and decode(1, 0, model="draws") > 0.1, "of 1024 latent tokens"


# Times between tokens


BUSY = ["rate: 6 /s, population: 1, input: {law: lognormal, mean: 500, most: 4000}, output: {law: lognormal, mean: 40, least: 1}"]


def test_gaps_are_all_times_between_two_tokens_of_one_answer():
    """As many as tokens after first ones; their sum is what requests take from their first token to their last, whatever the engine does between."""
    for engine in ("mixing", "whole", "first"):
        file = serve(f"gaps-{engine}", [f"id: pool, engine: {engine}"], [BUSY[0] + ", requests: 300"], output="sample: 1, iterations: pool")
        rows, total, it = requests(file), serving(file), table(file, "serving/trace")
        assert total["gaps"] == sum(r["output"] - 1 for r in rows) == it["decoding"].sum()
        lasting = sum(r["server_e2e"] - r["server_ttft"] for r in rows)
        assert abs(total["gap_sum_s"] * 10**9 + total["gap_sum_ns"] - lasting) <= 2 * len(rows) + total["iterations"], (engine, total, lasting)
        if engine != "first":
            assert abs((it["decoding"] * it["duration"]).sum() - 1e-9 * lasting) < 1e-3
            assert it["stalled"].sum() == 0
        else:
            assert abs(((it["decoding"] + it["stalled"]) * it["duration"]).sum() - 1e-9 * lasting) < 1e-3
            assert it["stalled"].sum() > 0
        gaps = table(file, "latency/gaps")
        assert gaps["count"].sum() == total["gaps"]
        assert gaps["bucket"].max() <= total["gap_largest"] <= gaps["bucket"].max() * (1 + 1 / 128) + 1


def test_recomputed_answers_have_long_gaps_and_as_many():
    """A cache that is too small for all of them: some are preempted, and their next token is long in coming."""
    file = serve("preempted", ["id: pool, accelerator: tiny, max_batch: 8"], ["rate: 6 /s, population: 1, requests: 120, input: {mean: 800}, output: {mean: 600}"])
    rows, total = requests(file), serving(file)
    assert total["preemptions"] > 5, total
    assert total["gaps"] == sum(r["output"] - 1 for r in rows)
    lasting = sum(r["server_e2e"] - r["server_ttft"] for r in rows)
    assert abs(total["gap_sum_s"] * 10**9 + total["gap_sum_ns"] - lasting) <= 2 * len(rows) + total["iterations"]


def test_a_transfer_is_a_gap():
    file = serve("gap", PAIR, [ONE])
    total = serving(file, 1)
    assert serving(file, 0)["gaps"] == 0 and total["gaps"] == 49
    near(total["gap_sum_s"] * 10**9 + total["gap_sum_ns"], carried(300) + decode(49, 301), 60)
    near(total["gap_largest"], carried(300) + decode(1, 301))


def test_the_summary_tells_of_times_between_tokens():
    file = path("gaps-first.h5")
    numbers, total = summary(file)["latency"]["itl"], serving(file)
    assert numbers["count"] == total["gaps"] and abs(numbers["mean"] - (total["gap_sum_s"] + 1e-9 * total["gap_sum_ns"]) / total["gaps"]) < 1e-12
    gaps = table(file, "latency/gaps")
    order = np.argsort(gaps["bucket"])
    below = np.cumsum(gaps["count"][order])
    for name, q in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99)):
        bucket = gaps["bucket"][order][np.searchsorted(below, q * below[-1])]
        assert 0.99 * bucket <= 1e9 * numbers[name] <= 1.02 * bucket, (name, bucket, numbers)
    assert "between two tokens" in orrery("summary", file).stdout
    stations = summary(run(scenario("oracles/dispatch.yaml"), "stations.h5", "--set", "params.requests=1000"))
    assert stations["latency"]["itl"]["count"] == 0 and stations["latency"]["itl"]["mean"] is None


if __name__ == "__main__":
    main()

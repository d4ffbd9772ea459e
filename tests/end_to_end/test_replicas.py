"""Promises about replicas in and out of service: failures and repairs, cold starts, plans, moves, what they draw."""
import math

import h5py
import numpy as np

from bench import catalogues, decode, near, prefill, requests, serve, table, trace
from harness import differing, main, orrery, path, run, summary, write

ONCE = "replay: {0}"
FAST = "load: {bandwidth: 1000 Tbit/s, start: 0 s}"
SEEDS = range(1, 21)
T_999 = 3.88 # Student's, 19 degrees of freedom, 99.9 %


def serving(file, pool=0):
    columns = table(file, "serving")
    return {c: columns[c][list(columns["pool"]).index(pool)].item() for c in columns}


def interval(values, truth, sharpness):
    """The mean of 20 seeds must be `truth`, within an interval that is narrow enough to say something."""
    error = np.std(values, ddof=1) / math.sqrt(len(values))
    assert len(values) == 20 and T_999 * error < sharpness * truth, (error, truth)
    assert abs(np.mean(values) - truth) < T_999 * error, (np.mean(values), truth, error)


# Failures by their law


def test_availability_is_that_of_requirement_r30():
    """MTBF 1000 h, MTTR 4 h: out of service for 4/1004 of the time, whatever the law of repairs; 20 seeds of 8000 replicas for 100 days; 99.9 % intervals of 1.5 %."""
    for cv in (1, 0):
        out = []
        for seed in SEEDS:
            file = serve("year", [f"max_batch: 1, replicas: 8000, {FAST}"], ["rate: 1e-9 /s"], "--seed", str(seed), output="sample: 0, bin: 100 d, latency_bin: 100 d", period="never",
                         rest=f"duration: 2400 h\nfailures: [{{name: cards, of: accelerator, mtbf: 1000 h, mttr: 4 h, cv: {cv}}}]\n")
            out.append(1 - serving(file)["up_time"] / (8000 * 2400 * 3600))
        interval(out, 4 / 1004, 0.015)
        assert round(1 - np.mean(out), 4) == 0.9960


def many_sites(name, failures, hours, *arguments):
    sites = [f"s{i}" for i in range(10)]
    lines = ["name: sites", catalogues(), f"duration: {hours} h", "sites: [" + ", ".join(f"{{id: {s}}}" for s in sites) + "]", "links: [" + ", ".join(f"{{a: s0, b: {s}, delay: 1 ms}}" for s in sites[1:]) + "]",
             "services: [{name: model, kind: llm, model: plain}]", "pools:", *(f"  - {{site: {s}, service: model, accelerator: box, max_batch: 1, {FAST}}}" for s in sites),
             "clients: [{class: c, service: model, rate: 1e-9 /s, where: [{site: s0}]}]", "brain: {telemetry: {period: never}}", "policy: {name: nearest}",
             "output: {sample: 0, bin: 1 h, latency_bin: 100 h}", f"failures: [{failures}]"]
    columns = table(run(write(f"{name}.yaml", "\n".join(lines) + "\n"), f"{name}.h5", *arguments), "sites")
    return 1 - columns["in_service"].reshape(-1, 10)


def test_sites_fail_each_by_itself_or_together():
    """MTBF 36 h, MTTR 4 h: a tenth of the time. Of ten sites k are down as often as the binomial law says: mean, pairs, and at least three."""
    down = [many_sites("each", "{name: power, of: site, mtbf: 36 h, mttr: 4 h}", 2000, "--seed", str(seed)) for seed in SEEDS]
    number = [d.sum(axis=1) for d in down]
    interval([n.mean() / 10 for n in number], 0.1, 0.1)
    interval([(n * (n - 1)).mean() / 90 for n in number], 0.01, 0.15)
    interval([(n >= 3).mean() for n in number], 1 - sum(math.comb(10, k) * 0.1**k * 0.9 ** (10 - k) for k in range(3)), 0.25)
    together = many_sites("together", "{name: power, of: site, together: true, mtbf: 36 h, mttr: 4 h}", 2000)
    assert set(together.sum(axis=1)) == {0, 10}, "one cause"
    some = many_sites("some", "{name: power, of: site, sites: [s1, s4], mtbf: 36 h, mttr: 4 h}", 2000)
    assert list(np.flatnonzero(some.sum(axis=0))) == [1, 4]


def test_what_stands_on_a_node_fails_with_it():
    """Replicas of two cards on nodes of eight: four at a time; on nodes of two: one, as often as its cards stand on one node; of cards: twice as often as one card."""
    for of, node, at_a_time, rate in (("node", 8, 4, 1), ("node", 2, 1, 1), ("node", 1, 1, 2), ("accelerator", 8, 1, 2)):
        file = serve("nodes", [f"max_batch: 1, group: 2, replicas: 400, {FAST}"], ["rate: 1e-9 /s"], output="sample: 0, bin: 10 min, latency_bin: 1000 h", period="never",
                     rest=f"duration: 1000 h\nfailures: [{{name: f, of: {of}, node: {node}, mtbf: 500 h, mttr: 11 min, cv: 0}}]\n")
        failed = serving(file)["failures"]
        assert failed % at_a_time == 0
        expected = 400 * rate * 1000 / (500 / 1) * (500 / (500 + rate * 11 / 60))
        assert abs(failed / expected - 1) < 4 * math.sqrt(at_a_time / expected), (of, node, failed, expected)
        assert set(table(file, "sites")["in_service"] % at_a_time) == {0}


def test_failures_depend_neither_on_the_policy_nor_on_who_asks():
    seen = set()
    for policy, rate in (("nearest", 5), ("random", 5), ("power_of_d", 9)):
        file = serve("policy", ["replicas: 5, max_batch: 4, " + FAST], [f"rate: {rate} /s, input: {{mean: 200}}, output: {{mean: 20}}"], "-p", policy, output="sample: 0, bin: 1 min, latency_bin: 20 min",
                     rest="duration: 20 min\nfailures: [{name: cards, of: accelerator, mtbf: 5 min, mttr: 1 min}]\n")
        totals = serving(file)
        seen.add((totals["failures"], totals["loads"], totals["up_time"], table(file, "sites")["in_service"].tobytes()))
        assert totals["lost"] > 0 and summary(file)["audit"]["failed"] == 0
    assert len(seen) == 1 and list(seen)[0][0] > 5


# Failures at a time


def test_a_cold_start_takes_the_start_of_the_engine_and_the_weights():
    """10 GB at 40 Gbit/s per card, and 3 s: up again 5 s after a repair of 5 s (with two cards 4 s). What comes meanwhile fails."""
    t = trace("seconds.csv", (0, 100, 2), *((k + 0.5, 100, 2) for k in range(30)))
    for group, until in ((1, 20), (2, 19)):
        file = serve("cold", [f"group: {group}, load: {{bandwidth: 40 Gbit/s, start: 3 s}}"], [f"replay: {t}"],
                     rest="duration: 30 s\nfailures: [{name: fuse, of: site, at: 10 s, mttr: 5 s, cv: 0}]\n")
        ends = [r["end"] for r in requests(file)]
        assert ends == [0] * 11 + [3] * (until - 10) + [0] * (30 - until), (group, ends)
        totals = serving(file)
        assert (totals["failures"], totals["loads"], totals["lost"]) == (1, 1, 0)
        assert abs(totals["up_time"] - (30 - (until - 10))) < 1e-6 and totals["held_time"] == 30
        assert summary(file)["audit"]["failed"] == 0


TWO_SITES = """\
name: two sites
CATALOGUES
duration: 4 min
sites: [{id: here}, {id: there}]
links: [{a: here, b: there, delay: 2 ms}]
services: [{name: model, kind: llm, model: plain}]
pools:
  - {site: here, service: model, accelerator: box, max_batch: 16, replicas: 3, load: {bandwidth: 80 Gbit/s, start: 4 s}}
  - {site: there, service: model, accelerator: box, max_batch: 16, replicas: 3, load: {bandwidth: 80 Gbit/s, start: 4 s}}
clients:
  - {class: c, service: model, rate: 30 /s, input: {law: lognormal, mean: 200}, output: {law: lognormal, mean: 40}, where: [{site: here, share: 0.5}, {site: there, share: 0.5}], retry: {limit: 5, backoff: 200 ms}}
brain: {telemetry: {period: 100 ms}}
policy: {name: join_shortest_queue}
output: {sample: 1, bin: 5 s, latency_bin: 1 min}
failures: [{name: fuse, of: site, sites: [here], at: 61 s, mttr: 20 s, cv: 0, detection: 5 s}]
"""


def two_sites(name, *arguments):
    return run(write("two.yaml", TWO_SITES.replace("CATALOGUES", catalogues())), f"{name}.h5", *arguments)


def test_what_is_in_flight_when_a_site_fails_is_lost_and_served_elsewhere():
    file = two_sites("fuse")
    rows, lost, numbers = requests(file), serving(file, 0)["lost"], summary(file)
    assert numbers["audit"]["failed"] == 0 and serving(file, 0)["failures"] == 3
    hit = [r for r in rows if r["attempts"] > 1 and r["began"] < 61e9]
    assert 0 < lost == len(hit) and numbers["requests"]["failed"] == 0
    for r in hit:
        assert r["end"] == 0 and r["pool"] == 1 and r["began"] + r["e2e"] > 66e9, "clients hear of it five seconds later"
    bins = table(file, "sites")
    alive = bins["in_service"][bins["pool"] == 0]
    # Repaired at 81 s, up at 86 s: 4 s and 10 GB at 80 Gbit/s.
    assert list(alive[:12]) == [3] * 12 and list(alive[12:17]) == [0] * 5 and list(alive[17:]) == [3] * (len(alive) - 17)
    busy = {when: np.mean([(bins["slot_time"] / (bins["width"] * 1e-9))[(bins["time"] >= when * 1e9) & (bins["time"] < (when + 30) * 1e9) & (bins["pool"] == pool)].mean() for pool in (0, 1)])
            for when in (30, 61, 120, 200)}
    waiting = [bins["waiting"][(bins["time"] == when * 10**9)].sum() for when in (55, 115, 205)]
    assert waiting[1] <= waiting[0] + 1 and waiting[2] <= waiting[0] + 1, waiting
    assert 0.8 < busy[120] / busy[30] < 1.25 and 0.8 < busy[200] / busy[30] < 1.25, ("queues are again as they were", busy)


def test_failures_give_the_same_bytes_with_any_number_of_threads():
    straight = two_sites("one", "--threads", 1)
    for threads in (2, 3):
        assert differing(straight, two_sites("more", "--threads", threads)) == []
    assert differing(straight, two_sites("parts", "--partitions", 4, "--shuffle", 3)) == []


# Plans


def test_a_plan_adds_replicas_that_start_cold():
    """At 5 s a second one; up at 10 s. Until the end of 30 s they have served for 30 and 20 s, and had their cards for 30 and 25."""
    file = serve("grow", ["id: pool, load: {bandwidth: 40 Gbit/s, start: 3 s}"], ["rate: 1 /s"], rest="duration: 30 s\nplan: [{at: 5 s, pool: pool, replicas: 2}]\n")
    totals = serving(file)
    assert (totals["up_time"], totals["held_time"], totals["loads"]) == (50, 55, 1), totals


LONG = (0, 300, 200)


def test_draining_finishes_and_eviction_loses():
    t = trace("long.csv", LONG, (1.5, 300, 2))
    lasts = prefill(300) + decode(199, 301)
    assert lasts > 2
    for how in ("drain", "evict"):
        file = serve(how, ["id: pool"], [f"replay: {t}"], rest=f"duration: 10 s\nplan: [{{at: 1 s, pool: pool, replicas: 0, how: {how}}}]\n")
        first, late = requests(file)
        totals = serving(file)
        assert late["end"] == 3
        assert totals["up_time"] == 1, "it takes no new requests from then on"
        if how == "drain":
            near(first["e2e"], lasts)
            assert first["end"] == 0 and totals["lost"] == 0 and abs(totals["held_time"] - lasts) < 1e-6
        else:
            assert first["end"] == 3 and totals["lost"] == 1 and totals["held_time"] == 1
        with h5py.File(file) as f:
            reasons = dict(zip(f["decisions/reasons/reason"].asstr()[:], f["decisions/reasons/count"][:]))
        assert reasons["unavailable"] == 1 and reasons["lost"] == (how == "evict")
        assert summary(file)["audit"]["failed"] == 0


def test_who_drains_stays_when_he_is_wanted_again():
    t = trace("again.csv", LONG, LONG, (1.5, 300, 2))
    file = serve("again", ["id: pool, replicas: 2"], [f"replay: {t}"], rest="duration: 10 s\nplan: [{at: 1 s, pool: pool, replicas: 0}, {at: 1200 ms, pool: pool, replicas: 2}]\n")
    assert [r["end"] for r in requests(file)] == [0, 0, 0]
    totals = serving(file)
    assert totals["loads"] == 0 and abs(totals["up_time"] - 2 * 9.8) < 1e-6 and totals["held_time"] == 20, totals


def test_replicas_move_from_one_pool_to_another_with_their_cards():
    pools = ["id: day, replicas: 3, load: {bandwidth: 40 Gbit/s, start: 3 s}", "id: night, load: {bandwidth: 80 Gbit/s, start: 1 s}"]
    file = serve("move", pools, ["rate: 1e-9 /s"], rest="duration: 30 s\nplan: [{at: 5 s, pool: day, replicas: 1, to: night}, {at: 20 s, pool: night, replicas: 1, to: day}]\n")
    day, night = serving(file, 0), serving(file, 1)
    # Two leave at 5 s and are up at 7 s; they go back at 20 s and are up at 25 s.
    assert (day["up_time"], day["held_time"]) == (30 + 2 * 5 + 2 * 5, 30 + 2 * 5 + 2 * 10), day
    assert (night["up_time"], night["held_time"]) == (30 + 2 * 13, 30 + 2 * 15), night
    assert day["loads"] == night["loads"] == 2


def test_moving_to_and_fro_every_hour_of_a_week_needs_no_more_room_than_there_are_cards():
    steps = ", ".join(f"{{at: {h} h, pool: {'day' if h % 2 else 'night'}, replicas: 1, to: {'night' if h % 2 else 'day'}}}" for h in range(1, 169))
    file = serve("week", ["id: day, replicas: 5, " + FAST, "id: night, replicas: 5, " + FAST], ["rate: 1e-9 /s"], rest=f"duration: 168 h\nplan: [{steps}]\n", output="sample: 0, bin: 1 h, latency_bin: 24 h",
                 period="never")
    bins = table(file, "sites")
    assert set(bins["in_service"][bins["pool"] == 0] + bins["in_service"][bins["pool"] == 1]) == {10}
    assert summary(file)["speed"]["peak_rss_bytes"] < 1e9


# Energy


def test_replicas_that_are_off_draw_nothing():
    """A card and its part of the server draw 1 kW at full load, 0.25 kW idle."""
    for rest, held in (("", 4 * 7200), ("plan: [{at: 30 min, pool: pool, replicas: 1}]\n", 4 * 1800 + 5400), ("plan: [{at: 1 h, pool: pool, replicas: 6}]\n", 4 * 7200 + 2 * 3600),
                       ("failures: [{name: f, of: site, at: 1 h, mttr: 10 min, cv: 0}]\n", 4 * 7200)):
        file = serve("idle", ["id: pool, replicas: 4"], ["rate: 1e-9 /s"], rest="duration: 2 h\n" + rest)
        assert serving(file)["held_time"] == held
        assert abs(table(file, "tokens/pools")["it_energy"][0] - 0.25 * held / 3600) < 1e-9, rest
        assert summary(file)["audit"]["failed"] == 0


if __name__ == "__main__":
    main()

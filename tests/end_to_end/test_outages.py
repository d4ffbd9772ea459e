"""Promises about what a summary says of outages, of demand, and of who serves; and that nobody is sent to what is out of service."""
import h5py

from harness import main, orrery, run, scenario, summary, write

WORLD = """name: outage
duration: 1 h
sites: [{id: clients}, {id: near, kind: edge, macro_region: East}, {id: far, kind: hub, macro_region: West}]
links: [{a: clients, b: near, delay: 1 ms}, {a: clients, b: far, delay: 5 ms}]
network: {hop_delay: 0, end_delay: 0}
services: [{name: job, kind: station, law: deterministic, mean: MEAN}]
pools:
  - {site: near, service: job, servers: SERVERS}
POOLS
clients: [{class: c, service: job, access: none, population: 100, rate: 0.05 /s, where: [{site: clients}], slo: {e2e: 10 s}}]
brain: {telemetry: {period: 1 s}}
policy: {name: POLICY}
output: {sample: 0, bin: 1 min, latency_bin: 1 h}
REST
"""
LOST = "failures: [{name: loss, of: site, sites: [SITE], at: 10 min, mttr: 20 min, cv: 0}]"


def world(name, mean="1 ms", servers=10, pools="", policy="nearest", rest=""):
    text = WORLD
    for word, value in (("MEAN", mean), ("SERVERS", servers), ("POOLS", pools), ("POLICY", policy), ("REST", rest)):
        text = text.replace(word, str(value))
    return write(f"{name}.yaml", text)


def test_minutes_lost_are_those_of_the_outage():
    """Nobody can stand in: all that is asked in twenty minutes of an hour is missed, before and after it nothing."""
    outage = summary(run(world("alone", rest=LOST.replace("SITE", "near")), "alone.h5"))["outage"]
    assert abs(outage["minutes_lost"] - 20) < 0.1, outage
    assert outage["worst_attainment"] == 0 and outage["minutes_below_90"] == outage["longest_below_90"] == 20, outage
    assert outage["peak_attempts"] == 1, outage
    quiet = summary(run(world("quiet"), "quiet.h5"))["outage"]
    assert quiet == {"minutes_lost": 0, "worst_attainment": 1, "minutes_below_90": 0, "longest_below_90": 0, "peak_attempts": 1}, quiet


def test_retries_show_in_the_attempts_of_the_worst_minute():
    text = world("again", rest=LOST.replace("SITE", "near"))
    outage = summary(run(text, "again.h5", "--set", "clients.0.retry.limit=3", "--set", "clients.0.retry.backoff=1 s"))["outage"]
    assert 3.5 < outage["peak_attempts"] <= 5, outage


def test_nobody_is_sent_to_a_site_out_of_service_however_full_the_others_are():
    """The site that is left is offered five times what it can do: its queue grows without bound, and still is the better choice."""
    for policy in ("join_shortest_queue", "nearest", "least_expected_latency"):
        text = world("full", mean="1 s", servers=1, pools="  - {site: far, service: job, servers: 1000}", policy=policy, rest=LOST.replace("SITE", "far"))
        numbers = summary(run(text, "full.h5", "--set", "duration=29 min"))["requests"]
        assert numbers["offered"] > 8000 and numbers["failed"] + numbers["refused"] < 20, (policy, numbers) # those of the second until the report


def test_demand_multiplies_clients_and_nothing_else():
    text = world("demand")
    once, twice = (run(text, f"demand-{d}.h5", "--set", f"demand={d}") for d in (1, 2))
    with h5py.File(once) as a, h5py.File(twice) as b:
        assert list(b["scenario/classes/clients"]) == [2 * n for n in a["scenario/classes/clients"]] == [200]
        assert list(b["scenario/pools/replicas"]) == list(a["scenario/pools/replicas"])
    ratio = summary(twice)["requests"]["offered"] / summary(once)["requests"]["offered"]
    assert 1.95 < ratio < 2.05, ratio


def test_a_recorded_trace_has_no_demand():
    done = orrery("check", scenario("replay.yaml"), "--set", "demand=2")
    assert done.returncode == 2 and "demand" in done.stderr, done.stderr


def test_shares_of_a_model_s_tokens_sum_up_to_one():
    file = run(scenario("national_day.yaml"), "shares.h5", "--set", "duration=5 min")
    for name, model in summary(file)["serving"]["by_model"].items():
        for by in ("share_by_region", "share_by_kind"):
            assert model["tokens"] == 0 or abs(sum(model[by].values()) - 1) < 1e-9, (name, by, model)
    assert set(summary(file)["serving"]["by_model"]["deepseek-v3"]["share_by_kind"]) == {"hub"}


if __name__ == "__main__":
    main()

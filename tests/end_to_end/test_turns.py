"""Closed loops and sessions: cycles and histories by hand, the same turns under every policy, the same bytes however a run is cut or interrupted."""
import os
import signal
import subprocess
import time

import h5py
import numpy as np

from harness import ORRERY, ROOT, SHARED, Skip, differing, main, orrery, path, run, scenario, summary, write

DATA = os.path.join(ROOT, "data")
# A station of two servers 5 ms away, that takes 100 ms for each request.
STATION = f"""\
duration: DURATION
catalogues: {{access: {DATA}/access.csv}}
sites: [{{id: here}}, {{id: there}}]
links: [{{a: here, b: there, delay: 5 ms}}]
network: {{hop_delay: 0, end_delay: 0}}
services: [{{name: job, kind: station, law: deterministic, mean: 100 ms}}]
pools: [{{site: there, service: job, servers: 2POOL}}]
clients: [{{class: people, service: job, where: [{{site: here}}], CLIENTS}}]
brain: {{telemetry: {{period: never}}}}
policy: {{name: random}}
output: {{sample: 1}}
"""
# Two kinds of service at three places, sessions and loops with everything that can go wrong.
GRID = f"""\
duration: 2 min
seed: 3
catalogues: {{models: {DATA}/models.csv, prices: {DATA}/prices.csv, accelerators: {DATA}/accelerators.csv, engines: {DATA}/engines.csv, calibrations: {DATA}/calibrations.csv, access: {DATA}/access.csv}}
sites: [{{id: a, population: 2}}, {{id: b, population: 1}}, {{id: c}}]
links: [{{a: a, b: b, delay: 3 ms}}, {{a: b, b: c, delay: 20 ms}}]
services: [{{name: chat, kind: llm, model: qwen3-8b}}, {{name: job, kind: station, mean: 150 ms}}]
pools:
  - {{site: b, service: chat, accelerator: h20, max_batch: 8, queue_limit: 3}}
  - {{site: c, service: chat, accelerator: a100, replicas: 2, max_batch: 8}}
  - {{site: b, service: job, servers: 2, queue_limit: 4}}
  - {{site: c, service: job, servers: 1, queue_limit: 4}}
clients:
  - class: talk
    service: chat
    population: 1000
    rate: 2 /h
    session: {{turns: 5, think: {{mean: 4 s, law: exponential}}}}
    access: wifi
    input: {{law: lognormal, mean: 400, most: 4000}}
    output: {{law: uniform, low: 100, high: 400}}
    prefix: 200
    timeout: 20 s
    patience: 60 s
    retry: {{limit: 1}}
  - {{class: loop, service: chat, users: 5, ramp: 2 s, think: {{mean: 1 s}}, access: 5g_sa, input: {{mean: 300}}, output: {{mean: 60}}}}
  - {{class: score, service: job, users: 12, think: {{mean: 200 ms, law: exponential}}, timeout: 400 ms, retry: {{limit: 2, backoff: 50 ms}}, where: [{{site: a, share: 0.7}}, {{site: c, share: 0.3}}]}}
brain: {{telemetry: {{period: 1 s}}}}
policy: {{name: power_of_d}}
output: {{sample: 1, bin: 20 s, latency_bin: 40 s}}
"""


def station(name, clients, duration="never", pool="", *arguments):
    text = STATION.replace("DURATION", duration).replace("CLIENTS", clients).replace("POOL", pool)
    return run(write(f"{name}.yaml", text), f"{name}.h5", *arguments)


def rows(file):
    with h5py.File(file) as f:
        return {name: f["requests"][name][:] for name in f["requests"]}


def turns(file):
    """Rows by (class, ingress, number, turn)."""
    table = rows(file)
    keys = list(zip(table["class"].tolist(), table["ingress"].tolist(), table["number"].tolist(), table["turn"].tolist()))
    assert len(set(keys)) == len(keys), "a turn stands twice"
    return {key: {c: table[c][i] for c in table} for i, key in enumerate(keys)}


def test_a_closed_loop_goes_round_as_by_hand():
    file = station("loop", "users: 3, requests: 12, ramp: 30 ms, think: {mean: 40 ms}")
    # Users begin at 0, 10 and 20 ms. 5 ms there, 100 ms at one of two servers, 5 ms back, 40 ms of thinking.
    expected = {(0, 0): (0, 110), (1, 0): (10, 120), (2, 0): (20, 210), (0, 1): (150, 260), (1, 1): (160, 310), (2, 1): (250, 360),
                (0, 2): (300, 410), (1, 2): (350, 460), (2, 2): (400, 510), (0, 3): (450, 560), (1, 3): (500, 610), (2, 3): (550, 660)}
    found = {key[2:]: (row["began"] / 1e6, row["ended"] / 1e6) for key, row in turns(file).items()}
    assert found == expected, found
    assert list(rows(file)["client"]) == list(rows(file)["number"])


def test_a_closed_loop_keeps_its_number_in_flight_until_the_time_is_up():
    n = summary(station("many", "users: 7", "10 s"))["requests"]
    # Two servers are always busy: each serves one per 100 ms, but for the first 5 ms and the answers on the way.
    assert n["offered"] == n["served"] + 7 and n["in_flight"] == 7, n
    assert n["served"] == 2 * 99, n


def test_requests_bound_a_closed_loop_and_warmup_is_counted_in_them():
    for users, requests in ((5, 3), (5, 5), (3, 100)):
        file = station("bound", f"users: {users}, requests: {requests}", "never", "", "--set", "output.warmup=0.4")
        n = summary(file)
        assert n["requests"]["offered"] == n["requests"]["served"] == requests, (users, requests, n["requests"])
        assert n["latency"]["e2e"]["count"] == requests - int(0.4 * requests)


def test_a_closed_loop_ends_with_its_last_answer_though_users_are_about_to_ask():
    # Users ask at 0 and 2 s; the first again at 5.11 s, and when the second would, at 7.11 s, it is enough.
    with h5py.File(station("over", "users: 2, ramp: 4 s, requests: 3, think: {mean: 5 s}", "never", "", "--set", "output.bin=1 s", "--set", "output.latency_bin=1 s")) as f:
        assert f.attrs["simulated_until"] == 5_220_000_001, f.attrs["simulated_until"]


def test_a_user_who_is_refused_thinks_and_asks_again():
    file = station("refused", "users: 3, requests: 60, think: {mean: 20 ms}", "never", ", queue_limit: 0")
    table = turns(file)
    assert all(row["end"] == (0 if row["reason"] == 0 else 1) for row in table.values())
    third = [table[(0, 0, 2, t)] for t in range(4)]
    assert [(r["began"] / 1e6, r["ended"] / 1e6, r["end"]) for r in third] == [(0, 10, 1), (30, 40, 1), (60, 70, 1), (90, 100, 1)]


def test_users_who_are_refused_at_once_do_not_stop_time():
    text = STATION.replace("DURATION", "1 s").replace("CLIENTS", "users: 2").replace("POOL", "").replace("site: there, service", "site: here, service").replace("servers: 2", "servers: 1, queue_limit: 0")
    n = summary(run(write("at-once.yaml", text), "at-once.h5"))["requests"]
    assert n["served"] >= 9 and 900 <= n["refused"] <= 1001, n


def test_users_who_leave_or_time_out_come_back():
    file = station("leave", "users: 6, requests: 200, timeout: 250 ms, retry: {limit: 1, backoff: 10 ms, jitter: 0}, patience: 2 s")
    n = summary(file)["requests"]
    assert n["offered"] == 200 == n["served"] + n["abandoned"] + n["failed"] and n["failed"] > 10 and n["abandoned"] > 10 and n["served"] > 20, n
    by_user = {}
    for (_, _, user, turn), row in sorted(turns(file).items()):
        assert turn == len(by_user.setdefault(user, [])), "turns follow each other without a gap"
        by_user[user].append(row)
    for asked in by_user.values():
        for a, b in zip(asked, asked[1:]):
            assert b["began"] >= a["began"] + (a["e2e"] if a["end"] == 0 else 1_000_000), "one at a time"


def test_an_answer_that_comes_too_late_is_not_taken_for_that_of_the_next_turn():
    # The answer leaves after 105 ms and arrives after 110; the user leaves after 107 and asks again at once.
    n = summary(station("late", "users: 1, requests: 5, timeout: 107 ms"))["requests"]
    assert n["served"] == 0 and n["failed"] == 5, n


def test_each_turn_brings_its_own_work():
    work = rows(station("work", "users: 3, requests: 300", "never", "", "--set", "services.0.law=exponential"))
    taken = work["server_e2e"] - work["server_wait"]
    assert len(set(taken)) == 300 and 60e6 < taken.mean() < 140e6


def test_scale_multiplies_users_and_sites_share_them():
    text = STATION.replace("DURATION", "1 s").replace("POOL", "").replace("where: [{site: here}], CLIENTS", "users: 5, where: [{site: here, share: 0.6}, {site: there, share: 0.4}]")
    for scale, here, there in ((1, 3, 2), (4, 12, 8)):
        with h5py.File(run(write("scale.yaml", text), "scale.h5", "--set", f"scale={scale}")) as f:
            assert list(f["scenario/sites/clients"][:]) == [here, there]
            assert f["scenario/classes/clients"][0] == here + there
            assert set(zip(f["requests/ingress"][:], f["requests/number"][:])) <= {(0, n) for n in range(here)} | {(1, n) for n in range(there)}


def test_a_session_goes_on_after_its_answers_with_all_that_was_said():
    file = station("session", "rate: 1 /s, requests: 40, input: {law: uniform, low: 10, high: 50}, output: {law: uniform, low: 5, high: 25}, prefix: 7, "
                   "session: {turns: 4, think: {mean: 300 ms}}, access: wifi", "never")
    table, n = turns(file), summary(file)["requests"]
    assert n["served"] == n["offered"] > 100 and len({key[2] for key in table}) == 40, "requests are sessions"
    later = 0
    for (c, i, number, turn), row in table.items():
        prompt = row["input"] + row["cached_input"]
        assert turn == 0 or (c, i, number, turn - 1) in table
        if turn == 0:
            assert 17 <= prompt <= 57
            continue
        before = table[(c, i, number, turn - 1)]
        said = before["input"] + before["cached_input"] + before["output"]
        assert said + 10 <= prompt <= said + 50, (number, turn, said, prompt)
        assert row["began"] == before["began"] + before["e2e"] + 300_000_000
        assert row["client"] == before["client"]
        later += 1
    assert later > 60


def test_without_history_each_turn_has_a_prompt_of_its_own():
    file = station("short", "rate: 1 /s, requests: 30, input: {mean: 10}, session: {turns: 4, history: false}", "never")
    assert set(rows(file)["input"]) == {10} and rows(file)["turn"].max() > 3


def test_a_turn_that_is_not_served_ends_its_session():
    file = station("ends", "rate: 20 /s, requests: 300, session: {turns: 5}", "never", ", queue_limit: 3")
    table, cut, whole = turns(file), 0, 0
    for (c, i, number, turn), row in table.items():
        last = (c, i, number, turn + 1) not in table
        assert last or row["end"] == 0
        cut += last and row["end"] != 0
        whole += last and row["end"] == 0
    assert cut > 30 and whole > 30, (cut, whole)


def test_the_mean_number_of_turns_is_as_said():
    file = station("mean", "rate: 2000 /s, requests: 20000, session: {turns: 3}", "never", "000, queue_limit: 1000000")
    offered = summary(file)["requests"]["offered"]
    assert abs(offered / 20000 - 3) < 4 * (3 * 2 / 20000) ** 0.5, offered # four standard errors


def test_sessions_and_their_turns_are_the_same_under_two_policies():
    place = write("grid.yaml", GRID)
    a, b = (turns(run(place, f"{policy}.h5", "-p", policy, "--set", "clients.0.patience=never", "--set", "clients.0.timeout=never")) for policy in ("random", "join_shortest_queue"))
    firsts = [k for k in a.keys() & b.keys() if k[0] == 0 and k[3] == 0]
    later = [k for k in a.keys() & b.keys() if k[0] == 0 and k[3] > 0]
    assert len(firsts) > 40 and len(later) > 60
    total = lambda row: (int(row["input"]) + int(row["cached_input"]), row["output"], row["client"])
    for key in firsts:
        assert a[key]["began"] == b[key]["began"] and total(a[key]) == total(b[key]), key
    for key in later:
        assert total(a[key]) == total(b[key]), key
    assert any(a[key]["began"] != b[key]["began"] for key in later), "later turns start when they start"


def test_threads_and_partitions_give_the_same_bytes():
    place = write("grid.yaml", GRID)
    straight = run(place, "straight.h5", "--threads", 1)
    n = summary(straight)
    assert n["audit"]["failed"] == 0 and n["requests"]["served"] > 500 and n["requests"]["refused"] > 20 and n["requests"]["retries"] > 20, n["requests"]
    for how in (["--threads", 2], ["--threads", 3], ["--partitions", 3, "--shuffle", 5]):
        assert differing(straight, run(place, "cut.h5", *how)) == [], how


def test_a_run_interrupted_amid_sessions_goes_on_to_the_same_bytes():
    place = write("long.yaml", GRID)
    longer = ["--set", "duration=40 min"]
    straight, resumed = run(place, "straight.h5", *longer), 0
    for attempt in range(12):
        process = subprocess.Popen([ORRERY, "run", place, "-q", "-o", path("stopped.h5"), *longer, "--checkpoint-every", f"{40 + 37 * attempt} s", "--threads", str(1 + attempt % 3)],
                                   stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        while process.poll() is None and not os.path.exists(path("stopped.h5.checkpoint")):
            time.sleep(0.0005)
        process.send_signal(signal.SIGKILL)
        process.wait()
        if process.returncode == 0 or not os.path.exists(path("stopped.h5.checkpoint")):
            continue
        assert differing(straight, run(place, "stopped.h5", *longer, "--resume", "--threads", 1 + (attempt + 1) % 3)) == []
        resumed += 1
        if resumed == 3:
            break
    assert resumed == 3, resumed


def test_a_trace_of_mooncake_is_replayed_to_the_last_request():
    trace = os.path.join(SHARED, "data", "traces", "mooncake_conversation_trace.jsonl.gz")
    if not os.path.exists(trace):
        raise Skip("the recorded trace is not here")
    text = STATION.replace("DURATION", "never").replace("POOL", "00").replace("CLIENTS", f"replay: {trace}, replay_jitter: 3 s, replay_speed: 2")
    file = run(write("mooncake.yaml", text), "mooncake.h5")
    table, n = rows(file), summary(file)
    assert n["requests"]["offered"] == n["requests"]["served"] == 12031
    assert table["input"].sum() == 144793823 and table["output"].sum() == 4122048
    assert table["began"].max() < (3536999 + 3000) / 2 * 1e6
    assert len(set(table["began"])) > 12000, "the batches are undone"


if __name__ == "__main__":
    main()

"""Checkpoints: a run that is stopped or killed, and resumed, equals the run that was not; a branch shares the past; damage is noticed."""
import os
import random
import shutil
import signal
import subprocess
import time

import h5py
import numpy as np

from harness import ORRERY, differing, main, orrery, path, run, scenario, summary

NATIONAL = scenario("national_day.yaml")
PART = ["--set", "duration=60 min", "--set", "start=2026-05-13T08:30:00+08:00", "--set", "output.bin=5 min", "--set", "output.latency_bin=15 min", "--set", "params.state_age=1 s"]
EVERY = ["--checkpoint-every", "5 min"]


def start(output, *arguments):
    return subprocess.Popen([ORRERY, "run", NATIONAL, "-q", "-o", path(output), *PART, *EVERY, *arguments], stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)


def test_a_run_killed_at_random_moments_and_resumed_equals_the_straight_run():
    straight = run(NATIONAL, "straight.h5", *PART)
    began = time.time()
    run(NATIONAL, "timed.h5", *PART)
    whole = time.time() - began
    chance, kills, resumed_from_the_middle = random.Random(11), 0, 0
    while kills < 20:
        for name in os.listdir(path(".")):
            if name.startswith("killed"):
                os.unlink(path(name))
        threads = []
        while True:
            process = start("killed.h5", "--resume", *threads)
            time.sleep(chance.uniform(0.05, 0.7) * whole)
            process.kill()
            _, words = process.communicate()
            if process.returncode == 0:
                break
            assert process.returncode == -signal.SIGKILL, words
            kills += 1
            resumed_from_the_middle += "no checkpoint yet" not in words
            threads = ["--threads", str(chance.randint(1, 3))]
        assert differing(straight, path("killed.h5")) == [], kills
        assert not os.path.exists(path("killed.h5.checkpoint")), "a finished run needs no checkpoint"
    assert resumed_from_the_middle >= 8, resumed_from_the_middle


def test_an_interrupted_run_goes_on_where_it_was():
    straight = run(NATIONAL, "straight.h5", *PART)
    for number, threads in ((signal.SIGTERM, 1), (signal.SIGINT, 2)):
        process = start("stopped.h5", "--threads", str(threads))
        time.sleep(0.35)
        process.send_signal(number)
        process.communicate()
        assert process.returncode == 1 and summary(path("stopped.h5"))["status"] == "partial"
        done = start("stopped.h5", "--resume")
        done.communicate()
        assert done.returncode == 0 and differing(straight, path("stopped.h5")) == []


def test_a_run_interrupted_between_two_hours_of_a_bin_goes_on_where_it_was():
    """The meters of electricity are read where an hour ends, also inside a bin."""
    hours = [*PART, "--set", "duration=4 h", "--set", "output.bin=4 h", "--set", "output.latency_bin=4 h"]
    straight = run(NATIONAL, "straight.h5", *hours)
    command = [ORRERY, "run", NATIONAL, "-q", "-o", path("metered.h5"), *hours, "--checkpoint-every", "4 h"]
    stops = 0
    for pause in (0.5, 0.3, None):
        process = subprocess.Popen([*command, *(["--resume"] if stops else [])], stderr=subprocess.PIPE)
        if pause is not None:
            time.sleep(pause)
            process.send_signal(signal.SIGTERM)
        process.communicate()
        stops += process.returncode == 1
    assert process.returncode == 0 and stops == 2, stops
    assert differing(straight, path("metered.h5")) == []


def checkpoint():
    """A checkpoint in the middle of a run."""
    place = path("middle.checkpoint")
    if not os.path.exists(place):
        process = start("middle.h5")
        while not os.path.exists(path("middle.h5.checkpoint")):
            time.sleep(0.01)
        time.sleep(0.3)
        process.send_signal(signal.SIGTERM)
        process.communicate()
        shutil.move(path("middle.h5.checkpoint"), place)
    return place


def rows(file):
    with h5py.File(file) as f:
        return {name: f["requests"][name][:] for name in f["requests"]}


def test_a_branch_shares_the_past_and_the_requests_to_come():
    a = run(NATIONAL, "a.h5", *PART, "--branch", checkpoint())
    b = run(NATIONAL, "b.h5", *PART, "--branch", checkpoint(), "--policy", "nearest")
    assert summary(a)["policy"] == "power_of_d" and summary(b)["policy"] == "nearest"
    x, y = rows(a), rows(b)
    same = 0
    while all(x[c][same] == y[c][same] for c in x):
        same += 1
    with h5py.File(a) as f:
        assert 100 < same < len(x["began"]), "a common past, then another future"
    assert summary(a)["requests"]["offered"] == summary(b)["requests"]["offered"]
    keys = [set(zip(t["class"], t["ingress"], t["number"], t["began"], t["client"])) for t in (x, y)]
    assert len(keys[0] & keys[1]) > 0.97 * max(map(len, keys)), "the same requests under both"
    assert summary(b)["audit"]["failed"] == 0


def refused(place, *words, arguments=()):
    done = orrery("run", NATIONAL, "-q", "-o", path("no.h5"), *PART, "--branch", place, *arguments)
    assert done.returncode == 2 and all(w in done.stderr for w in words), done.stderr
    assert not os.path.exists(path("no.h5")) and not os.path.exists(path("no.partial.h5")) and not os.path.exists(path("no.new.h5"))


def test_a_checkpoint_of_another_scenario_or_seed_is_refused():
    refused(checkpoint(), "another scenario", arguments=("--set", "params.load=2"))
    refused(checkpoint(), "another seed", arguments=("--seed", "2"))
    shutil.copy(checkpoint(), path("other.h5.checkpoint"))
    done = orrery("run", NATIONAL, "-q", "-o", path("other.h5"), *PART, "--resume", "--policy", "random")
    assert done.returncode == 2 and "--branch" in done.stderr, done.stderr


def test_a_damaged_checkpoint_is_refused():
    whole = open(checkpoint(), "rb").read()
    chance, broken = random.Random(5), path("broken.checkpoint")
    for _ in range(12):
        at = chance.randrange(len(whole))
        with open(broken, "wb") as f:
            f.write(whole[:at] + bytes([whole[at] ^ (1 << chance.randrange(8))]) + whole[at + 1:])
        refused(broken, "checkpoint")
    for cut in (0, 5, 30, len(whole) // 2, len(whole) - 1):
        with open(broken, "wb") as f:
            f.write(whole[:cut])
        refused(broken, "checkpoint")
    with open(broken, "wb") as f:
        f.write(whole + b"x")
    refused(broken, "damaged")
    refused(path("none.checkpoint"), "none.checkpoint")


def lanes(file):
    with h5py.File(file) as f:
        return f["host"].attrs["lanes"]


def test_auto_takes_threads_where_much_happens_between_two_meetings():
    few = run(NATIONAL, "few.h5", *PART, "--threads", "auto")
    assert lanes(few) == 1
    many = run(NATIONAL, "many.h5", *PART, "--set", "duration=20 s", "--set", "params.scale=30", "--threads", "auto")
    assert lanes(many) > 1 or len(os.sched_getaffinity(0)) == 1


def test_threads_give_the_same_bytes():
    straight = run(NATIONAL, "straight.h5", *PART)
    for threads in (2, 3, 4, "auto"):
        assert differing(straight, run(NATIONAL, "threads.h5", *PART, "--threads", threads)) == [], threads


if __name__ == "__main__":
    main()

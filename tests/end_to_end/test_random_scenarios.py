"""What must hold in every scenario, tried in some that are drawn at random (random_scenario.py): what `check` accepts, `run` runs; the books balance;
any number of threads, any partition and an interruption give the same bytes.

    test_random_scenarios.py ORRERY ROOT [FIRST-LAST | SEED]

takes other seeds than the usual ones; `./dev test --full` takes many. What fails is printed and kept.
"""
import functools
import os
import random
import signal
import subprocess
import sys
import tempfile
import time

import h5py
import numpy as np

import random_scenario
from harness import ORRERY, ROOT, Skip, contents, differing, main, orrery, path, summary


def seeds_of(words):
    first, _, last = words.partition("-")
    return range(int(first), int(last or first) + 1)


SEEDS = seeds_of(sys.argv[3] if len(sys.argv) > 3 else "0-27")
INTERRUPTED = SEEDS[::4]
FEW = 20   # seeds of which "most" means nothing
TRIES = 10 # to stop a run before it is over


@functools.cache
def place(seed):
    return random_scenario.write(seed, path(f"random-{seed}"), ROOT)


def run(seed, output, *arguments):
    """Runs the scenario of this seed; whether the audit holds is a question of its own."""
    done = orrery("run", place(seed), "-q", "-o", path(output), *arguments)
    assert done.returncode == 0 or "of the audit failed" in done.stderr, f"exit status {done.returncode}: {done.stderr}"
    return path(output)


@functools.cache
def straight(seed):
    return run(seed, f"straight-{seed}.h5", "--threads", 1)


@functools.cache
def expected(seed):
    return contents(straight(seed))


@functools.cache
def numbers_of(seed):
    return summary(straight(seed))


@functools.cache
def kept(seed):
    """Where a scenario that broke a promise outlives this test."""
    return random_scenario.write(seed, tempfile.mkdtemp(prefix="orrery-random-"), ROOT)


def story(broken, tried):
    lines = [f"seed {seed}: {why}\n  kept as {kept(seed)}" for seed, why in broken]
    with open(kept(broken[0][0]), encoding="utf-8") as f:
        return f"{len(broken)} of {tried} scenarios\n" + "\n".join(lines) + f"\nThe first of them:\n{f.read()}"


def in_all(promise, seeds=SEEDS):
    """Tries the promise on every seed, so that one failure does not hide another."""
    broken = []
    for seed in seeds:
        try:
            promise(seed)
        except AssertionError as why:
            broken.append((seed, why))
    if broken:
        raise AssertionError(story(broken, len(seeds)))


def test_what_is_drawn_is_valid():
    def accepted(seed):
        done = orrery("check", place(seed))
        assert done.returncode == 0, done.stderr
    in_all(accepted)


def test_the_audit_holds():
    def balances(seed):
        n = numbers_of(seed)
        with h5py.File(straight(seed)) as f:
            wrong = [f["audit/name"][i].decode() for i in np.flatnonzero(f["audit/failed"][:])]
        assert wrong == [] and n["audit"]["checks"] >= 20 and n["status"] == "complete", (n["status"], wrong)
    in_all(balances)


def must_equal(seed, other, how):
    changed = differing(expected(seed), other)
    assert changed == [], f"{how}: {len(changed)} differ: {', '.join(changed[:5])}"


def test_any_number_of_threads_gives_the_same_bytes():
    def same(seed):
        for threads in (2, 3, 4):
            must_equal(seed, run(seed, "threads.h5", "--threads", threads), f"{threads} threads")
    in_all(same)


def test_any_order_of_many_partitions_gives_the_same_bytes():
    def same(seed):
        must_equal(seed, run(seed, "partitions.h5", "--partitions", 12, "--shuffle", seed + 1), "12 partitions")
    in_all(same)


def stop(seed, output, threads, every, number):
    """Starts a run and sends it a signal when it has written its first checkpoint. True if that stopped it."""
    checkpoint = path(output) + ".checkpoint"
    process = subprocess.Popen([ORRERY, "run", place(seed), "-q", "-o", path(output), "--checkpoint-every", every, "--threads", str(threads)],
                               stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)
    while process.poll() is None and not os.path.exists(checkpoint):
        time.sleep(0.0005)
    process.send_signal(number)
    _, words = process.communicate()
    stopped = process.returncode == -number or "interrupted" in words
    assert stopped or process.returncode == 0 or "of the audit failed" in words, f"exit status {process.returncode}: {words}"
    return stopped


@functools.cache
def interrupted(seed):
    """A run that was stopped and resumed with another number of threads; None if it was always over too soon."""
    chance, output = random.Random(seed), f"stopped-{seed}.h5"
    for attempt in range(TRIES):
        number = signal.SIGTERM if attempt % 2 == 0 else signal.SIGKILL
        before, after = chance.sample([1, 2, 3, 4], 2)
        every = f"{chance.uniform(0.1, 0.7) * numbers_of(seed)['simulated_s']:.3f} s"
        if stop(seed, output, before, every, number):
            if number == signal.SIGTERM:
                assert summary(path(output))["audit"]["failed"] == 0, "the books balance at any moment"
            return run(seed, output, "--resume", "--checkpoint-every", every, "--threads", after)
    return None


def test_a_run_stopped_and_resumed_with_other_threads_gives_the_same_bytes():
    def same(seed):
        resumed = interrupted(seed)
        if resumed is not None:
            must_equal(seed, resumed, "stopped and resumed")
    in_all(same, INTERRUPTED)


def shared(seed):
    """Do two threads share the work? The file does not tell. A partition gives every lane some of the sites, unless one site has nearly all the weight,
    which is that of its share of all places plus its share of all requests, and joining the others to it costs next to nothing (IMBALANCE)."""
    with h5py.File(straight(seed)) as f:
        sites = len(f["scenario/sites/id"])
        places = np.bincount(f["scenario/pools/site"][:], f["scenario/pools/slots"][:], sites)
        requests = np.bincount(f["tokens/counts/site"][:], f["tokens/counts/offered"][:], sites)
    return max(places / places.sum() + requests / max(1, requests.sum())) / 2 < 0.9


def later_turns(seed):
    with h5py.File(straight(seed)) as f:
        return bool(np.any(f["requests/turn"][:] > 0))


def test_the_scenarios_are_worth_running():
    if len(SEEDS) < FEW:
        raise Skip("too few seeds to say anything about most")
    numbers = [numbers_of(seed) for seed in SEEDS]
    most, some = 0.75 * len(SEEDS), 0.2 * len(SEEDS)
    assert sum(n["requests"]["served"] >= 50 for n in numbers) >= most, "requests are served in most"
    assert sum(map(shared, SEEDS)) >= most, "threads share the work in most"
    for end in ("refused", "abandoned", "failed", "retries", "in_flight"):
        assert sum(n["requests"][end] > 0 for n in numbers) >= some, end
    assert sum(later_turns(seed) for seed in SEEDS) >= some, "requests follow requests in some"
    assert {n["policy"] for n in numbers} == set(random_scenario.POLICIES)
    assert sum(interrupted(seed) is not None for seed in INTERRUPTED) >= 0.75 * len(INTERRUPTED), "runs are stopped before they are over"


if __name__ == "__main__":
    main()

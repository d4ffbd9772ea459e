"""A policy from outside: built as its own project against the public header, loaded by path."""
import os
import subprocess

import h5py

from harness import ROOT, differing, main, orrery, path, run, scenario, summary

EXAMPLE = os.path.join(ROOT, "tests", "policies", "example")


def built():
    folder = path("example")
    if not os.path.exists(folder):
        for command in (["meson", "setup", folder, EXAMPLE, f"-Dinclude={ROOT}/include"], ["meson", "compile", "-C", folder]):
            done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
            assert done.returncode == 0, done.stdout + done.stderr
    return os.path.join(folder, "libleast_loaded_nearby.so")


def test_the_example_builds_from_the_header_alone_and_runs():
    n = summary(run(scenario("national_day.yaml"), "near.h5", "--set", "duration=20 min", "--policy", built()))
    assert n["policy"] == "least_loaded_nearby" and n["audit"]["failed"] == 0 and n["requests"]["served"] > 1000


def test_it_comes_through_the_same_door_as_a_built_in():
    a = run(scenario("oracles/dispatch.yaml"), "a.h5", "--set", "params.requests=50k", "--policy", built())
    b = run(scenario("oracles/dispatch.yaml"), "b.h5", "--set", "params.requests=50k", "--policy", built())
    assert differing(a, b) == []
    shortest = summary(run(scenario("oracles/dispatch.yaml"), "c.h5", "--set", "params.requests=50k", "--policy", "join_shortest_queue"))
    mine = summary(a)
    assert abs(mine["latency"]["e2e"]["mean"] / shortest["latency"]["e2e"]["mean"] - 1) < 0.1, "least loaded of all within the circle is the shortest queue"


def test_its_options_are_checked():
    done = orrery("run", scenario("oracles/dispatch.yaml"), "--policy", built(), "--set", "policy.options.circle_m=5", "-o", path("x.h5"))
    assert done.returncode == 2 and "circle_ms" in done.stderr, done.stderr


def test_a_file_that_is_not_a_policy_is_refused():
    for name, words in ((__file__, "cannot load"), (ORRERY_LIBRARY, "exports no policy")):
        done = orrery("run", scenario("oracles/dispatch.yaml"), "--policy", name, "-o", path("x.h5"))
        assert done.returncode == 2 and words in done.stderr, done.stderr


# A shared object that is no policy: any will do.
ORRERY_LIBRARY = next(os.path.join(f, n) for f in ("/usr/lib/x86_64-linux-gnu", "/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/lib64") if os.path.isdir(f)
                      for n in sorted(os.listdir(f)) if n.startswith("libz.so"))

def test_the_oracle_sees_the_truth_whatever_is_reported_and_is_flagged():
    dispatch = scenario("oracles/dispatch.yaml")
    runs = {(p, age): run(dispatch, f"oracle-{p}-{age}.h5", "--set", "params.requests=100k", "--set", f"params.state_age={age}", "-p", p) for p in ("oracle", "join_shortest_queue") for age in (0, 2)}
    mean = {key: summary(file)["latency"]["e2e"]["mean"] for key, file in runs.items()}
    assert mean["oracle", 0] == mean["oracle", 2], "reports do not matter to it"
    assert abs(mean["oracle", 2] - mean["join_shortest_queue", 0]) < 0.03 < mean["join_shortest_queue", 2] - 3, mean
    for (policy, _), file in runs.items():
        with h5py.File(file) as f:
            assert f.attrs["oracle"] == (policy == "oracle")
    two = run(dispatch, "oracle-threads.h5", "--set", "params.requests=100k", "--set", "params.state_age=2", "-p", "oracle", "--threads", 2)
    assert not differing(runs["oracle", 2], two)
    done = orrery("compare", runs["oracle", 2], runs["join_shortest_queue", 2], "-o", path("oracle.html"))
    assert done.returncode == 0, done.stderr
    assert '"oracle":true' in open(path("oracle.html")).read()


if __name__ == "__main__":
    main()

"""The Python module: it reads what the program says, and its tutorial runs as it stands."""
import math
import os
import subprocess
import sys

from harness import BUSY, FOLDER, ORRERY, ROOT, Skip, main, orrery as program, path, run, scenario, summary, write

sys.path.insert(0, os.path.join(ROOT, "analysis"))


def module():
    try:
        import orrery
        import orrery.figures
    except ImportError as missing:
        raise Skip(str(missing))
    return orrery


def number_at(tree, name):
    for part in name.split("."):
        tree = tree[part]
    return math.nan if tree is None else tree


def test_a_run_has_the_numbers_of_its_summary():
    orrery = module()
    file = run(scenario("national_day.yaml"), "py.h5", *BUSY)
    said = summary(file)
    with orrery.open(file) as opened:
        assert opened.policy == said["policy"] and opened.seed == 1
        derived = opened.summary
        assert len(derived) > 40
        for name, value in derived.items():
            expected = number_at(said, name)
            assert math.isclose(value, expected, rel_tol=1e-9) or (math.isnan(value) and math.isnan(expected)), (name, value, expected)
        for name in said["by_class"]:
            for share in (50, 90, 99):
                value, expected = opened.latency(name, "e2e").quantile(share / 100), number_at(said["by_class"][name], f"latency.e2e.p{share}")
                assert math.isclose(value, expected, rel_tol=1e-9), (name, share, value, expected)
        pools = opened.pools
        assert "kv_tokens" in pools.attrs["units"]
        assert opened.table("/sites").attrs["units"]["energy"] == "kWh"
        used = opened.series("utilisation")
        assert 0 <= used.min().min() and used.max().max() <= 1 and len(used) == 4
        requests = opened.requests
        assert (requests["ttft_s"].dropna() > 0).all() and set(requests["class_name"]) <= set(opened.classes["name"])
        try:
            opened.latency("fone")
            raise AssertionError("an unknown class is refused")
        except ValueError as why:
            assert "phone" in str(why)


def test_a_percentile_is_never_above_the_largest():
    """As in the program: the middle of a bucket may lie above all that fell into it."""
    few = run(scenario("national_day.yaml"), "few.h5", "--set", "duration=1 s", "--set", "start=2026-05-13T10:30:00+08:00")
    said, orrery = summary(few), module()
    with orrery.open(few) as opened:
        for name, group in said["by_class"].items():
            for metric in ("ttft", "e2e"):
                found = opened.latency(name, metric)
                for share in (50, 90, 95, 99):
                    expected = number_at(group, f"latency.{metric}.p{share}")
                    assert math.isclose(found.quantile(share / 100), expected, rel_tol=1e-9) or (len(found) == 0 and math.isnan(expected)), (name, metric, share)
    pair = orrery.Latency([1 << 20], [2], (1 << 20) + 1)
    assert pair.quantile(0.5) == pair.quantile(1) == ((1 << 20) + 1) * 1e-9


PLAN = """
duration: 40 min
sites: [{id: a}]
services: [{name: s, kind: station, mean: 1 s}]
pools: [{id: p, site: a, service: s, replicas: 4, load: {start: 0 s}}]
plan: [{at: 20 min, pool: p, replicas: 1}]
clients: [{class: c, service: s, rate: 0.5 /s, where: [{site: a}]}]
output: {bin: 10 min, latency_bin: 10 min}
"""


def test_utilisation_is_that_of_the_replicas_that_are_there():
    orrery = module()
    with orrery.open(run(write("plan.yaml", PLAN), "plan.h5")) as opened:
        rows = opened.table("/sites")
        used = opened.series("utilisation", by="pool")["p"]
        assert list(used.index * 60) == [0, 10, 20, 30] and (abs(used.to_numpy() - rows["utilisation"].to_numpy()) < 1e-12).all()
        assert used.iloc[0] < 0.2 and used.iloc[3] > 0.35, "half a replica's work on four, then on one"
        assert opened.series("arrived").to_numpy().sum() == rows["arrived"].sum()


def test_metrics_have_titles_and_units():
    names = module().figures.names
    assert names.label("latency.ttft.p99") == "Time to first token, p99, s" and names.label("latency.e2e.mean", "ms") == "End-to-end latency, mean, ms"
    assert names.title_and_unit("by_model.qwen3-1.7b.latency.tpot.mean") == ("time per output token, mean (qwen3-1.7b)", "s")
    assert names.label("something.new") == "something.new"


STUDY = """
name: py
scenario: {scenario}
set: {{params.requests: 20k, params.state_age: [0.5, 5], params.load: [0.7, 0.8]}}
policies: [random, {{name: power_of_d, label: d2, options: {{d: 2}}}}]
seeds: 3
metrics: [latency.e2e.mean, latency.e2e.p99]
"""


def test_a_study_is_a_frame_of_its_runs():
    orrery = module()
    file = write("py.yaml", STUDY.format(scenario=scenario("oracles/dispatch.yaml")))
    done = program("sweep", file, "-q", "-o", path("py"))
    assert done.returncode == 0, done.stderr
    with orrery.open_study(path("py")) as study:
        runs = study.runs
        assert len(runs) == 24 and (runs["status"] == "done").all()
        one = runs[(runs["policy"] == "d2") & (runs["seed"] == 2) & (runs["state_age"] == 5) & (runs["load"] == 0.8)]
        assert len(one) == 1
        with study.run(one["address"].iloc[0]) as opened:
            assert opened.policy == "d2" and opened.seed == 2 and "value: 5" in opened.scenario
            assert math.isclose(opened.summary["latency.e2e.mean"], one["latency.e2e.mean"].iloc[0], rel_tol=1e-9)
        table = study.estimates
        row = table[(table["policy"] == "d2") & (table["metric"] == "latency.e2e.mean") & (table["state_age"] == 5) & (table["load"] == 0.8)].iloc[0]
        of = runs[(runs["policy"] == "d2") & (runs["state_age"] == 5) & (runs["load"] == 0.8)]["latency.e2e.mean"]
        assert row["count"] == 3 and math.isclose(row["mean"], of.mean(), rel_tol=1e-9)
        assert math.isclose(row["high"] - row["mean"], 4.302652729911275 * of.std() / math.sqrt(3), rel_tol=1e-6), "Student's t with two degrees of freedom"
        pivot = study.pivot("latency.e2e.mean", "state_age")
        assert list(pivot.index) == ["random", "d2"] and list(pivot.columns) == [0.5, 5]
        assert study.pivot("latency.e2e.mean", "state_age", where={"load": 0.8}).loc["d2", 5] == row["mean"]
        assert study.pivot("latency.e2e.mean", "state_age", "low", {"load": 0.8}).loc["d2", 5] == row["low"]
        for said, call in (("load", lambda: study.pivot("latency.e2e.mean", "state_age", "low")), ("0.7", lambda: study.pivot("latency.e2e.mean", "state_age", where={"load": 0.9})), ("state_age", lambda: study.pivot("latency.e2e.mean", "age"))):
            try:
                call()
                raise AssertionError("is refused")
            except ValueError as why:
                assert said in str(why), why
        for refused, call in ((ValueError, lambda: study.pivot("latency.e2e.meen", "state_age")), (ValueError, lambda: orrery.open(path("py/study.h5"))), (ValueError, lambda: orrery.open_study(study.run(one["address"].iloc[0]).file.filename))):
            try:
                call()
                raise AssertionError("is refused")
            except refused as why:
                assert len(str(why)) > 20


GROWING = """
name: growing
scenario: {scenario}
set: {{params.requests: 30k, params.load: [0.5, 1.3], params.discipline: [fifo, ps], output.bin: 10 min, output.latency_bin: 10 min}}
policies: [random]
seeds: 2
metrics: [latency.e2e.mean]
"""


def test_growing_queues_are_marked_and_texts_make_an_axis():
    orrery = module()
    done = program("sweep", write("growing.yaml", GROWING.format(scenario=scenario("oracles/station.yaml"))), "-q", "-o", path("growing"))
    assert done.returncode == 0, done.stderr
    with orrery.open_study(path("growing")) as study:
        grows = study.pivot("latency.e2e.mean", "load", "unstable", {"discipline": "fifo"}).loc["random"]
        assert list(grows) == [0, 2], grows
        axes = orrery.figures.over_axis(study, "latency.e2e.mean", "discipline", where={"load": 1.3})
        assert [text.get_text() for text in axes.get_xticklabels()] == ["fifo", "ps"] and axes.get_legend().get_title().get_text() == "hollow: queues grow"
        axes = orrery.figures.heat_map(study, "latency.e2e.mean", "load")
        written = [text.get_text() for text in axes.texts]
        assert len(written) == 2 and not written[0].endswith("↑") and written[1].endswith("↑"), written
        axes = orrery.figures.pareto(study, "latency.e2e.mean", "latency.e2e.mean")
        assert [text.get_text() for text in axes.texts] == ["random (queues grow)"], "a mean of growing queues is not on the front"


def test_the_tutorial_runs_and_draws():
    module()
    done = subprocess.run([sys.executable, os.path.join(ROOT, "analysis", "tutorial.py")], cwd=FOLDER, env={**os.environ, "ORRERY": ORRERY, "ORRERY_OUT": path("tutorial")}, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout + done.stderr
    drawn = os.listdir(path("tutorial/figures"))
    assert len(drawn) == 10 and all(os.path.getsize(path(f"tutorial/figures/{name}")) > 5000 for name in drawn), drawn


if __name__ == "__main__":
    main()

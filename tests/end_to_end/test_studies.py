"""What a study says of its runs: what is claimed, of what nothing can be, and that its parts agree."""
import json
import math
import re

import h5py
from harness import main, orrery, path, scenario, write

STUDY = """
name: {name}
scenario: {scenario}
set: {{params.stations: 20, params.requests: {requests}, params.state_age: 1, {set}}}
policies: {policies}
seeds: {seeds}
metrics: [latency.e2e.mean, utilisation.accelerators]
{rest}
"""
D2 = "{name: power_of_d, label: d2, options: {d: 2}}"
STEADY = "output.warmup: 0, output.bin: 6 s, output.latency_bin: 6 s"


def study(name, set="params.load: 0.7", policies=f"[random, {D2}]", seeds=4, requests="12k", rest=""):
    return write(name + ".yaml", STUDY.format(name=name, scenario=scenario("oracles/dispatch.yaml"), set=set, policies=policies, seeds=seeds, requests=requests, rest=rest))


def sweep(name, *arguments, **options):
    done = orrery("sweep", study(name, **options), "-q", "-o", path(name), *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def page(name):
    """The data of the study's page."""
    done = orrery("report", path(name), "-o", path(name + ".html"))
    assert done.returncode == 0, done.stderr
    with open(path(name + ".html")) as f:
        return json.loads(re.search(r'<script type="application/json" id="report-data">(.*?)</script>', f.read(), re.S)[1])


def compare(name, *arguments, exit_status=0):
    done = orrery("compare", path(name), "-o", "-", *arguments)
    assert done.returncode == exit_status, done.stdout + done.stderr
    return done.stdout + done.stderr


def comparison(name, *arguments):
    return {(r["policy"], r["metric"]): r for r in json.loads(compare(name, "--json", *arguments))["rows"]}


def test_of_growing_queues_nothing_is_claimed():
    said = sweep("growing", set="params.load: 1.3, output.bin: 10 s", rest="statistics: {precision: {metric: latency.e2e.mean, relative: 0.2, most: 12}, select: {metric: latency.e2e.mean, indifference: 1, most: 12}}")
    assert "queues grow in 2 of 2 cells" in said and "no interval to judge" in said and "judged nowhere" in said and "going on" not in said, said
    table = compare("growing")
    assert len(re.findall(r"d2 .* queues grow in 4 runs$", table, re.M)) == 2 and "better" not in table.replace("is better", ""), table
    data = page("growing")["study"]
    assert all(c["unstable"] == 4 and not any(d[5] for d in c.get("differences", {}).values()) for c in data["cells"])
    assert data["precision"]["reached"] is False and "none to judge" in data["precision"]["text"]
    with h5py.File(path("growing/study.h5")) as f:
        assert set(f["/runs/queues"][()]) == {b"growing"}


def test_too_few_bins_to_tell_is_said_everywhere():
    said = sweep("blind", set="params.load: 1.3, output.bin: 1 d")
    assert "whether queues grow is not known in 2 of 2 cells" in said, said
    assert "Whether queues grow is not known" in compare("blind")
    assert all(c["unjudged"] == 4 and c["unstable"] == 0 for c in page("blind")["study"]["cells"])
    with h5py.File(path("blind/study.h5")) as f:
        assert set(f["/runs/queues"][()]) == {b"unknown"}


def test_page_table_and_file_say_the_same():
    """With a warm-up deleted, too: one value, one interval, one verdict, wherever a cell is shown."""
    said = sweep("same", set=f"params.load: 0.7, {STEADY}", policies=f"[random, {D2}, join_shortest_queue]")
    data, table = page("same"), comparison("same")
    assert data["study"]["warm_up_s"] > 0 and "not known" not in said
    with h5py.File(path("same/study.h5")) as f:
        rows = f["/estimates"]
        file = {(p.decode(), m.decode()): i for i, (p, m) in enumerate(zip(rows["policy"][()], rows["metric"][()]))}
        assert file.keys() == table.keys() and len(file) == 6
        for key, i in file.items():
            row, cell = table[key], next(c for c in data["study"]["cells"] if data["study"]["policies"][c["policy"]] == key[0])
            on_page = next(r for r in data["comparison"]["rows"] if (r["policy"], r["metric"]) == key)
            assert math.isclose(row["mean"], rows["mean"][i], rel_tol=1e-9) and math.isclose(cell["metrics"][key[1]][0], row["mean"], rel_tol=1e-4) and on_page["mean"] == row["mean"]
            assert row["significant"] == bool(rows["significant"][i]) == on_page["significant"]
            if key[0] != "random":
                assert cell["differences"][key[1]][5] == row["significant"] and math.isclose(row["difference_low"], rows["difference_low"][i], rel_tol=1e-9)
        claims = re.search(r"which are (\d+)", data["study"]["method_text"])[1]
    assert claims == "4", "two policies against random by two metrics; random is the baseline and no second claim"


def test_a_reference_is_no_second_claim():
    sweep("mirror", policies="[nearest, random, oracle]", seeds=3)
    text = page("mirror")["study"]["method_text"]
    assert "which are 6 " in text, text  # three pairs of policies by two metrics


def test_another_baseline_and_level_are_taken():
    sweep("options")
    own, other = comparison("options"), comparison("options", "--baseline", "d2", "--level", "0.8")
    key, back = ("d2", "latency.e2e.mean"), ("random", "latency.e2e.mean")
    assert math.isclose(own[key]["difference"], -other[back]["difference"], rel_tol=1e-9)
    assert other[back]["high"] - other[back]["low"] < own[back]["high"] - own[back]["low"]
    assert "did you mean `random`" in compare("options", "--baseline", "randm", exit_status=2)


def test_a_parameter_without_effect_has_none_and_one_that_overloads_has_no_mean():
    sweep("tornado", set=f"params.load: 0.7, {STEADY}", policies="[random]", seeds=5,
          rest="sensitivity: {metric: latency.e2e.mean, parameters: [{key: params.state_age, low: 2, high: 5}, {key: params.load, low: 0.6, high: 1.3}]}")
    given = page("tornado")["study"]["sensitivity"]
    age, load = given["rows"]
    assert age["at_low"] == age["at_high"] == given["base"] and age["low_difference"][:3] == [0, 0, 0] and not age["high_difference"][5]
    assert load["at_high"] is None and load["high_unstable"] == 5 and load["low_difference"][5] is True and load["low_difference"][2] < 0
    with h5py.File(path("tornado/study.h5")) as f:
        assert list(f["/sensitivity/unstable"][()]) == [0, 0, 0, 5] and list(f["/sensitivity/significant"][()]) == [0, 0, 1, 0]


def test_an_anchor_holds_only_if_its_interval_can_tell():
    anchors = ", ".join(f"{{metric: latency.e2e.mean, where: {{policy: {p}}}, {b}}}" for p, b in
                        (("random", "least: 1, most: 30"), ("random", "least: 3.333, most: 3.334"), ("random", "least: 20, most: 30"), ("random", "most: 100"), ("d2", "least: 1.6, most: 1.7")))
    said = sweep("anchors", seeds=3, rest=f"anchors: [{anchors}]")
    found = re.findall(r"^anchor (holds|FAILS|is open)", said, re.M)
    assert found[0] == "holds" and found[1] == "is open" and found[2] == "FAILS" and found[3] == "holds", said
    with h5py.File(path("anchors/study.h5")) as f:
        assert [v.decode() for v in f["/anchors/verdict"][()]][:4] == ["holds", "open", "fails", "holds"]


def test_latency_bins_that_leave_nothing_after_the_warm_up_are_kept_whole():
    said = sweep("coarse", set="params.load: 0.7, output.warmup: 0, output.bin: 6 s, output.latency_bin: 1 d")
    assert "latency bins too long to delete a warm-up" in said, said
    assert "no warm-up could be deleted; in 1 of 1 cell the latency bins" in page("coarse")["study"]["method_text"]


def test_doubts_are_said_before_the_runs():
    done = orrery("sweep", study("doubts", set="params.load: 0.95"), "-q", "-o", path("doubts"), "--dry-run")
    assert "too few for the queues to settle" in done.stdout, done.stdout
    with open(path("doubts.yaml")) as f:
        text = f.read().replace("[latency.e2e.mean,", "[latency.e2e.men,")
    done = orrery("sweep", write("doubts.yaml", text), "-q", "-o", path("doubts"), "--dry-run")
    assert done.returncode == 0 and "no number `latency.e2e.men`; did you mean `latency.e2e.mean`" in done.stderr, done.stderr


if __name__ == "__main__":
    main()

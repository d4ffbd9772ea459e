"""The JSON Schemas of scenarios and studies: they take what is shipped and refuse what the loader refuses."""
import copy
import glob
import json
import os
import re

import random_scenario
from harness import ROOT, Skip, main, orrery, path as place, write

try:
    import jsonschema
    import yaml
except ImportError as missing:
    jsonschema = None
    WHY = str(missing)


def schema(kind):
    if jsonschema is None:
        raise Skip(WHY)
    done = orrery("schema", kind)
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    jsonschema.Draft7Validator.check_schema(made)
    return jsonschema.Draft7Validator(made)


# What a plain scalar is in YAML 1.2, to which editors hold: dates, `on` and `yes` are texts, 1e6 is a number.
PLAIN = {"bool": ("true|True|TRUE|false|False|FALSE", "tTfF"), "null": ("~|null|Null|NULL|", ["~", "n", "N", ""]), "int": ("[-+]?[0-9]+", "-+0123456789"),
         "float": (r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", "-+.0123456789"), "merge": ("<<", "<")}


def parse(text):
    class Loader(yaml.SafeLoader):
        yaml_implicit_resolvers = {}
    for name, (pattern, first) in PLAIN.items():
        Loader.add_implicit_resolver(f"tag:yaml.org,2002:{name}", re.compile(f"^(?:{pattern})$"), list(first))
    Loader.add_constructor("tag:yaml.org,2002:int", lambda loader, node: int(node.value))
    Loader.add_constructor("tag:yaml.org,2002:float", lambda loader, node: float(node.value))
    return yaml.load(text, Loader)


def read(path):
    with open(path) as f:
        return parse(f.read())


def shipped(kind):
    files = sorted(glob.glob(os.path.join(ROOT, "scenarios", "**", "*.yaml"), recursive=True))
    return [f for f in files if (os.sep + "studies" + os.sep in f) == (kind == "study")]


def test_every_shipped_scenario_is_valid():
    validator = schema("scenario")
    assert len(shipped("scenario")) >= 7
    for file in shipped("scenario"):
        wrong = [f"{'.'.join(map(str, e.path))}: {e.message[:200]}" for e in validator.iter_errors(read(file))]
        assert not wrong, (file, wrong)


def test_every_shipped_study_is_valid():
    validator = schema("study")
    assert len(shipped("study")) >= 3
    for file in shipped("study"):
        wrong = [f"{'.'.join(map(str, e.path))}: {e.message[:200]}" for e in validator.iter_errors(read(file))]
        assert not wrong, (file, wrong)


def change(tree, path, value):
    changed = copy.deepcopy(tree)
    at = changed
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return changed


def test_mistakes_are_not_valid():
    validator = schema("scenario")
    day = read(os.path.join(ROOT, "scenarios", "national_day.yaml"))
    assert validator.is_valid(day)
    for path, good in [(["duration"], "never"), (["duration"], "90 min"), (["brain", "telemetry", "delay"], 0), (["output", "sample"], "5 %"), (["seed"], "10k"), (["clients", 0, "rate"], "5 per hour"), (["clients", 0, "rate"], "${rate}"),
                       (["clients", 0, "input", "mean"], "1.5M tokens"), (["start"], "2026-05-13")]:
        assert validator.is_valid(change(day, path, good)), (path, good)
    for path, bad in [(["durration"], "1 h"), (["duration"], "1 hr"), (["duration"], 10), (["duration"], 0), (["output", "sample"], 1.5), (["output", "sample"], "5 km"), (["services", 0, "kind"], "lm"), (["clients", 0, "retry", "limit"], -1),
                      (["clients", 0, "rate"], "5 /fortnight"), (["clients", 0, "patience"], "soon"), (["brain", "telemetry", "perod"], "1 s"), (["start"], "yesterday"), (["sites"], [{"name": "no id"}])]:
        assert not validator.is_valid(change(day, path, bad)), (path, bad)


SMALL = {"params": "{t: 2 min, n: 3, m: {default: {mean: 5}}, p: {default: [{site: a, service: s}]}}", "duration": "1 min", "sites": "[{id: a, population: 1}]",
         "services": "[{name: s, kind: station, mean: 10 ms}]", "pools": "[{site: a, service: s}]", "clients": "[{class: c, service: s, rate: 1 /s}]"}
# Keys of a client and of a pool, beside those that they need, as they would be written.
CLIENT = ["patience: never", "patience: soon", "input: {mean: 1.5k tokens}", "input: {mean: 400}", "input: {mean: '400'}", "input: {mean: 5 km}", "input: {mean: -3}", "input: {mean: -3k}", "slo: {e2e: 0}",
          "slo: {e2e: 0 s}", "slo: {e2e: 0.0 ms}", "slo: {e2e: 1 s}", "retry: {limit: 101}", "retry: {limit: 3, jitter: 5 %}", "retry: {jitter: 1.5}", "retry: {jitter: -0.1}", "retry: {jitter: '0.5'}", "retry: {jiter: 0.5}",
          "retry: {backoff: never}", "retry: {backoff: 0}", "retry: {multiplier: 3}", "retry: {multiplier: '3'}", "data_class: 5", "where: [{share: 1, sight: a}]", "where: [{site: a, share: 100 percent}]", "session: {}", "session: {turns: 3}", "input: '${m}'", "title: true", "title: ~"]
POOL = ["prefix_cache: on", "prefix_cache: maybe", "expose: Pool", "load: {bandwidth: 40 Gbit/s}", "load: {bandwidth: 40}", "load: {bandwidth: 0}", "load: {bandwidth: -4 Gbit/s}", "load: {bandwidth: '${n} Gbit/s'}", "sit: a"]
WRITTEN = {
    "duration": ["90 min", "0.5h", "0", "0 s", "-1 s", "1 hr", "10", "1e-3 d", "+5 s", ".5 min", "' 5 min '", "'5'", "[1 s]", "~", "${t}", "'${t}'", "'${n} min'", "1 \u00b5s", "five"],
    "seed": ["10k", "1.5", "-3", "1e6", "'5'", "2G", "10 k", "1 T", "on", "5.", "-1k", "'${n}'"],
    "start": ["2026-05-13", "'2026-05-13'", "2026-05-13T08:00:00+08:00", "2026-05-13 08:00", "2026-05-13T08:00Z", "2026-13-01", "2026-05-13T25:00", "yesterday", "2026"],
    "scale": ["0", "2", "'2'", "1e3", "2x"],
    "brain": ["{own_decisions: yes}", "{own_decisions: 'true'}", "{own_decisions: 1}", "{own_decisions: Off}", "{own_decisions: ofF}", "{telemetry: {period: never}}", "{telemetry: {delay: never}}", "{telemetry: {delay: 0}}", "{telemtry: {}}", "5"],
    "output": ["{sample: 5 %}", "{sample: 1.01}", "{bin: 0 min}"],
    "clients": [f"[{{class: c, service: s, rate: 1 /s, {more}}}]" for more in CLIENT] + [f"[{{class: c, service: s, rate: {rate}}}]" for rate in ("20 /day", "3 per hour", "1.5k /s", "5", "0", "-1 /s", "5 /fortnight")],
    "pools": [f"[{{site: a, service: s, {more}}}]" for more in POOL] + ["[{site: a}]", "'${p}'", "{site: a}", "[{<<: {site: a}, service: s}]"],
    "network": ["{fibre_delay: 5}", "{fibre_delay: 5 us}", "{hop_delay: 1 ms}"],
    "policy": ["{name: random}", "random"], "name": ["5"], "durration": ["1 h"],
}


def test_the_schema_takes_what_the_loader_takes_and_nothing_else():
    """Every value as it would be written, given to both."""
    validator = schema("scenario")
    for key, values in WRITTEN.items():
        for value in values:
            text = "".join(f"{k}: {v}\n" for k, v in {**SMALL, key: value}.items())
            done = orrery("check", write("agree.yaml", text))
            assert done.returncode in (0, 2), done.stderr
            assert validator.is_valid(parse(text)) == (done.returncode == 0), (key, value, done.stderr)


def test_scenarios_drawn_at_random_are_valid():
    validator = schema("scenario")
    for seed in range(40):
        wrong = [f"{'.'.join(map(str, e.path))}: {e.message[:200]}" for e in validator.iter_errors(read(random_scenario.write(seed, place("random"), ROOT)))]
        assert not wrong, (seed, wrong)


def test_what_an_import_may_bring_is_not_asked_for():
    validator = schema("study")
    assert validator.is_valid({"name": "a", "scenario": "b.yaml"}) and not validator.is_valid({"name": "a"})
    assert validator.is_valid({"imports": "base.yaml", "sensitivity": {"policy": "d2"}}) and not validator.is_valid({"name": "a", "scenario": "b.yaml", "sensitivity": {"policy": "d2"}})
    assert not validator.is_valid({"imports": "base.yaml", "anchors": [{"least": 1}]}), "lists are replaced as a whole"


def test_every_key_says_what_it_means():
    def walk(node, name):
        if name:
            assert len(node["description"]) > 5, name
        for key, child in node.get("properties", {}).items():
            walk(child, f"{name}.{key}")
        if isinstance(node.get("items"), dict) and "properties" in node["items"]:
            for key, child in node["items"]["properties"].items():
                walk(child, f"{name}[].{key}")
    for kind in ("scenario", "study"):
        walk(schema(kind).schema, "")
    duration = schema("scenario").schema["properties"]["duration"]
    assert duration["default"] == "24 h" and "default 24 h" in duration["description"] and "20 ms" in duration["errorMessage"]


def test_a_schema_is_written_where_asked():
    done = orrery("schema", "study", "-o", place("study.json"))
    assert done.returncode == 0 and done.stdout == "", done.stderr
    with open(place("study.json")) as f:
        assert f.read() == orrery("schema", "study").stdout
    assert "study" in orrery("schema", "stody").stderr
    done = orrery("schema", "-o", place("no/such/folder.json"))
    assert done.returncode == 2 and "no/such/folder.json" in done.stderr


if __name__ == "__main__":
    main()

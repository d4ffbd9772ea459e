"""The JSON Schemas of scenarios and studies: they take what is shipped and refuse what the loader refuses."""
import copy
import glob
import json
import os

from harness import ROOT, Skip, main, orrery

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


def read(path):
    class Loader(yaml.SafeLoader):
        """Dates stay texts, as an editor sees them."""
    Loader.yaml_implicit_resolvers = {k: [r for r in v if r[0] != "tag:yaml.org,2002:timestamp"] for k, v in yaml.SafeLoader.yaml_implicit_resolvers.items()}
    with open(path) as f:
        return yaml.load(f, Loader)


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
    for path, good in [(["duration"], "never"), (["duration"], "90 min"), (["duration"], 0), (["output", "sample"], "5 %"), (["seed"], "10k"), (["clients", 0, "rate"], "5 per hour"), (["clients", 0, "rate"], "${rate}"),
                       (["clients", 0, "input", "mean"], "1.5M tokens"), (["start"], "2026-05-13")]:
        assert validator.is_valid(change(day, path, good)), (path, good)
    for path, bad in [(["durration"], "1 h"), (["duration"], "1 hr"), (["duration"], 10), (["output", "sample"], 1.5), (["output", "sample"], "5 km"), (["services", 0, "kind"], "lm"), (["clients", 0, "retry", "limit"], -1),
                      (["clients", 0, "rate"], "5 /fortnight"), (["clients", 0, "patience"], "soon"), (["brain", "telemetry", "perod"], "1 s"), (["start"], "yesterday"), (["sites"], [{"name": "no id"}])]:
        assert not validator.is_valid(change(day, path, bad)), (path, bad)


if __name__ == "__main__":
    main()

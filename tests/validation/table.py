"""What the validation scripts share: running `orrery validate` on a table of measured points, limits, and a table of what came out.

A script is run as `python3 tests/validation/X.py build/src/cli/orrery .`; it exits with 1 when a limit that it states does not hold.
"""
import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile

ORRERY = os.path.abspath(sys.argv[1])
ROOT = os.path.abspath(sys.argv[2])
SHARED = os.path.join(ROOT, "..", "shared")
FOLDER = tempfile.mkdtemp(prefix="orrery-validation-")
missed = []
checks = []  # of (title, value, limit, unit, whether the limit is the least), for the page


def orrery(*arguments):
    """Runs orrery; what it prints."""
    done = subprocess.run([ORRERY, *map(str, arguments)], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        sys.exit(f"orrery {' '.join(map(str, arguments))}: exit status {done.returncode}\n{done.stderr}")
    return done.stdout


def validated(table, *options, data=None):
    """Every point of a table of measurements with what Orrery makes of it (numbers, or None), in the table's order, with the table's own columns as `given`."""
    out = os.path.join(FOLDER, "points.csv")
    orrery("validate", table, *options, "--data", data or os.path.join(ROOT, "data"), "-o", out)
    with open(table) as f, open(out) as g:
        given, points = list(csv.DictReader(line for line in f if not line.startswith("#"))), list(csv.DictReader(g))
    assert len(given) == len(points)
    for row, point in zip(given, points):
        for key, value in point.items():
            if key not in ("accelerator", "engine", "model", "precision", "kv_precision", "phase", "left_out"):
                point[key] = float(value) if value != "" else None
        point["given"] = row
    return points


def error(point, what):
    """Relative error of `ttft_ms`, `tpot_ms` or `tokens_s`; None where it was not measured."""
    measured, simulated = point[what], point["simulated_" + what]
    return None if point["left_out"] or measured is None or simulated is None else simulated / measured - 1


def errors(points, what):
    return [e for e in (error(p, what) for p in points) if e is not None]


def mean_of(values):
    return statistics.fmean(abs(v) for v in values)


def scenario(text, name="scenario"):
    """Runs a scenario given as text; the path of its file."""
    path, out = os.path.join(FOLDER, name + ".yaml"), os.path.join(FOLDER, name + ".h5")
    with open(path, "w") as f:
        f.write(text)
    orrery("run", path, "-q", "-o", out)
    return out


def summary(file):
    return json.loads(orrery("summary", "--json", file))


def check(title, value, limit, unit="%", least=False):
    """A line of the table: `value` must be within `limit` of 0, or with `least` not below it; both are percentages, or as `unit` says."""
    good = value >= limit if least else abs(value) <= limit
    if not good:
        missed.append(title)
    checks.append((title, value, limit, unit, least))
    print(f"{'ok    ' if good else 'MISSED'}  {title:<68} {value:+8.1f} {unit}  {'at least' if least else 'limit'} {limit:g} {unit}", flush=True)


def done():
    """Ends a script. With $ORRERY_VALIDATION it leaves its lines in that file, as JSON, for validation page."""
    subprocess.run(["rm", "-rf", FOLDER])
    if "ORRERY_VALIDATION" in os.environ:
        with open(os.environ["ORRERY_VALIDATION"], "w") as f:
            json.dump(checks, f)
    if missed:
        sys.exit(f"{len(missed)} limits missed")

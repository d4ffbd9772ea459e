"""What the end-to-end tests share: running orrery as a user would, reading its files, and TAP output.

A test is a function whose name begins with test_; its words are the promise that it keeps. `main()` runs them all.
"""
import json
import os
import subprocess
import sys
import tempfile
import traceback

import h5py

ORRERY = os.path.abspath(sys.argv[1])
ROOT = os.path.abspath(sys.argv[2])
SCENARIOS = os.path.join(ROOT, "scenarios")
SHARED = os.path.join(ROOT, "..", "shared")
# Forty minutes of the national day before noon.
BUSY = ["--set", "duration=40 min", "--set", "start=2026-05-13T10:30:00+08:00", "--set", "output.bin=10 min", "--set", "output.latency_bin=20 min"]
FOLDER = tempfile.mkdtemp(prefix="orrery-test-")


class Skip(Exception):
    """Raised by a test that cannot run here; says why."""


def path(name):
    return os.path.join(FOLDER, name)


def scenario(name):
    return os.path.join(SCENARIOS, name)


def write(name, text):
    with open(path(name), "w") as f:
        f.write(text)
    return path(name)


def orrery(*arguments, **options):
    """Runs orrery; returns the finished process."""
    return subprocess.run([ORRERY, *map(str, arguments)], capture_output=True, text=True, stdin=subprocess.DEVNULL, cwd=options.get("cwd", FOLDER))


def run(scenario_path, output, *arguments, status=0):
    """Runs a scenario into `output`; the exit status must be as expected."""
    done = orrery("run", scenario_path, "-q", "-o", path(output), *arguments)
    assert done.returncode == status, f"exit status {done.returncode}: {done.stderr}"
    return path(output)


def summary(file):
    done = orrery("summary", "--json", file)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def contents(file):
    """Every dataset and attribute outside /host, by path."""
    found = {}

    def visit(name, item):
        if name.startswith("host"):
            return
        for key, value in item.attrs.items():
            found[f"/{name}@{key}"] = str(value)
        if isinstance(item, h5py.Dataset):
            found[f"/{name}"] = item[()].tobytes() if item.shape else bytes(item[()])

    with h5py.File(file) as f:
        for key, value in f.attrs.items():
            found[f"/@{key}"] = str(value)
        f.visititems(visit)
    return found


def differing(a, b, ignore=()):
    """Paths at which two files, or what `contents` has read of them, differ."""
    x, y = (f if isinstance(f, dict) else contents(f) for f in (a, b))
    return sorted(k for k in x.keys() | y.keys() if x.get(k) != y.get(k) and not any(k.startswith(i) for i in ignore))


def main():
    tests = [(n, f) for n, f in sys.modules["__main__"].__dict__.items() if n.startswith("test_")]
    print(f"1..{len(tests)}", flush=True)
    for number, (name, test) in enumerate(tests, 1):
        title = name[5:].replace("_", " ")
        try:
            test()
            print(f"ok {number} - {title}", flush=True)
        except Skip as why:
            print(f"ok {number} - {title} # SKIP {why}", flush=True)
        except Exception:
            traceback.print_exc()  # to the error output: the runner shows that of a test that fails
            print(f"not ok {number} - {title}", flush=True)
    subprocess.run(["rm", "-rf", FOLDER])

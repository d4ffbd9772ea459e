"""The page of `compare` and `report` in a real browser: every chart drawn, every chooser working, nothing loaded from outside."""
import os
import re
import shutil
import subprocess

from harness import FOLDER, ROOT, Skip, main, orrery, path, run, scenario

REPORT = os.path.join(ROOT, "analysis", "report")
TEST = os.path.join(REPORT, "test_report.mjs")
SHORT = ["--set", "duration=90 min", "--set", "start=2026-05-13T16:00:00+08:00"]


def in_the_browser(page):
    if not (shutil.which("node") and (shutil.which("chromium") or os.environ.get("CHROMIUM"))):
        raise Skip("node or chromium is not installed")
    done = subprocess.run(["node", TEST, page], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    print("".join(f"# {line}\n" for line in done.stdout.splitlines()), end="")
    assert done.returncode == 0 and "not ok" not in done.stdout, done.stdout + done.stderr
    assert done.stdout.count("\nok ") >= 3, done.stdout


def test_the_comparison_of_three_policies_on_three_seeds_is_drawn():
    files = [run(scenario("national_day.yaml"), f"{p}-{s}.h5", *SHORT, "-p", p, "--seed", s) for p in ("nearest", "power_of_d", "cost_first") for s in (1, 2, 3)]
    done = orrery("compare", *files, "-o", path("compare.html"))
    assert done.returncode == 0, done.stderr
    assert "significan" in done.stdout and "power_of_d" in done.stdout
    page = open(path("compare.html")).read()
    assert 1e6 < len(page) < 4e6 and not re.search(r"(src|href)=[\"']https?:", page), "self-contained"
    in_the_browser(path("compare.html"))
    mock = subprocess.run(["node", os.path.join(REPORT, "mock_study.mjs"), path("compare.html"), path("study.html")], capture_output=True, text=True)
    assert mock.returncode == 0, mock.stderr
    in_the_browser(path("study.html"))


def test_the_report_of_one_run_is_drawn():
    file = run(scenario("national_day.yaml"), "one.h5", *SHORT)
    done = orrery("report", file, "-o", path("one.html"))
    assert done.returncode == 0, done.stderr
    assert '"unmeasured":["Cambricon MLU590"' in open(path("one.html")).read(), "its speed is assumed, and the page says so"
    in_the_browser(path("one.html"))


def test_runs_of_different_scenarios_are_not_compared():
    a = run(scenario("national_day.yaml"), "a.h5", *SHORT)
    b = run(scenario("national_day.yaml"), "b.h5", *SHORT, "--set", "params.state_age=1 s", "-p", "random")
    done = orrery("compare", a, b, "-o", path("no.html"))
    assert done.returncode == 2 and "10 s" in done.stderr and not os.path.exists(path("no.html")), done.stderr


if __name__ == "__main__":
    main()

"""Sweeps on this machine: resumable, and proof against whatever dies. By doing it."""
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import time

from harness import ORRERY, contents, main, orrery, path, run, scenario, write
from study_of_forty import PLACE, metrics, run_files, same_results, stamps, status, study, values

RUNS = 40
KILLS = 12
undisturbed = None


def sweep(study_path, folder, *arguments, exit_status=0):
    done = orrery("sweep", study_path, "-q", "-o", path(folder), *arguments)
    assert done.returncode == exit_status, f"exit status {done.returncode}: {done.stdout}{done.stderr}"
    return done


def reference():
    """A folder that was swept without disturbance, once."""
    global undisturbed
    if undisturbed is None:
        sweep(study("forty"), "undisturbed")
        undisturbed = "undisturbed"
    return undisturbed


def copy_of_reference(folder):
    shutil.copytree(path(reference()), path(folder))
    return folder


def start(study_path, folder):
    return subprocess.Popen([ORRERY, "sweep", study_path, "-q", "-o", path(folder)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True)


def wait_until(condition, process=None, seconds=60):
    """Polls; what the condition gave, or None if the process has ended before."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        if process is not None and process.poll() is not None:
            return None
        time.sleep(0.002)
    raise AssertionError("nothing happened")


def runs_at_work(folder):
    """(address, process) of the runs under way, and of those killed before they ended: work/HOST-PROCESS-ADDRESS.h5."""
    names = [re.fullmatch(r".*-(\d+)-([0-9a-f]{32})\.h5", n) for n in os.listdir(path(folder + "/work"))] if os.path.isdir(path(folder + "/work")) else []
    return sorted((m[2], int(m[1])) for m in names if m)


def test_a_sweep_that_is_killed_at_any_moment_goes_on_and_does_nothing_twice():
    dice = random.Random(20260513)
    seen, kills, at_work = {}, 0, 0
    for attempt in range(KILLS):
        process = start(study("forty"), "killed")
        if attempt % 3 == 0:  # planning, trying, the book
            time.sleep(dice.uniform(0, 1))
        else:  # a run has just ended, others are under way
            before = len(run_files("killed"))
            wait_until(lambda: len(run_files("killed")) > before, process)
            time.sleep(dice.uniform(0, 0.1))
        if process.poll() is None:
            process.kill()
            kills += 1
        process.communicate()
        at_work += bool(runs_at_work("killed"))
        for address, stamp in stamps("killed").items():
            assert seen.setdefault(address, stamp) == stamp, f"{address} was done again"
    assert kills >= 10, f"only {kills} were killed"
    assert 0 < len(seen) < RUNS, "killed too late or too early to prove anything"
    assert at_work > 0, "no run was under way at any of the kills"
    done = sweep(study("forty"), "killed")
    assert f"{len(seen)} done, {RUNS - len(seen)} to do" in done.stdout, done.stdout
    now = stamps("killed")
    assert len(now) == RUNS and all(now[a] == s for a, s in seen.items()), "finished runs were done again"
    assert not os.listdir(path("killed/work")), "what dead processes had left was not tidied"
    same_results("killed", reference())


def test_a_run_that_is_killed_is_done_again():
    process = start(study("forty"), "one_killed")
    victim = wait_until(lambda: runs_at_work("one_killed"), process)
    address, pid = victim[0]
    os.kill(pid, signal.SIGKILL)
    output, _ = process.communicate()
    assert process.returncode == 0, output
    assert address in run_files("one_killed")
    same_results("one_killed", reference())


def test_a_run_that_is_killed_each_time_is_reported():
    hunted = study("hunted", requests="100k", seeds=2)  # long enough to be caught at work
    process = start(hunted, "hunted")
    address = wait_until(lambda: runs_at_work("hunted"), process)[0][0]
    killed = set()
    while process.poll() is None:
        for at, pid in runs_at_work("hunted"):
            if at == address and pid not in killed:
                os.kill(pid, signal.SIGKILL)
                killed.add(pid)
        time.sleep(0.002)
    output, _ = process.communicate()
    assert len(killed) == 2, f"tried {len(killed)} times"
    assert process.returncode == 1 and "1 runs failed" in output and "killed by signal 9" in output, output
    assert address not in run_files("hunted") and len(run_files("hunted")) == 7
    told = status("hunted")
    assert (told["done"], told["failed"], told["missing"]) == (7, 1, 0)
    assert told["failures"][0]["address"] == address and "signal 9" in told["failures"][0]["message"]
    sweep(hunted, "hunted")
    assert len(run_files("hunted")) == 8 and status("hunted")["failed"] == 0


def test_a_changed_axis_runs_only_what_is_new():
    copy_of_reference("axis")
    before = stamps("axis")
    done = sweep(study("forty", loads="[0.8, 0.7, 0.5]"), "axis")
    assert "60 runs" in done.stdout and "40 done, 20 to do" in done.stdout, done.stdout
    after = stamps("axis")
    assert len(after) == 60 and all(after[a] == s for a, s in before.items())
    done = sweep(study("forty"), "axis")  # and back: nothing is forgotten, nothing is done
    assert "40 done, 0 to do" in done.stdout and stamps("axis") == after
    assert metrics("axis") == metrics(reference())


def test_a_folder_has_one_sweep_at_a_time():
    first = start(study("busy", requests="40k"), "busy")
    wait_until(lambda: runs_at_work("busy"), first)
    second = orrery("sweep", study("busy", requests="40k"), "-o", path("busy"))
    told = status("busy")
    assert first.poll() is None, "the first was too quick for this test"
    first.send_signal(signal.SIGTERM)
    output, _ = first.communicate()
    assert second.returncode == 2 and f"in use by another sweep (process {first.pid})" in second.stderr, second.stderr
    assert told["process"] == first.pid and told["running"] > 0 and told["missing"] > 0, told
    assert first.returncode == 1 and "the same command goes on" in output, output
    assert status("busy")["process"] is None


def test_a_run_file_that_has_gone_is_made_again():
    copy_of_reference("gone")
    before = stamps("gone")
    victim = sorted(before)[7]
    os.unlink(run_files("gone")[victim])
    assert status("gone")["missing"] == 1
    assert "39 done, 1 to do" in sweep(study("forty"), "gone").stdout
    assert all(stamps("gone")[a] == s for a, s in before.items() if a != victim)
    same_results("gone", reference())


def rebuilds(folder, spoil):
    copy_of_reference(folder)
    before = stamps(folder)
    spoil(path(folder + "/manifest.sqlite"))
    os.unlink(path(folder + "/study.h5"))
    assert "40 done, 0 to do" in sweep(study("forty"), folder).stdout
    assert stamps(folder) == before
    same_results(folder, reference())
    with sqlite3.connect(path(folder + "/manifest.sqlite")) as book:
        assert book.execute("SELECT count(*) FROM runs WHERE state = 1 AND planned = 1").fetchone() == (RUNS,)


def test_the_manifest_is_made_again_from_the_files():
    rebuilds("no_book", os.unlink)


def test_a_damaged_manifest_is_put_aside():
    def overwrite(from_byte):
        def spoil(file):
            with open(file, "r+b") as f:
                f.seek(from_byte)
                f.write(b"\xa5" * 5000)
        return spoil

    rebuilds("bad_head", overwrite(0))
    rebuilds("bad_middle", overwrite(8192))
    assert os.path.exists(path("bad_head/manifest.sqlite.damaged")) and os.path.exists(path("bad_middle/manifest.sqlite.damaged"))


def test_a_result_that_cannot_be_read_is_put_aside_and_made_again():
    for folder, book in (("cut_with_book", True), ("cut_without_book", False)):
        copy_of_reference(folder)
        before = stamps(folder)
        victim = sorted(before)[11]
        os.truncate(run_files(folder)[victim], 5000)
        if not book:
            os.unlink(path(folder + "/manifest.sqlite"))
        done = sweep(study("forty"), folder)
        assert "1 files could not be read and were put aside" in done.stdout and "39 done, 1 to do" in done.stdout, done.stdout
        assert os.path.getsize(path(f"{folder}/runs/{victim}.h5.damaged")) == 5000
        assert all(stamps(folder)[a] == s for a, s in before.items() if a != victim)
        same_results(folder, reference())


def test_runs_that_ended_without_being_entered_are_taken_up():
    """Their sweep was killed in between: file and record are there, or the file alone, or a record that is not whole."""
    folder = copy_of_reference("unentered")
    addresses = sorted(run_files(folder))[:3]
    with sqlite3.connect(path(folder + "/manifest.sqlite")) as book:
        book.executemany("UPDATE runs SET state = 0, summary = NULL WHERE address = ?", [(a,) for a in addresses])
    with open(path(f"{folder}/runs/{addresses[1]}.json"), "w") as f:
        f.write('{"exit": 0, "wall')
    before = stamps(folder)
    assert "40 done, 0 to do" in sweep(study("forty"), folder).stdout
    assert stamps(folder) == before
    same_results(folder, reference())


def test_a_run_that_fails_is_reported_with_its_message():
    # Each value is right by itself, so planning finds nothing: bins of two days with latencies by the day are not.
    with open(study("fails", seeds=1)) as f:
        file = write("fails.yaml", f.read().replace("  params.load: [0.5, 0.8]", "  output.bin: [1 d, 2 d]\n  output.latency_bin: [2 d, 1 d]").replace("random, {name: power_of_d, label: d2, options: {d: 2}}", "random"))
    done = sweep(file, "fails", exit_status=1)
    assert re.search(r"1 runs failed:\n  .*latency_bin: must be a multiple of bin", done.stderr), done.stderr
    told = status("fails")
    assert (told["planned"], told["done"], told["failed"], told["missing"]) == (4, 3, 1, 0), told
    assert "must be a multiple of bin" in told["failures"][0]["message"], told
    assert metrics("fails")[1] == "partial"


def test_a_run_of_a_study_is_the_run_that_one_does_by_hand():
    by_hand = {}
    for load in ("0.5", "0.8"):
        for policy in (["--policy", "random"], ["--set", "policy.name=power_of_d", "--set", "policy.label=d2", "--set", "policy.options={d: 2}"]):
            file = run(scenario("oracles/dispatch.yaml"), "by_hand.h5", "--set", "params.stations=20", "--set", "params.requests=5k", "--set", f"params.load={load}", "--seed", "3", *policy)
            found = {k: v for k, v in contents(file).items() if k not in PLACE}
            by_hand[(load, found["/@policy"])] = found
    matched = 0
    for found in values(reference()).values():
        if found["/@seed"] != "3":
            continue
        same = [k for k, v in by_hand.items() if v == found]
        assert len(same) == 1, "no run by hand is this one"
        matched += 1
    assert matched == len(by_hand) == 4


def test_ten_thousand_runs_are_planned():
    file = study("many", loads="{from: 0.1, to: 0.9, count: 250}", seeds=20)
    done = sweep(file, "many", "--dry-run")
    assert re.search(r"^10000 runs, planned in .*: 0 done, 10000 to do$", done.stdout, re.M), done.stdout
    assert not run_files("many")
    told = status("many")
    assert (told["planned"], told["missing"], told["running"]) == (10000, 10000, 0)


if __name__ == "__main__":
    main()

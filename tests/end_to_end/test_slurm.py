"""Sweeps on Slurm: on a real cluster of two nodes on this machine, which the test starts and stops (tests/slurm/cluster.py)."""
import glob
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time

from harness import ORRERY, ROOT, Skip, main, orrery, path, write
from study_of_forty import run_files, same_results, stamps, status, study

sys.path.insert(0, os.path.join(ROOT, "tests", "slurm"))
from cluster import Cluster, missing  # noqa: E402

cluster = None
PACK = ["--on", "slurm", "--pack", "2 s"]  # small tasks, so that a short study has several of them


def here():
    """The cluster, or a reason why there is none."""
    if cluster is None:
        raise Skip(missing())
    return cluster


def on_cluster(folder, *arguments, **options):
    return subprocess.run([ORRERY, "sweep", study("forty"), "-q", "-o", path(folder), *PACK, *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL, env=here().environment, timeout=120, **options)


def start(folder, *arguments):
    return subprocess.Popen([ORRERY, "sweep", study("forty"), "-q", "-o", path(folder), *PACK, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True, env=here().environment)


def reference():
    if not os.path.exists(path("local/study.h5")):
        done = orrery("sweep", study("forty"), "-q", "-o", path("local"))
        assert done.returncode == 0, done.stderr
    return "local"


def current(folder):
    """What is written down of the submission, and its folder."""
    with open(path(folder + "/slurm/current")) as f:
        found = json.load(f)
    return found, path(f"{folder}/slurm/{found['submission']}")


def submissions(folder):
    return [d for d in glob.glob(path(folder + "/slurm/*")) if os.path.isdir(d)]


def wait_until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.05)


def queued(name):
    return cluster.command("squeue", "--noheader", "--array", f"--name={name}", "--format=%i").split()


def test_a_study_on_a_cluster_gives_the_results_of_one_on_this_machine():
    here()
    reference()
    done = on_cluster("clustered")
    assert done.returncode == 0, done.stdout + done.stderr
    found, folder = current("clustered")
    tasks = sorted(glob.glob(folder + "/*.json"))
    assert 1 < len(tasks) == found["tasks"] < 40, "runs are packed into several tasks"
    assert all(sum(r["expected_s"] for g in json.load(open(t))["groups"] for r in g["runs"]) >= 2 for t in tasks), "a task holds less work than asked"
    with open(folder + "/merge.out") as f:
        assert "40 of 40 runs done, 0 failed, 0 missing" in f.read()
    assert re.search(r"clustered/study.h5; `orrery report .*` draws it$", done.stdout.strip()), done.stdout
    same_results("clustered", reference())


def test_no_wait_leaves_the_rest_to_the_merge_job():
    """Started in another folder, with relative names."""
    here()
    file, where = study("forty"), path("elsewhere")
    os.makedirs(where)
    done = subprocess.run([ORRERY, "sweep", os.path.relpath(file, where), "-q", "-o", "results", *PACK, "--no-wait"], cwd=where, capture_output=True, text=True, stdin=subprocess.DEVNULL, env=cluster.environment, timeout=120)
    assert done.returncode == 0 and "submitted" in done.stdout, done.stdout + done.stderr
    told = subprocess.run([ORRERY, "status", "results", "--json"], cwd=where, capture_output=True, text=True, env=cluster.environment)
    found = json.loads(told.stdout)
    assert found["planned"] == 40 and found["slurm"]["answers"] and found["process"] is None, found
    assert found["slurm"]["tasks_running"] + found["slurm"]["tasks_waiting"] > 0 or found["done"] == 40, found
    wait_until(lambda: os.path.exists(os.path.join(where, "results/study.h5")))
    same_results("elsewhere/results", reference())


def test_the_waiting_command_a_node_and_the_merge_job_are_killed():
    """kill -9 of each while tasks are at work; in the end every run is done once, as on this machine."""
    here()
    first = start("killed")
    wait_until(lambda: len(run_files("killed")) >= 3)
    first.kill()
    first.communicate()
    seen = stamps("killed")
    found, _ = current("killed")
    cluster.kill_node("n1")
    # The merge job: as its process begins, or, if that is too short to be seen, as it waits.
    second = start("killed")
    merge = f"orrery-{found['submission']}-merge"
    cluster.command("scancel", "--signal=KILL", "--full", found["merge"]) if not queued(merge) else cluster.command("scancel", found["merge"])
    time.sleep(2)
    cluster.start_node("n1")
    output, _ = second.communicate(timeout=100)
    assert second.returncode == 0, output
    assert not queued(merge)
    assert all(stamps("killed")[a] == s for a, s in seen.items()), "finished runs were done again"
    assert len(submissions("killed")) == 1, "what was under way was submitted again: " + output
    assert "missing" not in output, output
    same_results("killed", reference())


def test_tasks_that_were_killed_are_submitted_again():
    here()
    process = start("cancelled")
    wait_until(lambda: len(run_files("cancelled")) >= 3)
    found, _ = current("cancelled")
    cluster.command("scancel", found["array"])
    output, _ = process.communicate(timeout=100)
    assert process.returncode == 0, output
    assert len(submissions("cancelled")) == 2, output
    same_results("cancelled", reference())


def test_a_command_that_is_stopped_does_not_submit_twice():
    here()
    first = start("stopped")
    wait_until(lambda: os.path.exists(path("stopped/slurm/current")) and current("stopped")[0]["merge"])
    time.sleep(0.5)
    first.send_signal(signal.SIGINT)
    output, _ = first.communicate(timeout=30)
    assert first.returncode == 1 and "no longer waiting; the cluster goes on" in output, output
    again = on_cluster("stopped")
    assert again.returncode == 0, again.stdout + again.stderr
    assert len(submissions("stopped")) == 1, submissions("stopped")
    same_results("stopped", reference())


def test_without_a_cluster_the_message_says_so():
    host = socket.gethostname().split(".")[0]
    silent = write("silent.conf", f"ClusterName=silent\nSlurmctldHost={host}(127.0.0.1)\nSlurmctldPort=1\nMessageTimeout=2\nNodeName=n1\nPartitionName=main Nodes=n1\n")
    environment = {**os.environ, "SLURM_CONF": silent}
    arguments = [ORRERY, "sweep", study("forty"), "-q", "-o", path("alone"), "--on", "slurm"]
    done = subprocess.run(arguments, capture_output=True, text=True, stdin=subprocess.DEVNULL, env={**environment, "PATH": path("empty")}, timeout=100)
    assert done.returncode == 2 and "`scontrol` cannot be started: there is no such program on PATH" in done.stderr, done.stderr
    if missing() is None:
        done = subprocess.run(arguments, capture_output=True, text=True, stdin=subprocess.DEVNULL, env=environment, timeout=100)
        assert done.returncode == 2 and "Slurm: scontrol:" in done.stderr and "Unable to contact" in done.stderr, done.stderr
    assert not os.path.exists(path("alone/slurm/current")) and orrery("status", path("alone")).returncode == 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # of a time limit: the cluster is stopped then too
    if missing() is None:
        with Cluster(nodes=2) as cluster:
            main()
    else:
        main()

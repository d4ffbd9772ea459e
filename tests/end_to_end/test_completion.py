"""Completion in bash: commands, options and policies are those of the program."""
import os
import re
import subprocess

from harness import ORRERY, ROOT, main, orrery

ASK = 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _orrery "$1" "${@: -1}" "${@: -2:1}"; printf "%s\\n" "${COMPREPLY[@]}"'


def completed(*words):
    done = subprocess.run(["bash", "-c", ASK, "bash", os.path.join(ROOT, "src", "cli", "completion.bash"), ORRERY, *words], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    return done.stdout.split()


def test_every_command_is_offered():
    named = re.findall(r"^  ([a-z]+) ", orrery("--help").stdout, re.M)
    assert len(named) > 12 and completed("") == named
    assert set(completed("s")) == {name for name in named if name[0] == "s"}


def test_options_are_those_of_the_command():
    assert {"--seed", "--policy", "--threads"} <= set(completed("run", "--"))
    assert completed("summary", "--j") == ["--json"] and "--json" not in completed("run", "--")


def test_policies_are_offered_where_one_is_asked_for():
    assert completed("run", "day.yaml", "--policy", "power") == ["power_of_d"] and "nearest" in completed("run", "day.yaml", "-p", "")


def test_files_are_left_to_bash():
    assert completed("run", "scen") == []


if __name__ == "__main__":
    main()

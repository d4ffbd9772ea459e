"""Every command that the README shows, run as it stands."""
import os
import re
import shlex
import shutil
import subprocess

from harness import FOLDER, ORRERY, ROOT, main

SHOWN = "build/src/cli/orrery"


def commands():
    with open(os.path.join(ROOT, "README.md")) as f:
        blocks = re.findall(r"```sh\n(.*?)```", f.read(), re.S)
    return [line for block in blocks for line in block.splitlines() if line.strip()]


def test_every_command_of_the_readme_works_as_shown():
    for name in ("scenarios", "data"):
        os.symlink(os.path.join(ROOT, name), os.path.join(FOLDER, name))
    os.makedirs(os.path.join(FOLDER, "out"))
    shown = commands()
    assert len(shown) >= 10
    for line in shown:
        assert line.startswith(SHOWN + " "), line
        words = [ORRERY] + shlex.split(line)[1:]
        done = subprocess.run(words, cwd=FOLDER, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        assert done.returncode == 0, (line, done.stderr)
    for name in ("half_hour.h5", "compare.html", "report.html", "replay.h5"):
        assert os.path.getsize(os.path.join(FOLDER, "out", name)) > 10000, name
    shutil.rmtree(os.path.join(FOLDER, "out"))


def test_every_link_of_the_readme_leads_somewhere():
    with open(os.path.join(ROOT, "README.md")) as f:
        links = re.findall(r"\]\(([^)#]+)\)", f.read())
    for link in links:
        assert os.path.exists(os.path.join(ROOT, link)), link


def test_the_reference_pages_are_those_of_the_program():
    for page in ("scenario", "file", "policies"):
        done = subprocess.run([ORRERY, "reference", page], capture_output=True, text=True, stdin=subprocess.DEVNULL)
        with open(os.path.join(ROOT, "docs", f"{page}.md")) as f:
            assert done.returncode == 0 and done.stdout == f.read(), f"docs/{page}.md is old: ./dev docs"


if __name__ == "__main__":
    main()

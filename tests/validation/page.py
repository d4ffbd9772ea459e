"""Writes docs/validation.md out of what the validation scripts measure: `python3 tests/validation/page.py build/src/cli/orrery . docs/validation.md`.

With the path of the present page it tells whether it is still true: it exits with 1 when a figure differs from the page by more than 0.3 points, or a line is missing.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

SCRIPTS = (
    ("serving_points", "Published benchmarks", "Closed loops of 4 to 128 users on replicas of 1 to 8 accelerators: H100 and B200 with dense models, H100 and B300 with mixtures of experts, under vLLM, "
     "TensorRT-LLM and SGLang (aiconfigurator 095f58a and InferenceMAX, Apache-2.0). Every point runs through the whole grid as the scenario that `orrery validate --scenario ROW` prints. "
     "Left out are points with under 128 answer tokens, whose load does not fit into the cache, or whose time to first token is that of a queue (over 20 s, or over 5 s and three times the whole "
     "answer). \"One row for all\" is the row `*/*/dense` of `data/calibrations.csv`, for every engine and accelerator; the other lines use the row that says most. \"Predicts\" "
     "means: from a fit that did not see these points, begun at the row `*/*/dense`, which did, and held to it weakly (begun at values that know nothing, B200 comes to about 10 % instead of 8 %; rows in `tests/validation/transfer.csv`, made anew by `tests/validation/serving_points.py --fit`); all other lines are fits to the very points."),
    ("recorded_runs", "Recorded runs", "300 requests of ShareGPT through vLLM 0.19 on RTX PRO 6000, replayed request by request (casys-kaist/LLMServingSim 5daddb2, MIT). The coefficients were fitted on these runs."),
    ("recorded_traces", "Recorded traces", "The conversation trace of Azure (19,366 requests) through `scenarios/replay.yaml` at 0.85 and 1.56 times its speed: a server that jumps from one change of its batch to the next has "
     "one event where one that steps has an iteration. The conversation trace of Mooncake (12,031 requests): a cache of so many blocks of 512 tokens, and four routed instances with 435 GB of KV each (`scenarios/mooncake.yaml`). "
     "The stated ratios count a prompt's last part, too, that is not full; engines keep full ones only, which is the difference."),
    ("splitwise", "Prefill and decoding alone", "Llama-2-70B on 2, 4 and 8 A100 or H100 (Mutinifni/splitwise-sim 8f99e7d, MIT). The rows were fitted to these figures."),
    ("other_makers", "Other makers", "Ascend, Kunlun, MetaX, MI300X, H20, H800 and small devices; a line per published figure, with its own confidence (A primary, B secondary, C recollection) and "
     "that of the weakest number in the accelerator's row of the catalogue; the two figures of H800 in DeepSeek's production are in the next section. Ascend 910B was fitted on half of its points; most other rows have about as many coefficients as figures, so they are fits, not predictions."),
    ("deepseek_day", "DeepSeek's day", "`scenarios/deepseek_day.yaml`: predicted from the model, the accelerator, the token mix and the speed per user; its head says on which coefficient the outcome hangs. The "
     "published curve of nodes is what was supplied, not what was demanded."),
)

HEAD = """# Validation

How far Orrery is from measured systems. Written by `tests/validation/page.py` from the tests in `tests/validation/` (`meson test --suite validation`), each of which states its limits and fails
beyond them; figures are relative errors in per cent (mean: of absolute errors) unless a unit is given. Your own measurements: `orrery validate POINTS.csv` says how far off Orrery is,
`orrery calibrate POINTS.csv --accelerator NAME` fits a row for `data/calibrations.csv` and cross-validates it.

"""

TAIL = """## Beside other simulators

What they say of themselves; the systems and the loads differ.

| simulator | what | error |
|---|---|---|
| LLMServingSim 2.0 | the two recorded runs above: mean time to first token | -4.0 % and -13.6 % (its summaries beside the recordings) |
| | mean time per token | -1.0 % and -1.7 % |
| | mean end to end | -1.8 % and -2.2 % |
| Vidur | latencies of dense models on A100, H100 and A40, from profiles of every kernel | under 9 % (abstract, MLSys 2024) |
| InferSim | DeepSeek-V3 on H800: prefill, decoding | +15 % and +15 % (its read-me) |
| | Qwen3-30B-A3B on H20: prefill, decoding | +4.6 % and -4.3 % |
| aiconfigurator | the published benchmarks above | it ships them as its own check; no summary found |

## Where Orrery is worse

- Kernels are not profiled: a coefficient set stands for many kernels. Where a profile of the very kernels is at hand, Vidur's or aiconfigurator's interpolation is closer, in particular for mixtures of
  experts that Orrery has no row for: one row for all others predicts each to 16 to 38 % (lines above); how well an engine's kernels for experts are made differs more than the models do.
- Several prompts prefilled at once by engines of 2023 (Splitwise) are off by 20 to 29 % in the median.
- How an engine's front end behaves beyond 64 users at small models is not modelled: TensorRT-LLM with Llama-3.1-8B answers the first token far later than Orrery says.
- Imbalance between the ranks of data-parallel attention, and between experts, is not modelled; the fitted efficiencies carry its mean.
- The conditions of published benchmarks (spread of lengths, token budget, burst at the start) were inferred from the points themselves where their publishers do not state them (`src/measure/points.c`).
"""


def measured(orrery, root, script):
    """The checks of one script; None if it skips."""
    file = tempfile.mktemp(suffix=".json")
    done = subprocess.run([sys.executable, os.path.join(root, "tests", "validation", script + ".py"), orrery, root], capture_output=True, text=True,
                          env={**os.environ, "ORRERY_VALIDATION": file}, stdin=subprocess.DEVNULL)
    if done.returncode == 77:
        return None
    if not os.path.exists(file):
        sys.exit(f"{script}: {done.stdout}{done.stderr}")
    with open(file) as f:
        checks = json.load(f)
    os.unlink(file)
    return checks


PICTURES = {"recorded_runs": "requests running and waiting: vLLM's own series, and Orrery's", "deepseek_day": "nodes over the day: published and simulated"}


def section(script, title, text, checks):
    lines = [f"## {title}", "", text, "", "| | measured | limit |", "|---|---:|---:|"]
    for what, value, limit, unit, least in checks:
        signed = not least and not any(word in what for word in ("mean", "median", "percentile", "TTFT, p99"))
        missed = value < limit if least else abs(value) > limit
        lines.append(f"| {what}{' **(missed)**' if missed else ''} | {value:{'+' if signed else ''}.1f} {unit} | {'at least ' if least else ''}{limit:g} {unit} |".replace("  |", " |"))
    if script in PICTURES:
        lines += ["", f"![{PICTURES[script]}]({script}.png)"]
    return "\n".join(lines) + "\n\n"


def figures(text):
    """What each line says: its first column to its value."""
    return {m[1].replace(" **(missed)**", ""): float(m[2]) for m in re.finditer(r"^\| ([^|]+?) \| ([+-]?[\d.]+) ", text, re.M)}


def main():
    orrery, root, path = sys.argv[1:4]
    page, skipped = HEAD, []
    for script, title, text in SCRIPTS:
        checks = measured(orrery, root, script)
        if checks is None:
            skipped.append(script)
        else:
            page += section(script, title, text, checks)
    page += TAIL
    if "--check" not in sys.argv:
        if skipped:
            sys.exit("recorded data is missing for " + ", ".join(skipped))
        with open(path, "w") as f:
            f.write(page)
        for picture in PICTURES:
            drawn = os.path.join(os.path.dirname(os.path.abspath(orrery)), picture + ".png")
            if os.path.exists(drawn):
                shutil.copy(drawn, os.path.dirname(os.path.abspath(path)))
        return
    with open(path) as f:
        old = figures(f.read())
    wrong = [f"{what}: {value} on the page {old.get(what, 'nothing')}" for what, value in figures(page).items() if what not in old or abs(old[what] - value) > 0.3]
    for line in wrong:
        print(line)
    sys.exit(1 if wrong else 0)


main()

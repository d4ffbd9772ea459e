"""Promises of `orrery validate` and `orrery calibrate`, on a table that the simulator itself has made with coefficients that are known."""
import csv
import os
import re

from bench import CALIBRATION_HEAD, ORIGIN, catalogues
from harness import main, orrery, path, run, summary, write

NAMES = CALIBRATION_HEAD.split(",")[3:17]
TRUTH = dict(zip(NAMES, (0.6, 0.8, 0.7, 0.5, 0.4, 0.3, 300, 60, 0, 0, 20, 5, 0, 8)))
START = dict(zip(NAMES, (0.7, 0.7, 0.7, 0.5, 0.4, 0.3, 200, 50, 0, 0, 15, 5, 0, 6)))
LOADS = [(1, users, prompt, answer) for users in (1, 4, 16, 48) for prompt, answer in ((128, 200), (1000, 256), (3000, 128))] + [(2, users, 500, 200) for users in (1, 8, 32)]


def folder(name, coefficients):
    """Catalogues as `--data` wants them."""
    catalogues(f"*,*,*,{','.join(str(coefficients[n]) for n in NAMES)},{ORIGIN}\n")
    place = path(name)
    os.makedirs(place, exist_ok=True)
    for table in ("accelerators", "engines", "models", "prices", "calibrations"):
        os.replace(path(f"bench-{table}.csv"), os.path.join(place, f"{table}.csv"))
    return place


HEAD = "accelerator,engine,model,group,concurrency,input,output,rounds,ttft_ms,tpot_ms\n"


def points(name, rows):
    return write(name, HEAD + "".join(",".join(map(str, row)) + "\n" for row in rows))


def read(file):
    with open(file, encoding="utf-8") as f:
        return list(csv.DictReader(f))


def made(truth):
    """The table: every load with the times that the simulator gives for it."""
    blank = points("blank.csv", [("box", "mixing", "plain", g, users, i, o, 3, 1000, 10) for g, users, i, o in LOADS])
    done = orrery("validate", blank, "--data", truth, "-o", path("made.csv"))
    assert done.returncode == 0, done.stderr
    got = read(path("made.csv"))
    assert len(got) == len(LOADS) and all(r["left_out"] == "" for r in got)
    return points("points.csv", [("box", "mixing", "plain", g, users, i, o, 3, r["simulated_ttft_ms"], r["simulated_tpot_ms"]) for (g, users, i, o), r in zip(LOADS, got)])


def errors(text, what):
    found = re.search(rf"{re.escape(what)}:\n  TPOT +([0-9.]+) % mean, +([0-9.]+) % median.* (\d+) points\n  TTFT, 1-16 users +([0-9.]+) % mean", text)
    assert found, (what, text)
    return float(found[1]), float(found[4]), int(found[3])


def test_its_own_times_are_validated_without_error():
    truth = folder("truth", TRUTH)
    done = orrery("validate", made(truth), "--data", truth)
    assert done.returncode == 0 and f"{len(LOADS)} of {len(LOADS)} points count" in done.stdout, done.stdout
    last = done.stdout.rstrip().splitlines()[-1].split()
    assert last[:3] == ["all", str(len(LOADS)), "0.0"] and set(last[2:4]) == {"0.0"}, last


def test_calibrate_recovers_the_times_and_writes_a_row_that_counts():
    truth, start = folder("truth", TRUTH), folder("start", START)
    table = made(truth)
    done = orrery("calibrate", table, "--accelerator", "box", "--engine", "mixing", "--data", start, "--folds", "3", "-o", path("row.csv"))
    assert done.returncode == 0, done.stderr
    before, unseen, after = (errors(done.stdout, what) for what in ("With the catalogue's coefficients", "Predicted, each point from a fit to others (cross-validation)", "Fitted"))
    assert before[0] > 4 and before[2] == len(LOADS), before
    assert after[0] < 2 and after[1] < 2 and unseen[0] < 4, (after, unseen)
    row = read(path("row.csv"))
    assert len(row) == 1 and row[0]["accelerator"] == "box" and row[0]["engine"] == "mixing" and row[0]["model"] == "plain" and row[0]["confidence"] == "measured"
    assert f"fit to {len(LOADS)} points of points.csv" in row[0]["source"] and "cross-validation" in row[0]["source"]
    assert done.stdout.rstrip().splitlines()[-1] == open(path("row.csv")).read().splitlines()[-1], "what is shown is what is written"
    assert all(re.fullmatch(r"[a-z0-9_]+=[0-9.e+-]+\.\.[0-9.e+-]+", part) for part in row[0]["range"].split(";")), row[0]["range"]
    again = orrery("calibrate", table, "--accelerator", "box", "--data", start, "--folds", "0", "-o", path("row.csv"))
    assert again.returncode == 0 and len(read(path("row.csv"))) == 1 and "Predicted" not in again.stdout
    everywhere = orrery("calibrate", table, "--accelerator", "*", "--data", start, "--folds", "0")
    assert everywhere.returncode == 0 and everywhere.stdout.rstrip().splitlines()[-1].startswith("*,*,dense,"), everywhere.stdout + everywhere.stderr
    os.replace(path("row.csv"), os.path.join(start, "calibrations.csv"))
    done = orrery("validate", table, "--data", start)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout.rstrip().splitlines()[-1].split()[2]) < 2, done.stdout


def test_a_row_that_is_fitted_is_the_one_that_counts():
    """One engine and one model: the row is for these, and replaces what the catalogue had; names are written as people write them."""
    truth, start = folder("truth", TRUTH), folder("shadow", START)
    table, catalogue = made(truth), os.path.join(start, "calibrations.csv")
    wrong = {**START, NAMES[1]: 0.3}
    with open(catalogue, "a") as f:
        f.write(f"box,mixing,plain,{','.join(str(wrong[n]) for n in NAMES)},{ORIGIN}\n")
    before = orrery("validate", table, "--data", start)
    done = orrery("calibrate", table, "--accelerator", "BOX", "--model", "Plain", "--data", start, "--folds", "0", "-o", catalogue)
    assert done.returncode == 0 and "row box/mixing/plain is of the same name" in done.stdout, done.stdout + done.stderr
    after = orrery("validate", table, "--data", start)
    error = lambda d: float(d.stdout.rstrip().splitlines()[-1].split()[2])
    assert error(before) > 20 and abs(error(after) - errors(done.stdout, "Fitted")[0]) < 0.11, (before.stdout, after.stdout)
    assert [r["accelerator"] for r in read(catalogue)] == ["*", "box"], "replaced, not added"
    wide = orrery("calibrate", table, "--accelerator", "*", "--data", start, "--folds", "0")
    assert "row box/mixing/plain is narrower and counts for some" in wide.stdout, wide.stdout
    with open(catalogue) as f:
        text = f.read()
    with open(catalogue, "a") as f:
        f.write(text.splitlines()[-1] + "\n")
    twice = orrery("validate", table, "--data", start)
    assert twice.returncode == 2 and "box/mixing/plain stands twice" in twice.stderr, twice.stderr


def test_tables_as_others_write_them():
    truth = folder("truth", TRUTH)
    splitwise = write("splitwise.csv", "model,hardware,prompt_size,batch_size,token_size,prompt_time,token_time,tensor_parallel\nplain,box-80gb,512,4,128,100,12,2\nplain,box,512,60000,128,100,12,1\n")
    done = orrery("validate", splitwise, "--data", truth, "--engine", "mixing", "-o", path("splitwise_out.csv"))
    assert done.returncode == 0, done.stderr
    first, second = read(path("splitwise_out.csv"))
    assert done.returncode == 0 and "`box-80gb` is read as box" in done.stdout, done.stdout + done.stderr
    assert (first["group"], first["concurrency"], first["rounds"], first["token_budget"], first["engine"], first["left_out"]) == ("2", "4", "1", "2048", "mixing", "")
    assert second["left_out"] == "the load does not fit into the cache"
    vllm = write("vllm.csv", "model_id,gpu,tp,request_rate,max_concurrency,input_len,output_len,mean_ttft_ms,mean_tpot_ms,output_throughput\nplain,Unheard-of 9,1,inf,1000,100,200,5000,40,900\n")
    done = orrery("validate", vllm, "--data", truth)
    assert done.returncode == 2 and "1 left out: the accelerator is not in the catalogue (line 2: `Unheard-of 9`)" in done.stdout and "no point is left" in done.stderr, done.stdout + done.stderr
    done = orrery("validate", vllm, "--data", truth, "--accelerator", "Box", "-o", path("vllm_out.csv"))
    (row,) = read(path("vllm_out.csv"))
    assert done.returncode == 0 and (row["rounds"], row["max_batch"], row["accelerator"], row["left_out"]) == ("1", "256", "box", ""), (done.stderr, row)


def test_precisions_are_understood_or_left_out():
    truth = folder("truth", TRUTH)
    words = {"AWQ": "int4", "GPTQ-4bit": "int4", "w4a16": "int4", "w8a8": "int8", "e4m3": "fp8", "nvfp4": "fp4", "bfloat16": "bf16", "": "bf16"}
    text = "accelerator,engine,model,precision,concurrency,input,output,tpot_ms\n" + "".join(f"box,mixing,plain,{w},1,100,200,12\n" for w in (*words, "garbage"))
    done = orrery("validate", write("words.csv", text + "box,mixing,plain-Instruct-AWQ,,1,100,200,12\n"), "--data", truth, "-o", path("words_out.csv"))
    rows = read(path("words_out.csv"))
    assert done.returncode == 0 and [r["precision"] for r in rows[:len(words)]] == list(words.values()) and rows[-1]["precision"] == "int4", rows
    assert "1 left out: the precision is none of bf16, fp8, fp4, int8, int4 (line 10: `garbage`)" in done.stdout, done.stdout
    empty = orrery("validate", write("empty.csv", "accelerator,engine,model,concurrency,input,output,tpot_ms\nbox,mixing,plain,,100,200,12\n"), "--data", truth)
    assert empty.returncode == 2 and "empty.csv:2:18" in empty.stderr, empty.stderr


def test_a_point_s_scenario_runs_to_the_same_times():
    truth = folder("truth", TRUTH)
    table = made(truth)
    for row in (1, 6, len(LOADS)):
        done = orrery("validate", table, "--data", truth, "--scenario", str(row))
        assert done.returncode == 0, done.stderr
        numbers = summary(run(write("point.yaml", done.stdout), "point.h5"))
        group, users, _, answer = LOADS[row - 1]
        point = read(table)[row - 1]
        assert numbers["requests"]["served"] == 3 * users
        assert abs(1e3 * numbers["latency"]["ttft"]["mean"] / float(point["ttft_ms"]) - 1) < 1e-5
        assert abs(1e3 * numbers["latency"]["tpot"]["mean"] / float(point["tpot_ms"]) - 1) < 1e-5


def test_points_are_left_out_for_reasons():
    truth = folder("truth", TRUTH)
    rows = [("box", "mixing", "plain", 1, 2, 100, 200, 3, 50, 12), ("box", "mixing", "plain", 1, 2, 100, 20, 3, 50, 12), ("box", "mixing", "plain", 1, 2, 100, 200, 3, 90000, 12),
            ("abacus", "mixing", "plain", 1, 2, 100, 200, 3, 50, 12), ("box", "mixing", "oracle", 1, 2, 100, 200, 3, 50, 12), ("box", "mixing", "plain", 1, 2, 100, 200, 3, "", ""),
            ("tiny", "mixing", "plain", 1, 64, 3000, 200, 3, 50, 12), ("box", "sorting", "plain", 1, 2, 100, 200, 3, 50, 12), ("Box", "Mixing-0.12", "org/Plain-Instruct", 1, 2, 100, 200, 3, 50, 12), ("box", "mixing", "plain", 1, 2, 100, 200, 3, "", 12),
            ("Box 80GB PCIe", "mixing", "plain", 1, 2, 100, 200, 3, 50, 12), ("box_NVL72", "mixing", "plain", 1, 2, 100, 200, 3, 50, 12)]
    done = orrery("validate", points("mixed.csv", rows), "--data", truth, "-o", path("left.csv"))
    assert done.returncode == 0, done.stderr
    assert "4 of 12 points count" in done.stdout
    reasons = ["", "too few output tokens", "the time to first token is that of a queue", "the accelerator is not in the catalogue", "the model is not in the catalogue", "nothing measured",
               "the load does not fit into the cache", "the engine is not in the catalogue", "", "", "only another card of that name is in the catalogue", ""]
    found = [r["left_out"] for r in read(path("left.csv"))]
    assert found == reasons, found
    for why in filter(None, reasons):
        assert f"1 left out: {why}" in done.stdout, why


def test_usage_errors_exit_with_2():
    truth = folder("truth", TRUTH)
    table = made(truth)
    few = points("few.csv", [("box", "mixing", "plain", 1, 2, 100, 200, 3, 50, 12)] * 2)
    headless = write("headless.csv", "model,concurrency,input\nplain,1,100\n")
    wrong = points("wrong.csv", [("box", "mixing", "plain", 1, "many", 100, 200, 3, 50, 12)])
    for arguments, words in ((("validate",), "expected a table"), (("validate", "none.csv"), "none.csv"), (("validate", table, table), "one table"), (("validate", table, "--scenario", "0"), "from 1 on"),
                             (("validate", table, "--scenario", "99"), f"{len(LOADS)} rows"), (("validate", table, "--data", "nowhere"), "nowhere"), (("validate", table, "--calibration", "a/b/c"), "a/b/c"),
                             (("validate", headless), "output"), (("validate", wrong), f"{wrong}:2:20"), (("calibrate", table), "--accelerator"), (("calibrate", table, "--accelerator", "abacus"), "no point is left"),
                             (("calibrate", few, "--accelerator", "box", "--folds", "0"), "at least 3"), (("calibrate", table, "--accelerator", "box", "--folds", "1"), "--folds")):
        options = () if "--data" in arguments else ("--data", truth)
        done = orrery(*arguments, *options)
        assert done.returncode == 2 and words in done.stderr, (arguments, done.returncode, done.stdout, done.stderr)


if __name__ == "__main__":
    main()

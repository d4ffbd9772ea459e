"""Splitwise: Llama-2-70B on A100 and H100 (Patel et al., ISCA 2024; Mutinifni/splitwise-sim 8f99e7d, MIT), batches prefilled and decoded alone.

With a fourth argument, the measured table of splitwise-sim is converted into data/measured/splitwise.csv (medians of repeated runs).
"""
import csv
import statistics
import sys
from collections import defaultdict

import table


def convert(source, target):
    runs = defaultdict(list)
    with open(source) as f:
        for r in csv.DictReader(f):
            key = r["model"], r["hardware"], *(int(r[c]) for c in ("tensor_parallel", "prompt_size", "batch_size", "token_size"))
            runs[key].append((float(r["prompt_time"]), float(r["token_time"])))
    with open(target, "w") as f:
        f.write("# Llama-2-70B on A100 and H100: so many prompts at once, and so many sequences decoding, each alone. Medians of repeated runs.\n"
                "# Origin: perf_model.csv of Mutinifni/splitwise-sim 8f99e7d (MIT), by tests/validation/splitwise.py.\n"
                "accelerator,engine,model,precision,group,concurrency,input,output,rounds,ttft_ms,prefill_tokens_s,decode_tokens_s\n")
        for (model, hardware, group, prompt, batch, tokens), times in sorted(runs.items()):
            first, each = (statistics.median(t) for t in zip(*times))
            head = f"{hardware.split('-')[0]},splitwise-2023,{model},bf16,{group},{batch},{prompt}"
            f.write(f"{head},1,1,{first:.5g},{1e3 * batch * prompt / first:.5g},\n")
            f.write(f"{head},{tokens},1,,,{1e3 * batch / each:.5g}\n")


def main():
    path = f"{table.ROOT}/data/measured/splitwise.csv"
    if len(sys.argv) > 3:
        convert(sys.argv[3], path)
    points = table.validated(path)
    left_out = sum(p["left_out"] != "" for p in points)
    print(f"{len(points) - left_out} of {len(points)} points count; {left_out} batches do not fit into the memory")
    for accelerator in "a100", "h100":
        for group in None, 2, 4, 8:
            mine = [p for p in points if p["accelerator"] == accelerator and group in (None, p["group"])]
            name = f"{accelerator}, {'all groups' if group is None else f'groups of {group:g}'}"
            for phase, limit in ("decode", 13), ("prefill", 12):
                e = table.errors([p for p in mine if p["phase"] == phase and (phase == "decode" or p["concurrency"] == 1)], "tokens_s" if phase == "decode" else "ttft_ms")
                if e:
                    title = f"{name}: {'decoding' if phase == 'decode' else 'one prompt'}, mean of {len(e)}"
                    if group is None:
                        table.check(title, 100 * table.mean_of(e), limit)
                    else:
                        print(f"        {title:<68} {100 * table.mean_of(e):+8.1f} %")
        many = table.errors([p for p in points if p["accelerator"] == accelerator and p["phase"] == "prefill" and p["concurrency"] > 1], "ttft_ms")
        print(f"        {f'{accelerator}: several prompts at once, median of {len(many)} (no limit stated)':<68} {100 * statistics.median(map(abs, many)):+8.1f} %")
    table.done()


main()

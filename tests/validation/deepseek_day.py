"""DeepSeek's day (scenarios/deepseek_day.yaml): what a node does, how many nodes the day takes, and the bill; predicted beside published.

Predicted from the model, the accelerator, the token mix, the published layout and 20 to 22 tokens/s per user. Both throughputs are simulated: prefill groups that
always have prompts waiting, and a decode group with as many users as leave each of them 21 tokens/s. Then the day runs (a tenth of it), and what arrives
is put over the published staircase of nodes. Limits: 25 % for both throughputs and for the mean number of nodes; the bill to the prefixes' first use.
"""
import os

import h5py
import numpy as np

import table

PREFILL, DECODE, NODES, BILL = 73700, 14800, 226.75, 562100.0  # published tokens/s and node, mean nodes, USD
INPUT, CACHED, OUTPUT = 608e9, 342e9, 168e9
STAIRS = [(0, 278), (12, 218), (13.25, 188), (14, 158), (14.75, 128), (15, 98), (15.5, 68), (18.5, 98), (19, 128), (19.5, 188), (20, 218), (20.5, 278)]  # hours from 12:00 on, nodes
YUAN, TENTHS, GROUPS = 7.2, 10, 4
CLASSES = {"short": (7, 1728, 1310, 813), "long": (3, 3264, 2618, 1687)}  # of ten requests; tokens of prefix, input, output: as in the scenario


def saturated(name, users, output, groups, engine, seconds, ramp):
    """The pools of the scenario with users who ask again at once; output None: that of the scenario. Both classes in their proportion."""
    # Users stay in the system as long as their answers are: so many of each class that requests are in the scenario's proportion.
    weights = {c: share * (output or answer) for c, (share, _, _, answer) in CLASSES.items()}
    with open(f"{table.ROOT}/scenarios/deepseek_day.yaml") as f:
        day = f.read().replace("../data/", f"{table.ROOT}/data/").replace("engine: deepseek-2025", f"engine: {engine}").replace("duration: never", f"duration: {seconds} s")
    head, rest = day.split("\nclients:\n")
    rest = rest.split("\nbrain:")[1]
    clients = "".join(f"  - {{class: {c}, service: deepseek, users: {round(users * weights[c] / sum(weights.values()))}, ramp: {ramp} s, where: [{{site: centre}}], prefix: {prefix} tokens, "
                      f"input: {{mean: {prompt} tokens}}, output: {{mean: {output or answer} tokens}}}}\n" for c, (_, prefix, prompt, answer) in CLASSES.items())
    text = head.replace("prefill_groups: {default: 4", f"prefill_groups: {{default: {groups}") + "\nclients:\n" + clients + "brain:" + rest
    return table.scenario(text.replace("bin: 15 min, latency_bin: 15 min", "bin: 10 s, latency_bin: 10 s"), name)


def prefill_throughput(engine):
    """Input tokens (cached ones too) per second and node; answers have one token."""
    with h5py.File(saturated("prefill", 12000, 1, 4, engine, 120, 1)) as f:
        s = {k: f["sites"][k][()] for k in ("pool", "time", "tokens", "done")}
    late = (s["pool"] == 0) & (s["time"] >= 40e9) & (s["time"] < 120e9)
    return (s["tokens"][late].sum() - s["done"][late].sum()) / 80 / 16


def decode_at(engine, users):
    """Tokens per second of a user, and of a node, of a decode group with so many users."""
    with h5py.File(saturated("decode", users, None, 12, engine, 260, 60)) as f:
        s = {k: f["sites"][k][()] for k in ("pool", "time", "batch_time")}
        g = {k: f["latency/gaps"][k][()] for k in ("pool", "bin", "bucket", "count")}
    late = (s["pool"] == 1) & (s["time"] >= 160e9) & (s["time"] < 260e9)
    gaps = (g["pool"] == 1) & (g["bin"] >= 16) & (g["bin"] < 26)
    gap = np.average(g["bucket"][gaps] * (1 + 0.5 / 128), weights=g["count"][gaps]) * 1e-9
    return 1 / gap, s["batch_time"][late].sum() / 100 / gap / 18


def decode_throughput(engine, speed, known={}):
    """Tokens per second of a node when users get `speed` tokens per second: their number by false position, as the step is nearly linear in it."""
    at = known.setdefault(engine, {})  # users: tokens/s of one, of a node
    while True:
        for users in (6000, 18000) if not at else ():
            at[users] = decode_at(engine, users)
        close = [u for u in at if abs(at[u][0] / speed - 1) < 0.003]
        if close:
            return at[close[0]][1]
        slower, faster = min((u for u in at if at[u][0] < speed), default=18000), max((u for u in at if at[u][0] > speed), default=6000)
        s, f = 1 / at[slower][0], 1 / at[faster][0]
        users = round(faster + (1 / speed - f) / (s - f) * (slower - faster))
        if users in at:
            return at[users][1]
        at[users] = decode_at(engine, users)


def day(prefill, decode):
    out = os.path.join(table.FOLDER, "day.h5")
    table.orrery("run", f"{table.ROOT}/scenarios/deepseek_day.yaml", "-q", "-o", out)
    with h5py.File(out) as f:
        s = {k: f["sites"][k][()] for k in ("pool", "time", "width", "arrived")}
        tokens = {k: float(f["tokens"][k][()].sum()) for k in ("cached_input", "input", "output")}
    one = s["pool"] == 0
    hours, rate = s["time"][one] / 3600e9, s["arrived"][one] / (s["width"][one] * 1e-9)
    requests = s["arrived"][one].sum()
    per_request = (tokens["cached_input"] + tokens["input"]) / requests / prefill + tokens["output"] / requests / decode
    return table.summary(out), tokens, hours, TENTHS * rate * per_request


def stairs(hours):
    return np.array([[n for h, n in STAIRS if h <= x + 1e-9][-1] for x in hours])


def draw(hours, demand, path):
    try:
        import matplotlib
        matplotlib.use("Agg")
        import matplotlib.pyplot as plt
    except ImportError:
        return
    fig, ax = plt.subplots(figsize=(9, 4))
    ax.step(hours, stairs(hours), where="post", label="published: nodes in service (a curve of supply)")
    ax.step(hours, demand, where="post", label="simulated: nodes that the arriving requests need")
    ax.set(xlabel="hours from 12:00 (UTC+8)", ylabel="nodes of 8 x H800", ylim=(0, None))
    ax.legend()
    fig.tight_layout()
    fig.savefig(path, dpi=120)
    print(f"drawn into {path}")


def main():
    prefill = prefill_throughput("deepseek-2025")
    decode = decode_throughput("deepseek-2025", 21)
    nodes = INPUT / 86400 / prefill + OUTPUT / 86400 / decode
    table.check(f"prefill: {prefill:.0f} input tokens/s and node, published {PREFILL}", 100 * (prefill / PREFILL - 1), 25)
    table.check(f"decode at 21 tokens/s per user: {decode:.0f} tokens/s and node, published {DECODE}", 100 * (decode / DECODE - 1), 25)
    table.check(f"nodes: {nodes:.2f} in the mean, published {NODES}", 100 * (nodes / NODES - 1), 25)
    for speed in 20, 22:
        rate = decode_throughput("deepseek-2025", speed)
        print(f"        decode at {speed} tokens/s per user: {rate:.0f} tokens/s and node ({100 * (rate / DECODE - 1):+.1f} %)")
    p, d = prefill_throughput("deepseek-profile"), decode_throughput("deepseek-profile", 21)
    print(f"        with the kernels of profile-data, perfectly balanced and without gaps: prefill {p:.0f} ({100 * (p / PREFILL - 1):+.1f} %), decode {d:.0f} ({100 * (d / DECODE - 1):+.1f} %)")
    summary, tokens, hours, demand = day(prefill, decode)
    print(f"  the day: {summary['requests']['served']} requests served of {summary['requests']['offered']}, TTFT {summary['latency']['ttft']['mean']:.3f} s, TPOT {1e3 * summary['latency']['tpot']['mean']:.1f} ms in the mean")
    whole = hours < 24
    print("  hour from 12:00    published nodes    simulated demand")
    for h in range(24):
        mine = (hours >= h) & (hours < h + 1)
        print(f"  {h:>4}{stairs(hours[mine]).mean():>24.1f}{demand[mine].mean():>20.1f}")
    table.check("mean demand of the simulated day, against the published mean", 100 * (demand[whole].mean() / NODES - 1), 25)
    shape = demand[whole] / demand[whole].mean() - stairs(hours[whole]) / stairs(hours[whole]).mean()
    print(f"        shapes (each over its mean) differ by {100 * np.sqrt(np.mean(shape ** 2)):.1f} % of the mean (root mean square; the profile has steps of an hour)")
    for kind, given in (("input", INPUT), ("output", OUTPUT)):
        got = tokens[kind] + (tokens["cached_input"] if kind == "input" else 0)
        table.check(f"{kind} tokens: {got:.0f} of {given / TENTHS:.0f}", got - given / TENTHS, 0, "tokens")
    usd = summary["cost"]["total_yuan"] / YUAN * TENTHS
    # Who asks before a group has a prefix computes it, which the published count of hits does not show: a few requests of each class and group.
    computed = CACHED / TENTHS - tokens["cached_input"]
    first = sum(prefix for _, prefix, _, _ in CLASSES.values()) * GROUPS
    extra = computed * (0.55 - 0.14) * 1e-6 * TENTHS
    print(f"        prompt tokens that were computed for a prefix: {computed:.0f} (at least {first}: once by each group)")
    table.check("the same, beyond that, of all cached tokens", 1e6 * (computed - first) * TENTHS / CACHED, 1, "10^-6")
    table.check(f"bill of ten such days: {usd:.6f} USD, at the rounded inputs {BILL:.0f}, and {extra:.6f} for those", usd - BILL - extra, 1e-6, "USD")
    draw(hours[whole], demand[whole], os.path.join(os.path.dirname(table.ORRERY), "deepseek_day.png"))
    table.done()


main()

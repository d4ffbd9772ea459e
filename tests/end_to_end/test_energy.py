"""Promises about energy, its price and its carbon: requirement O19, sums that are whole, bins that do not matter, catalogues that are refused."""
import csv
import os

import h5py
import numpy as np

from harness import BUSY, ROOT, differing, main, orrery, path, run, scenario, summary, write

NATIONAL = scenario("national_day.yaml")
ORIGIN = "test,2026-10,derived,\n"

# Requirement O19: a node of 10 kW, DeepSeek's 226.75 nodes and 776e9 tokens a day; place: PUE, g/kWh, g per million tokens.
O19 = {"Zhongwei": (1.15, 642.3, 51.80), "Guizhou": (1.2, 498.9, 41.98), "Sichuan": (1.25, 140.4, 12.31), "Guangdong": (1.3, 440.3, 40.14), "Singapore": (1.3, 474, 43.21),
       "UAE": (1.5, 348, 36.61), "Brazil": (1.5, 105.5, 11.10)}
COEFFICIENTS = ",".join(prefix + name for prefix in ("", "moe_") for name in ("ec", "eb", "ekv", "eat", "ecm", "t0_us", "tl_us", "tb_us", "ar_us"))


def node_catalogue(name, idle=1, tdp=9000, host=1000):
    """An accelerator `node` that draws tdp + host W at work, a share `idle` of it without."""
    head = f"name,title,vendor,memory_gb,bandwidth_gb_s,bf16_tflops,link_gb_s,tdp_w,idle_power_fraction,prefill_power_fraction,decode_power_fraction,{COEFFICIENTS},host_w,source,as_of,confidence,range\n"
    return write(name, head + f"node,Node,,640,1000,1000,100,{tdp},{idle},1,1,{','.join(['0.5'] * 18)},{host},{ORIGIN}")


def test_carbon_per_million_tokens_is_that_of_requirement_o19():
    # 907 nodes, four times as many, for a fortieth of the day: a tenth of its energy and tokens.
    lines = ["duration: 36 min", f"catalogues: {{accelerators: {node_catalogue('o19.csv')}}}", "sites:"]
    for k, (place, (pue, carbon, _)) in enumerate(O19.items()):
        lines.append(f"  - {{id: {place}, population: 1, longitude: {10 * k}, pue: {pue}, pue_fixed_share: 0.4, grid_carbon: {carbon}, electricity: 1}}")
    names = list(O19)
    links = [f"  - {{a: {a}, b: {b}, distance: 2000 km}}" for a, b in zip(names, names[1:])]
    services = [f"  - {{name: ask-{place}, kind: station, law: deterministic, mean: 1 ms}}" for place in O19]
    pools = [f"  - {{site: {place}, service: ask-{place}, accelerator: node, replicas: 907}}" for place in O19]
    clients = [f"  - {{class: c-{place}, service: ask-{place}, rate: 10 /s, requests: 8000, where: [{{site: {place}}}], input: {{mean: 7600k, most: 7600k}}, output: {{mean: 2100k, most: 2100k}}}}" for place in O19]
    numbers = summary(run(write("o19.yaml", "\n".join([*lines, "links:", *links, "services:", *services, "pools:", *pools, "clients:", *clients]) + "\n"), "o19.h5"))
    assert numbers["requests"]["served"] == 8000 * len(O19), numbers["requests"]
    for place, (pue, carbon, grams) in O19.items():
        site = numbers["serving"]["by_site"][place]
        assert site["tokens"] == 77.6e9
        assert abs(site["energy"]["it_kwh"] - 5442) < 1e-6
        assert round(site["energy"]["it_kwh"] / site["tokens"] * 1e6, 5) == 0.07013
        assert round(site["carbon"]["per_million_tokens_g"], 2) == grams, (place, site["carbon"])
        assert abs(site["energy"]["kwh"] - pue * 5442) < 1e-6, "at full load the PUE is the site's"


HOURS = "grid,hour,price_factor,carbon_factor,source,as_of,confidence,range\n"


def flat_hours():
    """A catalogue with the grids of the shipped one, all flat; factors are relative."""
    with open(os.path.join(ROOT, "data", "grid_hours.csv")) as f:
        grids = {row["grid"] for row in csv.DictReader(line for line in f if not line.startswith("#"))}
    return write("flat.csv", HOURS + "".join(f"{g},{h},3,7,{ORIGIN}" for g in sorted(grids) for h in range(24)))


def whole(numbers):
    return [numbers["energy"]["kwh"], numbers["energy"]["it_kwh"], numbers["carbon"]["kg"], numbers["electricity"]["yuan"]]


def test_sites_and_models_sum_up_to_the_whole():
    numbers = summary(run(NATIONAL, "sums.h5", *BUSY))
    for parts in numbers["serving"].values():
        for total, part in zip(whole(numbers), np.array([whole(p) for p in parts.values()]).sum(axis=0)):
            assert total > 0 and abs(part - total) < 1e-12 * total
        assert sum(p["tokens"] for p in parts.values()) > numbers["tokens"]["output"]
    with h5py.File(path("sums.h5")) as f:
        pools = {name: f["tokens/pools"][name][:].sum() for name in ("energy", "it_energy", "carbon", "electricity_yuan")}
        checks = dict(zip(f["audit/name"][:], zip(f["audit/left"][:], f["audit/right"][:])))
    assert np.allclose([pools["energy"], pools["it_energy"], pools["carbon"], pools["electricity_yuan"]], whole(numbers), rtol=1e-12, atol=0)
    energy = [sides for name, sides in checks.items() if name.startswith(b"energy")]
    assert len(energy) == 4 and all(left == right for left, right in energy), checks


def test_bins_longer_than_hours_and_beside_them_change_no_sum():
    """Prices change inside the bins: 3 h 20 min from 9:40, in one bin, in bins of 50 min, of 5 min."""
    span = ["--set", "duration=200 min", "--set", "start=2026-05-13T09:40:00+08:00"]
    runs = [run(NATIONAL, f"bins{b}.h5", *span, "--set", f"output.bin={b} min", "--set", "output.latency_bin=200 min") for b in (200, 50, 5)]
    exact, *others = [whole(summary(r)) for r in runs]
    for other in others:
        assert np.allclose(exact, other, rtol=1e-11, atol=0), (exact, other)
    # What is not about electricity does not notice its hours.
    flat = run(NATIONAL, "flat.h5", *span, "--set", "output.bin=200 min", "--set", "output.latency_bin=200 min", "--set", f"catalogues.grid_hours={flat_hours()}")
    changed = [d for d in differing(runs[0], flat) if not d.startswith(("/scenario", "/@", "/audit"))]
    assert set(changed) == {f"/{t}/{c}" for t in ("sites", "tokens/pools") for c in ("carbon", "electricity_yuan")}, changed
    with h5py.File(flat) as f:
        at = f["scenario/pools/site"][:][f["tokens/pools/pool"][:]]
        for column, mean, unit in (("carbon", "grid_carbon", 1000), ("electricity_yuan", "electricity", 1)):
            assert np.allclose(f[f"tokens/pools/{column}"][:], f["tokens/pools/energy"][:] * f[f"scenario/sites/{mean}"][:][at] / unit, rtol=1e-12), "a site's figure is its mean"


def test_idle_servers_draw_their_idle_power_and_working_ones_more():
    text = "\n".join(["duration: 2 h", f"catalogues: {{accelerators: {node_catalogue('idle.csv', idle=0.25)}}}", "sites: [{id: here, population: 1, pue: 1.5, pue_fixed_share: 0.4, electricity: 2}]",
                      "services: [{name: ask, kind: station, law: deterministic, mean: 90 min}]", "pools: [{site: here, service: ask, accelerator: node}]",
                      "clients: [{class: c, service: ask, rate: 1000 /s, requests: 1}]"])
    n = summary(run(write("idle.yaml", text + "\n"), "idle.h5"))
    it = 10 * (1.5 + 0.5 * 0.25)  # the request comes within the first second
    assert abs(n["energy"]["it_kwh"] - it) < 0.01 and n["energy"]["it_kwh"] > 2 * 2.5
    assert np.isclose(n["energy"]["kwh"], n["energy"]["it_kwh"] * 1.3 + 0.2 * 10 * 2, rtol=1e-12)
    assert np.isclose(n["electricity"]["yuan"], 2 * n["energy"]["kwh"], rtol=1e-12)
    assert n["energy"]["pue"] > 1.5, "a lightly used site has a worse PUE"


def test_catalogues_of_electricity_that_make_no_sense_are_refused():
    site = "sites: [{id: here, population: 1, grid_hours: dragon}]\nservices: [{name: ask, kind: station}]\npools: [{site: here, service: ask}]\nclients: [{class: c, service: ask, rate: 1 /s}]\nduration: 1 s\n"
    day = [f"dragon,{h},{h},1,{ORIGIN}" for h in range(24)]
    def refused(rows, *words):
        write("hours.csv", HOURS + "".join(rows))
        done = orrery("run", write("hours.yaml", "catalogues: {grid_hours: hours.csv}\n" + site), "-o", path("no.h5"))
        assert done.returncode == 2 and all(w in done.stderr for w in words), done.stderr
    refused(day[:23], "grid `dragon`", "each hour from 0 to 23")
    refused(day[:23] + day[3:4], "hours.csv:25", "hour 3 twice")
    refused([d.replace("dragon", "dragoon") for d in day], "unknown grid", "did you mean `dragoon`")
    refused([f"dragon,{h},0,1,{ORIGIN}" for h in range(24)], "not all zero")
    node_catalogue("worse.csv", idle=0.9)
    write("worse.csv", open(path("worse.csv")).read().replace(",9000,0.9,1,1,", ",9000,0.9,1,0.8,"))
    done = orrery("run", write("worse.yaml", "catalogues: {accelerators: worse.csv}\n" + site.replace(", grid_hours: dragon", "")), "-o", path("no.h5"))
    assert done.returncode == 2 and "draw more when idle" in done.stderr, done.stderr


if __name__ == "__main__":
    main()

"""Promises about the provider's cost: a case by hand, parts that sum up, accelerators without a rent, price and cost apart."""
import math
import os

import h5py
from harness import ROOT, main, path, run, scenario, summary, write

COEFFICIENTS = ",".join(prefix + name for prefix in ("", "moe_") for name in ("ec", "eb", "ekv", "eat", "ecm", "t0_us", "tl_us", "tb_us", "ar_us"))
PARTS = ("compute_yuan", "idle_yuan", "energy_yuan")
SHORT = ["--set", "duration=30 min", "--set", "start=2026-05-13T16:00:00+08:00"]


def catalogue(name, rent):
    """An accelerator `node`; `rent` in yuan per hour, None leaves the column out."""
    head = f"name,title,vendor,memory_gb,bandwidth_gb_s,bf16_tflops,link_gb_s,tdp_w,idle_power_fraction,prefill_power_fraction,decode_power_fraction,{COEFFICIENTS},host_w,"
    column, cell = ("", "") if rent is None else ("rent_yuan_per_hour,", f"{rent},")
    return write(name, f"{head}{column}source,as_of,confidence,range\nnode,Node,,640,1000,1000,100,900,0.5,1,1,{','.join(['0.5'] * 18)},100,{cell}test,2026-10,derived,\n")


def one_station(name, rent):
    """Four servers for an hour; 1000 requests of 3.6 s take a quarter of their places; two million tokens."""
    return summary(run(write(f"{name}.yaml", f"""
duration: 1 h
catalogues: {{accelerators: {catalogue(name + '.csv', rent)}}}
sites: [{{id: here, population: 1, pue: 1.5, electricity: 0.5}}]
services: [{{name: ask, kind: station, law: deterministic, mean: 3.6 s}}]
pools: [{{site: here, service: ask, accelerator: node, replicas: 4}}]
clients: [{{class: c, service: ask, rate: 1 /s, requests: 1000, where: [{{site: here}}], input: {{mean: 1500, most: 1500}}, output: {{mean: 500, most: 500}}}}]
"""), f"{name}.h5"))


def test_a_case_by_hand():
    numbers = one_station("rented", 7.2)
    provider = numbers["provider"]
    assert numbers["requests"]["served"] == 1000 and abs(provider["accelerator_hours"] - 4) < 1e-9, provider
    assert abs(provider["compute_yuan"] - 7.2) < 1e-6, provider
    assert abs(provider["idle_yuan"] - 21.6) < 1e-6, provider
    assert abs(provider["energy_yuan"] - numbers["electricity"]["yuan"]) < 1e-9 and provider["energy_yuan"] > 0
    assert provider["transport_yuan"] is None and provider["priced_share"] == 1
    assert abs(provider["total_yuan"] - sum(provider[part] for part in PARTS)) < 1e-9
    for part in (*PARTS, "total_yuan"):
        assert abs(provider["per_million_tokens"][part] - provider[part] / 2) < 1e-9, part


def test_transport_has_a_price_where_the_scenario_gives_one():
    def day(*price):
        return summary(run(scenario("national_day.yaml"), "carried.h5", *SHORT, *price))["provider"]

    free, priced, nothing = day(), day("--set", "network.transport_price=2"), day("--set", "network.transport_price=0")
    with h5py.File(path("carried.h5")) as f:
        carried = int(f["/links/bytes_ab"][()].sum() + f["/links/bytes_ba"][()].sum())
    assert free["transport_yuan"] is None and nothing["transport_yuan"] == 0 and carried > 0
    assert math.isclose(priced["transport_yuan"], 2 * carried / 1e9, rel_tol=1e-9)
    assert math.isclose(priced["total_yuan"], free["total_yuan"] + priced["transport_yuan"], rel_tol=1e-9)
    assert math.isclose(priced["per_million_tokens"]["transport_yuan"] * free["total_yuan"], priced["transport_yuan"] * free["per_million_tokens"]["total_yuan"], rel_tol=1e-9)


def test_a_link_may_have_a_price_of_its_own():
    text = f"""
duration: 10 min
catalogues: {{devices: {os.path.join(ROOT, "data", "devices.csv")}, access: {os.path.join(ROOT, "data", "access.csv")}}}
""" + """
sites: [{id: a}, {id: b}, {id: c}]
links: [{a: a, b: b, delay: 1 ms, transport_price: 5}, {a: b, b: c, delay: 1 ms}]
services: [{name: ask, kind: station, mean: 1 s}]
pools: [{site: c, service: ask, servers: 100}]
clients: [{class: c, service: ask, device: phone, rate: 1 /s, requests: 200, where: [{site: a}], input: {mean: 1500, most: 1500}, output: {mean: 500, most: 500}}]
"""
    paid = [summary(run(write("links.yaml", text + network), "links.h5"))["provider"]["transport_yuan"] for network in ("", "network: {transport_price: 1}\n")]
    assert paid[0] > 0 and math.isclose(paid[1], paid[0] * 6 / 5, rel_tol=1e-9), "the same bytes over both links"


def test_without_a_rent_there_is_no_compute_and_no_total():
    provider = one_station("unpriced", None)["provider"]
    assert provider["compute_yuan"] is None and provider["idle_yuan"] is None and provider["total_yuan"] is None, provider
    assert provider["priced_share"] == 0 and provider["energy_yuan"] > 0


def test_models_sum_up_to_the_whole_and_the_price_is_another_matter():
    numbers = summary(run(scenario("national_day.yaml"), "day.h5", *SHORT))
    provider, models = numbers["provider"], [part["provider"] for part in numbers["serving"]["by_model"].values()]
    for part in (*PARTS, "accelerator_hours"):
        whole = sum(model[part] or 0 for model in models)
        assert abs(whole - provider[part]) < 1e-9 * whole, (part, whole, provider[part])
    assert 0 < provider["priced_share"] <= 1 and provider["total_yuan"] != numbers["cost"]["total_yuan"]
    dear = summary(run(scenario("national_day.yaml"), "dear.h5", *SHORT, "-p", "random"))
    assert abs(dear["provider"]["accelerator_hours"] - provider["accelerator_hours"]) < 1e-9, "what is rented does not hang on the policy"


if __name__ == "__main__":
    main()

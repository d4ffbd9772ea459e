"""Scenarios drawn at random, for properties that must hold in all of them: valid by construction, and the same one for the same seed.

Half of the worlds are *tidy*: delays are whole milliseconds, services take equal times, recorded requests begin on a grid of 10 ms at several sites at
once. There many events share their nanosecond, so that a result which depends on how equals are ordered shows. The other half are spread over the globe.

Numbers of requests follow from durations and capacities by rough estimates: what matters is that queues form, overflow and empty again, not how long
they are.
"""
import collections
import csv
import json
import math
import os
import random

LONGEST = 3600       # tokens of one request at most: less than any model's context
MOST_REQUESTS = 3000 # of one service
POLICIES = {
    "random": {}, "weighted_round_robin": {}, "nearest": {"spill": (0.3, 5)}, "least_expected_latency": {}, "join_shortest_queue": {},
    "power_of_d": {"d": (1, 6)}, "cost_first": {"margin": (0.1, 1)}, "prefix_aware": {"load": (0.5, 100), "memory": (1, 3000)},
}
COUNTRIES = ["CN", "CN", "CN", "HK", "SG", "AE", "BR"]
DATA_CLASSES = ["anonymous", "anonymous", "personal", "payment", "health", "important", "government"]
MECHANISMS = ["security_assessment", "contract", "scc", "bcr", "consent"]
DEVICES = ["pos_terminal", "kiosk", "ai_toy", "watch", "phone", "agent_server", "ai_box"]
ACCESS = ["5g_sa", "lte_cat1", "nb_iot", "wifi", "ftth", "leased_line"]
PROFILES = ["flat", "retail", "phone", "enterprise", "deepseek_day"]
STARTS = ["2026-05-13T08:59:30+08:00", "2026-05-13T11:59:50+08:00", "2026-05-15T23:59:45+08:00", "2026-05-14T00:29:40+08:00", "2026-10-01"]
WEIGHT_BYTES = {"bf16": 2, "fp8": 1, "int8": 1, "int4": 0.5, "fp4": 0.5625}
OWNERS = ["self_built", "partner", "joint_venture"]
# Of the whole run: `tidy` as above; `endless`: until every population has sent its requests, instead of a duration.
Run = collections.namedtuple("Run", ["tidy", "endless", "seconds"])
CATALOGUES = ["accelerators", "engines", "calibrations", "models", "prices", "access", "devices", "profiles", "residency"]


def catalogue(root, name):
    with open(os.path.join(root, "data", name + ".csv"), encoding="utf-8") as f:
        return list(csv.DictReader(line for line in f if not line.startswith("#")))


def between(chance, low, high):
    """From `low` to `high`, as likely near either on a logarithmic scale; three digits."""
    return float(f"{math.exp(chance.uniform(math.log(low), math.log(high))):.3g}")


def shares(chance, count):
    """Positive tenths that add up to 1."""
    cuts = sorted(chance.sample(range(1, 10), count - 1))
    return [(b - a) / 10 for a, b in zip([0] + cuts, cuts + [10])]


def kilometres(a, b):
    """Great circle."""
    phi, psi = math.radians(a["latitude"]), math.radians(b["latitude"])
    east = math.radians(b["longitude"] - a["longitude"])
    h = math.sin((psi - phi) / 2) ** 2 + math.cos(phi) * math.cos(psi) * math.sin(east / 2) ** 2
    return 2 * 6371.0088 * math.asin(min(1, math.sqrt(h)))


# Places


def draw_sites(chance, tidy):
    """Sites in an order that is not that of their names; some have a population, at least one."""
    count = chance.randint(2, 12)
    names = chance.sample([f"{letter}{number}" for letter in "abcxyz" for number in range(10)], count)
    middle, width = (chance.uniform(-50, 50), chance.uniform(-150, 150)), chance.choice([1, 8, 40])
    sites = []
    for name in names:
        site = {"id": name, "country": chance.choice(COUNTRIES), "population": chance.choice([0, 1, 2, 5])}
        if not tidy:
            site["latitude"] = round(max(-85, min(85, middle[0] + chance.uniform(-1, 1) * width)), 3)
            site["longitude"] = round((middle[1] + chance.uniform(-1, 1) * width + 180) % 360 - 180, 3)
            site |= {"pue": round(chance.uniform(1, 2), 2), "utc_offset": chance.randint(-11, 13), "macro_region": chance.choice(["East", "West"])}
        sites.append(site)
    chance.choice(sites)["population"] = 3
    return sites


def draw_edges(chance, count):
    """Pairs of 0 .. count-1 that join all of them."""
    shape = chance.choice(["star", "ring", "path", "mesh", "tree", "random"])
    if shape == "star":
        return [(0, i) for i in range(1, count)]
    if shape == "mesh" and count <= 8:
        return [(i, k) for k in range(count) for i in range(k)]
    if shape in ("path", "ring"):
        return [(i, i + 1) for i in range(count - 1)] + ([(count - 1, 0)] if shape == "ring" and count > 2 else [])
    edges = [(chance.randrange(i), i) for i in range(1, count)]
    more = [(i, k) for k in range(count) for i in range(k) if (i, k) not in edges]
    return edges + (chance.sample(more, min(len(more), count)) if shape == "random" else [])


def draw_links(chance, sites, tidy):
    """Equal delays in every other tidy world; elsewhere fibre that is longer than the great circle."""
    delays = chance.choice([[2], [5], [1, 2, 4], [3, 20, 60], [0, 2]])
    links = []
    for i, k in draw_edges(chance, len(sites)):
        a, b = sites[i], sites[k]
        link = {"a": a["id"], "b": b["id"]}
        if chance.random() < 0.5:
            link["capacity"] = chance.choice(["100 Mbit/s", "10 Gbit/s", "400 Gbit/s", "3 Tbit/s"])
        if tidy:
            link["delay"] = f"{chance.choice(delays)} ms"
        elif chance.random() < 0.2:
            link["delay"] = f"{kilometres(a, b) / 200 + between(chance, 0.05, 20):.3f} ms"
        else:
            link["distance"] = f"{kilometres(a, b) * chance.uniform(1.01, 2.5) + 1:.1f} km"
        links.append(link)
    return links


# What is asked for, and where it is answered


def draw_services(chance, models):
    services = []
    for number in range(chance.randint(1, 3)):
        service = {"name": f"service-{number}", "kind": chance.choice(["llm", "station"])}
        if service["kind"] == "llm" or chance.random() < 0.5:
            service["model"] = chance.choice(models)["name"]
        if service["kind"] == "station":
            service |= {"law": chance.choice(["exponential", "deterministic", "lognormal"]), "discipline": chance.choice(["fifo", "ps"])}
            if service["law"] == "lognormal":
                service["cv"] = between(chance, 0.2, 4)
        services.append(service)
    return services


def fitting(chance, model, accelerators):
    """An accelerator, how many of them, and a precision, so that the model (once for each half of a data-parallel group) and the cache of its longest request fit with much to spare."""
    while True:
        a, precision = chance.choice(accelerators), chance.choice(list(WEIGHT_BYTES))
        for group in (1, 2, 4, 8, 16, 32):
            weights = float(model["total_params_b"]) * 1e9 * WEIGHT_BYTES[precision]
            cache = 2 * LONGEST * float(model["kv_elems_per_token"]) * 2 * group
            halves = 2 if group > 1 and chance.random() < 0.3 else 1
            if halves * weights + cache < 0.85 * float(a["memory_gb"]) * 1e9 * group:
                return a, group, precision, halves


def draw_pool(chance, service, site, catalogues):
    """A pool, and about how many answers of 100 tokens (of a station: of one mean service time) it gives per second."""
    pool = {"site": site["id"], "service": service["name"], "replicas": chance.choice([1, 1, 2, 5]), "owner": chance.choice(OWNERS)}
    if chance.random() < 0.3:
        pool["queue_limit"] = chance.choice([0, 1, 5, 30])
    if chance.random() < 0.2:
        pool["expose"] = "replica"
    if chance.random() < 0.3:
        pool["price_factor"] = between(chance, 0.3, 3)
    if service["kind"] == "station":
        pool["servers"] = chance.choice([1, 1, 2, 8])
        return pool, pool["replicas"] * pool["servers"]
    model = next(m for m in catalogues["models"] if m["name"] == service["model"])
    a, group, precision, halves = fitting(chance, model, catalogues["accelerators"])
    pool |= {"accelerator": a["name"], "group": group, "precision": precision, "max_batch": chance.choice([1, 3, 8, 32, 128])}
    if chance.random() < 0.6:
        pool["engine"] = chance.choice(catalogues["engines"])["name"]
    if chance.random() < 0.3:
        pool["token_budget"] = chance.choice([64, 300, 4096])
    if chance.random() < 0.3:
        pool["prefix_cache"] = chance.choice(["on", "off"])
    if chance.random() < 0.3:
        pool["speculation"] = {"drafts": chance.randint(1, 5), "acceptance": chance.choice([0, 0.5, 0.8, 1]), "draft_cost": chance.choice([0, 0.02])}
    if halves > 1:
        pool["data_parallel"] = halves
    if chance.random() < 0.5:
        pool["load"] = {"bandwidth": chance.choice(["40 Gbit/s", "10 Tbit/s"]), "start": chance.choice(["0 s", "1 s", "20 s"])}
    read = float(model["active_params_b"]) * WEIGHT_BYTES[precision] / float(a["bandwidth_gb_s"]) / group
    return pool, pool["replicas"] * min(pool["max_batch"], 8) / (100 * (read + 0.01))


def with_decoders(chance, pool, service):
    """The pool, named, and perhaps another one to which it hands over."""
    pool["id"] = f"{service['name']}@{pool['site']}"
    if service["kind"] != "llm" or "expose" in pool or chance.random() < 0.7:
        return [pool]
    pool["hand_over"] = {"to": pool["id"] + "/decode", "bandwidth": chance.choice(["1 Gbit/s", "400 Gbit/s"])}
    other = {key: value for key, value in pool.items() if key not in ("hand_over", "queue_limit")} | {"id": pool["id"] + "/decode", "replicas": chance.choice([1, 2, 4])}
    return [pool, other]


def draw_pools(chance, services, sites, catalogues):
    """Pools of every service at some of the sites; capacities by service."""
    pools, capacity = [], {}
    homes = chance.sample(sites, chance.randint(1, len(sites)))
    for service in services:
        drawn = [draw_pool(chance, service, site, catalogues) for site in chance.sample(homes, chance.randint(1, min(5, len(homes))))]
        pools += [part for pool, _ in drawn for part in with_decoders(chance, pool, service)]
        capacity[service["name"]] = sum(c for _, c in drawn)
    return pools, capacity


# Who asks


def draw_lengths(chance, most):
    if chance.random() < 0.3:
        return {"mean": chance.randint(1, most)}
    if chance.random() < 0.2:
        low = chance.randint(1, most)
        return {"law": "uniform", "low": low, "high": chance.randint(low, most)}
    return {"law": "lognormal", "mean": chance.randint(1, most), "sigma": round(chance.uniform(0, 1.5), 2), "least": chance.randint(1, 5), "most": most}


def draw_where(chance, sites):
    kind = chance.choice(["all", "countries", "sites", "sites"])
    countries = sorted({s["country"] for s in sites if s["population"] > 0})
    if kind == "all":
        return None
    key, places = ("country", countries) if kind == "countries" else ("site", [s["id"] for s in sites])
    chosen = chance.sample(places, chance.randint(1, min(4, len(places))))
    return [{key: place, "share": share} for place, share in zip(chosen, shares(chance, len(chosen)))]


def draw_patience(chance):
    """Bounds, timeouts, retries: each absent as often as not."""
    found = {}
    if chance.random() < 0.5:
        found["slo"] = {key: f"{between(chance, 20, 20000):g} ms" for key in chance.sample(["ttft", "tpot", "e2e"], chance.randint(1, 3))}
    if chance.random() < 0.5:
        found["timeout"] = f"{between(chance, 50, 20000):g} ms"
    if chance.random() < 0.5:
        found["patience"] = f"{between(chance, 200, 60000):g} ms"
    if chance.random() < 0.6:
        found["retry"] = {"limit": chance.randint(1, 3), "backoff": chance.choice(["0 s", "10 ms", "1 s"]), "jitter": chance.choice([0, 0.5, 1]),
                          "multiplier": chance.choice([1, 2, 5]), "most": "10 s"}
    return found


def draw_think(chance):
    return {"mean": chance.choice(["0 s", "20 ms", "500 ms", "4 s"]), "law": chance.choice(["constant", "exponential"])}


def with_turns(chance, made, requests, run):
    """The class with sessions, with users in a closed loop instead of its rate, or as it is."""
    dice = chance.random()
    if dice < 0.25:
        made["session"] = {"turns": between(chance, 1, 8), "think": draw_think(chance), "history": chance.random() < 0.7}
    elif dice < 0.45:
        for key in ("population", "rate", "profile"):
            made.pop(key, None)
        made |= {"users": chance.choice([1, 2, 7, 30]), "think": draw_think(chance), "requests": max(1, int(requests / 2))}
        if chance.random() < 0.5:
            made["ramp"] = f"{chance.choice([100, 1000 * run.seconds // 2])} ms"
    return made


def draw_class(chance, name, service, sites, requests, run, llm):
    """About so many requests during the run."""
    population = chance.choice([1, 3, 50, 2000, 100000])
    most = between(chance, 20, LONGEST / 4)
    made = {"class": name, "service": service, "population": population, "rate": f"{requests / run.seconds / population:.6g} /s",
            "input": draw_lengths(chance, int(most)), "output": draw_lengths(chance, int(most)), "data_class": chance.choice(DATA_CLASSES)}
    if run.endless:
        made["requests"] = max(1, int(requests / 4)) # at each of its sites
    where = draw_where(chance, sites)
    if where is not None:
        made["where"] = where
    if chance.random() < 0.5:
        made["prefix"] = chance.randint(1, LONGEST // 4)
    if not run.tidy and chance.random() < 0.7:
        made["device"] = chance.choice(DEVICES)
    if not run.tidy and chance.random() < 0.2:
        made["access"] = chance.choice(ACCESS)
    if not run.endless and chance.random() < 0.3:
        made["profile"] = chance.choice(PROFILES)
    if llm and chance.random() < 0.3:
        made["thinking"] = draw_lengths(chance, int(most)) | {"hidden": chance.random() < 0.5}
    return with_turns(chance, made, requests, run) | draw_patience(chance)


def write_trace(chance, path, requests, seconds):
    """A recording on a grid of 10 ms, of every other one also what the prompts begin with."""
    steps, hashed = max(1, int(seconds * 100)), chance.random() < 0.5
    with open(path, "w", encoding="utf-8") as f:
        f.write("TIMESTAMP,ContextTokens,GeneratedTokens" + ",HashIds" * hashed + "\n")
        for step in sorted(chance.randrange(steps) for _ in range(requests)):
            prompt = chance.randint(0, 2000 if hashed else 800)
            hashes = " ".join(str(100 * k + chance.randint(0, k)) for k in range(-(-prompt // 512)))
            f.write(f"{step // 100}.{step % 100:02d},{prompt},{chance.randint(1, 200)}" + f",{hashes}" * hashed + "\n")


def draw_replays(chance, folder, service, sites, requests, seconds):
    """The same recording at several sites at once."""
    chosen = chance.sample(sites, min(len(sites), chance.randint(2, 5)))
    write_trace(chance, os.path.join(folder, f"{service}.csv"), max(5, requests // len(chosen)), seconds)
    common = draw_patience(chance)
    if chance.random() < 0.3:
        common |= {"replay_jitter": "50 ms", "replay_speed": chance.choice([1, 2])}
    return [{"class": f"{service}-recorded-{site['id']}", "service": service, "replay": f"{service}.csv", "where": [{"site": site["id"]}]} | common
            for site in chosen]


def draw_clients(chance, folder, services, capacity, sites, run):
    """Classes for every service; a station's mean service time is set so that it is as loaded as the dice say."""
    clients = []
    for service in services:
        name, load = service["name"], chance.uniform(0.2, 1.5)
        if service["kind"] == "station":
            requests = chance.choice([100, 1000, MOST_REQUESTS])
            mean = load * capacity[name] * run.seconds / requests
            service["mean"] = f"{max(1, round(1000 * mean))} ms" if run.tidy else f"{1000 * mean:.6g} ms"
        else:
            requests = int(max(40, min(MOST_REQUESTS, load * capacity[name] * run.seconds)))
        if run.tidy and chance.random() < 0.7:
            clients += draw_replays(chance, folder, name, sites, requests, run.seconds)
            continue
        parts = shares(chance, chance.randint(1, 2))
        drawn = [draw_class(chance, f"{name}-clients-{i}", name, sites, requests * part, run, service["kind"] == "llm") for i, part in enumerate(parts)]
        if service["kind"] == "station" and "rate" in drawn[0] and chance.random() < 0.2: # the same, said otherwise
            del drawn[0]["rate"]
            drawn[0]["load"] = float(f"{load * parts[0]:.3g}")
        clients += drawn
    return clients


# What changes


def moment(chance, run):
    return f"{chance.randint(0, 10 * run.seconds) / 10:g} s"


def draw_plan(chance, pools, run):
    """Numbers of replicas at some times; some go to the other pool of a pair."""
    plan, named = [], {p["id"]: p for p in pools}
    pools = [p for p in pools if "expose" not in p] # the others are many pools
    for pool in chance.sample(pools, min(len(pools), 3)):
        for _ in range(chance.randint(1, 3)):
            step = {"at": moment(chance, run), "pool": pool["id"], "replicas": chance.choice([0, 1, 2, 4]), "how": chance.choice(["drain", "evict"])}
            other = named.get(pool["id"] + "/decode", named.get(pool["id"].removesuffix("/decode")))
            if other is not None and other is not pool and chance.random() < 0.6:
                step["to"] = other["id"]
            plan.append(step)
    return plan


def draw_failures(chance, sites, run):
    failures = []
    for name in chance.sample(["cards", "nodes", "power", "flood"], chance.randint(1, 3)):
        failure = {"name": name, "of": chance.choice(["accelerator", "node", "site"]), "mttr": f"{between(chance, 0.1, run.seconds / 2):g} s", "cv": chance.choice([0, 1]),
                   "detection": chance.choice(["0 s", "200 ms"]), "node": chance.choice([1, 2, 8]), "together": chance.random() < 0.3}
        failure |= {"at": moment(chance, run)} if chance.random() < 0.5 else {"mtbf": f"{between(chance, run.seconds, 30 * run.seconds):g} s"}
        if chance.random() < 0.5:
            failure["sites"] = [s["id"] for s in chance.sample(sites, chance.randint(1, len(sites)))]
        failures.append(failure)
    return failures


# The rest


def draw_brain(chance):
    telemetry = {"period": chance.choice(["0 s", "0 s", "100 ms", "1 s", "10 s", "never"]), "delay": chance.choice(["0 s", "1 ms", "150 ms"]),
                 "loss": chance.choice([0, 0, 0.05, 0.5])}
    return {"telemetry": telemetry, "own_decisions": chance.random() < 0.6, "decision_time": chance.choice(["0 s", "0 s", "1 ms"])}


def draw_policy(chance, seed):
    """In turn, so that none is left out."""
    name = list(POLICIES)[seed % len(POLICIES)]
    options = {o: chance.randint(*b) if isinstance(b[0], int) else between(chance, *b) for o, b in POLICIES[name].items()}
    if not options or chance.random() < 0.3:
        return {"name": name}
    return {"name": name, "options": {name: options} if chance.random() < 0.5 else options}


def draw_output(chance, run):
    """Few bins of latencies: the file is flushed after each."""
    bin_s = max(1, run.seconds // chance.choice([4, 8, 12]))
    bins = 100 if run.endless else chance.choice([2, 4])
    return {"sample": chance.choice([0, 0.1, 1]), "bin": f"{bin_s} s", "latency_bin": f"{bin_s * bins} s", "warmup": chance.choice([0, 0.2])}


def draw(seed, folder, root):
    """The scenario of this seed as nested dictionaries; its recordings are written into `folder`."""
    chance = random.Random(seed)
    run = Run(tidy=chance.random() < 0.5, endless=chance.random() < 0.25, seconds=chance.choice([10, 30, 60, 180]))
    catalogues = {name: catalogue(root, name) for name in ("models", "accelerators", "engines")}
    priced = {row["model"] for row in catalogue(root, "prices")}
    sites = draw_sites(chance, run.tidy)
    links = draw_links(chance, sites, run.tidy)
    services = draw_services(chance, [m for m in catalogues["models"] if m["name"] in priced and m["step_tokens"] == "0"])
    pools, capacity = draw_pools(chance, services, sites, catalogues)
    clients = draw_clients(chance, folder, services, capacity, sites, run)
    made = {
        "name": f"Random scenario {seed}", "seed": seed, "start": chance.choice(STARTS), "duration": "never" if run.endless else f"{run.seconds} s",
        "catalogues": {name: os.path.join(root, "data", name + ".csv") for name in CATALOGUES},
        "network": {"hop_delay": chance.choice(["0 s", "1 ms", "0.3 ms"]), "end_delay": chance.choice(["0 s", "1 ms", "1.5 ms"])},
        "sites": sites + ([{"id": "nowhere"}] if chance.random() < 0.3 else []),
        "links": links, "services": services, "pools": pools, "clients": clients, "brain": draw_brain(chance), "policy": draw_policy(chance, seed),
        "serving": {"token_budget": chance.choice([64, 512, 2048, 8192])},
        "output": draw_output(chance, run),
    }
    if chance.random() < 0.4:
        made["plan"] = draw_plan(chance, pools, run)
    if chance.random() < 0.4:
        made["failures"] = draw_failures(chance, sites, run)
    if chance.random() < 0.4:
        made["residency"] = {"mechanisms": chance.sample(MECHANISMS, chance.randint(1, 3))}
    if chance.random() < 0.2 and not any("replay" in c for c in clients):
        made["scale"] = chance.choice([0.5, 2])
    return made


def text_of(made):
    """As YAML: a line per key, a line per item of a list."""
    lines = []
    for key, value in made.items():
        if value and isinstance(value, list):
            lines += [f"{key}:"] + [f"  - {json.dumps(item)}" for item in value]
        else:
            lines.append(f"{key}: {json.dumps(value)}")
    return "\n".join(lines) + "\n"


def write(seed, folder, root):
    """Writes the scenario of this seed, and what it reads, into `folder`; returns its path."""
    os.makedirs(folder, exist_ok=True)
    place = os.path.join(folder, f"random-{seed}.yaml")
    with open(place, "w", encoding="utf-8") as f:
        f.write(text_of(draw(seed, folder, root)))
    return place

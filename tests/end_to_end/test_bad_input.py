"""Bad input: each mistake gets a message with its place, exit status 2, and no file under the final name."""
import os

from harness import FOLDER, ROOT, main, orrery, path, scenario, write

DATA = os.path.join(ROOT, "data")
BASE = """\
name: test
duration: 1 min
sites:
  - {id: here}
  - {id: there, latitude: 1}
links:
  - {a: here, b: there, delay: 2 ms}
services:
  - {name: job, kind: station, mean: 10 ms}
pools:
  - {site: there, service: job, servers: 4}
clients:
  - {class: people, service: job, population: 10, rate: 5 /s, where: [{site: here}]}
"""


def refused(text, place, *words, arguments=()):
    """`text` must be refused at `place` ("line:column", or "line:") with all the `words` in one line."""
    file = write("bad.yaml", text)
    done = orrery("run", file, "-o", path("bad.h5"), *arguments)
    assert done.returncode == 2, (done.returncode, done.stdout, done.stderr)
    assert not os.path.exists(path("bad.h5")) and not os.path.exists(path("bad.partial.h5")), "a file was left behind"
    assert any(line.startswith(f"{file}:{place}") and ": error: " in line and all(w in line for w in words) for line in done.stderr.splitlines()), done.stderr
    return done.stderr


def changed(old, new):
    assert old in BASE
    return BASE.replace(old, new)


def test_the_base_of_these_tests_is_good():
    assert orrery("check", write("good.yaml", BASE)).returncode == 0


def test_a_wrong_type_is_named():
    refused(changed("population: 10", "population: many"), "13:47", "population", "many")
    refused(changed("duration: 1 min", "duration: [1]"), "2:11", "duration")


def test_an_unknown_key_names_the_nearest():
    refused(changed("servers: 4", "server: 4"), "11:", "server", "servers")


def test_negative_and_not_a_number_are_refused():
    refused(changed("rate: 5 /s", "rate: -5 /s"), "13:", "rate")
    refused(changed("rate: 5 /s", "rate: .nan /s"), "13:", "rate")
    refused(changed("population: 10", "population: .nan"), "13:", "population")
    refused(changed("population: 10", "population: -1"), "13:", "population")


def test_a_missing_file_is_named_where_it_is_asked_for():
    refused(BASE + "catalogues: {sites: nowhere.csv}\n", "14:", "nowhere.csv")
    refused(changed("rate: 5 /s", "replay: nothing.csv"), "13:", "nothing.csv")
    refused(BASE + "imports: [missing.yaml]\n", "14:", "missing.yaml")


def test_a_unit_of_another_kind_is_refused():
    refused(changed("mean: 10 ms", "mean: 10 GB"), "9:", "mean")
    refused(changed("mean: 10 ms", "mean: 10"), "9:", "mean")
    refused(changed("rate: 5 /s", "rate: 5 km"), "13:", "rate")


def test_a_disconnected_topology_names_both_ends():
    refused(changed("links:\n  - {a: here, b: there, delay: 2 ms}\n", ""), "5:", "disconnected", "here", "there")


def test_a_site_without_capacity_is_refused():
    refused(changed("servers: 4", "servers: 0"), "11:", "servers")
    refused(changed("pools:\n  - {site: there, service: job, servers: 4}\n", ""), "9:", "capacity", "job")


def test_a_model_that_does_not_fit_has_no_capacity():
    text = BASE.replace("services:", "services:\n  - {name: big, kind: llm, model: deepseek-v3}").replace("pools:", "pools:\n  - {site: there, service: big, accelerator: t4}")
    text += f"catalogues: {{accelerators: {DATA}/accelerators.csv, engines: {DATA}/engines.csv, calibrations: {DATA}/calibrations.csv, models: {DATA}/models.csv, prices: {DATA}/prices.csv}}\n"
    refused(text, "12:", "capacity", "t4")


def test_duplicate_ids_are_refused():
    refused(changed("  - {id: there, latitude: 1}", "  - {id: there, latitude: 1}\n  - {id: here}"), "6:", "duplicate", "here")
    refused(BASE + "  - {class: people, service: job, rate: 1 /s, where: [{site: here}]}\n", "14:", "duplicate", "people")
    refused(changed("  - {name: job, kind: station, mean: 10 ms}", "  - {name: job, kind: station, mean: 10 ms}\n  - {name: job, kind: station}"), "10:", "duplicate", "job")


def test_unknown_names_suggest_the_nearest():
    refused(changed("site: there, service", "site: their, service"), "11:", "their", "there")
    refused(changed("service: job, population", "service: jop, population"), "13:", "jop", "job")


def test_an_unreadable_or_unwritable_path_is_named():
    done = orrery("run", path("no-such.yaml"))
    assert done.returncode == 2 and "no-such.yaml" in done.stderr
    done = orrery("run", FOLDER)
    assert done.returncode == 2 and FOLDER in done.stderr
    good = write("good.yaml", BASE)
    done = orrery("run", good, "-o", path("no/such/folder/x.h5"))
    assert done.returncode == 2 and "no/such/folder" in done.stderr


def test_a_name_that_cannot_become_a_file_is_refused_before_the_run():
    good = write("good.yaml", BASE)
    os.makedirs(path("folder"), exist_ok=True)
    for name in (path("folder"), path("folder/"), "", "/dev/null"):
        done = orrery("run", good, "-o", name)
        assert done.returncode == 2 and "name of a file" in done.stderr, (name, done.stderr)
    assert os.path.exists("/dev/null") and not any(n.endswith("partial.h5") for n in os.listdir(FOLDER))


def test_too_few_requests_for_the_queues_to_settle_are_told():
    done = orrery("check", scenario("oracles/dispatch.yaml"), "--set", "params.stations=5000", "--set", "params.load=0.95")
    assert done.returncode == 0 and "too few" in done.stdout, done.stdout
    assert "too few" not in orrery("check", scenario("oracles/dispatch.yaml")).stdout


def test_impossible_sizes_are_refused():
    refused(changed("servers: 4", "servers: 10000000, replicas: 1000"), "11:", "places")
    refused(changed("rate: 5 /s", "rate: 1e9 /s"), "13:", "rate")
    refused(BASE + "residency: {mechanisms: [typo]}\n", "14:", "typo")
    refused(BASE + "residency: {mechanisms: typo}\n", "14:", "mechanisms")


def test_what_closed_loops_and_sessions_cannot_be_is_refused():
    people, loop = "population: 10, rate: 5 /s", "users: 5"
    for old, new, words in (
            (people, "rate: 5 /s, users: 5", ("exactly one", "users")), (people, "population: 10", ("exactly one", "users")),
            (people, "population: 10, users: 5", ("population", "users")), (people, "users: 5, profile: flat", ("profile", "users")),
            (people, loop + ", session: {turns: 2}", ("session", "users")), (people, "users: 0", ("users", "0")), (people, "users: 2.5", ("users", "2.5")),
            (people, people + ", ramp: 1 s", ("ramp", "users")), (people, people + ", think: {mean: 1 s}", ("think", "users")),
            (people, loop + ", think: 1 s", ("think", "map")), (people, loop + ", think: {mean: 1 s, law: expo}", ("expo",)), (people, loop + ", ramp: never", ("ramp",)),
            (people, people + ", session: {turns: 0.5}", ("turns", "0.5")), (people, people + ", session: {}", ("turns",)),
            (people, people + ", session: {turns: 2, history: maybe}", ("history", "maybe")), (people, people + ", replay_speed: 2", ("replay_speed", "replay")),
            (people, people + ", replay_jitter: 2 s", ("replay_jitter", "replay")),
            (people, people + ", input: {law: uniform, low: 3}", ("input", "high")), (people, people + ", output: {law: uniform, low: 3, high: 5, mean: 4}", ("output", "mean")),
            (people, people + ", input: {law: uniform, low: 3, high: 5, most: 4}", ("input", "most")),
            (people, people + ", input: {law: uniform, low: 6, high: 5}", ("input.low", "input.high")), (people, people + ", input: {mean: 6, low: 5}", ("input", "uniform"))):
        refused(changed(old, new), "13:", *words)
    refused(changed(people, loop).replace("duration: 1 min", "duration: never"), "2:", "never", "requests")


LLM = BASE.replace("  - {name: job, kind: station, mean: 10 ms}\n", "  - {name: job, kind: station, mean: 10 ms}\n  - {name: chat, kind: llm, model: qwen3-8b}\n").replace(
    "servers: 4}\n", """servers: 4}
  - {id: fast, site: there, service: chat, accelerator: h100, engine: vllm}
  - {id: slow, site: there, service: chat, accelerator: h100, engine: vllm}
  - {id: other, site: there, service: chat, accelerator: a100, engine: vllm}
  - {id: away, site: here, service: chat, accelerator: h100, engine: vllm}
""") + "  - {class: talkers, service: chat, rate: 1 /s, where: [{site: here}]}\n" + \
    f"catalogues: {{accelerators: {DATA}/accelerators.csv, engines: {DATA}/engines.csv, calibrations: {DATA}/calibrations.csv, models: {DATA}/models.csv, prices: {DATA}/prices.csv}}\n"
FAST, TALK = "id: fast, site: there, service: chat, accelerator: h100, engine: vllm", "class: talkers, service: chat, rate: 1 /s"


def test_what_engines_and_hand_over_cannot_be_is_refused():
    assert orrery("check", write("good.yaml", LLM)).returncode == 0, orrery("check", write("good.yaml", LLM)).stderr
    for new, place, words in (
            (FAST.replace("vllm", "vlm"), "13:71", ("vlm", "did you mean `vllm`")), (FAST + ", engin: vllm", "13:", ("engin", "engine")),
            (FAST + ", group: 4, data_parallel: 3", "13:102", ("data_parallel", "divisor", "3")), (FAST + ", data_parallel: 0", "13:", ("data_parallel",)),
            (FAST + ", precision: fp6", "13:88", ("fp6", "fp8")), (FAST + ", kv_precision: fp4", "13:91", ("fp4",)), (FAST + ", prefix_cache: yes", "13:", ("prefix_cache",)),
            (FAST + ", speculation: {drafts: 17}", "13:", ("drafts", "17")), (FAST + ", speculation: {acceptance: 1.5}", "13:", ("acceptance",)), (FAST + ", speculation: {draft: 1}", "13:", ("draft", "drafts")),
            (FAST + ", load: {bandwidth: 0 bit/s}", "13:", ("bandwidth",)), (FAST + ", load: {begin: 1 s}", "13:", ("begin",)),
            (FAST + ", hand_over: {to: slw}", "13:", ("slw", "did you mean `slow`")), (FAST + ", hand_over: {to: fast}", "13:", ("fast", "another llm pool")), (FAST + ", hand_over: {to: away}", "13:", ("fast", "same site")),
            (FAST + ", hand_over: {to: there/job}", "13:", ("fast", "same service")), (FAST + ", hand_over: {too: slow}", "13:", ("too", "to")), (FAST + ", hand_over: {to: slow, bandwidth: 3 km}", "13:", ("bandwidth",))):
        assert FAST in LLM
        refused(LLM.replace(FAST, new), place, *words)
    chain = LLM.replace(FAST, FAST + ", hand_over: {to: slow}").replace("id: slow, site: there", "id: slow, hand_over: {to: other}, site: there")
    refused(chain, "14:5", "slow", "decodes for another")


def test_a_pool_needs_a_calibration():
    with open(f"{DATA}/calibrations.csv", encoding="utf-8") as f:
        lines = f.readlines()
    def kept(name, keep):
        return LLM.replace(f"{DATA}/calibrations.csv", write(name, "".join(l for l in lines if l.startswith(("#", "accelerator,")) or keep(l))))
    refused(kept("few.csv", lambda l: l.startswith("b200,")), "13:5", "calibrations", "qwen3-8b")
    refused(LLM.replace(f", calibrations: {DATA}/calibrations.csv", ""), "13:5", "calibrations")
    bad = next(l for l in lines if l.startswith("*,*,dense")).replace("*,*,dense,", "*,vlm,dense,")
    place = write("typo.csv", "".join([l for l in lines if l.startswith(("#", "accelerator,"))] + [bad]))
    done = orrery("run", write("bad.yaml", LLM.replace(f"{DATA}/calibrations.csv", place)), "-o", path("bad.h5"))
    row = sum(l.startswith(("#", "accelerator,")) for l in lines) + 1
    assert done.returncode == 2 and f"{place}:{row}:3: error:" in done.stderr and "vlm" in done.stderr, done.stderr
    place = write("nan.csv", "".join([l for l in lines if l.startswith(("#", "accelerator,"))] + [bad.replace("vlm", "vllm").replace(",0.95,", ",1.95,", 1)]))
    done = orrery("run", write("bad.yaml", LLM.replace(f"{DATA}/calibrations.csv", place)), "-o", path("bad.h5"))
    assert done.returncode == 2 and f"{place}:{row}:" in done.stderr and "1.95" in done.stderr, done.stderr


def test_what_plans_and_failures_cannot_be_is_refused():
    at = LLM.count("\n") + 1
    for text, column, words in (
            ("plan: [{at: 1 s, pool: fats, replicas: 2}]", 24, ("fats", "did you mean `fast`")), ("plan: [{at: 1 s, pool: fast}]", 8, ("replicas",)), ("plan: [{at: never, pool: fast, replicas: 2}]", 13, ("at",)),
            ("plan: [{pool: fast, replicas: 2}]", 8, ("at",)), ("plan: [{at: 1 s, pool: fast, replicas: -1}]", 40, ("replicas", "-1")), ("plan: [{at: 1 s, pool: fast, replicas: 0, how: kill}]", 48, ("kill",)),
            ("plan: [{at: 1 s, pool: fast, replicas: 0, to: other}]", 47, ("other", "same accelerators")), ("plan: [{at: 1 s, pool: fast, replicas: 0, to: away}]", 47, ("away", "same site")),
            ("plan: [{at: 1 s, pool: fast, replicas: 0, to: fast}]", 47, ("fast", "another pool")), ("plan: [{at: 1 s, pool: fast, replicas: 0, to: slwo}]", 47, ("slwo", "did you mean `slow`")),
            ("failures: [{name: fire}]", 12, ("fire", "mtbf", "at")), ("failures: [{of: site, at: 1 s}]", 12, ("name",)), ("failures: [{name: fire, of: rack, at: 1 s}]", 29, ("rack",)),
            ("failures: [{name: fire, at: 1 s}, {name: fire, at: 2 s}]", 42, ("duplicate", "fire")), ("failures: [{name: fire, at: 1 s, sites: [their]}]", 42, ("their", "did you mean `there`")),
            ("failures: [{name: fire, mtbf: 0 s}]", 31, ("mtbf",)), ("failures: [{name: fire, at: 1 s, mttr: never}]", 40, ("mttr",)), ("failures: [{name: fire, at: 1 s, node: 0}]", 40, ("node",)),
            ("failures: [{name: fire, at: 1 s, detection: -1 s}]", 45, ("detection",)), ("failures: [{name: fire, at: 1 s, cv: -1}]", 38, ("cv",)),
            ("output: {iterations: fats}", 22, ("fats", "did you mean `fast`")), ("output: {iterations: there/job}", 22, ("there/job", "llm")), ("output: {iterations: fast#1}", 22, ("fast",)), ("output: {iterations: fast#x}", 22, ("fast",))):
        refused(LLM + text + "\n", f"{at}:{column}", *words)


def test_what_thinking_and_images_cannot_be_is_refused():
    for new, words in ((TALK + ", images: {mean: 1}", ("images", "image_tokens", "chat")), (TALK.replace("chat", "job") + ", images: {mean: 1}", ("images",)), (TALK + ", images: {mean: -1}", ("images", "-1")),
                       (TALK + ", images: {mean: 1, hidden: true}", ("hidden",)), (TALK + ", thinking: {mean: -5}", ("thinking", "-5")), (TALK + ", thinking: {mean: 5, hidden: maybe}", ("hidden", "maybe")),
                       (TALK + ", thinking: {law: uniform, low: 6, high: 5}", ("thinking.low", "thinking.high"))):
        assert TALK in LLM
        refused(LLM.replace(TALK, new), "19:", *words)


def test_a_malformed_trace_row_is_shown_at_its_place():
    good = "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.68,10,5\n"
    for row, column in (("2023-11-16 18:15:47,10,many", 24), ("2023-11-16 18:15:47,-3,5", 21), ("yesterday,10,5", 1), ("2023-11-16 18:15:47,10", None),
                        ("2023-11-16 18:15:40,10,5", 1), ("2023-11-16 18:15:47,10,0", 24), ("2023-11-16 18:15:47,nan,5", 21)):
        trace = write("trace.csv", good + row + "\n")
        write("bad.yaml", changed("rate: 5 /s", f"replay: {trace}"))
        done = orrery("run", path("bad.yaml"), "-o", path("bad.h5"))
        place = f"{trace}:3:{column}:" if column else f"{trace}:3"
        assert done.returncode == 2 and place in done.stderr, (row, done.stderr)
        assert not os.path.exists(path("bad.h5"))


def test_a_catalogue_row_without_an_origin_is_refused():
    lines = open(os.path.join(DATA, "access.csv")).read().splitlines()
    head = next(i for i, l in enumerate(lines) if l.startswith("tech,"))
    names = lines[head].split(",")
    bare = ",".join("" if n == "source" else "1" if n not in ("tech", "confidence", "as_of") else {"tech": "x", "confidence": "published", "as_of": "2026"}[n] for n in names)
    catalogue = write("access.csv", "\n".join(lines[: head + 1] + [bare]) + "\n")
    write("bad.yaml", BASE + f"catalogues: {{access: {catalogue}}}\n")
    done = orrery("run", path("bad.yaml"), "-o", path("bad.h5"))
    assert done.returncode == 2 and f"{catalogue}:{head + 2}:" in done.stderr and "source" in done.stderr, done.stderr


def test_all_mistakes_come_in_one_pass():
    words = refused(BASE.replace("mean: 10 ms", "mean: 10 GB").replace("rate: 5 /s", "rate: -5 /s").replace("servers: 4", "server: 4") + "sede: 3\n", "14:1", "sede", "seed")
    assert words.count(": error: ") >= 4, words


def test_overrides_are_checked_like_the_file():
    good = write("good.yaml", BASE)
    for override, word in (("clients.0.rate=-1 /s", "rate"), ("clients.7.rate=1 /s", "7"), ("polici.name=random", "policy"), ("seed=abc", "seed"), ("params.scale=2", "scale"), ("nonsense", "nonsense")):
        done = orrery("run", good, "-o", path("bad.h5"), "--set", override)
        assert done.returncode == 2 and "--set" in done.stderr and word in done.stderr, (override, done.stderr)
        assert not os.path.exists(path("bad.h5"))


def test_policies_and_their_options_are_checked():
    good = write("good.yaml", BASE)
    for arguments, word in ((("-p", "nearst"), "nearest"), (("-p", "./no.so"), "no.so"), (("-p", "power_of_d", "--set", "policy.options.dd=2"), "dd"), (("-p", "power_of_d", "--set", "policy.options.d=0"), "from 1"), (("-p", "power_of_d", "--set", "policy.options.d=2.7"), "whole")):
        done = orrery("run", good, "-o", path("bad.h5"), *arguments)
        assert done.returncode == 2 and word in done.stderr, (arguments, done.stderr)


def test_a_link_faster_than_light_is_refused():
    refused(changed("latitude: 1}", "latitude: 60}"), "7:", "light")


def test_usage_errors_exit_with_2():
    for arguments in ((), ("runn",), ("run",), ("run", "a", "b"), ("run", scenario("replay.yaml"), "--seed", "x"), ("summary",), ("summary", scenario("replay.yaml")), ("compare",), ("report", "none.h5")):
        assert orrery(*arguments).returncode == 2, arguments
    assert orrery("--help").returncode == 0 and orrery("--version").returncode == 0


if __name__ == "__main__":
    main()

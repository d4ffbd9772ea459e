"""A test bench for servers: an accelerator, models and engines of round numbers, the roofline anew, and what became of every request.

An iteration takes 1 ms and what the roofline adds. All efficiencies are 1, so that every term can be reckoned by hand.
"""
import h5py

from harness import path, run, write

ORIGIN = "test,2026-11,derived,"
BANDWIDTH, PEAK, LINK = 1e12, 100e12, 100e9 # bytes and operations per second; 8 bits twice as fast
BASE = 1e-3
ACCELERATORS = f"""\
name,title,vendor,memory_gb,bandwidth_gb_s,bf16_tflops,int8_tops,fp8_tflops,fp4_tflops,link_gb_s,tdp_w,host_w,idle_power_fraction,prefill_power_fraction,decode_power_fraction,source,as_of,confidence,range
box,Box,,100,1000,100,200,200,0,100,700,300,0.25,1,0.5,{ORIGIN}
tiny,Box with a small cache,,10.2,1000,100,200,200,0,100,700,300,0.25,1,0.5,{ORIGIN}
crate,Crate,,100,1000,100,200,200,0,100,700,300,0.25,1,0.5,{ORIGIN}
"""
ENGINES = f"""\
name,title,batching,token_budget,kv_block,kv_reserve,memory_share,prefix_cache,source,as_of,confidence,range
mixing,Mixing,mixed,1000,16,0,1,0,{ORIGIN}
whole,Whole,whole_prompts,1000,16,0,1,0,{ORIGIN}
first,First,prompts_first,1000,16,0,1,0,{ORIGIN}
keeping,Keeping,mixed,1000,16,0,1,1,{ORIGIN}
"""
CALIBRATION_HEAD = "accelerator,engine,model,ec,eb,ekv,eat,ecm,kb,t0_us,tl_us,th_us,thp_us,tb_us,ar_us,ar2_us,fe_ms,source,as_of,confidence,range\n"
MODEL_HEAD = ("name,title,vendor,total_params_b,active_params_b,expert_params_b,layers,hidden,heads,kv_heads,head_dim,attention,experts,topk,kv_elems_per_token,read_elems_per_token,"
              "near_elems_per_token,near_limit,full_layers,vision_params_b,image_tokens,image_patches,step_tokens,max_context,source,as_of,confidence,range\n")
# name: total, experts' parameters (10^9); of experts, of them used; of the vision encoder, tokens and patches of an image; latent tokens of a step
MODELS = {"plain": (5, 0, 0, 0, 0, 0, 0, 0), "mixture": (10, 8, 8, 2, 0, 0, 0, 0), "sees": (5, 0, 0, 0, 0.5, 256, 4, 0), "draws": (5, 0, 0, 0, 0, 0, 0, 1024)}
LAYERS, HEADS, HEAD_DIM, KV_ELEMENTS = 10, 10, 100, 20000


def calibration(accelerator="*", engine="*", model="*", base_us=1000, front_ms=0):
    return f"{accelerator},{engine},{model},1,1,1,1,1,0,{base_us},0,0,0,0,0,0,{front_ms},{ORIGIN}\n"


def catalogues(calibrations=None):
    """Writes them; the line of a scenario that names them."""
    models = "".join(f"{name},{name},,{total},{total if not experts else total - experts + experts * top / count},{experts},{LAYERS},1000,{HEADS},{HEADS},{HEAD_DIM},gqa,{count},{top},{KV_ELEMENTS},{KV_ELEMENTS},"
                     f"0,0,{LAYERS},{vision},{tokens},{patches},{step},1000000,{ORIGIN}\n" for name, (total, experts, count, top, vision, tokens, patches, step) in MODELS.items())
    prices = "model,vendor,period,days,from,to,input_yuan_per_million,cached_input_yuan_per_million,output_yuan_per_million,source,as_of,confidence,range\n"
    prices += "".join(f"{name},Vendor,flat,all,00:00,24:00,1,0.1,4,{ORIGIN}\n" for name in MODELS)
    files = {"accelerators": ACCELERATORS, "engines": ENGINES, "models": MODEL_HEAD + models, "prices": prices, "calibrations": CALIBRATION_HEAD + (calibrations or calibration())}
    return "catalogues: {" + ", ".join(f"{name}: {write(f'bench-{name}.csv', text)}" for name, text in files.items()) + "}"


def step(decoding=0, context=0, prompt=0, pairs=0, images=0, model="plain", group=1, base=BASE):
    """Seconds of one iteration with 16 bits, from the head of roofline.h: `prompt` tokens, of these `images` of images; pairs of prompt tokens with what they attend to."""
    total, experts, count, top, vision, _, patches, latent = MODELS[model]
    tokens = decoding * (latent or 1) + prompt
    active = total if not experts else total - experts + experts * top / count
    compute = 2e9 * active * tokens / group / PEAK
    weights = 2e9 * ((total - experts) + (experts * (1 - (1 - top / count) ** tokens) if experts else 0)) / (group * BANDWIDTH)
    attend = 4 * HEADS * HEAD_DIM * LAYERS / (group * PEAK)
    moved = tokens * 1000 * 2 / LINK
    talk = 2 * LAYERS * min((group - 1) * moved, 2 * (group - 1) / group * moved)
    return (base + (compute**1.4 + weights**1.4) ** (1 / 1.4) + attend * (pairs + decoding * latent**2) + 2e9 * vision * patches * images / PEAK + talk
            + context * KV_ELEMENTS * 2 / (min(group, HEADS) * BANDWIDTH))


def prefill(tokens, done=0, **of):
    """Seconds of an iteration with `tokens` of one prompt, of which `done` are in the cache."""
    return step(prompt=tokens, pairs=tokens * (done + tokens / 2), **of)


def decode(steps, context, sequences=1, **of):
    """Seconds of `steps` iterations in which so many sequences decode, each with so much context at the first."""
    return sum(step(decoding=sequences, context=sequences * (context + k), **of) for k in range(steps))


def trace(name, *requests):
    """A recording: (seconds, input, output) each."""
    return write(name, "TIMESTAMP,ContextTokens,GeneratedTokens\n" + "".join(f"{at},{prompt},{answer}\n" for at, prompt, answer in requests))


def scenario(name, pools, clients, rest="duration: never\n", model="plain", calibrations=None, output="sample: 1", period="0 s"):
    """One site without any delay; pools and clients are the insides of YAML maps, without the keys that they have in common."""
    lines = [f"name: {name}", catalogues(calibrations), "network: {hop_delay: 0, end_delay: 0}", "sites: [{id: here}]", f"services: [{{name: model, kind: llm, model: {model}}}]", "pools:"]
    for pool in pools:
        usual = [f"{key}: {value}" for key, value in (("accelerator", "box"), ("engine", "mixing")) if key not in pool]
        lines.append("  - {" + ", ".join(filter(None, ["site: here", "service: model", *usual, pool])) + "}")
    lines.append("clients:")
    lines += [f"  - {{class: c{i}, service: model, where: [{{site: here}}], {c}}}" for i, c in enumerate(clients)]
    return write(f"{name}.yaml", "\n".join(lines) + f"\nbrain: {{telemetry: {{period: {period}}}}}\npolicy: {{name: nearest}}\noutput: {{{output}}}\n{rest}")


def serve(name, pools, clients, *arguments, **options):
    """Runs it; the file."""
    return run(scenario(name, pools, clients, **options), f"{name}.h5", *arguments)


def table(file, name):
    """The columns of a table."""
    with h5py.File(file) as f:
        return {column: values[:] for column, values in f[name].items() if isinstance(values, h5py.Dataset)}


def requests(file):
    """What became of them, in the order in which they began."""
    columns = table(file, "requests")
    rows = [{c: columns[c][i].item() for c in columns} for i in range(len(columns["began"]))]
    return sorted(rows, key=lambda r: (r["began"], r["class"], r["number"]))


def near(got_ns, seconds, slack_ns=3):
    """Simulated times are integers of 2^-10 ns; what is told is rounded to ns."""
    assert abs(got_ns - seconds * 1e9) <= slack_ns, (got_ns, seconds * 1e9)

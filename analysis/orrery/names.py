"""Metrics by name: what to write on an axis for `latency.ttft.p99`."""

_WHAT = {"ttft": "time to first token", "tpot": "time per output token", "itl": "time between tokens", "e2e": "end-to-end latency"}
_KNOWN = {
    "slo_attainment": ("requests within their bounds", "share"), "goodput_per_s": ("goodput", "requests/s"), "utilisation.accelerators": ("accelerator places taken", "share"),
    "utilisation.links": ("links in use", "share"), "batch.mean": ("decode batch, mean", "requests"), "tokens.cached_share": ("input found in caches", "share"), "energy.pue": ("power usage effectiveness", ""),
    "cost.total_yuan": ("price paid by clients", "yuan"), "cost.per_million_tokens_yuan": ("price per million tokens", "yuan"), "provider.total_yuan": ("cost to the provider", "yuan"),
    "provider.per_million_tokens.total_yuan": ("provider's cost per million tokens", "yuan"), "energy.kwh": ("energy", "kWh"), "energy.per_million_tokens_kwh": ("energy per million tokens", "kWh"),
    "carbon.kg": ("carbon", "kg"), "carbon.per_million_tokens_g": ("carbon per million tokens", "g"), "electricity.yuan": ("electricity", "yuan"),
}
_GROUPS = ("by_class", "by_model", "by_vendor", "by_site")


def title_and_unit(metric):
    """What a metric of `orrery summary --json` is called, and its unit ("" if it has none). A name that is not known stands for itself."""
    steps = metric.split(".")
    if steps[0] in _GROUPS:
        for cut in range(2, len(steps)):  # names of models hold dots too: "qwen3-1.7b"
            rest = ".".join(steps[cut:])
            title, unit = title_and_unit(rest)
            if title != rest:
                return f"{title} ({'.'.join(steps[1:cut])})", unit
    if metric in _KNOWN:
        return _KNOWN[metric]
    if steps[0] == "latency" and len(steps) == 3 and steps[1] in _WHAT:
        return f"{_WHAT[steps[1]]}, {steps[2]}", "" if steps[2] == "count" else "s"
    if steps[0] == "requests" and len(steps) == 2:
        return f"requests {steps[1].replace('_', ' ')}", ""
    if steps[0] == "tokens" and len(steps) == 2:
        return f"{steps[1].replace('_', ' ')} tokens", "tokens"
    return metric, ""


def label(metric, unit=None):
    """For an axis: "Time to first token, p99, s". `unit` replaces the metric's own, where values were converted."""
    title, own = title_and_unit(metric)
    unit = own if unit is None else unit
    title = title if title == metric else title[:1].upper() + title[1:]
    return title + (f", {unit}" if unit else "")

"""One run: its tables, and what is derived from them as `orrery summary` derives it."""
import h5py
import numpy as np
import pandas as pd

from . import tables

METRICS = ("ttft", "tpot", "e2e")
BUCKETS = 128  # to each power of two: a bucket is 1/128 of its lower bound wide


class Latency:
    """A distribution of latencies: counts of requests in logarithmic buckets (relative error below 1 %)."""

    def __init__(self, lower_ns, count, largest_ns=None):
        self.largest_ns = largest_ns
        order = np.argsort(lower_ns, kind="stable")
        self.lower_ns = np.asarray(lower_ns, dtype=np.int64)[order]
        self.count = np.asarray(count, dtype=np.int64)[order]

    def __len__(self):
        return int(self.count.sum())

    def quantile(self, share):
        """
        Seconds that a `share` of the requests does not exceed (nearest rank): the middle of the bucket that holds it, or the exact largest if that is less; NaN
        without requests.
        """
        total = self.count.sum()
        if total == 0:
            return float("nan")
        rank = max(1, int(np.ceil(share * total)))
        if rank >= total and self.largest_ns is not None:
            return self.largest_ns * 1e-9
        at = self.lower_ns[np.searchsorted(np.cumsum(self.count), rank)]
        middle = at + width(at) // 2
        return (middle if self.largest_ns is None else min(middle, self.largest_ns)) * 1e-9

    def cdf(self):
        """Data frame of `seconds` and the `share` of requests that took no longer."""
        upper = self.lower_ns + np.array([width(at) for at in self.lower_ns], dtype=np.int64)
        return pd.DataFrame({"seconds": upper * 1e-9, "share": np.cumsum(self.count) / max(1, self.count.sum())})


def _ratio(above, below):
    return above / below if below > 0 else float("nan")


def width(lower_ns):
    """Width of the bucket that begins at `lower_ns`: one below 256 ns, then powers of two."""
    return 1 if lower_ns < 2 * BUCKETS else 1 << (int(lower_ns).bit_length() - 8)


class Run:
    """An open run. Use it in a `with`, or close it."""

    def __init__(self, file):
        self.file = file

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.file.close()

    def __repr__(self):
        return f"<run {self.title!r}: policy {self.policy}, seed {self.seed}, {self.status}>"

    policy = property(lambda self: tables.text(self.file.attrs["policy"]))
    status = property(lambda self: tables.text(self.file.attrs["status"]))
    title = property(lambda self: tables.text(self.file.attrs["title"]))
    seed = property(lambda self: int(self.file.attrs["seed"]))
    start = property(lambda self: pd.Timestamp(int(self.file.attrs["start"]), unit="s", tz="UTC"), doc="calendar time of the beginning")
    scenario = property(lambda self: tables.text(self.file["/scenario/text"]), doc="the resolved scenario, YAML")

    def table(self, path):
        """Any table of the file (docs/file.md)."""
        return tables.table(self.file, path)

    sites = property(lambda self: self.table("/scenario/sites"))
    pools = property(lambda self: self._pools())
    classes = property(lambda self: self.table("/scenario/classes"))
    origins = property(lambda self: self.table("/scenario/origins"), doc="every catalogue row that the run used, with its origin")

    def _pools(self):
        pools = self.table("/scenario/pools")
        pools["site_id"] = self.sites["id"].to_numpy()[pools["site"]]
        pools["service_name"] = self.table("/scenario/services")["name"].to_numpy()[pools["service"]]
        return pools

    @property
    def requests(self):
        """The sampled requests, with names of class, ingress and pool, and times in seconds beside those in nanoseconds (NaN where there is none)."""
        rows = self.table("/requests")
        pools = self.pools["id"].to_numpy()
        rows["class_name"] = self.classes["name"].to_numpy()[rows["class"]]
        rows["ingress_id"] = self.sites["id"].to_numpy()[rows["ingress"]]
        rows["pool_id"] = [pools[p] if p < len(pools) else None for p in rows["pool"]]
        for metric in METRICS:
            rows[metric + "_s"] = np.where(rows[metric] >= 0, rows[metric] * 1e-9, np.nan)
        return rows

    def latency(self, class_name=None, metric="ttft"):
        """The distribution of a metric (`ttft`, `tpot`, `e2e`) of a class, or of all."""
        if metric not in METRICS:
            raise ValueError(f"there is no metric {metric!r}; it is one of {', '.join(METRICS)}")
        rows, exact = self.table("/latency"), self.table("/latency/sums")
        keep, known = rows["metric"] == METRICS.index(metric), exact["metric"] == METRICS.index(metric)
        if class_name is not None:
            names = list(self.classes["name"])
            if class_name not in names:
                raise ValueError(f"there is no class {class_name!r}; there are {', '.join(names)}")
            keep &= rows["class"] == names.index(class_name)
            known &= exact["class"] == names.index(class_name)
        sums = rows[keep].groupby("bucket")["count"].sum()
        return Latency(sums.index.to_numpy(), sums.to_numpy(), exact[known]["largest"].max() if known.any() else None)

    def gaps(self, pool=None):
        """The distribution of the time between two tokens of one answer, at the servers of a pool (its id) or of all."""
        rows, exact = self.table("/latency/gaps"), self.table("/serving")
        if pool is not None:
            names = list(self.pools["id"])
            if pool not in names:
                raise ValueError(f"there is no pool {pool!r}; there are {', '.join(names)}")
            rows, exact = rows[rows["pool"] == names.index(pool)], exact[exact["pool"] == names.index(pool)]
        sums = rows.groupby("bucket")["count"].sum()
        return Latency(sums.index.to_numpy(), sums.to_numpy(), exact["gap_largest"].max() if len(exact) else None)

    @property
    def summary(self):
        """Counts of requests, latencies, tokens, price and energy, under the names of `orrery summary --json` (a part of them; the program has all)."""
        counts, tokens, sites = self.table("/tokens/counts"), self.table("/tokens"), self.table("/sites")
        found = {f"requests.{name}": int(counts[name].sum()) for name in ("offered", "served", "refused", "abandoned", "failed", "in_flight", "retries")}
        ended = found["requests.offered"] - found["requests.in_flight"]
        found["slo_attainment"] = counts["slo_met"].sum() / ended if ended else float("nan")
        found["requests.late"] = int(counts["late"].sum())
        seconds = int(self.file.attrs["simulated_until"]) * 1e-9
        found["goodput_per_s"] = _ratio(counts["slo_met"].sum(), seconds)
        sums = self.table("/latency/sums")
        for index, metric in enumerate(METRICS):
            of = sums[sums["metric"] == index]
            measured = of["count"].sum()
            found[f"latency.{metric}.mean"] = (of["sum_s"].sum() + of["sum_ns"].sum() * 1e-9) / measured if measured else float("nan")
            distribution = self.latency(None, metric)
            for share in (50, 90, 95, 99):
                found[f"latency.{metric}.p{share}"] = distribution.quantile(share / 100)
        for share in (50, 90, 95, 99):
            found[f"latency.itl.p{share}"] = self.gaps().quantile(share / 100)
        for kind in ("cached_input", "input", "output"):
            found[f"tokens.{kind}"] = int(tokens[kind].sum())
        found["tokens.cached_share"] = _ratio(found["tokens.cached_input"], found["tokens.cached_input"] + found["tokens.input"])
        millions = sum(found[f"tokens.{kind}"] for kind in ("cached_input", "input", "output")) / 1e6
        found["cost.total_yuan"] = tokens["cost_yuan"].sum() + tokens["cost_nano"].sum() * 1e-9
        found["cost.per_million_tokens_yuan"] = _ratio(found["cost.total_yuan"], millions)
        metered = sites["tokens"].sum() / 1e6  # at the servers, whoever asked
        found["energy.kwh"], found["energy.it_kwh"], found["carbon.kg"], found["electricity.yuan"] = (sites[c].sum() for c in ("energy", "it_energy", "carbon", "electricity_yuan"))
        found["energy.pue"] = _ratio(found["energy.kwh"], found["energy.it_kwh"])
        found["energy.per_million_tokens_kwh"] = _ratio(found["energy.kwh"], metered)
        found["carbon.per_million_tokens_g"] = _ratio(1000 * found["carbon.kg"], metered)
        found["electricity.per_million_tokens_yuan"] = _ratio(found["electricity.yuan"], metered)
        return found

    def series(self, column="utilisation", by="site"):
        """A column of /sites over time, one column per site or pool. Utilisation is weighted by places; times and counts are added up."""
        rows = self.table("/sites")
        pools = self.pools
        label = pools["site_id" if by == "site" else "id"].to_numpy()[rows["pool"]]
        hours = rows["time"] / 3.6e12
        if column == "utilisation":
            places = pools["slots"].to_numpy()[rows["pool"]] * rows["width"] * 1e-9
            places = (rows["slot_time"] / rows["utilisation"]).where(rows["utilisation"] > 0, places)  # replicas come and go
            frame = pd.DataFrame({"hour": hours, "label": label, "busy": rows["slot_time"], "places": places}).groupby(["hour", "label"]).sum()
            return (frame["busy"] / frame["places"]).unstack("label")
        return pd.DataFrame({"hour": hours, "label": label, column: rows[column]}).groupby(["hour", "label"])[column].sum().unstack("label")


def open(path):  # noqa: A001 (the name users expect: orrery.open)
    """Opens the file of a run."""
    file = h5py.File(path, "r")
    if "policy" not in file.attrs:
        file.close()
        raise ValueError(f"{path} is not the file of a run" + ("; it is a study: use orrery.open_study" if "kind" in file.attrs else ""))
    return Run(file)

"""A study: its runs as rows, its axes and metrics as columns."""
import os

import h5py
import pandas as pd

from . import tables
from .run import Run

COUNTED = ("unstable", "unjudged")


class Study:
    """An open study.h5. Use it in a `with`, or close it."""

    def __init__(self, file):
        self.file = file

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.file.close()

    def __repr__(self):
        return f"<study {self.name}: {len(self.file['/runs/address'])} runs, {self.status}>"

    name = property(lambda self: tables.text(self.file.attrs["name"]))
    question = property(lambda self: tables.text(self.file.attrs["question"]))
    status = property(lambda self: tables.text(self.file.attrs["status"]))
    baseline = property(lambda self: tables.text(self.file.attrs["baseline"]))
    text = property(lambda self: tables.text(self.file["/study/text"]), doc="the resolved study, YAML")

    def table(self, path):
        """Any table of the file (docs/study_file.md)."""
        return tables.table(self.file, path)

    axes = property(lambda self: self.table("/axes"))
    anchors = property(lambda self: self.table("/anchors"))
    sensitivity = property(lambda self: self.table("/sensitivity"))

    @property
    def cells(self):
        """What each cell is: a row per cell, a column per axis with the value's number (its text where it has none)."""
        axes, values, rows = self.axes, self.table("/axes/values"), self.table("/cells")
        cells = pd.DataFrame(index=pd.RangeIndex(int(self.file["/runs/cell"][()].max()) + 1 if len(self.file["/runs/cell"]) else 0, name="cell"))
        for number, name in enumerate(axes["name"]):
            of = values[values["axis"] == number].set_index("index")
            column = of["number"] if of["number"].notna().all() else of["text"]
            at = rows[rows["axis"] == number].set_index("cell")["index"]
            cells[name] = at.map(column)
        return cells

    @property
    def runs(self):
        """A row per run: address, policy, seed, cell, status, kind, the axes, and every metric (NaN where a run is not done)."""
        metrics = pd.DataFrame({name: self.file["/metrics"][name][()] for name in self.file["/metrics"]})
        runs = self.table("/runs")
        return pd.concat([runs.join(self.cells, on="cell"), metrics], axis=1)

    @property
    def estimates(self):
        """
        Mean with interval, and difference to the baseline, by cell, policy and metric; with the axes, and with how many of the runs are `unstable` (their
        queues grow, so what is called a mean there is a number that depends on how long the run was) or `unjudged` (their bins are too few to tell).
        """
        runs = self.table("/runs")
        runs = runs[runs["kind"] == "grid"].assign(unstable=runs["queues"] == "growing", unjudged=runs["queues"] == "unknown")
        return self.table("/estimates").join(self.cells, on="cell").join(runs.groupby(["cell", "policy"])[["unstable", "unjudged"]].sum(), on=["cell", "policy"])

    def pivot(self, metric, axis, value="mean", where=None):
        """
        Estimates of a metric (`value`: any column of `estimates`): a row per policy, a column per value of the axis. `where` fixes other axes ({"load": 0.9}); over
        those that are left, means and counts are averaged, unstable and unjudged runs added, but intervals and tests of several cells are not one of all: asking for these is an error.
        """
        rows, axes = self.estimates, list(self.axes["name"])
        for name, at in {axis: None, **(where or {})}.items():
            if name not in axes:
                raise ValueError(f"the study has no axis {name!r}; it has {', '.join(axes)}")
            if at is not None:
                if at not in set(rows[name]):
                    raise ValueError(f"{name} is never {at!r}; it is {', '.join(map(str, dict.fromkeys(rows[name])))}")
                rows = rows[rows[name] == at]
        shown = sorted(set(rows["metric"]))
        rows = rows[rows["metric"] == metric]
        if rows.empty:
            raise ValueError(f"the study shows no metric {metric!r}; it shows {', '.join(shown)}")
        free = [name for name in axes if name != axis and rows[name].nunique() > 1]
        if free and value not in ("mean", "difference", "count", *COUNTED):
            raise ValueError(f"{value!r} of several cells cannot be averaged: say where={{{', '.join(f'{name!r}: …' for name in free)}}}")
        return rows.pivot_table(index="policy", columns=axis, values=value, sort=False, aggfunc="sum" if value in COUNTED else "mean")

    def run(self, address):
        """The run of that address, as orrery.open gives it."""
        runs = self.table("/runs")
        of = runs[runs["address"] == address]
        if of.empty:
            raise ValueError(f"the study has no run {address!r}; addresses are in `runs`")
        return Run(h5py.File(os.path.join(os.path.dirname(self.file.filename), of["file"].iloc[0]), "r"))


def open_study(path):
    """Opens a study by its folder or its study.h5."""
    path = os.path.join(path, "study.h5") if os.path.isdir(path) else path
    file = h5py.File(path, "r")
    if tables.text(file.attrs.get("kind", "")) != "study":
        file.close()
        raise ValueError(f"{path} is not the file of a study; orrery.open opens a run")
    return Study(file)

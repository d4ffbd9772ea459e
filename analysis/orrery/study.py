"""A study: its runs as rows, its axes and metrics as columns."""
import os

import h5py
import pandas as pd

from . import tables
from .run import Run


class Study(tables.File):
    """An open study."""

    def __repr__(self):
        return f"<study {self.name}: {len(self.file['/runs/address'])} runs, {self.status}>"

    name = property(lambda self: tables.text(self.file.attrs["name"]))
    question = property(lambda self: tables.text(self.file.attrs["question"]))
    status = property(lambda self: tables.text(self.file.attrs["status"]))
    baseline = property(lambda self: tables.text(self.file.attrs["baseline"]))
    text = property(lambda self: tables.text(self.file["/study/text"]), doc="the resolved study, YAML")

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
        """Mean with interval, and difference to the baseline, by cell, policy and metric; with the axes."""
        return self.table("/estimates").join(self.cells, on="cell")

    def pivot(self, metric, axis, value="mean"):
        """Estimates of a metric: a row per policy, a column per value of the axis. Other axes are averaged over."""
        rows = self.estimates
        rows = rows[rows["metric"] == metric]
        if rows.empty:
            raise ValueError(f"the study shows no metric {metric!r}; it shows {', '.join(sorted(set(self.table('/estimates')['metric'])))}")
        return rows.pivot_table(index="policy", columns=axis, values=value, sort=False)

    def run(self, address):
        """The run of that address, as orrery.open gives it."""
        return Run(h5py.File(os.path.join(os.path.dirname(self.file.filename), "runs", address + ".h5"), "r"))


def open_study(path):
    """Opens a study by its folder or its study.h5."""
    path = os.path.join(path, "study.h5") if os.path.isdir(path) else path
    file = h5py.File(path, "r")
    if tables.text(file.attrs.get("kind", "")) != "study":
        file.close()
        raise ValueError(f"{path} is not the file of a study; orrery.open opens a run")
    return Study(file)

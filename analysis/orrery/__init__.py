"""Runs and studies of Orrery as data frames.

    import orrery
    run = orrery.open("out/half_hour.h5")         # a Run
    run.table("/sites")                            # any table of the file; units in .attrs["units"]
    run.latency("phone", "ttft").quantile(0.99)    # seconds, as `orrery summary` derives it
    study = orrery.open_study("out/stale_state")   # a Study, from its folder or its study.h5
    study.runs                                     # a row per run: policy, seed, axes, metrics
    study.pivot("latency.e2e.mean", "state_age")   # policies by values of an axis

Everything is read from the files alone (docs/file.md, docs/study_file.md); nothing is simulated and nothing written. Figures for papers are in orrery.figures.
"""
from .run import Latency, Run, open
from .study import Study, open_study

__all__ = ["Latency", "Run", "Study", "open", "open_study"]

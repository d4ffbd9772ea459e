"""Figures for papers: one or two columns wide, in colours that colour-blind readers can tell apart, with dashes and markers beside them.

Each function draws into an axes object that it is given, or makes one, and returns it. save() writes PDF and PNG.
"""
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from . import names

COLUMN, PAGE = 3.3, 7.0  # inches: one column of a two-column paper, and both
PALETTE = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]  # Okabe and Ito, 2008
DASHES = ["-", "--", ":", "-.", (0, (5, 1, 1, 1)), (0, (1, 1)), (0, (7, 2))]
MARKERS = ["o", "s", "^", "D", "v", "P", "X"]
STYLE = {"font.size": 8, "axes.titlesize": 8, "axes.labelsize": 8, "legend.fontsize": 7, "xtick.labelsize": 7, "ytick.labelsize": 7, "axes.spines.top": False, "axes.spines.right": False,
         "axes.grid": True, "grid.alpha": 0.25, "grid.linewidth": 0.5, "lines.linewidth": 1.2, "lines.markersize": 3.5, "pdf.fonttype": 42, "legend.frameon": False}


def figure(width=COLUMN, height=None):
    """A figure of that width in inches and its axes."""
    with plt.rc_context(STYLE):
        return plt.subplots(figsize=(width, height or 0.68 * width), layout="constrained")


def save(axes, path):
    """Writes PATH.pdf and PATH.png (300 dpi) and closes the figure. `path` has no ending."""
    for ending in ("pdf", "png"):
        axes.figure.savefig(f"{path}.{ending}", dpi=300)
    plt.close(axes.figure)


def look(index):
    """Colour, dash and marker of the index-th policy."""
    return {"color": PALETTE[index % 7], "linestyle": DASHES[(index + index // 7) % 7], "marker": MARKERS[index % 7]}


def latency_cdf(runs, metric="ttft", class_name=None, ax=None):
    """Distribution of a latency under each policy. `runs`: name -> Run."""
    ax = ax or figure()[1]
    with plt.rc_context(STYLE):
        for index, (name, run) in enumerate(runs.items()):
            curve = run.latency(class_name, metric).cdf()
            ax.plot(curve["seconds"], 100 * curve["share"], label=name, **{**look(index), "marker": None})
        ax.set(xscale="log", xlabel=names.label(f"latency.{metric}.mean").replace(", mean", ""), ylabel="Requests that took no longer, %", ylim=(0, 100))
        ax.legend()
    return ax


def over_axis(study, metric, axis, where=None, unit=None, scale=1, ax=None):
    """
    A metric over an axis with its intervals, a line per policy. `where` fixes the other axes ({"load": 0.9}). `scale` and `unit` convert the metric. Where queues
    grow the mean means little: those points are hollow.
    """
    ax = ax or figure()[1]
    mean, low, high, growing = (study.pivot(metric, axis, value, where) for value in ("mean", "low", "high", "unstable"))
    numeric = all(isinstance(v, (int, float)) for v in mean.columns)
    at = mean.columns.to_numpy(dtype=float) if numeric else np.arange(mean.shape[1])
    law = study.axes.set_index("name").loc[axis, "law"]
    with plt.rc_context(STYLE):
        for index, policy in enumerate(mean.index):
            style = look(index)
            ax.plot(at, scale * mean.loc[policy], label=policy, **style)
            hollow = growing.loc[policy].to_numpy() > 0
            ax.plot(at[hollow], scale * mean.loc[policy].to_numpy()[hollow], **{**style, "linestyle": "none"}, markerfacecolor="white")
            ax.fill_between(at, scale * low.loc[policy].to_numpy(dtype=float), scale * high.loc[policy].to_numpy(dtype=float), color=style["color"], alpha=0.18, linewidth=0)
        spread = np.nanmax(mean.to_numpy()) / max(np.nanmin(mean.to_numpy()), 1e-300)
        ax.set(xlabel=_axis_label(study, axis), ylabel=_in_lines(metric, unit), xscale="log" if numeric and law == "log" else "linear", yscale="log" if spread > 30 else "linear")
        if not numeric:
            ax.set_xticks(at, mean.columns)
        ax.legend(title="hollow: queues grow" if growing.to_numpy().any() else None, title_fontsize=7)
    return ax


def heat_map(study, metric, axis, where=None, unit=None, scale=1, ax=None):
    """A metric by policy (rows) and value of an axis (columns), with its numbers in the cells; ↑ where queues grow. Axes that `where` does not fix are averaged over."""
    table, growing = study.pivot(metric, axis, "mean", where) * scale, study.pivot(metric, axis, "unstable", where).to_numpy() > 0
    ax = ax or figure(COLUMN, 0.5 + 0.3 * len(table))[1]
    with plt.rc_context(STYLE):
        values = table.to_numpy(dtype=float)
        logarithmic = np.nanmin(values) > 0 and np.nanmax(values) / np.nanmin(values) > 30
        image = ax.imshow(np.log10(values) if logarithmic else values, aspect="auto", cmap="cividis")
        middle = (image.norm.vmin + image.norm.vmax) / 2
        for row, column in np.ndindex(values.shape):
            ax.text(column, row, _number(values[row, column]) + ("↑" if growing[row, column] else ""), ha="center", va="center", fontsize=6, color="white" if image.get_array()[row, column] < middle else "black")
        ax.set(xticks=range(table.shape[1]), xticklabels=[f"{v:g}" if isinstance(v, (int, float)) else v for v in table.columns], yticks=range(len(table)), yticklabels=table.index, xlabel=_axis_label(study, axis))
        ax.set_title(_in_lines(metric, unit) + ("\n↑ queues grow" if growing.any() else ""))
        ax.grid(False)
    return ax


def pareto(study, across, up, lower_is_better=(True, True), units=(None, None), ax=None):
    """Policies by two metrics (means over all cells); the front is joined, dominated ones are faded, and those whose queues grow somewhere are hollow and not on it."""
    ax = ax or figure()[1]
    rows = study.estimates
    point = {m: rows[rows["metric"] == m].groupby("policy", sort=False)["mean"].mean() for m in (across, up)}
    x, y = point[across], point[up].reindex(point[across].index)
    sign = [1 if better else -1 for better in lower_is_better]
    grows = rows[rows["metric"] == across].groupby("policy")["unstable"].sum() > 0
    sound = [p for p in x.index if not grows[p]]
    front = [p for p in sound if not any(sign[0] * x[q] <= sign[0] * x[p] and sign[1] * y[q] <= sign[1] * y[p] and (x[q], y[q]) != (x[p], y[p]) for q in sound)]
    with plt.rc_context(STYLE):
        joined = sorted(front, key=lambda p: x[p])
        ax.plot(x[joined], y[joined], color="0.6", linewidth=0.8, zorder=0)
        for index, policy in enumerate(x.index):
            hollow = {"markerfacecolor": "none"} if grows[policy] else {}
            ax.plot(x[policy], y[policy], alpha=1 if policy in front else 0.4, **{**look(index), "linestyle": "none", **hollow})
            left = x[policy] > (x.min() + x.max()) / 2  # names stand towards the middle, where there is room
            ax.annotate(policy + (" (queues grow)" if grows[policy] else ""), (x[policy], y[policy]), xytext=(-4 if left else 4, 3), ha="right" if left else "left", textcoords="offset points", fontsize=7, alpha=1 if policy in front else 0.6)
        ax.margins(0.15)
        ax.set(xlabel=_in_lines(across, units[0]), ylabel=_in_lines(up, units[1]))
    return ax


def utilisation(run, ax=None):
    """Share of places taken at each site over the run, busiest site first."""
    table = run.series("utilisation").T
    table = table.loc[table.mean(axis=1).sort_values(ascending=False).index]
    ax = ax or figure(PAGE, 0.9 + 0.16 * len(table))[1]
    with plt.rc_context(STYLE):
        image = ax.imshow(100 * table.to_numpy(dtype=float), aspect="auto", cmap="cividis", vmin=0, vmax=100, extent=(table.columns[0], table.columns[-1] + (table.columns[1] - table.columns[0] if table.shape[1] > 1 else 1), len(table), 0))
        names = run.sites.set_index("id")["name"]
        ax.set(yticks=np.arange(len(table)) + 0.5, yticklabels=[_short(names.get(site, site)) for site in table.index], xlabel=f"Hours since {run.start.tz_convert('Asia/Shanghai'):%Y-%m-%d %H:%M} (UTC+8)")
        ax.grid(False)
        ax.figure.colorbar(image, ax=ax, label="Places taken, %")
    return ax


def _in_lines(metric, unit):
    """A metric's label, its unit on a line of its own where both are longer than the side of a column's figure."""
    title, whole = names.label(metric, ""), names.label(metric, unit)
    return whole if len(whole) <= 34 else title + whole[len(title):].replace(", ", ",\n", 1)


def _number(value):
    """Three digits, without an exponent up to a million."""
    return f"{value:.0f}" if 1000 <= abs(value) < 1e6 else f"{value:.3g}"


def _short(name, most=28):
    return name if len(name) <= most else name[:most - 1] + "…"


def _axis_label(study, axis):
    row = study.axes.set_index("name").loc[axis]
    return axis.replace("_", " ") + (f", {row['unit']}" if row["unit"] else "")

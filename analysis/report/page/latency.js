/* Latency distributions and percentiles by class. */

const LATENCIES = [
  { value: "ttft", text: "time to first token (TTFT)", short: "time to first token" },
  { value: "e2e", text: "end to end (E2E)", short: "time to the whole answer" },
  { value: "tpot", text: "time per output token (TPOT)", short: "time per output token" },
];
const objectiveOf = (item, metric) => (metric === "tpot" ? item.slo_tpot_s : item[`slo_${metric}_s`]);
const measuredLatencies = () => LATENCIES.filter((metric) => policies.some((policy) => classes.some((item) => curveOf(policy, item.name, metric.value))));

/** The range of times worth drawing: from the first thousandth to the last ten-thousandth of any curve, and the objectives. */
function latencyRange(curves, objectives) {
  const lows = curves.map((curve) => quantileOf(curve, 0.001)), highs = curves.map((curve) => quantileOf(curve, 0.9999) ?? curve.s[curve.s.length - 1]);
  const marks = objectives.filter((value) => finite(value) && value > 0);
  const low = Math.log10(smallest([...lows, ...marks])), high = Math.log10(largest([...highs, ...marks]));
  return [low - 0.05, Math.max(high, low + 0.3) + 0.05];
}

function latencyChart() {
  const hidden = new Set();
  const redraw = () => element.redraw();
  const metric = chooser("Latency", measuredLatencies(), redraw);
  const withCurves = policies.filter((policy) => classes.some((item) => LATENCIES.some((l) => curveOf(policy, item.name, l.value))));
  const policy = chooser("Policy", withCurves.length > 1 ? [{ value: "*", text: "all policies" }, ...policyOptions(withCurves)] : policyOptions(withCurves), redraw);
  const shownClasses = classes.filter((item) => withCurves.some((p) => LATENCIES.some((l) => curveOf(p, item.name, l.value))));
  const single = chooser("Class", shownClasses.length > 1 ? [{ value: "*", text: "all classes" }, ...shownClasses.map((item) => ({ value: item.name, text: titleOf(item) }))] : shownClasses.map((item) => ({ value: item.name, text: titleOf(item) })), redraw);
  const scale = chooser("Vertical scale", [{ value: "share", text: "share answered" }, { value: "tail", text: "tail: share still waiting (log)" }], redraw);

  const chosenPolicies = () => withCurves.filter((p) => policy.value === "*" || p.name === policy.value);
  const chosenClasses = () => shownClasses.filter((item) => (single.value === "*" || item.name === single.value) && chosenPolicies().some((p) => curveOf(p, item.name, metric.value)));
  const columns = (width) => Math.min(chosenClasses().length || 1, width >= 640 ? 3 : width >= 460 ? 2 : 1);
  const panelHeight = (width) => (chosenClasses().length > 1 ? 268 : Math.min(420, 0.6 * width + 80));

  const element = figure({
    id: "chart-latency", title: "Latency distributions by class", controls: [metric, policy, single, scale],
    note: "Each curve rises as requests are answered: the further left, the faster. The dotted vertical line is the objective of the class. The time axis is logarithmic.",
    legend: () => (chosenPolicies().length > 1 ? lineLegend(policyLegendItems(chosenPolicies()), hidden, redraw) : null),
    height: (width) => Math.ceil((chosenClasses().length || 1) / columns(width)) * panelHeight(width) + 8,
    build: (theme, width) => latencyOption({ theme, width, metric, tail: scale.value === "tail", panels: chosenClasses(), which: chosenPolicies().filter((p) => !hidden.has(p.index)), columns: columns(width), panelHeight: panelHeight(width) }),
    words: () => latencyWords(metric, chosenPolicies(), chosenClasses()),
  });
  return element;
}

function latencyOption({ theme, width, metric, tail, panels, which, columns, panelHeight }) {
  const curves = panels.map((item) => which.map((policy) => [policy, curveOf(policy, item.name, metric.value)]).filter(([, curve]) => curve));
  const flat = curves.flat().map(([, curve]) => curve);
  if (!flat.length) return { title: { text: "no curves to show", left: "center", top: "middle", textStyle: { color: theme.soft, fontSize: 14, fontWeight: 400 } } };
  const [low, high] = latencyRange(flat, panels.map((item) => objectiveOf(item, metric.value)));
  const gutter = 56, panelWidth = (width - 12) / columns;
  const ticks = logTicks(low, high, Math.max(3, Math.floor((panelWidth - gutter) / 56)));
  const option = { grid: [], xAxis: [], yAxis: [], series: [], title: [] };
  panels.forEach((item, i) => {
    const left = (i % columns) * panelWidth, top = Math.floor(i / columns) * panelHeight;
    const objective = objectiveOf(item, metric.value);
    option.title.push({ text: titleOf(item), left: left + gutter - 4, top: top + 4, textStyle: { fontSize: 14, fontWeight: 600, color: theme.ink, width: panelWidth - gutter, overflow: "truncate" } });
    option.grid.push({ left: left + gutter, top: top + 62, width: panelWidth - gutter - 20, height: panelHeight - 62 - 56 });
    option.xAxis.push(placedAxis(theme, ticks, (x) => duration(10 ** x), { gridIndex: i, min: low, max: high, ...bottomName(metricName(metric)) }));
    option.yAxis.push(tail
      ? placedAxis(theme, [-4, -3, -2, -1, 0], (y) => `${number(100 * 10 ** y)} %`, { gridIndex: i, min: -4, max: 0, ...topName("still waiting, % of answered") })
      : placedAxis(theme, [0, 0.25, 0.5, 0.75, 1], (y) => `${number(100 * y)} %`, { gridIndex: i, min: 0, max: 1, ...topName("answered within, %") }));
    curves[i].forEach(([policy, curve]) => option.series.push({
      type: "line", name: policy.name, xAxisIndex: i, yAxisIndex: i, showSymbol: false, symbol: "circle",
      lineStyle: { width: 2.2, color: theme.of(policy.index), type: dashOf(policy.index).length ? dashOf(policy.index) : "solid" }, itemStyle: { color: theme.of(policy.index) },
      data: curvePoints(curve, low, high, tail),
    }));
    if (finite(objective) && objective > 0) option.series.push({
      type: "line", xAxisIndex: i, yAxisIndex: i, data: [], silent: true, tooltip: { show: false },
      markLine: { silent: true, symbol: "none", lineStyle: { color: theme.ink, type: "dotted", width: 1.6 }, label: { formatter: `objective ${duration(objective)}`, color: theme.ink, fontSize: 11, distance: 3, ...objectiveLabelSide(objective, low, high) }, data: [{ xAxis: Math.log10(objective) }] },
    });
  });
  option.tooltip = { ...commonOption(theme).tooltip, trigger: "axis", axisPointer: { lineStyle: { color: theme.faint } }, formatter: latencyTip(tail) };
  return option;
}

const metricName = (metric) => LATENCIES.find((item) => item.value === metric.value).short;
/* The label stands on the line's upper end; near a side it must not leave the panel. */
const objectiveLabelSide = (objective, low, high) => {
  const part = (Math.log10(objective) - low) / (high - low);
  return { position: "end", align: part > 0.75 ? "right" : part < 0.25 ? "left" : "center" };
};

/** Points of a curve within the range, one beyond each end, so that the line meets the frame. */
function curvePoints(curve, low, high, tail) {
  const points = [];
  curve.s.forEach((edge, i) => {
    const x = Math.log10(edge);
    if (x < low - 0.5 || x > high) return;
    const y = tail ? (curve.cdf[i] < 1 ? Math.log10(1 - curve.cdf[i]) : null) : curve.cdf[i];
    if (y !== null && (!tail || y >= -4)) points.push([x, y]);
  });
  const last = points[points.length - 1];
  if (!tail && last && last[1] > 0.999 && last[0] < high) points.push([high, last[1]]);
  return points.filter(([x], i) => x >= low || (points[i + 1] && points[i + 1][0] > low)).map(([x, y]) => [Math.max(x, low), y]);
}

const latencyTip = (tail) => (params) => {
  const rows = params.filter((item) => item.value && finite(item.value[1]));
  if (!rows.length) return "";
  return tip(`${tail ? "after" : "within"} ${duration(10 ** rows[0].value[0])}`, rows.map((item) => tipRow(item.marker, item.seriesName, tail ? `${percent(10 ** item.value[1])} wait` : percent(item.value[1]))));
};

function latencyWords(metric, which, panels) {
  const objectives = panels.map((item) => ({ item, objective: objectiveOf(item, metric.value) })).filter(({ objective }) => finite(objective) && objective > 0);
  const shares = objectives.flatMap(({ item, objective }) => which.filter((policy) => !policy.oracle || which.length === 1).map((policy) => {
    const curve = curveOf(policy, item.name, metric.value);
    return { item, policy, objective, share: curve ? shareBelow(curve, objective) : null };
  })).filter(({ share }) => finite(share));
  if (!shares.length) return "";
  const worst = shares.reduce((a, b) => (b.share < a.share ? b : a)), best = shares.filter(({ item }) => item === worst.item).reduce((a, b) => (b.share > a.share ? b : a));
  const where = which.length > 1 ? ` under ${worst.policy.name}` : "";
  return `The objective is missed most by ${titleOf(worst.item)}${where}: ${percent(worst.share)} of answers come within ${duration(worst.objective)}` +
    (best.policy !== worst.policy ? `, against ${percent(best.share)} under ${best.policy.name}.` : ".");
}

const PERCENTILES = [["p50", 0.5], ["p90", 0.9], ["p95", 0.95], ["p99", 0.99]];

/** A percentile from the pooled curve that the chart shows. */
function percentileOf(policy, item, metric, [, share]) {
  const curve = curveOf(policy, item.name, metric);
  return curve ? quantileOf(curve, share) : null;
}

function percentileTable(metric) {
  const rows = classes.flatMap((item) => policies.map((policy) => {
    const curve = curveOf(policy, item.name, metric), objective = objectiveOf(item, metric);
    return { item, policy, objective, values: PERCENTILES.map((p) => percentileOf(policy, item, metric, p)), within: curve && finite(objective) ? shareBelow(curve, objective) : null };
  })).filter((row) => row.values.some(finite));
  if (!rows.length) return h("p", { class: "note" }, "No percentiles were recorded for this latency.");
  const scale = unitScale("s", "", largest(rows.map((row) => row.values[0])));
  const columns = [
    { title: "Class", sort: (row) => titleOf(row.item), cell: (row) => titleOf(row.item) },
    { title: "Policy", text: true, sort: (row) => row.policy.name, cell: (row) => policyCell(row.policy.name) },
    ...PERCENTILES.map(([name], i) => ({ title: `${name.slice(1)}th percentile`.replace("50th percentile", "Median"), unit: scale.label, sort: (row) => row.values[i], cell: (row) => three(finite(row.values[i]) ? row.values[i] * scale.factor : null) })),
  ];
  if (rows.some((row) => finite(row.objective))) columns.push(
    { title: "Objective", unit: scale.label, sort: (row) => row.objective, cell: (row) => number(finite(row.objective) ? row.objective * scale.factor : null) },
    { title: "Within it", unit: "%", sort: (row) => row.within, cell: (row) => percent(row.within) });
  return table({ caption: `Percentiles of ${LATENCIES.find((item) => item.value === metric).text}`, rows, columns, tall: rows.length > 14 });
}

const latencySection = {
  id: "latency", title: "How long clients wait", show: () => measuredLatencies().length > 0 && classes.length > 0,
  body() {
    const holder = h("div");
    const pick = chooser("Latency in the table", measuredLatencies(), (metric) => put(holder, percentileTable(metric)));
    put(holder, percentileTable(pick.value));
    return [
      h("p", { class: "lead" }, "Latency is what the client sees: network, queue and computation together. All seeds of a policy are pooled."),
      latencyChart(), pick.element ? h("div", { class: "controls" }, pick.element) : null, holder,
    ];
  },
};

/* What to choose and what it hangs on: the Pareto front of two metrics (of a study's cell, or of a plain comparison), and
   the tornado of the assumed parameters. */

/* --- Pareto front --- */

const frontMetrics = () => (study ? studyMetrics : metrics).filter((metric) => metric.better === "lower" || metric.better === "higher");

/** What one policy reaches on a metric: mean and interval. */
function reached(policy, metric, at) {
  if (study) return estimateOf(cellAt(at, policy.index), metric);
  const row = rowOf(policy.name, metric.key), value = metricMean(policy.name, metric);
  return finite(value) ? { mean: value, low: get(row, "low"), high: get(row, "high") } : null;
}

/** The policies as points; one is dominated when another is at least as good on both metrics and better on one, by the means. */
function frontPoints(x, y, at) {
  const which = study ? study.policies.map((name, index) => ({ name, index, oracle: name === study.oracle })) : compared();
  const points = which.map((policy) => ({ policy, x: reached(policy, x, at), y: reached(policy, y, at) })).filter((point) => point.x && point.y);
  const beats = (a, b) => { const dx = sense(x) * (a.x.mean - b.x.mean), dy = sense(y) * (a.y.mean - b.y.mean); return dx <= 0 && dy <= 0 && (dx < 0 || dy < 0); };
  for (const point of points) point.by = point.policy.oracle ? null : points.find((other) => !other.policy.oracle && beats(other, point)) || null;
  return points;
}

function frontChart() {
  const all = frontMetrics(), options = all.map((metric) => ({ value: metric.key, text: metricTitle(metric) })), redraw = () => element.redraw();
  const cost = all.find((metric) => /cost|yuan/.test(metric.key)) || all[1];
  const across = chooser("Across", options, redraw, cost.key), up = chooser("Up", options, redraw, (all.find((metric) => metric !== cost) || all[0]).key);
  const places = study ? placeChoosers(redraw) : { controls: [], at: () => [] }, named = (key) => all.find((metric) => metric.key === key);
  const points = () => frontPoints(named(across.value), named(up.value), places.at());
  const element = figure({
    id: "chart-front", title: "What one metric costs on another", controls: [across, up, ...places.controls],
    note: "One point per policy, with its intervals. The line joins the front: the policies that no other beats on both metrics at once. Faded points are dominated; the arrows on the axes point to what is better.",
    legend: () => boxLegend(points().map((point) => [`var(--series-${colourIndex(point.policy.index)})`, `${point.policy.name}${point.by ? " (dominated)" : point.policy.oracle ? " (oracle)" : ""}`])),
    height: (width) => (narrow(width) ? 340 : 420), build: (theme, width) => frontOption(theme, width, points(), named(across.value), named(up.value)), words: () => frontWords(points(), named(across.value), named(up.value)),
  });
  return element;
}

/** Room around the points, with their intervals where these are not absurdly wide. */
function frontRange(values) {
  const means = values.map((value) => value.mean), low = smallest(means), high = largest(means), spread = high - low || Math.abs(high) * 0.1 || 1;
  const bottom = Math.max(low - spread, smallest(values.flatMap((value) => [value.mean, value.low])) - 0.05 * spread), top = Math.min(high + spread, largest(values.flatMap((value) => [value.mean, value.high])) + 0.05 * spread);
  return [low >= 0 ? Math.max(0, bottom - 0.08 * spread) : bottom - 0.08 * spread, top + 0.12 * spread];
}

const SYMBOLS = ["circle", "rect", "triangle", "diamond", "roundRect", "pin", "arrow"];

function frontOption(theme, width, points, x, y) {
  if (!points.length) return { title: { text: "no stable policy here", left: "center", top: "middle", textStyle: { color: theme.soft, fontSize: 14, fontWeight: 400 } } };
  const scales = [x, y].map((metric, i) => studyOrPlainScale(metric, points.map((point) => (i ? point.y : point.x).mean)));
  const [xRange, yRange] = [frontRange(points.map((point) => point.x)), frontRange(points.map((point) => point.y))];
  const show = (scale) => (value) => number(Number((value * scale.factor).toPrecision(3)));
  const front = points.filter((point) => !point.by && !point.policy.oracle).sort((a, b) => a.x.mean - b.x.mean);
  const whiskers = { type: "custom", silent: true, z: 2, clip: true, tooltip: { show: false }, data: [[points[0].x.mean, points[0].y.mean]], renderItem: (_, api) => ({ type: "group", children: points.flatMap((point) => {
    const style = { stroke: theme.of(point.policy.index), lineWidth: 1.4, opacity: point.by ? 0.35 : 0.9 }, line = (a, b) => ({ type: "line", shape: { x1: a[0], y1: a[1], x2: b[0], y2: b[1] }, style });
    return [finite(point.x.low) && finite(point.x.high) && line(api.coord([point.x.low, point.y.mean]), api.coord([point.x.high, point.y.mean])), finite(point.y.low) && finite(point.y.high) && line(api.coord([point.x.mean, point.y.low]), api.coord([point.x.mean, point.y.high]))].filter(Boolean);
  }) }) };
  const heading = (metric, scale) => `${metricTitle(metric)}${scale.label ? `, ${scale.label}` : ""}`;
  return {
    grid: { left: 70, right: 24, top: 40, bottom: 54 },
    xAxis: merge(axisLook(theme), { type: "value", min: xRange[0], max: xRange[1], splitNumber: narrow(width) ? 3 : 5, axisLabel: { formatter: show(scales[0]), showMinLabel: false, showMaxLabel: false, hideOverlap: true }, ...bottomName(`${x.better === "lower" ? "← better   " : ""}${heading(x, scales[0])}${x.better === "higher" ? "   better →" : ""}`) }),
    yAxis: merge(axisLook(theme), { type: "value", min: yRange[0], max: yRange[1], axisLabel: { formatter: show(scales[1]), showMinLabel: false, showMaxLabel: false }, ...topName(`${heading(y, scales[1])}   (${y.better === "lower" ? "↓" : "↑"} better)`) }),
    series: [
      { type: "line", silent: true, symbol: "none", z: 1, lineStyle: { color: theme.soft, width: 1.6, type: [6, 4] }, data: front.map((point) => [point.x.mean, point.y.mean]), tooltip: { show: false } },
      whiskers,
      { type: "scatter", z: 4, labelLayout: { dy: -11, moveOverlap: "shiftY" }, data: points.map((point, i) => ({ value: [point.x.mean, point.y.mean, i], symbol: point.policy.oracle ? "emptyCircle" : SYMBOLS[point.policy.index % SYMBOLS.length], symbolSize: 13, itemStyle: { color: theme.of(point.policy.index), opacity: point.by ? 0.38 : 1 },
        label: { show: true, formatter: point.policy.name, opacity: 1, ...(point.x.mean > xRange[0] + 0.75 * (xRange[1] - xRange[0]) ? { position: "left" } : { position: "right" }), distance: 5, fontSize: 12, fontWeight: point.by ? 400 : 600, color: point.by ? theme.faint : theme.ink, textBorderColor: theme.panel, textBorderWidth: 2 } })) },
    ],
    tooltip: { ...commonOption(theme).tooltip, formatter: (item) => { const point = points[item.value[2]]; return point ? tip(point.policy.name, [tipRow("", metricTitle(x), inUnit(scales[0], point.x.mean)), tipRow("", metricTitle(y), inUnit(scales[1], point.y.mean)), tipRow("", "", point.by ? `dominated by ${point.by.policy.name}` : point.policy.oracle ? "oracle: a bound" : "on the front")]) : ""; } },
  };
}

const studyOrPlainScale = (metric, values) => unitScale(metric.unit, metric.key, largest(values.map((value) => Math.abs(value ?? NaN))));

function frontWords(points, x, y) {
  if (!points.length) return "";
  if (x === y) return "Choose two different metrics.";
  const front = points.filter((point) => !point.by && !point.policy.oracle).sort((a, b) => sense(x) * (a.x.mean - b.x.mean)), lost = points.filter((point) => point.by);
  const alone = front.length === 1 ? `${front[0].policy.name} is best on both metrics, so there is nothing to trade` : `On the front, from the best ${titleIn(x)} to the best ${titleIn(y)}: ${sentenceList(front.map((point) => point.policy.name))}`;
  return `${alone}${lost.length ? `; ${sentenceList(lost.map((point) => `${point.policy.name} is dominated by ${point.by.policy.name}`))}` : ""} (by the means: where intervals overlap, the order may be chance).`;
}

const frontSection = {
  id: "front", title: "The Pareto front", show: () => frontMetrics().length > 1 && (study ? study.policies.length > 1 : Boolean(comparison) && compared().length > 1),
  body: () => [frontChart()],
};

/* --- tornado --- */

/** Parameters by how far they move the metric, the widest first. */
function tornadoRows() {
  return list(study.sensitivity.rows).map((row) => ({ ...row, low: get(row.at_low, "0"), high: get(row.at_high, "0") })).filter((row) => finite(row.low) || finite(row.high) || row.low_unstable || row.high_unstable)
    .map((row) => ({ ...row, swing: Math.max(...[row.low, row.high, get(study.sensitivity.base, "0")].filter(finite)) - Math.min(...[row.low, row.high, get(study.sensitivity.base, "0")].filter(finite)) })).sort((a, b) => b.swing - a.swing);
}

/** Whether an end of the range differs from the base by more than chance, seed by seed, or its queues grow. */
const stirs = (row) => row.low_unstable > 0 || row.high_unstable > 0 || [row.low_difference, row.high_difference].some((difference) => Boolean(get(difference, "5")));

function tornadoChart() {
  const given = study.sensitivity, rows = tornadoRows(), base = get(given.base, "0");
  const scale = unitScale(given.unit, given.metric, largest([base, ...rows.flatMap((row) => [row.low, row.high])].filter(finite).map(Math.abs)));
  const name = (row) => row.text || spoken(row.key), end = (value) => (typeof value === "number" ? number(value) : String(value ?? NONE));
  return figure({
    id: "chart-tornado", title: `${given.title || given.metric} under ${given.policy}, one parameter at a time`,
    note: `Each bar runs from the metric at the low end of a parameter’s range to that at its high end; everything else stays at the base (the upright line). The thin lines are ${studyLevelText()} intervals. The ranges are those of the study file. Whether a change is more than chance is judged seed by seed, against the base on the same seeds.`,
    legend: () => boxLegend([["var(--series-1)", "at the low end"], ["var(--series-2)", "at the high end"]]),
    height: (width) => rows.length * (narrow(width) ? 58 : 44) + 74,
    build(theme, width) {
      const labels = rows.map(name), room = labelRoom(labels, 12, width, narrow(width) ? 0.38 : 0.34), ends = rows.flatMap((row) => [row.low, row.high, get(row.at_low, "1"), get(row.at_high, "1"), get(row.at_low, "2"), get(row.at_high, "2")]).concat(list(given.base)).filter(finite);
      const low = smallest(ends), high = largest(ends), pad = 0.14 * (high - low || Math.abs(high) || 1);
      const draw = (_, api) => {
        const row = rows[api.value(1)], y = api.coord([base, api.value(1)])[1], x = (value) => api.coord([value, 0])[0], children = [];
        for (const [value, interval, colour, text] of [[row.low, row.at_low, theme.series[0], end(row.low_value)], [row.high, row.at_high, theme.series[1], end(row.high_value)]]) {
          if (!finite(value)) {
            if (colour === theme.series[0] ? row.low_unstable : row.high_unstable) children.push({ type: "text", style: { text: `${text}: queues grow, no mean`, x: x(base) + 5, y: colour === theme.series[0] ? y - 8 : y + 8, fill: theme.soft, align: "left", verticalAlign: "middle", font: `11px ${theme.font}` } });
            continue;
          }
          const same = finite(row.low) && finite(row.high) && Math.sign(row.low - base) === Math.sign(row.high - base), upper = colour === theme.series[0], thick = same ? 9 : 18, top = same ? (upper ? y - 10 : y + 1) : y - 9;
          children.push({ type: "rect", shape: { x: Math.min(x(base), x(value)), y: top, width: Math.max(1.5, Math.abs(x(value) - x(base))), height: thick }, style: { fill: colour } });
          if (Array.isArray(interval) && finite(interval[1]) && finite(interval[2])) children.push({ type: "line", shape: { x1: x(interval[1]), x2: x(interval[2]), y1: top + thick / 2, y2: top + thick / 2 }, style: { stroke: theme.ink, lineWidth: 1.4 } });
          const right = value >= base, tipAt = right ? Math.max(x(value), finite(get(interval, "2")) ? x(interval[2]) : -Infinity) : Math.min(x(value), finite(get(interval, "1")) ? x(interval[1]) : Infinity);
          children.push({ type: "text", style: { text, x: tipAt + (right ? 5 : -5), y: top + thick / 2, fill: theme.soft, align: right ? "left" : "right", verticalAlign: "middle", font: `11px ${theme.font}` } });
        }
        return { type: "group", children };
      };
      return {
        grid: { left: room, right: 20, top: 12, bottom: 54 },
        xAxis: merge(axisLook(theme), { type: "value", min: low - pad, max: high + pad, splitNumber: narrow(width) ? 3 : 5, axisLabel: { formatter: (value) => number(Number((value * scale.factor).toPrecision(3))), hideOverlap: true, showMinLabel: false, showMaxLabel: false }, ...bottomName(`${given.title || given.metric}${scale.label ? `, ${scale.label}` : ""}`) }),
        yAxis: merge(axisLook(theme), { type: "category", inverse: true, data: labels, splitLine: { show: false }, axisTick: { show: false }, axisLine: { show: false }, axisLabel: { color: theme.ink, interval: 0, width: room - 12, overflow: "break", lineHeight: 14 } }),
        series: [{ type: "custom", renderItem: draw, encode: { x: 0, y: 1 }, data: rows.map((row, i) => [base, i]),
          markLine: { silent: true, symbol: "none", label: { show: false }, lineStyle: { color: theme.ink, type: "solid", width: 1.4 }, data: [{ xAxis: base }] } }],
        tooltip: { ...commonOption(theme).tooltip, formatter: (item) => { const row = rows[item.value[1]]; return tip(name(row), [tipRow("", `at ${end(row.low_value)}`, finite(row.low) ? inUnit(scale, row.low) : NONE), tipRow("", "at the base", inUnit(scale, base)), tipRow("", `at ${end(row.high_value)}`, finite(row.high) ? inUnit(scale, row.high) : NONE)]); } },
      };
    },
    words: () => tornadoWords(rows, given, scale, name),
  });
}

function tornadoWords(rows, given, scale, name) {
  const broken = rows.filter((row) => row.low_unstable || row.high_unstable), moving = rows.filter((row) => stirs(row) && !broken.includes(row)), still = rows.filter((row) => !stirs(row)), first = moving[0], base = get(given.base, "0");
  const growing = broken.length ? `At one end of ${sentenceList(broken.map((row) => `“${inSentence(name(row))}”`))} queues grow, so there is no mean to compare. ` : "";
  if (!moving.length) return `${growing}No ${broken.length ? "other " : ""}parameter moves the metric by more than chance: at no end of a range is the difference to the base (${inUnit(scale, base)}) significant.`;
  const reach = [first.low, first.high].filter(finite);
  const said = `The result hangs most on “${inSentence(name(first))}”: over its range the metric goes from ${inUnit(scale, smallest([...reach, base]))} to ${inUnit(scale, largest([...reach, base]))}`;
  const chance = still.length ? `; for ${sentenceList(still.map((row) => `“${inSentence(name(row))}”`))} the difference to the base is not significant` : "";
  return `${growing}${said}${chance}.`;
}

const tornadoSection = {
  id: "tornado", title: "What the result hangs on", show: () => Boolean(study && study.sensitivity && tornadoRows().length && finite(get(study.sensitivity.base, "0"))),
  body: () => [tornadoChart()],
};

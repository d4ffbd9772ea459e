/* Demand with what became of it, and how busy the sites are, through the day. */

const OUTCOMES = [["served", 0, "served"], ["refused", 4, "refused"], ["abandoned", 3, "abandoned by the client"], ["failed", 1, "failed"]];
const flowOf = (policy, kind) => (policy && policy.flow && Array.isArray(policy.flow[kind]) ? policy.flow[kind] : null);
const withFlow = () => (bins ? policies.filter((policy) => ["offered", "served"].some((kind) => flowOf(policy, kind))) : []);

function flowChart() {
  const redraw = () => element.redraw();
  const pick = chooser("Policy", policyOptions(withFlow()), redraw, leadingIn(withFlow()));
  const element = figure({
    id: "chart-flow", title: "Demand and what became of it", controls: [pick],
    note: "Requests per second. The areas are stacked; the dashed line is what clients asked for. Demand is counted when it is offered and outcomes when they happen, so the two can differ a little in one interval.",
    legend: () => boxLegend([...OUTCOMES.filter(([kind]) => flowOf(policyNamed(pick.value), kind)).map(([, colour, name]) => [`var(--series-${colour + 1})`, name]), ["var(--ink)", "offered (dashed line)"]]),
    height: (width) => (narrow(width) ? 300 : 360),
    build: (theme, width) => flowOption(theme, width, policyNamed(pick.value)),
    words: () => flowWords(policyNamed(pick.value)),
  });
  return element;
}

const leadingIn = (which) => (which.some((policy) => policy.name === leadingPolicy()) ? leadingPolicy() : which[0] && which[0].name);

const timeAxis = (theme, width) => placedAxis(theme, timeTicks(Math.max(3, Math.floor(width / 95))), (bin) => timeAt(bin, { axis: true }), { min: 0, max: bins.count, splitLine: { show: false }, ...bottomName(timeAxisName()) });

function flowOption(theme, width, policy) {
  const points = (values) => values.slice(0, bins.count).map((value, bin) => [bin + 0.5, finite(value) ? value : null]);
  const series = OUTCOMES.filter(([kind]) => flowOf(policy, kind)).map(([kind, colour, name]) => ({
    name, type: "line", stack: "outcome", showSymbol: false, symbol: "circle", lineStyle: { width: 0.8, color: theme.of(colour) }, itemStyle: { color: theme.of(colour) }, areaStyle: { color: theme.of(colour), opacity: 0.8 }, data: points(flowOf(policy, kind)),
  }));
  if (flowOf(policy, "offered")) series.push({ name: "offered", type: "line", showSymbol: false, symbol: "circle", z: 5, lineStyle: { color: theme.ink, width: 1.6, type: [6, 4] }, itemStyle: { color: theme.ink }, data: points(flowOf(policy, "offered")) });
  return {
    grid: { left: 62, right: 18, top: 36, bottom: 50 }, xAxis: timeAxis(theme, width),
    yAxis: merge(axisLook(theme), { type: "value", min: 0, ...topName("requests per second"), axisLabel: { formatter: (value) => axisCount(value) } }), series,
    tooltip: { ...commonOption(theme).tooltip, trigger: "axis", formatter: (params) => (params.length ? tip(binSpan(Math.floor(params[0].value[0])), [...params].reverse().map((item) => tipRow(item.marker, item.seriesName, `${number(item.value[1])} /s`))) : "") },
  };
}

const axisCount = (value) => (Math.abs(value) >= 1e6 ? `${number(value / 1e6)} M` : Math.abs(value) >= 1e4 ? `${number(value / 1e3)} k` : number(value));
const binSpan = (bin) => `${timeAt(bin)}${DASH}${timeAt(bin + 1).replace(/^\d+ \w+ /, "")}`;

function flowWords(policy) {
  const offered = flowOf(policy, "offered");
  if (!offered || !offered.some(finite)) return "";
  const peak = offered.indexOf(largest(offered)), average = mean(offered);
  const lost = offered.map((value, bin) => (value > 0 ? sum(["refused", "abandoned", "failed"].map((kind) => (flowOf(policy, kind) || [])[bin])) / value : null));
  const worst = lost.indexOf(largest(lost));
  const rate = `${count(Math.round(offered[peak] * 10) / 10)} requests per second`;
  return (offered[peak] < 1.05 * average ? `Demand is steady and never above ${rate}` : `Demand peaks at ${timeAt(peak)} with ${rate}, ${number(offered[peak] / average)} times the mean`) +
    (worst >= 0 && lost[worst] > 0 ? `; the worst interval begins at ${timeAt(worst)}, when ${percent(lost[worst])} of demand was refused, abandoned or failed.` : "; in no interval was a request lost.");
}

/* --- promises kept through the run --- */

const PROMISE_KEPT = 0.9; /* below it a stretch is counted as lost: summary `outage` has the same bound */

/** Share of the requests that ended in each interval and met their objective, over the seeds of a policy; null where none ended. */
const keptOf = (policy) => flowOf(policy, "met") && flowOf(policy, "met").slice(0, bins.count).map((met, bin) => {
  const ended = sum(["served", "refused", "abandoned", "failed"].map((kind) => (flowOf(policy, kind) || [])[bin]));
  return finite(met) && ended > 0 ? met / ended : null;
});
const withKept = () => withFlow().filter((policy) => (keptOf(policy) || []).some(finite));

function keptChart() {
  const hidden = new Set(), redraw = () => element.redraw(), shown = () => withKept().filter((policy) => !hidden.has(policy.index));
  const element = figure({
    id: "chart-kept", title: "Promises kept through the run",
    note: `Of the requests that ended in each interval, the share within their objective (SLO), over all seeds; refused, abandoned and failed ones count as missed. The dashed line is at ${percent(PROMISE_KEPT)}.`,
    legend: () => (withKept().length > 1 ? lineLegend(policyLegendItems(withKept()), hidden, redraw) : null),
    height: (width) => (narrow(width) ? 280 : 320),
    build: (theme, width) => keptOption(theme, width, shown()),
    words: () => keptWords(withKept()),
  });
  return element;
}

function keptOption(theme, width, shown) {
  return {
    grid: { left: 62, right: 18, top: 36, bottom: 50 }, xAxis: timeAxis(theme, width),
    yAxis: merge(axisLook(theme), { type: "value", min: 0, max: 1, ...topName("share within the objective"), axisLabel: { formatter: (value) => percent(value) } }),
    series: shown.map((policy, i) => ({
      name: policy.name, type: "line", showSymbol: false, symbol: "circle", connectNulls: false, lineStyle: { color: theme.of(policy.index), width: 2, type: dashOf(policy.index).length ? dashOf(policy.index) : "solid" }, itemStyle: { color: theme.of(policy.index) }, data: keptOf(policy).map((share, bin) => [bin + 0.5, share]),
      ...(i === 0 ? { markLine: { silent: true, symbol: "none", label: { show: false }, lineStyle: { color: theme.soft, type: "dashed" }, data: [{ yAxis: PROMISE_KEPT }] } } : {}),
    })),
    tooltip: { ...commonOption(theme).tooltip, trigger: "axis", formatter: (params) => (params.length ? tip(binSpan(Math.floor(params[0].value[0])), params.map((item) => tipRow(item.marker, item.seriesName, finite(item.value[1]) ? percent(item.value[1]) : NONE))) : "") },
  };
}

/** Where the least is kept, and for how long too little. */
function keptWords(which) {
  const facts = which.map((policy) => { const kept = keptOf(policy), least = smallest(kept.filter(finite)); return { policy, least, at: kept.indexOf(least), below: kept.filter((share) => finite(share) && share < PROMISE_KEPT).length }; });
  const said = ({ policy, least, at, below }) => `under ${policy.name} ${below ? `${duration(below * bins.width_s)} in all below ${percent(PROMISE_KEPT)}, at worst ${percent(least)} at ${timeAt(at)}` : `never below ${percent(least)}`}`;
  return `${capital(sentenceList(facts.slice(0, 6).map(said)))}.`;
}

const flowSection = {
  id: "flow", title: "Demand and promises over the day", show: () => withFlow().length > 0,
  body: () => [flowChart(), withKept().length ? keptChart() : null],
};

/* --- utilisation --- */

const HEAT_ROWS = 60, HEAT_COLUMNS = 192;
const seriesOf = (policy, measureName, id) => { const values = policy && policy[measureName] ? policy[measureName][id] : null; return Array.isArray(values) && values.some(finite) ? values : null; };
const busySites = (policy, measureName) => sites.filter((site) => seriesOf(policy, measureName, site.id));
const withHeat = () => (bins ? policies.filter((policy) => ["utilisation", "batch"].some((name) => busySites(policy, name).length)) : []);
const MEASURES = [{ value: "utilisation", text: "utilisation (share of places taken)" }, { value: "batch", text: "mean batch (requests decoded together)" }];

/** Rows of the heat map: the busiest sites, in the chosen order, and one row for the mean of those left out. */
function heatRows(policy, measureName, order) {
  const all = busySites(policy, measureName).map((site) => ({ name: titleOf(site), kind: site.kind || "", values: seriesOf(policy, measureName, site.id), mean: mean(seriesOf(policy, measureName, site.id)) }));
  all.sort((a, b) => b.mean - a.mean);
  const rows = all.slice(0, HEAT_ROWS), rest = all.slice(HEAT_ROWS);
  if (order === "name") rows.sort((a, b) => a.name.localeCompare(b.name));
  if (order === "kind") rows.sort((a, b) => a.kind.localeCompare(b.kind) || b.mean - a.mean);
  if (rest.length) rows.push({ name: `${count(rest.length)} other sites, mean`, kind: "", values: Array.from({ length: bins.count }, (_, bin) => mean(rest.map((row) => row.values[bin]))) });
  return rows;
}

function heatChart() {
  const redraw = () => element.redraw();
  const pick = chooser("Policy", policyOptions(withHeat()), redraw, leadingIn(withHeat()));
  const what = chooser("Colour shows", MEASURES.filter((item) => withHeat().some((policy) => busySites(policy, item.value).length)), redraw);
  const order = chooser("Order of the sites", [{ value: "mean", text: "busiest first" }, { value: "kind", text: "by kind" }, { value: "name", text: "by name" }], redraw);
  const rows = () => heatRows(policyNamed(pick.value), what.value, order.value);
  const top = () => { const most = largest(rows().flatMap((row) => row.values)); return what.value === "utilisation" ? shareTop(most) : Math.max(1, Math.ceil(most)); };
  const show = (value) => (what.value === "utilisation" ? percent(value) : number(value));
  const element = figure({
    id: "chart-heat", title: "Every site through the day", controls: [pick, what, order],
    note: "One row per site, one column per interval. Sites without accelerators are left out; a blank cell means that nothing was recorded.",
    legend: () => h("ul", { class: "legend" }, h("li", null, rampLegend(show(0), show(top()), what.value === "utilisation" ? "taken" : "requests in a batch"))),
    height: (width) => Math.max(160, rows().length * (narrow(width) ? 13 : 14) + 76),
    build: (theme, width) => heatOption(theme, width, rows(), top(), show),
    words: () => heatWords(policyNamed(pick.value), what.value, show),
  });
  return element;
}

function heatOption(theme, width, rows, top, show) {
  if (!rows.length) return { title: { text: "nothing recorded for this policy", left: "center", top: "middle", textStyle: { color: theme.soft, fontSize: 14, fontWeight: 400 } } };
  const group = Math.ceil(bins.count / HEAT_COLUMNS), columns = Math.ceil(bins.count / group);
  const cells = rows.flatMap((row, y) => Array.from({ length: columns }, (_, x) => [x, y, mean(row.values.slice(x * group, (x + 1) * group))]).filter((cell) => finite(cell[2])));
  const room = labelRoom(rows.map((row) => row.name), 11, width, narrow(width) ? 0.33 : 0.26);
  const marks = new Set(timeTicks(Math.max(3, Math.floor((width - room) / 95))).map((bin) => Math.floor(bin / group)));
  return {
    grid: { left: room, right: 14, top: 8, bottom: 52 },
    xAxis: merge(axisLook(theme), { type: "category", data: Array.from({ length: columns }, (_, x) => x), boundaryGap: true, splitLine: { show: false }, axisTick: { interval: (x) => marks.has(x), alignWithLabel: false },
      axisLabel: { interval: (x) => marks.has(x), formatter: (x) => timeAt(x * group, { axis: true }), hideOverlap: true }, ...bottomName(timeAxisName()) }),
    yAxis: merge(axisLook(theme), { type: "category", inverse: true, data: rows.map((row) => row.name), splitLine: { show: false }, axisTick: { show: false }, axisLabel: { fontSize: 11, interval: 0, width: room - 12, overflow: "truncate" } }),
    visualMap: { show: false, min: 0, max: top, dimension: 2, inRange: { color: theme.scale } },
    series: [{ type: "heatmap", data: cells, progressive: 0, itemStyle: { borderColor: theme.panel, borderWidth: columns > 120 || narrow(width) ? 0 : 0.4 }, emphasis: { itemStyle: { borderColor: theme.ink, borderWidth: 1.5 } } }],
    tooltip: { ...commonOption(theme).tooltip, formatter: (item) => tip(rows[item.value[1]].name, [tipRow("", `${timeAt(item.value[0] * group)}${DASH}${timeAt(Math.min(bins.count, (item.value[0] + 1) * group)).replace(/^\d+ \w+ /, "")}`, show(item.value[2]))]) },
  };
}

function heatWords(policy, measureName, show) {
  const rows = busySites(policy, measureName).map((site) => { const values = seriesOf(policy, measureName, site.id); const most = largest(values); return { site, most, at: values.indexOf(most) }; });
  if (!rows.length) return "";
  const top = rows.reduce((a, b) => (b.most > a.most ? b : a));
  const sentence = `Under ${policy.name}, the highest value is ${show(top.most)} at ${titleOf(top.site)} in the interval from ${timeAt(top.at)}`;
  if (measureName !== "utilisation") return sentence + ".";
  const idle = rows.filter((row) => row.most < 0.2).length, full = rows.filter((row) => row.most >= 0.95).length;
  return `${sentence}; ${full ? `${count(full)} of ${count(rows.length)} sites ${full === 1 ? "reaches" : "reach"} 95${NBSP}% at some time` : `no site reaches 95${NBSP}%`}${idle ? `, and ${count(idle)} never ${idle === 1 ? "exceeds" : "exceed"} 20${NBSP}%` : ""}.`;
}

const heatSection = { id: "utilisation", title: "How busy the sites are", show: () => withHeat().length > 0, body: () => [heatChart()] };

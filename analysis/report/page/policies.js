/* Key figures of a policy, and the table of policies with their paired differences. */

/* --- key figures --- */

const tokensOf = (name) => sum(["input", "cached_input", "output"].map((kind) => runMean(name, `tokens.${kind}`)));
const ratioOf = (a, b) => (finite(a) && finite(b) && b > 0 ? a / b : null);

/* Title, value of a policy, and how to show it: [number, unit]. */
const plain = (show) => (value) => [show(value), ""];
const KEY_FIGURES = [
  ["Requests offered", (p) => runMean(p, "requests.offered"), plain(count)],
  ["Served, of those offered", (p) => ratioOf(runMean(p, "requests.served"), runMean(p, "requests.offered")), plain(percent)],
  ["Met their objective (SLO)", (p) => runMean(p, "slo_attainment"), plain(percent)],
  ["Goodput, requests in time", (p) => runMean(p, "goodput_per_s"), (v) => [number(v), "per second"]],
  ["Time to first token, median", (p) => runMean(p, "latency.ttft.p50"), plain(duration)],
  ["Time to first token, 99th percentile", (p) => runMean(p, "latency.ttft.p99"), plain(duration)],
  ["Whole answer, 99th percentile", (p) => runMean(p, "latency.e2e.p99"), plain(duration)],
  ["Tokens processed", tokensOf, plain(count)],
  ["Clients pay per million tokens", (p) => runMean(p, "cost.per_million_tokens_yuan"), (v) => [number(v), "yuan"]],
  ["Serving costs per million tokens", (p) => runMean(p, "provider.per_million_tokens.total_yuan"), (v) => [number(v), "yuan"]],
  ["Clients pay in all", (p) => runMean(p, "cost.total_yuan"), (v) => [count(v), "yuan"]],
  ["Places taken on accelerators", (p) => runMean(p, "utilisation.accelerators"), plain(percent)],
  ["Energy", (p) => runMean(p, "energy.kwh"), (v) => (v >= 1e4 ? [number(v / 1000), "MWh"] : [number(v), "kWh"])],
];

function keyFigures(name) {
  const withBaseline = baselineName && name !== baselineName;
  const cards = KEY_FIGURES.map(([title, value, show]) => {
    const own = value(name), base = withBaseline ? value(baselineName) : null;
    if (!finite(own)) return null;
    return h("div", { class: "key" }, h("dt", null, title), h("dd", null, h("div", { class: "value" }, show(own)[0], show(own)[1] ? h("small", null, ` ${show(own)[1]}`) : null),
      finite(base) ? h("div", { class: "beside" }, `${baselineName}: ${show(base).join(" ").trim()}`) : null));
  }).filter(Boolean);
  const seeds = runsOf(name).length;
  return [h("dl", { class: "keys" }, cards), h("p", { class: "note" }, `Policy ${name}${seeds > 1 ? `; each figure is the mean of ${seeds} runs with different seeds` : "; one run"}${withBaseline ? `, with the baseline ${baselineName} beneath` : ""}.`)];
}

function leadingPolicy() {
  const best = comparison && metrics.length ? rankedOn(metrics[0])[0] : null;
  return best ? best.name : policies[0] && policies[0].name;
}

const figuresSection = {
  id: "figures", title: "Key figures",
  show: () => policies.some((policy) => KEY_FIGURES.some(([, value]) => finite(value(policy.name)))),
  body() {
    const holder = h("div");
    const withRuns = policies.filter((policy) => runsOf(policy.name).length);
    const pick = chooser("Policy", policyOptions(withRuns), (name) => put(holder, keyFigures(name)), leadingPolicy());
    put(holder, keyFigures(pick.value));
    return [pick.element ? h("div", { class: "controls" }, pick.element) : null, holder];
  },
};

/* --- policy table --- */

function scoreCell(policy, metric) {
  const scale = metricScale(metric), row = rowOf(policy.name, metric.key), value = metricMean(policy.name, metric);
  const most = largest(compared().map((other) => Math.abs(metricMean(other.name, metric) ?? NaN))) * scale.factor;
  const text = finite(value) ? number(value * scale.factor, most > 0 ? Math.max(0, Math.min(6, 2 - Math.floor(Math.log10(most)))) : 0) : NONE;
  if (policy.name === baselineName) return [text, h("small", null, "baseline")];
  const judged = judge(row, metric), base = metricMean(baselineName, metric);
  const relative = row && finite(row.difference) && finite(base) && base !== 0 && scale.label !== "%" ? percent(Math.abs(row.difference / base))
    : row && finite(row.difference) ? `${number(Math.abs(row.difference * scale.factor))}${NBSP}${scale.label === "%" ? "pp" : metric.unit === "requests" ? "" : scale.difference}`.trim() : "";
  const words = { better: `${relative} better`, worse: `${relative} worse`, moved: relative, same: "not significant", untested: `${relative} untested`, none: "" }[judged.kind];
  return [text, h("small", { class: judged.tone }, words ? `${judged.mark} ${words}` : "")];
}

/* Many metrics of a few policies read better with a row per metric, and fit the page; else a row per policy, which sorts. */
const metricsAsRows = () => metrics.length > 8 && compared().length <= 8;
const metricNotes = (metric) => [metricScale(metric).label, metric.better ? `${metric.better} is better` : ""].filter(Boolean).join(", ");

function scoreTable() {
  const caption = `Mean over seeds; beneath it the difference to ${baselineName}`;
  if (metricsAsRows()) return table({
    caption, rows: metrics,
    columns: [{ title: "Metric", cell: (metric) => [metric.title || metric.key, h("small", null, metricNotes(metric))] },
      ...compared().map((policy) => ({ title: policyCell(policy.name), cell: (metric) => scoreCell(policy, metric) }))],
  });
  const first = { title: "Policy", sort: (policy) => policy.name, cell: (policy) => policyCell(policy.name) };
  return table({
    caption, rows: compared(), rowClass: (policy) => (policy.name === baselineName ? "baseline" : null),
    columns: [first, ...metrics.map((metric) => ({ title: metric.title || metric.key, unit: metricNotes(metric), sort: (policy) => metricMean(policy.name, metric), cell: (policy) => scoreCell(policy, metric) }))],
  });
}

/** One interval, drawn on the axis that all rows of the table share; the dashed line is the baseline. */
function whisker(row, low, high) {
  const at = (value) => 8 + 174 * (value - low) / (high - low || 1);
  const drawing = s("svg", { class: "whisker", viewBox: "0 0 190 26", "aria-hidden": "true" }, s("line", { class: "zero", x1: at(0), x2: at(0), y1: 0, y2: 26 }));
  if (row && finite(row.difference_low) && finite(row.difference_high)) drawing.append(s("line", { class: "range", x1: at(row.difference_low), x2: at(row.difference_high), y1: 13, y2: 13 }));
  if (row && finite(row.difference)) drawing.append(s("circle", { cx: at(row.difference), cy: 13, r: 4 }));
  return drawing;
}

function metricTable(metric) {
  const scale = metricScale(metric), rows = compared().filter((policy) => policy.name !== baselineName), base = metricMean(baselineName, metric);
  const found = rows.map((policy) => rowOf(policy.name, metric.key)).filter(Boolean);
  const all = found.flatMap((row) => [row.difference, row.difference_low, row.difference_high]);
  const low = Math.min(0, smallest(all)), high = Math.max(0, largest(all));
  const of = (policy) => rowOf(policy.name, metric.key);
  const digits = (row) => (row && finite(row.difference_low) ? decimalsFor((row.difference_high - row.difference_low) / 2 * scale.factor) : undefined);
  const interval = (row, from, to) => (row && finite(row[from]) && finite(row[to]) ? [number(row[from] * scale.factor, digits(row)), " to ", number(row[to] * scale.factor, digits(row))] : NONE);
  const pairs = unique(found.map((row) => row.pairs).filter(finite)), alike = pairs.length === 1; /* a column of equal numbers only takes room */
  return table({
    caption: `${metric.title || metric.key}: paired differences to ${baselineName}${finite(base) ? `, whose mean is ${quantity(base, metric.unit, metric.key)}` : ""}${alike ? `; ${plural(pairs[0], "pair")} of runs` : ""}`,
    rows, sorted: { column: 2, direction: metric.better === "higher" ? -1 : 1 },
    columns: [
      { title: "Policy", sort: (policy) => policy.name, cell: (policy) => policyCell(policy.name) },
      { title: "Mean", unit: [scale.label, `with ${levelText()} interval`].filter(Boolean).join(", "), sort: (policy) => metricMean(policy.name, metric),
        cell: (policy) => { const row = of(policy), value = metricMean(policy.name, metric); return [finite(value) ? number(value * scale.factor, digits(row)) : NONE, h("small", null, row && finite(row.low) ? interval(row, "low", "high") : "")]; } },
      { title: "Difference", unit: scale.difference, sort: (policy) => get(of(policy), "difference"), cell: (policy) => { const row = of(policy); return row ? signed(row.difference * scale.factor, digits(row)) : NONE; } },
      { title: `${levelText()} interval`, unit: scale.difference, sort: (policy) => get(of(policy), "difference_low"),
        cell: (policy) => { const row = of(policy); return row && finite(row.difference_low) ? `${signed(row.difference_low * scale.factor, digits(row))} to ${signed(row.difference_high * scale.factor, digits(row))}` : NONE; } },
      { title: "Drawn", unit: high > low ? `${signed(low * scale.factor, decimalsFor((high - low) * scale.factor / 10))} … ${signed(high * scale.factor, decimalsFor((high - low) * scale.factor / 10))}` : "",
        cell: (policy) => { const row = of(policy); return h("span", { class: judge(row, metric).tone }, whisker(row, low, high)); } },
      { title: "In words", text: true, class: "sentence", sort: (policy) => judge(of(policy), metric).word, cell: (policy) => { const judged = judge(of(policy), metric); return h("span", { class: judged.tone }, `${judged.mark} ${judged.word}`.trim()); } },
      !alike && { title: "Pairs", unit: "runs", sort: (policy) => get(of(policy), "pairs"), cell: (policy) => number(get(of(policy), "pairs")) },
    ].filter(Boolean),
  });
}

/** How many differences would look significant by chance alone: the reader should know it before picking a winner. */
function chanceNote() {
  const tests = list(comparison.rows).filter((row) => row.policy !== baselineName && finite(row.difference_low)).length;
  const pairs = unique(list(comparison.rows).map((row) => row.pairs).filter(finite)).sort((a, b) => a - b);
  return [
    `A difference is taken between two runs with the same seed, so both policies met the same clients, requests and failures; the interval covers the true mean difference with ${levelText()} confidence. `,
    "“Significant” means that chance between seeds is an unlikely explanation; “not significant” means that these runs cannot tell the two apart, not that they are equal. ",
    comparison.method ? `${comparison.method} ` : tests > 1 ? `With ${count(tests)} differences tested at this level, about ${number(tests * (1 - level()), tests * (1 - level()) < 10 ? 1 : 0)} would look significant by chance alone. ` : "",
    pairs.length && pairs[0] < 5 ? `There ${pairs[0] === 1 ? "is" : "are"} only ${plural(pairs[0], "pair")} of runs behind ${pairs.length > 1 ? "some of the differences" : "each difference"}: more seeds would narrow the intervals.` : "",
  ];
}

const policySection = {
  id: "policies", title: "The policies compared", show: () => Boolean(comparison && metrics.length),
  body() {
    const holder = h("div");
    const pick = chooser("Metric", metrics.map((metric) => ({ value: metric.key, text: metric.title || metric.key })), (key) => put(holder, metricTable(metrics.find((metric) => metric.key === key))));
    put(holder, metricTable(metrics[0]));
    return [
      h("p", { class: "lead" }, metricsAsRows() ? null : h("span", { class: "screen-only" }, "Click a heading to sort. "), "Arrows show the direction of the change; the words say whether it is an improvement."),
      scoreTable(),
      h("h3", null, "One metric closely"),
      pick.element ? h("div", { class: "controls" }, pick.element) : null, holder,
      h("p", { class: "note" }, chanceNote()),
    ];
  },
};

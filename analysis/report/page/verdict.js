/* The head of the page: what must be read first, the verdict in three sentences, and the look-ups of the comparison
   that the sections share. */

/* Each section is { id, title, show() -> is there anything to say, body() -> children }. */

/* --- comparison: lookups --- */

const rowOf = (policyName, key) => list(comparison.rows).find((row) => row.policy === policyName && row.metric === key) || null;
const metrics = comparison ? comparisonMetrics() : [];

/** Metrics as declared, or, where the list is missing, the ones the rows mention. */
function comparisonMetrics() {
  const declared = list(comparison.metrics);
  return declared.length ? declared : unique(list(comparison.rows).map((row) => row.metric)).map((key) => ({ key, title: key }));
}

const level = () => (finite(comparison && comparison.level) ? comparison.level : 0.95);
const levelText = () => `${number(100 * level())}${NBSP}%`;
const metricMean = (policyName, metric) => { const row = rowOf(policyName, metric.key); return row && finite(row.mean) ? row.mean : runMean(policyName, metric.key); };
const compared = () => policies.filter((policy) => policy.name === baselineName || list(comparison.rows).some((row) => row.policy === policy.name));
const metricScale = (metric) => unitScale(metric.unit, metric.key, largest(compared().map((policy) => Math.abs(metricMean(policy.name, metric) ?? NaN))));

const titleIn = (metric) => inSentence(metric.title || metric.key);

/** What the interval allows one to say of one policy on one metric, against the baseline. */
function judge(row, metric) {
  if (!row || !finite(row.difference)) return { word: "no data", mark: "", tone: "plain", kind: "none" };
  if (row.growing > 0 || (comparison && get(rowOf(baselineName, metric.key), "growing") > 0 && row.policy)) return { word: "not tested: queues grow", mark: "✗", tone: "poor", kind: "untested" };
  if (!finite(row.difference_low) || !finite(row.difference_high) || (finite(row.pairs) && row.pairs < 2)) {
    return { word: "not tested: one pair", mark: row.difference > 0 ? "▲" : row.difference < 0 ? "▼" : "", tone: "plain", kind: "untested" };
  }
  if (!row.significant) return { word: "difference not significant", mark: "≈", tone: "plain", kind: "same" };
  const up = row.difference > 0, mark = up ? "▲" : "▼";
  if (metric.better !== "lower" && metric.better !== "higher") return { word: up ? "significantly higher" : "significantly lower", mark, tone: "plain", kind: "moved" };
  const better = up === (metric.better === "higher");
  return { word: better ? "significantly better" : "significantly worse", mark, tone: better ? "good" : "poor", kind: better ? "better" : "worse" };
}

/** The size of a difference in words, "0.20 s (14 %)", no more precise than its interval. */
function differenceIn(scale, difference, base, interval) {
  const digits = interval && finite(get(interval, "difference_low")) ? decimalsFor((interval.difference_high - interval.difference_low) / 2 * scale.factor) : undefined;
  const size = `${number(Math.abs(difference) * scale.factor, digits)}${scale.difference ? NBSP + scale.difference : ""}`;
  return finite(base) && base !== 0 && scale.label !== "%" ? `${size} (${percent(Math.abs(difference / base))})` : size;
}

const differenceText = (difference, base, metric, interval) => differenceIn(metricScale(metric), difference, base, interval);

const intervalIn = (scale, low, high) => {
  const digits = decimalsFor((high - low) / 2 * scale.factor);
  return `${signed(low * scale.factor, digits)} to ${signed(high * scale.factor, digits)}${scale.difference ? NBSP + scale.difference : ""}`;
};
const intervalText = (low, high, metric) => intervalIn(metricScale(metric), low, high);

/* --- verdict --- */

const auditFailures = () => Math.max(get(made, "audit.failed") || 0, ...runs.map((run) => get(run.summary, "audit.failed") || 0), 0);
const auditChecks = () => get(made, "audit.checks") ?? (runs.length ? get(runs[0].summary, "audit.checks") : null);
const incompleteRuns = () => runs.filter((run) => run.status && run.status !== "complete");

/** What must be read before the verdict. */
function warnings() {
  const banners = [], failed = auditFailures(), partial = incompleteRuns();
  if (failed > 0) banners.push(h("p", { class: "banner bad", role: "alert" }, strong("The audit failed: do not decide on these numbers. "),
    `${plural(failed, "conservation check does", "conservation checks do")} not balance, so something was lost or counted twice. `, h("a", { href: "#made" }, "See the audit table.")));
  const lacking = study ? (get(study, "runs.failed") || 0) + (get(study, "runs.missing") || 0) : 0;
  if (lacking > 0) banners.push(h("p", { class: "banner bad" }, strong("The study is not whole. "), `${plural(lacking, "run")} of ${count(study.runs.planned)} failed or ${lacking === 1 ? "is" : "are"} missing; what follows rests on the others.`));
  if (partial.length) banners.push(h("p", { class: "banner bad" }, strong("Not every run is complete. "),
    `${count(partial.length)} of ${plural(runs.length, "run")} stopped early (${sentenceList(unique(partial.map((run) => `${run.policy} seed ${run.seed}`)).slice(0, 4))}${partial.length > 4 ? " and others" : ""}); such a run covers less time than the rest.`));
  const unmeasured = unique(runs.flatMap((run) => list(get(run.summary, "unmeasured"))));
  if (unmeasured.length) banners.push(h("p", { class: "banner" }, strong("Part of the speed here is assumed. "),
    `No measurement of such models on ${sentenceList(unmeasured)} is known; how fast ${unmeasured.length > 1 ? "they are" : "it is"} was guessed, within the ranges given `,
    h("a", { href: "#assumed" }, "among the assumed parameters"), "."));
  return banners;
}

function oracleNote() {
  const oracles = policies.filter((policy) => policy.oracle);
  if (!oracles.length) return null;
  return h("p", { class: "banner" }, strong(`${sentenceList(oracles.map((policy) => policy.name))} ${oracles.length > 1 ? "are oracles. " : "is an oracle. "}`),
    "An oracle reads the true state of the grid at every instant, which no real scheduler can. It shows how much there is to gain, not something that can be bought.");
}

/** Sentence 1: who wins on the first metric and whether that is more than chance. */
function winnerSentence(metric) {
  const ranked = rankedOn(metric), best = ranked[0], base = metricMean(baselineName, metric);
  if (!best) return ["The runs hold no figures for the first metric, so there is no verdict."];
  const title = titleIn(metric), scale = metricScale(metric);
  const value = `${number(best.value * scale.factor)}${scale.label ? NBSP + scale.label : ""}`;
  if (best.name === baselineName) return ["On ", title, ", no policy did better than the baseline ", strong(best.name), ` (${value} on average)`, secondBest(ranked[1], best, metric), "."];
  const row = rowOf(best.name, metric.key), judged = judge(row, metric), pairs = row && finite(row.pairs) ? `, ${plural(row.pairs, "pair", "pairs")} of runs` : "";
  const opening = [strong(best.name), ` has the ${metric.better === "higher" ? "highest" : "lowest"} ${title}: ${value} on average, `];
  if (!row || !finite(row.difference)) return [...opening, `but it was not compared with the baseline ${baselineName}.`];
  const size = `${differenceText(row.difference, base, metric, row)} ${row.difference < 0 ? "below" : "above"} the baseline ${baselineName}`;
  if (judged.kind === "untested") return [...opening, `${size}; with one pair of runs there is no telling whether that is more than chance.`];
  const interval = `${levelText()} interval ${intervalText(row.difference_low, row.difference_high, metric)}${pairs}`;
  if (judged.kind === "same") return [...opening, `${size}, but `, strong("the difference is not significant"), ` (${interval}): these runs do not show that it is better.`];
  return [...opening, `${size}; the difference is significant (${interval}).`];
}

/** The clause on the best of the others, when the baseline itself is best. */
function secondBest(second, best, metric) {
  if (!second) return "";
  const row = rowOf(second.name, metric.key), kind = judge(row, metric).kind;
  const size = differenceText(row && finite(row.difference) ? row.difference : second.value - best.value, best.value, metric, row);
  const chance = { same: ", which is not significant: these runs cannot tell the two apart", untested: ", which was not tested", none: ", which was not tested" }[kind] || ", a significant difference";
  return `; the closest, ${second.name}, is ${size} worse${chance}`;
}

/** Policies that could be bought (no oracle), best first on a metric. */
function rankedOn(metric) {
  const sign = metric.better === "higher" ? -1 : 1;
  return compared().filter((policy) => !policy.oracle).map((policy) => ({ name: policy.name, value: metricMean(policy.name, metric) }))
    .filter((item) => finite(item.value)).sort((a, b) => sign * (a.value - b.value));
}

/** Sentence 2: the lead over the runner-up, and what the winner gains or loses elsewhere. */
function tradeSentence(metric) {
  const ranked = rankedOn(metric), best = ranked[0];
  if (!best) return [];
  const parts = [], second = ranked[1];
  if (second && best.name !== baselineName && second.name !== baselineName) {
    const lead = pairedDifference(best.name, second.name, metric.key, level());
    const size = differenceText(lead ? lead.difference : second.value - best.value, null, metric, lead && { difference_low: lead.low, difference_high: lead.high });
    parts.push(`its lead over the runner-up ${second.name} (${size}) is ${lead ? (lead.significant ? "significant" : "not significant: these runs do not separate the two") : "not tested"}`);
  }
  if (best.name !== baselineName) {
    const others = metrics.filter((other) => other !== metric);
    const titles = (kind) => others.filter((other) => judge(rowOf(best.name, other.key), other).kind === kind).map((other) => titleIn(other));
    const better = titles("better"), worse = titles("worse"), same = titles("same");
    const said = [];
    if (better.length) said.push(`better on ${sentenceList(better)}`);
    if (worse.length) said.push(`worse on ${sentenceList(worse)}`);
    if (said.length) parts.push(`elsewhere it is significantly ${said.join(", but ")}${same.length ? `, with no significant difference on ${sentenceList(same)}` : ""}`);
    else if (same.length) parts.push(`on ${sentenceList(same)} it does not differ significantly from the baseline`);
  } else {
    const gains = compared().filter((policy) => policy.name !== baselineName && !policy.oracle)
      .map((policy) => ({ policy, on: metrics.filter((other) => other !== metric && judge(rowOf(policy.name, other.key), other).kind === "better") })).filter((item) => item.on.length);
    parts.push(gains.length ? `elsewhere ${sentenceList(gains.map((item) => `${item.policy.name} is significantly better on ${sentenceList(item.on.map((other) => titleIn(other)))}`))}`
      : "nor is any of them significantly better on another metric");
  }
  return parts.length ? [capital(parts.join("; ")), "."] : [];
}

/** Sentence 3: how far to trust it. */
function trustSentence(metric) {
  const failed = auditFailures(), checks = auditChecks(), parts = [];
  if (failed > 0) parts.push([strong("The audit failed"), ", so none of this can be relied on"]);
  else if (finite(checks)) parts.push(`all ${plural(checks, "conservation check")} of the audit passed`);
  else parts.push("no audit was recorded");
  const oracle = metric ? policies.find((policy) => policy.oracle && finite(metricMean(policy.name, metric))) : null;
  if (oracle) {
    const scale = metricScale(metric);
    parts.push(`the oracle ${oracle.name}, which sees what no scheduler can, stands at ${number(metricMean(oracle.name, metric) * scale.factor)}${scale.label ? NBSP + scale.label : ""}`);
  }
  if (assumed.length) parts.push(["the result leans on ", h("a", { href: "#assumed" }, plural(assumed.length, "assumed parameter"))]);
  const out = parts.flatMap((part, i) => (i ? ["; ", part] : [part])).flat();
  if (typeof out[0] === "string") out[0] = capital(out[0]);
  return [...out, "."];
}

/** Without a comparison the verdict says how the one policy (or each of them) served its clients. */
function runVerdict() {
  const policy = policies[0];
  if (!policy) return [["This file holds no runs."]];
  const offered = runMean(policy.name, "requests.offered"), served = runMean(policy.name, "requests.served");
  const p50 = runMean(policy.name, "latency.ttft.p50"), p99 = runMean(policy.name, "latency.ttft.p99");
  const first = ["Under ", strong(policy.name), ", "];
  if (finite(offered) && finite(served) && offered > 0) first.push(`${percent(served / offered)} of ${count(offered)} requests were served`);
  else first.push("the share of requests served was not recorded");
  if (finite(p50)) first.push(`; half of them saw the first token within ${duration(p50)}${finite(p99) ? ` and 99 in 100 within ${duration(p99)}` : ""}`);
  first.push(".");
  const slo = runMean(policy.name, "slo_attainment"), busy = runMean(policy.name, "utilisation.accelerators"), price = runMean(policy.name, "cost.per_million_tokens_yuan");
  const parts = [];
  if (finite(slo)) parts.push(`${percent(slo)} met their objective`);
  if (finite(busy)) parts.push(`${percent(busy)} of the places on accelerators were taken on average`);
  if (finite(price)) parts.push(`clients paid ${number(price)} yuan for a million tokens`);
  return [first, parts.length ? [capital(sentenceList(parts)), "."] : null, trustSentence(null)].filter(Boolean);
}

const verdictSentences = () => (study ? studySentences() : comparison && metrics.length ? [winnerSentence(metrics[0]), tradeSentence(metrics[0]), trustSentence(metrics[0])] : runVerdict()).filter((sentence) => sentence.length);

function orreryMark() {
  return s("svg", { viewBox: "0 0 32 32", "aria-hidden": "true", fill: "none", "stroke-width": 1.3 },
    s("circle", { cx: 16, cy: 16, r: 13, stroke: "currentColor", opacity: 0.5 }), s("circle", { cx: 16, cy: 16, r: 7.2, stroke: "currentColor", opacity: 0.5 }),
    s("circle", { cx: 16, cy: 16, r: 3.4, style: "fill: var(--series-5)" }), s("circle", { cx: 25.2, cy: 6.8, r: 2.8, style: "fill: var(--series-1)" }), s("circle", { cx: 10.2, cy: 20.2, r: 2.2, style: "fill: var(--series-2)" }));
}

function masthead() {
  const facts = [], seeds = unique(policies.flatMap(seedsOf));
  if (study && finite(get(study, "runs.done"))) facts.push(`${plural(study.runs.done, "run")}`, swept.map((axis) => plural(axis.values.length, "value") + ` of ${inSentence(axisTitle(axis))}`));
  if (policies.length) facts.push(plural(policies.length, "policy", "policies"));
  if (seeds.length) facts.push(plural(seeds.length, "seed"));
  if (sites.length) facts.push(plural(sites.length, "site"));
  if (links.length) facts.push(plural(links.length, "link"));
  const simulated = mean(runs.map((run) => get(run.summary, "simulated_s"))) ?? (bins ? bins.count * bins.width_s : null);
  if (finite(simulated)) facts.push(`${duration(simulated)} simulated`);
  return h("header", { class: "masthead", id: "verdict" },
    h("p", { class: "kicker" }, orreryMark(), study ? "Study" : comparison ? "Policy comparison" : "Simulation report", data.generated_by ? ` · ${data.generated_by}` : ""),
    h("h1", null, (study && spoken(capital(String(study.name || "")))) || data.title || "Untitled run"),
    (study && study.question) || data.question ? h("p", { class: "question" }, (study && study.question) || data.question) : null,
    warnings(),
    h("div", { class: "verdict" }, verdictSentences().map((sentence) => h("p", null, sentence))),
    facts.length ? h("p", { class: "facts" }, facts.flat().join(" · ")) : null,
    oracleNote(),
    h("nav", { class: "print-contents", "aria-hidden": "true" }));
}

/* What the study asked and found: the verdict in three sentences, what was expected, the table of cells, and how far
   the runs carry. */

/** The policies in one place, best first; unstable ones are not ranked. */
function rankedAt(at, metric) {
  return study.policies.map((name, policy) => ({ name, policy, estimate: estimateOf(cellAt(at, policy), metric) })).filter((item) => item.estimate)
    .sort((a, b) => sense(metric) * (a.estimate.mean - b.estimate.mean));
}

/** Those that can be had: an oracle is a bound, not an answer. */
const choicesAt = (at, metric) => { const all = rankedAt(at, metric), real = all.filter((item) => item.name !== study.oracle); return real.length ? real : all; };

/** Sentence 1: the answer in the cell that the study looks at closely. */
function answerSentence(metric) {
  const where = placeText(focus), ranked = choicesAt(focus, metric), best = ranked[0], base = study.policies[studyBaseline];
  const opening = where ? `At ${where}, ` : "";
  if (!best) return [`${opening ? `${opening}no` : "No"} policy is stable: queues grow under every one, so there are no means to compare.`];
  const scale = studyScale(metric, ranked.map((item) => item.estimate.mean)), lost = study.policies.filter((_, policy) => unstable(cellAt(focus, policy)));
  const bound = study.oracle && best.name !== study.oracle ? estimateOf(cellAt(focus, study.policies.indexOf(study.oracle)), metric) : null;
  const ending = (bound ? `; the oracle, which cannot be had, reaches ${inUnit(scale, bound.mean, finite(bound.high) ? (bound.high - bound.low) / 2 : undefined)}` : "") + (lost.length ? `; ${sentenceList(lost)} ${lost.length > 1 ? "are" : "is"} unstable there` : "");
  const rank = metric.better === "higher" ? "highest" : "lowest";
  if (study.policies.length === 1) return [opening, "under ", strong(best.name), ` the mean of ${titleIn(metric)} is ${estimateText(scale, best.estimate)}`, "."];
  const said = [opening, strong(best.name), ` has the ${rank} ${titleIn(metric)}: ${estimateText(scale, best.estimate)}`];
  if (best.policy === studyBaseline) {
    const second = ranked[1], row = second ? pairedOf(cellAt(focus, second.policy), metric) : null;
    if (!second) return [...said, ending, "."];
    const judged = judge(row, metric);
    return [...said, `, the baseline itself; the closest, ${second.name}, is ${differenceIn(scale, row ? row.difference : second.estimate.mean - best.estimate.mean, best.estimate.mean, row)} ${worseWord(metric)}, `,
      judged.kind === "same" ? [strong("a difference that is not significant")] : judged.kind === "worse" || judged.kind === "moved" ? "a significant difference" : "which was not tested", ending, "."].flat();
  }
  const row = pairedOf(cellAt(focus, best.policy), metric), baseEstimate = estimateOf(cellAt(focus, studyBaseline), metric);
  if (!row) return [...said, unstable(cellAt(focus, studyBaseline)) ? `, where the baseline ${base} is unstable` : `; it was not compared with the baseline ${base}`, lost.length > 1 || !lost.includes(base) ? ending : "", "."];
  const judged = judge(row, metric), size = `${differenceIn(scale, row.difference, baseEstimate && baseEstimate.mean, row)} ${row.difference < 0 ? "below" : "above"} the baseline ${base}`;
  const interval = `${studyLevelText()} interval ${intervalIn(scale, row.difference_low, row.difference_high)}, ${plural(row.pairs, "pair")} of runs`;
  if (judged.kind === "untested") return [...said, `, ${size}; one pair of runs cannot tell whether that is more than chance`, ending, "."];
  return judged.kind === "same" ? [...said, `, ${size}, but `, strong("the difference is not significant"), ` (${interval})`, ending, "."] : [...said, `, ${size}; the difference is significant (${interval})`, ending, "."];
}

/** Sentence 2: how that holds over the rest of the study. */
function sweepSentence(metric) {
  if (!swept.length) return [];
  const best = choicesAt(focus, metric)[0], leader = best && best.policy !== studyBaseline ? best.policy : study.policies.findIndex((_, i) => i !== studyBaseline);
  if (leader < 0) return [];
  const all = list(study.cells).filter((cell) => cell.policy === leader).map((cell) => standing(cell.at, leader, studyBaseline, metric)).filter(Boolean);
  const tally = { better: all.filter((one) => one.significant && one.sign < 0).length, worse: all.filter((one) => one.significant && one.sign > 0).length, unstable: all.filter((one) => one.unstable).length };
  const rest = all.length - tally.better - tally.worse - tally.unstable;
  const places = (n) => (n === all.length ? `in all ${count(n)}` : `in ${count(n)}`);
  const parts = [tally.better ? `significantly ${betterWord(metric)} ${places(tally.better)}` : "", tally.worse ? `significantly ${worseWord(metric)} ${places(tally.worse)}` : "", rest ? `not significantly different ${places(rest)}` : "",
    tally.unstable ? `not comparable in ${count(tally.unstable)}, where one of the two is unstable` : ""].filter(Boolean);
  const found = swept.flatMap((axis) => crossings(axis, focus, leader, studyBaseline, metric).map((crossing) => crossingText(axis, crossing, studyBaseline, metric).replace(`${study.policies[leader]} becomes`, "it becomes")));
  return [`Over ${plural(all.length, "place")} of the sweep, `, strong(study.policies[leader]), ` against ${study.policies[studyBaseline]} is ${sentenceList(parts)}`, found.length ? `; ${sentenceList(found.slice(0, 2))}` : "", "."];
}

/** Sentence 3: what it leans on. */
function leaningSentence() {
  const parts = [], failed = auditFailures(), done = get(study, "runs.done"), anchors = list(study.anchors), missed = anchors.filter((anchor) => anchor.verdict === "fails").length, open = anchors.filter((anchor) => anchor.verdict === "open").length;
  const blind = list(study.cells).filter(unjudged).length, biased = list(study.cells).filter(unsettled).length, ofAll = (n) => (n === study.cells.length ? "any cell" : `${count(n)} of ${plural(study.cells.length, "cell")}`);
  if (failed > 0) parts.push([strong("the audit failed"), ", so none of this can be relied on"]);
  const on = [];
  if (finite(done)) on.push(`on ${plural(done, "run")}${finite(study.runs.planned) && study.runs.planned > done ? ` of ${count(study.runs.planned)} planned` : ""}`);
  if (assumed.length) on.push(["on ", h("a", { href: "#assumed" }, plural(assumed.length, "assumed parameter"))]);
  const hang = study.sensitivity ? tornadoRows().filter(stirs)[0] : null;
  if (hang) on.push(["most of all on ", h("a", { href: "#tornado" }, inSentence(hang.text || spoken(hang.key)))]);
  if (on.length) parts.push(["this leans ", ...on.flatMap((item, i) => [i === 0 ? "" : i === on.length - 1 ? " and " : ", ", item])]);
  if (anchors.length) parts.push(missed ? [strong(`${count(missed)} of ${plural(anchors.length, "anchor")} ${missed === 1 ? "does" : "do"} not hold`)]
    : open ? `of ${plural(anchors.length, "anchor")} ${count(open)} cannot be judged yet, because of wide intervals, and the others hold` : anchors.length === 1 ? "its anchor holds" : `all ${count(anchors.length)} anchors hold`);
  if (blind) parts.push([strong(`whether queues grow is not known in ${ofAll(blind)}`), ": the bins are too few (output.bin)"]);
  if (biased) parts.push([strong(`${biased === study.cells.length ? "no cell" : `${count(biased)} of ${plural(study.cells.length, "cell")}`} ${biased === study.cells.length ? "could have its" : "could not have their"} warm-up deleted`), ", so their means are biased by the empty start"]);
  const out = parts.flatMap((part, i) => (i ? ["; ", part] : [part])).flat(Infinity).filter((item) => item !== "");
  if (typeof out[0] === "string") out[0] = capital(out[0]);
  return out.length ? [...out, "."] : [];
}

const studySentences = () => (studyMetrics.length ? [answerSentence(studyMetrics[0]), sweepSentence(studyMetrics[0]), leaningSentence()] : [leaningSentence()]).filter((sentence) => sentence.length);

/* --- what was expected --- */

const expectedSection = {
  id: "expected", title: "What was expected, and what came", show: () => Boolean(study && (study.surprise || list(study.anchors).length)),
  body: () => [
    study.surprise ? h("p", { class: "lead" }, "Written down before the runs: ", h("em", null, study.surprise)) : null,
    list(study.anchors).length ? [h("h3", null, "Anchors"), h("p", { class: "note" }, "Numbers known from theory or from published measurements. If one does not hold, look for the mistake before believing the rest."), anchorTable()] : null,
  ],
};

function anchorTable() {
  const metricOf = (row) => studyMetricNamed(row.metric) || { key: row.metric, title: row.metric, unit: row.unit || "" };
  const scaleOf = (row) => { const metric = metricOf(row); return unitScale(metric.unit, metric.key, largest([row.least, row.most, row.measured].map((v) => Math.abs(v ?? NaN)))); };
  const show = (row, value) => (finite(value) ? inUnit(scaleOf(row), value) : NONE);
  return table({ rows: list(study.anchors), pinned: false, rowClass: (row) => (row.verdict === "fails" ? "failed" : null), columns: [
    { title: "Anchor", class: "break", sort: (row) => row.text || "", cell: (row) => [row.text || metricTitle(metricOf(row)), h("small", null, row.source || "")] },
    { title: "Metric", text: true, class: "break", sort: (row) => row.metric, cell: (row) => [metricTitle(metricOf(row)), h("small", null, row.where || "")] },
    { title: "Expected", cell: (row) => (finite(row.least) && finite(row.most) ? `${show(row, row.least)} to ${show(row, row.most)}` : finite(row.least) ? `at least ${show(row, row.least)}` : finite(row.most) ? `at most ${show(row, row.most)}` : NONE) },
    { title: "Measured", unit: `with ${studyLevelText()} interval`, cell: (row) => [show(row, row.measured), h("small", null, finite(row.low) && finite(row.high) ? `${show(row, row.low)} to ${show(row, row.high)}` : "")] },
    { title: "Result", text: true, sort: (row) => ["fails", "open", "holds"].indexOf(row.verdict), cell: (row) => (row.verdict === "holds" ? h("span", { class: "good" }, "✓ holds") : row.verdict === "open" ? "? open: the interval is too wide to tell" : h("strong", { class: "poor" }, "✗ does not hold")) },
  ] });
}

/* --- the table of cells --- */

const MOST_ROWS = 400;

function cellWords(cell, metric) {
  if (unstable(cell)) return { word: `unstable: queues grow in ${count(cell.unstable)} of ${plural(cell.runs, "run")}`, tone: "poor", mark: "✗" };
  if (cell.policy === studyBaseline) return { word: "baseline", tone: "plain", mark: "" };
  if (unstable(cellAt(cell.at, studyBaseline))) return { word: "stable, the baseline is not", tone: "good", mark: "✓" };
  const said = judge(pairedOf(cell, metric), metric);
  return unjudged(cell) ? { ...said, word: `${said.word}; whether queues grow is not known` } : said;
}

function cellTable(metric, policy) {
  const all = list(study.cells).filter((cell) => policy === "*" || String(cell.policy) === policy), rows = all.slice(0, MOST_ROWS), scale = studyScale(metric);
  const paired = (cell) => pairedOf(cell, metric), half = (estimate) => (estimate && finite(estimate.high) ? (estimate.high - estimate.low) / 2 * scale.factor : undefined);
  const range = (low, high, show) => (finite(low) && finite(high) ? `${show(low)} to ${show(high)}` : "");
  const name = (cell) => study.policies[cell.policy];
  return [table({
    caption: `${metricTitle(metric)}${scale.label ? `, ${scale.label}` : ""}${metric.better ? ` (${metric.better} is better)` : ""}; differences to ${study.policies[studyBaseline]}, seed by seed`,
    rows, tall: rows.length > 14, rowClass: (cell) => (unstable(cell) ? "failed" : cell.policy === studyBaseline ? "baseline" : null),
    columns: [
      { title: "Policy", sort: name, cell: (cell) => h("span", { class: "policy whole" }, boxSwatch(`var(--series-${colourIndex(cell.policy)})`), name(cell)) },
      ...swept.map((axis) => ({ title: capital(axisTitle(axis)), sort: (cell) => cell.at[axis.index], cell: (cell) => axis.values[cell.at[axis.index]] })),
      { title: "Mean", unit: [scale.label, `with ${studyLevelText()} interval`].filter(Boolean).join(", "), sort: (cell) => get(estimateOf(cell, metric), "mean"), cell: (cell) => {
        const estimate = estimateOf(cell, metric), digits = decimalsFor(half(estimate));
        return estimate ? [number(estimate.mean * scale.factor, digits), h("small", null, range(estimate.low, estimate.high, (v) => number(v * scale.factor, digits)))] : unstable(cell) ? "unstable" : NONE;
      } },
      { title: "Difference", unit: [scale.difference, "with interval"].filter(Boolean).join(", "), sort: (cell) => get(paired(cell), "difference"), cell: (cell) => {
        const row = paired(cell), digits = row && decimalsFor((row.difference_high - row.difference_low) / 2 * scale.factor);
        return row ? [signed(row.difference * scale.factor, digits), h("small", null, range(row.difference_low, row.difference_high, (v) => signed(v * scale.factor, digits)))] : NONE;
      } },
      { title: "In words", text: true, class: "sentence", sort: (cell) => cellWords(cell, metric).word, cell: (cell) => { const said = cellWords(cell, metric); return h("span", { class: said.tone }, `${said.mark} ${said.word}`.trim()); } },
      { title: "Pairs", unit: "correlation", sort: (cell) => get(paired(cell), "correlation"), cell: (cell) => { const row = paired(cell); return row ? [number(row.pairs), h("small", null, finite(row.correlation) ? number(row.correlation, 2) : "")] : h("small", null, plural(cell.runs, "run")); } },
    ],
  }), all.length > rows.length ? h("p", { class: "note" }, `The first ${count(rows.length)} of ${count(all.length)} cells are listed: choose a policy to see fewer, or save the data of this page for all of them.`) : null];
}

const cellsSection = {
  id: "cells", title: "Every cell of the study", show: () => Boolean(study && studyMetrics.length),
  body() {
    const holder = h("div"), fillIn = () => put(holder, cellTable(studyMetricNamed(metric.value), policy.value));
    const metric = studyMetricChooser(fillIn, "Metric of the table");
    const policy = chooser("Policy", [{ value: "*", text: "all policies" }, ...studyPolicyOptions()], fillIn);
    fillIn();
    return [h("p", { class: "lead" }, "“Significant” means that chance between seeds is an unlikely explanation; “difference not significant” means that these runs cannot tell the two apart, not that they are equal. The correlation says how much of the noise the common seeds take away."),
      h("div", { class: "controls" }, metric.element, policy.element), holder];
  },
};

/* --- how far the runs carry --- */

const studyRunsSection = {
  id: "study-runs", title: "The study and its runs", show: () => Boolean(study),
  body() {
    const planned = get(study, "runs.planned"), done = get(study, "runs.done"), failed = get(study, "runs.failed"), missing = get(study, "runs.missing"), speed = study.speed || {};
    const shaky = list(study.cells).filter(unstable).length, blind = list(study.cells).filter(unjudged).length, facts = [
      ["Study", study.name ? h("code", null, study.name) : null], ["Scenario", study.scenario_file ? h("code", null, study.scenario_file) : null],
      ["Axes", swept.length ? swept.map((axis) => `${axisTitle(axis)} (${plural(axis.values.length, "value")}, ${axis.values[0]} to ${axis.values[axis.values.length - 1]})`).join("; ") : "none"],
      ["Policies", study.policies.map((name, i) => name + (i === studyBaseline ? " (baseline)" : "")).join(", ")],
      ["Runs", finite(planned) ? [`${count(planned)} planned, ${count(done)} done, `, failed > 0 ? h("strong", { class: "poor" }, `${count(failed)} failed`) : "none failed", finite(missing) && missing > 0 ? [", ", h("strong", { class: "poor" }, `${count(missing)} missing`)] : ""] : null],
      ["Unstable cells", shaky ? h("strong", { class: "poor" }, `${count(shaky)} of ${count(study.cells.length)}: queues grew, so their means are not shown`) : blind === study.cells.length ? "not known: too few bins to tell (output.bin)" : `none of ${count(study.cells.length)}${blind ? `; of ${count(blind)} it is not known, because of too few bins (output.bin)` : ""}`],
      ["Method", study.method_text || study.method || null], ["Warm-up left out", study.method === "replications" && finite(study.warm_up_s) ? (study.warm_up_s > 0 ? `${duration(study.warm_up_s)} of every run` : "none") : null],
      ["Best policy", study.selection ? study.selection.text || `${study.selection.best}, with probability ${percent(study.selection.probability)} at least` : null],
      ["Precision", study.precision ? [study.precision.reached ? "" : h("strong", { class: "poor" }, "not reached: "), study.precision.text || `${percent(study.precision.relative)} of ${study.precision.metric}`] : null],
      ["Speed", [finite(speed.runs_s) ? `the runs took ${duration(speed.runs_s)} in all, one after the other` : "", finite(speed.runs_per_hour) ? `${count(speed.runs_per_hour)} runs per hour of one processor` : ""].filter(Boolean).join(", ")],
    ].filter(([, value]) => value);
    return [h("dl", { class: "pairs" }, facts.flatMap(([name, value]) => [h("dt", null, name), h("dd", null, value)]))];
  },
};

/** Between the study and the pages of one of its cells. */
const focusSection = {
  id: "focus", title: "One place closely", show: () => Boolean(study && runs.length),
  body: () => [h("p", { class: "lead" }, swept.length ? `Everything from here on is about the runs at ${placeText(focus)}, which the study file chose as its focus.` : "Everything from here on is about the runs in detail.",
    study.warm_up_s > 0 ? ` The table of policies is the study's own, without the warm-up; pictures and other figures show the runs whole, from their empty start.` : "")],
};

/* A page with an invented study in it, for the tests of the page: the numbers are made by a formula, mean nothing, and
   say so.

     node mock_study.mjs COMPARISON.html OUT.html

   COMPARISON.html is a page that `orrery compare` wrote; its policies become those of the study, the second of them
   unstable at high load and its lead lost as state grows old, so that crossovers, unstable cells, dominated policies, a
   missed anchor and differences that are not significant all occur. The same input gives the same output. */

import { readFileSync, writeFileSync } from "node:fs";

const [from, to] = process.argv.slice(2);
if (!from || !to) { console.error("usage: node mock_study.mjs COMPARISON.html OUT.html"); process.exit(2); }
const page = readFileSync(from, "utf8"), mark = /(<script type="application\/json" id="report-data">)([\s\S]*?)(<\/script>)/;
const data = JSON.parse(mark.exec(page)[2]);

const policies = data.policies.map((policy) => policy.name), baseline = policies[0];
const ages = [0.1, 1, 10, 60, 600], loads = [0.6, 0.7, 0.8, 0.9], SEEDS = 20;

/** A number in [-1, 1) that depends on nothing but the place. */
function wobble(...place) {
  let x = 2166136261;
  for (const c of place.join("/")) x = Math.imul(x ^ c.charCodeAt(0), 16777619) >>> 0;
  x ^= x >>> 15; x = Math.imul(x, 2246822519) >>> 0; x ^= x >>> 13;
  return x / 2 ** 31 - 1;
}

/** The first policy does not look at the state; the others gain by it while it is young and lose when it is old. */
function wait(policy, age, load) {
  const queue = 0.2 / (1 - load);
  return policy === 0 ? queue : queue * (0.45 + 0.12 * policy + (0.1 + 0.07 * policy) * Math.log10(1 + 10 * age) * load);
}

const METRICS = [
  { key: "latency.ttft.p99", title: "TTFT p99", unit: "s", better: "lower", value: (p, a, l) => 3 * wait(p, a, l), noise: (p, a, l) => 0.12 * wait(p, a, l) },
  { key: "slo_attainment", title: "SLO attainment", unit: "ratio", better: "higher", value: (p, a, l) => 1 / (1 + 0.04 * wait(p, a, l) ** 2), noise: () => 0.003 },
  { key: "cost.per_million_tokens_yuan", title: "Cost per million tokens", unit: "yuan", better: "lower", value: (p, a, l) => 4 + 0.5 * ((p + 2) % policies.length) - l, noise: () => 0.02 },
  { key: "utilisation.accelerators", title: "Accelerator utilisation", unit: "ratio", better: null, value: (p, a, l) => l * (1 - 0.01 * p), noise: () => 0.002 },
];
const isUnstable = (policy, age, load) => policy === 1 && age >= 600 && load >= 0.9;

const cells = ages.flatMap((age, i) => loads.flatMap((load, j) => policies.map((_, policy) => {
  const cell = { at: [i, j], policy, runs: SEEDS, unstable: isUnstable(policy, age, load) ? 7 : 0, metrics: {} };
  if (policy > 0) cell.differences = {};
  for (const metric of METRICS) {
    const noise = metric.noise(policy, age, load), mean = metric.value(policy, age, load) + 0.3 * noise * wobble(metric.key, i, j, policy);
    cell.metrics[metric.key] = [mean, mean - noise, mean + noise];
    if (policy > 0) {
      const difference = mean - metric.value(0, age, load), half = 0.7 * noise, p = Math.min(1, Math.exp(-Math.abs(difference) / half * 2));
      cell.differences[metric.key] = [difference, difference - half, difference + half, SEEDS, p, Math.abs(difference) > half && p < 0.05, 0.6 + 0.2 * wobble("c", metric.key, i, j, policy)];
    }
  }
  return cell;
})));

const at = (age, load, policy) => cells.find((cell) => cell.at[0] === age && cell.at[1] === load && cell.policy === policy).metrics["latency.ttft.p99"];
const base = at(2, 2, 1), shifted = (factor, spread = 0.02) => [base[0] * factor, base[0] * (factor - spread), base[0] * (factor + spread)];
const moved = (factor, spread = 0.02) => [base[0] * (factor - 1), base[0] * (factor - 1 - spread), base[0] * (factor - 1 + spread), 8, null, Math.abs(factor - 1) > spread, null];
const ends = (low, high) => ({ at_low: shifted(low), at_high: shifted(high), low_difference: moved(low), high_difference: moved(high), low_unstable: 0, high_unstable: 0 });

data.title = "Invented study";
data.study = {
  name: "invented_study", question: "Test data, made by a formula: which policy survives old state?", surprise: "The policy that looks at the state is worse than the one that does not, once the state is old enough (test data).",
  scenario_file: "../none.yaml", method: "replications", method_text: `${SEEDS} replications per cell, the first 10 min left out of each (test data, no run was made)`, warm_up_s: 600, level: 0.95, baseline,
  runs: { planned: cells.length * SEEDS + 14, done: cells.length * SEEDS + 12, failed: 1, missing: 1 },
  axes: [{ name: "state_age", key: "params.state_age", title: "State age", unit: "s", law: "list", values: ["0.1 s", "1 s", "10 s", "1 min", "10 min"], numbers: ages }, { name: "load", key: "params.load", title: "Load", unit: "ratio", law: "linear", values: loads.map(String), numbers: loads }],
  policies, metrics: METRICS.map(({ key, title, unit, better }) => ({ key, title, unit, better })), cells, focus: [2, 2],
  selection: { metric: "latency.ttft.p99", probability: 0.95, indifference: 0.01, best: policies[1], text: `${policies[1]} is best, or within 10 ms of the best, with probability 0.95 (test data)` },
  precision: { metric: "latency.ttft.p99", relative: 0.05, reached: false, text: "the widest interval is 7 % of its mean; 5 % was asked for (test data)" },
  anchors: [
    { text: "supermarket model", source: "invented for the test", metric: "latency.ttft.p99", where: `policy ${policies[1]}, state age 10 s`, least: base[1], most: base[2], measured: base[0], low: base[1], high: base[2], verdict: "holds" },
    { text: "an anchor that is missed", source: "invented for the test", metric: "slo_attainment", where: `policy ${policies[0]}, load 0.9`, least: 0.9, most: 0.95, measured: 0.857, low: 0.854, high: 0.86, verdict: "fails" },
  ],
  sensitivity: { metric: "latency.ttft.p99", title: "TTFT p99", unit: "s", policy: policies[1], base: shifted(1), rows: [
    { key: "params.efficiency", text: "Efficiency of the decode kernels", low_value: 0.4, high_value: 0.7, ...ends(1.62, 0.81) },
    { key: "params.timeout", text: "Patience of clients", low_value: "5 s", high_value: "2 min", ...ends(0.74, 1.12) },
    { key: "params.host_power", text: "Power of the host", low_value: 120, high_value: 440, ...ends(1.001, 0.998) },
    { key: "params.front_end", text: "Time before the queue", low_value: "0 ms", high_value: "40 ms", ...ends(1.09, 1.21) },
  ] },
  speed: { runs_s: 10500, runs_per_hour: 1070 },
};
writeFileSync(to, page.replace(mark, (_, open, __, close) => open + JSON.stringify(data).replaceAll("<", "\\u003c") + close));

/* What the page is drawn from: the JSON inside it, and look-ups that every part uses.

   Invariants of all parts (the program puts them into one function, in the order of its list in src/trace/page.c).
   Nothing is loaded. Any number, list or key of the data may be missing: what is missing is left out, with its entry
   in the contents, and never shown as zero. Text from the data enters the page as text nodes, never as markup. A chart
   is a pure function of (choices, colours, width), so the same function draws it on a light or dark screen, on a phone
   and, as a vector image, on paper. */

const parse = (id) => {
  try { return JSON.parse(document.getElementById(id).textContent); } catch (problem) {
    console.error(`the block ${id} of this page is not JSON: ${problem.message}`);
    return null;
  }
};
const data = parse("report-data") || {};
const land = parse("report-land");

const finite = (value) => typeof value === "number" && Number.isFinite(value);
const list = (value) => (Array.isArray(value) ? value.filter((item) => item !== null && item !== undefined) : []);
const entries = (value) => (value && typeof value === "object" && !Array.isArray(value) ? Object.entries(value) : []);
const get = (object, path) => path.split(".").reduce((at, key) => (at === null || at === undefined ? null : at[key] ?? null), object);
const mean = (values) => { const kept = values.filter(finite); return kept.length ? kept.reduce((a, b) => a + b, 0) / kept.length : null; };
const sum = (values) => { const kept = values.filter(finite); return kept.length ? kept.reduce((a, b) => a + b, 0) : null; };
const largest = (values) => values.reduce((best, value) => (finite(value) && value > best ? value : best), -Infinity);
const smallest = (values) => values.reduce((best, value) => (finite(value) && value < best ? value : best), Infinity);
const unique = (values) => [...new Set(values)];

const runs = list(data.runs);
const classes = classList();
const sites = list(data.sites);
const links = list(data.links);
const bins = data.bins && data.bins.width_s > 0 && data.bins.count > 0 ? data.bins : null;
const policies = policyList();
const made = data.made || {};
const comparison = data.comparison && list(data.comparison.rows).length ? data.comparison : null;
const siteById = new Map(sites.map((site) => [site.id, site]));

/** Policies in the order of the data, with those that only the runs mention added at the end. In a study they keep the
 *  colour that they have in its charts. */
function policyList() {
  const known = list(data.policies);
  const names = new Set(known.map((policy) => policy.name));
  const others = unique(runs.map((run) => run.policy)).filter((name) => name && !names.has(name));
  return [...known, ...others.map((name) => ({ name }))].map((policy, index) => ({ ...policy, index: known.length && list(get(data, "study.policies")).includes(policy.name) ? data.study.policies.indexOf(policy.name) : index }));
}

/** Classes as declared, or, where the list is missing, those that have latencies. */
function classList() {
  const declared = list(data.classes);
  if (declared.length) return declared;
  return unique(list(data.policies).flatMap((policy) => Object.keys(policy.latency || {}))).map((name) => ({ name }));
}

const titleOf = (item) => item.title || item.name || item.id || "";
const policyNamed = (name) => policies.find((policy) => policy.name === name);
const runsOf = (name) => runs.filter((run) => run.policy === name);
/** Mean over the runs (seeds) of a policy of one number of the summary. */
const runMean = (name, path) => mean(runsOf(name).map((run) => get(run.summary, path)));
const seedsOf = (policy) => {
  const declared = list(policy.seeds);
  return declared.length ? declared : unique(runsOf(policy.name).map((run) => run.seed).filter(finite));
};
const baselineName = comparison ? comparison.baseline : null;
const assumed = list(made.assumed).map((row) => ({ ...row, range: String(row.range ?? "").replaceAll(";", "; ") })); /* so that long ranges can break */

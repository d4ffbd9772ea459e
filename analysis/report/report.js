/* The report page: reads the JSON inside the page, writes the text, draws the charts.

   Invariants. Nothing is loaded. Any number, list or key of the data may be missing: what is missing is left out,
   with its entry in the contents, and never shown as zero. Text from the data enters the page as text nodes, never
   as markup. A chart is a pure function of (choices, colours, width), so the same function draws it on a light or
   dark screen, on a phone and, as a vector image, on paper.

   Parts: 1 data · 2 numbers and words · 3 statistics · 4 page elements · 5 charts · 6 geography · 7 sections ·
   8 the page. */

"use strict";
(() => {

/* === 1. Data ================================================================================================ */

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

/** Policies in the order of the data, with those that only the runs mention added at the end. */
function policyList() {
  const known = list(data.policies);
  const names = new Set(known.map((policy) => policy.name));
  const others = unique(runs.map((run) => run.policy)).filter((name) => name && !names.has(name));
  return [...known, ...others.map((name) => ({ name }))].map((policy, index) => ({ ...policy, index }));
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

/* === 2. Numbers and words =================================================================================== */

const MINUS = "\u2212", NBSP = "\u00a0", DASH = "\u2013", NONE = "\u2013";

/** A number with its digits grouped: three significant digits below 1000, whole above, unless decimals are given. */
function number(value, decimals) {
  if (!finite(value)) return NONE;
  const size = Math.abs(value);
  const options = finite(decimals) ? { minimumFractionDigits: decimals, maximumFractionDigits: decimals }
    : size >= 1000 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 3 };
  return new Intl.NumberFormat("en", options).format(value).replace("-", MINUS).replace(/^\u22120(\.0+)?$/, "0$1");
}

/** Three significant digits with the zeros kept, so that the figures of a column line up. */
const three = (value) => (finite(value) && value !== 0 && Math.abs(value) < 1000 ? number(value, Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))))) : number(value));

const signed = (value, decimals) => (finite(value) && value > 0 ? "+" : "") + number(value, decimals);

/** Large counts in words: 12.3 million. */
function count(value) {
  if (!finite(value)) return NONE;
  for (const [size, word] of [[1e12, "trillion"], [1e9, "billion"], [1e6, "million"]]) {
    if (Math.abs(value) >= size) return `${number(value / size)}${NBSP}${word}`;
  }
  return number(Math.abs(value) >= 100 ? Math.round(value) : value);
}

/** A share in per cent; near 100 % with enough digits to tell 99.95 from 99.99. */
function percent(value) {
  if (!finite(value)) return NONE;
  const rest = 1 - value;
  if (value > 0.99 && rest > 0) return `${number(100 * value, Math.min(4, Math.max(1, Math.ceil(-Math.log10(rest)) - 1))).replace(/(\.\d+?)0+$/, "$1")}${NBSP}%`;
  const decimals = value === 0 || value === 1 || Math.abs(value) >= 10 ? 0 : Math.abs(value) >= 0.1 ? 1 : undefined;
  return `${number(100 * value, decimals)}${NBSP}%`;
}

/** A span of time in the unit that a person would choose. */
function duration(seconds) {
  if (!finite(seconds)) return NONE;
  if (seconds === 0) return `0${NBSP}s`;
  const { factor, label } = unitScale("s", "", seconds);
  return `${number(seconds * factor)}${NBSP}${label}`;
}

const RATIO_UNITS = new Set(["ratio", "share", "fraction", "%"]);
const UNIT_NAMES = { "1/s": "per second", "req/s": "requests/s", "kwh": "kWh", "yuan/Mtoken": "yuan per million tokens" };

/** The unit to print a group of numbers in, and the factor to it: one unit for all, chosen by the largest. */
function unitScale(unit, key, size) {
  const most = Math.abs(size);
  const dimensionless = !unit || unit === "1";
  if (RATIO_UNITS.has(unit) || (dimensionless && /utilisation|attainment|share|fraction/.test(key || ""))) {
    return { factor: unit === "%" ? 1 : 100, label: "%", difference: "percentage points" };
  }
  if (unit === "s") {
    const [limit, factor, label] = [[1e-3, 1e6, "µs"], [1, 1e3, "ms"], [300, 1, "s"], [3 * 3600, 1 / 60, "min"], [Infinity, 1 / 3600, "h"]].find(([top]) => most < top);
    return { factor, label, difference: label, limit };
  }
  if (unit === "bytes" || unit === "B") {
    const [factor, label] = [[1e15, "PB"], [1e12, "TB"], [1e9, "GB"], [1e6, "MB"], [1e3, "kB"], [0, "B"]].find(([step]) => most >= step);
    return { factor: 1 / (factor || 1), label, difference: label };
  }
  const label = dimensionless ? "" : UNIT_NAMES[unit] || unit;
  return { factor: 1, label, difference: label };
}

/** A number with its unit, alone in a sentence. */
function quantity(value, unit, key) {
  if (!finite(value)) return NONE;
  const scale = unitScale(unit, key, value);
  if (scale.label === "%") return percent(value * scale.factor / 100);
  return `${number(value * scale.factor)}${scale.label ? NBSP + scale.label : ""}`;
}

/** Decimals that show two digits of a step (a half-width): no more precision than the interval supports. */
const decimalsFor = (step) => (step > 0 ? Math.min(6, Math.max(0, 1 - Math.floor(Math.log10(step)))) : undefined);

const plural = (n, one, many) => `${count(n)}${NBSP}${n === 1 ? one : many || one + "s"}`;
const spoken = (name) => String(name).replace(/_/g, " ");
const sentenceList = (items) => (items.length < 2 ? items.join("") : `${items.slice(0, -1).join(", ")} and ${items[items.length - 1]}`);
/** A heading inside a sentence: "Cost" becomes "cost", "TTFT p99" stays. */
const inSentence = (title) => (/^[A-Z][a-z]/.test(title) ? title.charAt(0).toLowerCase() + title.slice(1) : title);
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/* --- clock: the scenario's own time zone, never the reader's --- */

const clock = bins ? readClock(bins.start) : null;

function readClock(start) {
  const offset = /([+-])(\d\d):?(\d\d)$/.exec(start || "");
  const at = Date.parse(start || "");
  if (!Number.isFinite(at)) return { at: 0, zone: "since the start of the run", absolute: false };
  const minutes = offset ? (offset[1] === "-" ? -1 : 1) * (60 * offset[2] + +offset[3]) : 0;
  return { at: at / 1000 + 60 * minutes, zone: offset ? `UTC${offset[1].replace("-", MINUS)}${offset[2]}:${offset[3]}` : "UTC", absolute: true };
}

const timeAxisName = () => (clock.absolute ? `time of day (${clock.zone})` : `time ${clock.zone} (h:min)`);
const two = (n) => String(n).padStart(2, "0");
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** Clock time at a fractional bin; the date is put first where a run spans more than a day and a half. */
function timeAt(bin, options = {}) {
  const second = clock.at + bin * bins.width_s;
  const date = new Date(second * 1000);
  const span = bins.count * bins.width_s;
  const withSeconds = bins.width_s < 60;
  const day = Math.floor(second / 86400);
  const hours = clock.absolute ? date.getUTCHours() : Math.floor(second / 3600);
  const time = `${two(hours)}:${two(date.getUTCMinutes())}${withSeconds ? ":" + two(date.getUTCSeconds()) : ""}`;
  if (!clock.absolute || span <= 129600) return time;
  const label = `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}`;
  if (options.axis) return second === day * 86400 ? label : time;
  return `${label} ${time}`;
}

/** Bin positions for about `most` labels, at round clock times. */
function timeTicks(most) {
  const span = bins.count * bins.width_s;
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 14400, 21600, 43200, 86400, 172800, 604800];
  const step = steps.find((seconds) => span / seconds <= most) || span / most;
  const ticks = [];
  for (let at = Math.ceil(clock.at / step) * step; at <= clock.at + span; at += step) ticks.push((at - clock.at) / bins.width_s);
  return ticks;
}

/* === 3. Statistics ========================================================================================== */

/** Two-sided Student quantile: the t with P(|T| <= t) = level at n degrees of freedom (Abramowitz and Stegun 26.7.3-4). */
function studentQuantile(level, n) {
  const inside = (t) => {
    const angle = Math.atan(t / Math.sqrt(n)), cos2 = Math.cos(angle) ** 2;
    let term = n % 2 ? Math.cos(angle) : 1, series = n === 1 ? 0 : term;
    for (let k = n % 2 ? 3 : 2; k <= n - 2; k += 2) { term *= cos2 * (k - 1) / k; series += term; }
    return n % 2 ? 2 / Math.PI * (angle + Math.sin(angle) * series) : Math.sin(angle) * series;
  };
  let low = 0, high = 1e4;
  for (let i = 0; i < 80; i++) { const middle = (low + high) / 2; if (inside(middle) < level) low = middle; else high = middle; }
  return high;
}

/** Paired difference a - b over common seeds, with its interval; null with fewer than two pairs. */
function pairedDifference(a, b, path, level) {
  const second = new Map(runsOf(b).map((run) => [run.seed, get(run.summary, path)]));
  const differences = runsOf(a).map((run) => [get(run.summary, path), second.get(run.seed)]).filter(([x, y]) => finite(x) && finite(y)).map(([x, y]) => x - y);
  const n = differences.length;
  if (n < 2) return null;
  const middle = mean(differences);
  const spread = Math.sqrt(sum(differences.map((d) => (d - middle) ** 2)) / (n - 1));
  const half = studentQuantile(level, n - 1) * spread / Math.sqrt(n);
  return { pairs: n, difference: middle, low: middle - half, high: middle + half, significant: Math.abs(middle) > half };
}

/** Share of a distribution at or below x (upper edges s, cumulative cdf), linear in log s between edges. */
function shareBelow(curve, x) {
  const edges = curve.s, index = edges.findIndex((edge) => edge >= x);
  if (index < 0) return curve.cdf[curve.cdf.length - 1];
  if (index === 0) return edges[0] === x ? curve.cdf[0] : null;
  const part = (Math.log(x) - Math.log(edges[index - 1])) / (Math.log(edges[index]) - Math.log(edges[index - 1]));
  return curve.cdf[index - 1] + part * (curve.cdf[index] - curve.cdf[index - 1]);
}

/** Quantile of the same; null where the curve does not reach it. */
function quantileOf(curve, share) {
  const index = curve.cdf.findIndex((value) => value >= share);
  if (index < 0) return null;
  if (index === 0) return curve.s[0];
  const rise = curve.cdf[index] - curve.cdf[index - 1];
  const part = rise > 0 ? (share - curve.cdf[index - 1]) / rise : 1;
  return Math.exp(Math.log(curve.s[index - 1]) + part * (Math.log(curve.s[index]) - Math.log(curve.s[index - 1])));
}

/** The latency curve of a policy and class, with unusable points removed; null when there is nothing to draw. */
function curveOf(policy, className, metric) {
  const raw = get(policy, "latency") && policy.latency[className] ? policy.latency[className][metric] : null;
  if (!raw || !Array.isArray(raw.s) || !Array.isArray(raw.cdf)) return null;
  const curve = { s: [], cdf: [] };
  raw.s.forEach((edge, i) => { if (finite(edge) && edge > 0 && finite(raw.cdf[i])) { curve.s.push(edge); curve.cdf.push(raw.cdf[i]); } });
  return curve.s.length > 1 ? curve : null;
}

/* === 4. Page elements ======================================================================================= */

/** An HTML element: h("p", { class: "note" }, "text", child…). Falsy children are left out; text is never markup. */
function h(tag, attributes, ...children) { return fill(document.createElement(tag), attributes, children); }
const SVG = "http://www.w3.org/2000/svg";
function s(tag, attributes, ...children) { return fill(document.createElementNS(SVG, tag), attributes, children); }

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style") element.style.cssText = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false && child !== ""));
  return element;
}

/** Replaces the content of an element. */
const put = (element, children) => element.replaceChildren(...[children].flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false && child !== ""));

const strong = (text) => h("strong", null, text);

/** A drop-down list; with a single option there is nothing to choose and no element. */
function chooser(label, options, onchange, initial) {
  const control = { label, value: initial ?? (options[0] ? options[0].value : null), element: null };
  control.text = () => (options.find((option) => option.value === control.value) || { text: "" }).text;
  if (options.length < 2) return control;
  const select = h("select", { "data-chooser": label }, options.map((option) => h("option", { value: option.value, selected: option.value === control.value }, option.text)));
  select.addEventListener("change", () => { control.value = select.value; onchange(control.value); });
  control.element = h("label", { class: "control" }, label, select);
  control.set = (value) => { select.value = control.value = value; };
  return control;
}

const policyOptions = (which) => which.map((policy) => ({ value: policy.name, text: policy.name + (policy.oracle ? " (oracle)" : "") }));

/* Line patterns beside the colours, so that lines stay apart in grey print: policy 8 has the colour of policy 1 but is dashed. */
const DASHES = [[], [7, 3], [2, 3], [10, 3, 2, 3], [5, 2], [12, 4], [1, 2]];
const colourIndex = (index) => 1 + index % 7;
const dashOf = (index) => DASHES[(index + Math.floor(index / 7)) % DASHES.length];

function lineSwatch(index) {
  return s("svg", { class: "swatch", width: 26, height: 10, "aria-hidden": "true" },
    s("line", { x1: 0, x2: 26, y1: 5, y2: 5, "stroke-width": 3, "stroke-dasharray": dashOf(index).join(" "), style: `stroke: var(--series-${colourIndex(index)})` }));
}

function boxSwatch(colour) {
  return s("svg", { class: "swatch", width: 13, height: 11, "aria-hidden": "true" }, s("rect", { width: 13, height: 11, rx: 2, style: `fill: ${colour}` }));
}

const oracleTag = (policy) => (policy && policy.oracle ? h("span", { class: "tag" }, "oracle") : null);
const baselineTag = (name) => (name === baselineName ? h("span", { class: "tag" }, "baseline") : null);
function policyCell(name) {
  const policy = policyNamed(name);
  return [h("span", { class: "policy" }, policy ? boxSwatch(`var(--series-${colourIndex(policy.index)})`) : null, name), baselineTag(name), oracleTag(policy)];
}

/** A table that sorts by a click on a heading.
 *  columns: { title, unit, cell(row) -> children, sort(row) -> number or text, text: true for words, class }.
 *  The first column is the row heading. */
function table({ columns, rows, caption, rowClass, pinned = true, tall = false, sorted }) {
  const body = h("tbody");
  const fillBody = (ordered) => body.replaceChildren(...ordered.map((row) => h("tr", { class: rowClass ? rowClass(row) : null },
    columns.map((column, i) => h(i ? "td" : "th", { scope: i ? null : "row", class: [column.text ? "text" : i ? "number" : "", column.class || ""].join(" ").trim() || null }, column.cell(row))))));
  const headings = columns.map((column) => h("th", { scope: "col", class: column.text ? "text" : null },
    column.sort ? h("button", { type: "button", class: "sort" }, column.title) : column.title, column.unit ? h("small", null, column.unit) : null));
  const sortBy = (index, direction) => {
    const key = columns[index].sort;
    headings.forEach((heading, i) => (i === index ? heading.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending") : heading.removeAttribute("aria-sort")));
    fillBody([...rows].sort((a, b) => compareValues(key(a), key(b), direction)));
  };
  columns.forEach((column, index) => column.sort && headings[index].firstChild.addEventListener("click", () => sortBy(index, headings[index].getAttribute("aria-sort") === "ascending" ? -1 : 1)));
  fillBody(rows);
  if (sorted) sortBy(sorted.column, sorted.direction);
  const grid = h("table", { class: [pinned ? "pinned" : "", columns.length > 8 ? "many" : ""].join(" ").trim() || null }, h("thead", null, h("tr", null, headings)), body);
  /* The caption stands outside what scrolls, so that a phone shows all of it. */
  return [caption ? h("p", { class: "caption" }, caption) : null, h("div", { class: tall ? "scroll tall" : "scroll", tabindex: "0", role: "region", "aria-label": caption || "table" }, grid)];
}

/** Order for sorting: what is missing comes last in both directions. */
function compareValues(a, b, direction) {
  const missing = (value) => value === null || value === undefined || Number.isNaN(value);
  if (missing(a) || missing(b)) return missing(a) - missing(b);
  return direction * (typeof a === "string" ? a.localeCompare(b) : a - b);
}

const fold = (title, extra, open, ...children) => h("details", { class: "fold", open }, h("summary", null, title, extra ? h("small", null, " " + extra) : null), h("div", { class: "inside" }, children));

/** Folded on the screen, open on paper. */
function printed(details) { details.dataset.print = "true"; return details; }

/* === 5. Charts ============================================================================================== */

const charts = [];
const PRINT_WIDTH = 688; /* CSS pixels between the margins of A4 upright, as in style.css */

/** The colours of the page as it is now, or the light ones for paper. */
function themeOf(element) {
  const style = getComputedStyle(element);
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  const series = [1, 2, 3, 4, 5, 6, 7].map((i) => colour(`series-${i}`));
  return {
    ink: colour("ink"), soft: colour("soft"), faint: colour("faint"), line: colour("line"), panel: colour("panel"), wash: colour("wash"),
    accent: colour("accent"), bad: colour("bad"), land: colour("land"), coast: colour("coast"), sea: colour("sea"),
    series, scale: [1, 2, 3, 4, 5, 6, 7].map((i) => colour(`scale-${i}`)),
    of: (index) => series[index % series.length], font: style.getPropertyValue("--sans").trim(),
  };
}

const screenTheme = () => themeOf(document.documentElement);
let paperProbe = null;
const paperTheme = () => themeOf(paperProbe);

const narrow = (width) => width < 560;

/** What every chart shares: no animation (print, tests, calm), the page's font, a tooltip that stays inside. */
const commonOption = (theme) => ({
  animation: false, backgroundColor: "transparent", textStyle: { fontFamily: theme.font, color: theme.ink },
  tooltip: { confine: true, backgroundColor: theme.panel, borderColor: theme.line, textStyle: { color: theme.ink, fontSize: 13 }, extraCssText: "max-width: 320px; white-space: normal;" },
});

const axisLook = (theme) => ({
  nameTextStyle: { color: theme.soft, fontSize: 12 }, axisLabel: { color: theme.soft, fontSize: 12 },
  axisLine: { show: true, onZero: false, lineStyle: { color: theme.faint } }, axisTick: { show: true, lineStyle: { color: theme.faint } },
  splitLine: { show: true, lineStyle: { color: theme.line, width: 1 } },
});

/** Deep enough for axis options: objects are merged, everything else replaced. */
function merge(base, ...others) {
  const out = { ...base };
  for (const other of others) for (const [key, value] of Object.entries(other || {})) {
    const both = [out[key], value].every((v) => v && typeof v === "object" && !Array.isArray(v));
    out[key] = both ? merge(out[key], value) : value;
  }
  return out;
}

/** A value axis with ticks at given places. */
const placedAxis = (theme, ticks, format, more) => merge(axisLook(theme), {
  type: "value", axisTick: { customValues: ticks }, splitLine: { customValues: ticks },
  axisLabel: { customValues: ticks, formatter: format, hideOverlap: true },
}, more);

const bottomName = (name, gap = 30) => ({ name, nameLocation: "middle", nameGap: gap });
/* The name of a vertical axis stands above it, upright: readable without turning the head. */
const topName = (name) => ({ name, nameLocation: "end", nameGap: 18, nameTextStyle: { align: "left", padding: [0, 0, 0, -46] } });

const escapeText = (text) => String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
const tipRow = (marker, name, value) => `<div style="display:flex;gap:14px;justify-content:space-between"><span>${marker || ""}${escapeText(name)}</span><b>${escapeText(value)}</b></div>`;
const tip = (title, rows) => `<div style="margin-bottom:3px">${escapeText(title)}</div>${rows.join("")}`;

const measure = (() => { const context = document.createElement("canvas").getContext("2d"); return (text, size) => { context.font = `${size}px ${getComputedStyle(document.body).fontFamily}`; return context.measureText(text).width; }; })();
/** Room for the labels of a category axis: as wide as the widest, at most a share of the chart. */
const labelRoom = (labels, size, width, share = 0.36) => Math.ceil(Math.min(share * width, largest([40, ...labels.map((label) => measure(label, size) * 1.08)]))) + 12;

/** A figure with one chart.
 *  spec: { id, title, note, controls: [chooser], extra: elements beside them, legend: () -> element,
 *          height(width), build(theme, width) -> option, words() -> sentence, framed, onmount(instance) }.
 *  Returns the <figure>, with `.redraw()` on it. */
function figure(spec) {
  const controls = list(spec.controls);
  const box = h("div", { class: spec.framed ? "chart framed" : "chart", id: spec.id, role: "img" });
  const paper = h("div", { class: "print-image" });
  const legend = h("div"), words = h("p", { class: "words" }), state = h("p", { class: "state" });
  const shown = controls.map((control) => control.element).filter(Boolean);
  const element = h("figure", { class: "figure" },
    h("figcaption", null, spec.title, spec.note ? h("small", null, spec.note) : null),
    shown.length || spec.extra ? h("div", { class: "controls" }, shown, spec.extra) : null,
    state, legend, box, paper, words);
  const chart = { spec, box, paper, instance: null, width: 0 };

  chart.describe = () => {
    const sentence = spec.words ? spec.words() : "";
    put(words, sentence);
    words.hidden = !words.childNodes.length;
    put(legend, spec.legend ? spec.legend() : null);
    const choices = [...controls.filter((control) => control.element).map((control) => `${control.label.toLowerCase()}: ${control.text()}`), ...(spec.state ? spec.state() : [])];
    state.textContent = choices.length ? `Shown here: ${choices.join("; ")}.` : "";
    state.hidden = !choices.length;
    box.setAttribute("aria-label", `Chart: ${spec.title}. ${words.textContent}`);
  };
  chart.draw = () => {
    const width = box.clientWidth;
    if (!width) return;
    const height = Math.round(spec.height(width));
    box.style.height = `${height}px`;
    if (!chart.instance) {
      chart.instance = echarts.init(box, null, { renderer: "canvas", width, height });
      if (spec.onmount) spec.onmount(chart.instance);
    } else if (chart.width !== width || chart.instance.getHeight() !== height) chart.instance.resize({ width, height });
    chart.width = width;
    chart.instance.setOption({ ...commonOption(screenTheme()), ...spec.build(screenTheme(), width, height) }, { notMerge: true });
  };
  chart.redraw = () => { chart.describe(); chart.draw(); };
  /* Paper gets a vector image of its own: a canvas would be a blurred copy of the screen, perhaps a dark one. */
  chart.print = () => {
    const height = Math.round(spec.height(PRINT_WIDTH)), theme = paperTheme();
    const drawing = echarts.init(null, null, { renderer: "svg", ssr: true, width: PRINT_WIDTH, height });
    drawing.setOption({ ...commonOption(theme), ...spec.build(theme, PRINT_WIDTH, height) });
    paper.innerHTML = drawing.renderToSVGString();
    drawing.dispose();
  };
  chart.describe();
  charts.push(chart);
  element.redraw = chart.redraw;
  element.chart = chart;
  return element;
}

/** A legend of lines whose entries switch series off and on. `hidden` is the set of indices that are off. */
function lineLegend(items, hidden, redraw) {
  return h("ul", { class: "legend" }, items.map((item) => h("li", null, h("button", {
    type: "button", "aria-pressed": hidden.has(item.index) ? "false" : "true", title: "Click to hide or show",
    onclick: () => { if (hidden.has(item.index)) hidden.delete(item.index); else hidden.add(item.index); redraw(); },
  }, lineSwatch(item.index), item.name, item.tag))));
}

const boxLegend = (items) => h("ul", { class: "legend" }, items.map(([colour, name]) => h("li", null, h("span", { class: "item" }, boxSwatch(colour), name))));
const policyLegendItems = (which) => which.map((policy) => ({ index: policy.index, name: policy.name, tag: policy.oracle ? h("span", { class: "tag" }, "oracle") : null }));

const rampLegend = (low, high, name) => h("span", { class: "item" }, name, h("span", null, low), h("span", { class: "ramp" }), h("span", null, high));

/** The upper end of a colour scale for shares: the whole, or a round part of it when all is far below. */
const shareTop = (most) => [0.02, 0.05, 0.1, 0.25, 0.5, 1].find((top) => most <= top) || 1;

function scaleColour(scale, part) {
  const at = Math.min(1, Math.max(0, part)) * (scale.length - 1), low = Math.min(scale.length - 2, Math.floor(at));
  const channel = (hex, i) => parseInt(hex.slice(1 + 2 * i, 3 + 2 * i), 16);
  return `rgb(${[0, 1, 2].map((i) => Math.round(channel(scale[low], i) + (at - low) * (channel(scale[low + 1], i) - channel(scale[low], i)))).join(",")})`;
}

/** Ticks for a logarithmic axis from a to b (as log10): decades, with 2 and 5 between them while there is room. */
function logTicks(low, high, most) {
  for (const marks of [[1, 2, 5], [1, 3], [1]]) {
    const ticks = [];
    for (let decade = Math.floor(low); decade <= high; decade++) for (const mark of marks) {
      const at = decade + Math.log10(mark);
      if (at >= low - 1e-9 && at <= high + 1e-9) ticks.push(at);
    }
    if (ticks.length <= most) return ticks;
  }
  const step = Math.ceil((high - low) / most);
  return Array.from({ length: most + 1 }, (_, i) => Math.ceil(low) + i * step).filter((tick) => tick <= high);
}

/* === 6. Geography =========================================================================================== */

/** Coast lines: the arcs of the TopoJSON file, decoded, joined to rings and cut at the antimeridian. */
function landShapes(topology) {
  if (!topology || !topology.arcs || !topology.transform) return null;
  const { scale, translate } = topology.transform;
  const arcs = topology.arcs.map((arc) => {
    let x = 0, y = 0;
    return arc.map(([dx, dy]) => [(x += dx) * scale[0] + translate[0], (y += dy) * scale[1] + translate[1]]);
  });
  const ring = (indices) => indices.flatMap((index, i) => (index >= 0 ? arcs[index] : [...arcs[~index]].reverse()).slice(i ? 1 : 0));
  const geometries = Object.values(topology.objects).flatMap((object) => object.geometries || [object]);
  const polygons = geometries.flatMap((geometry) => (geometry.type === "MultiPolygon" ? geometry.arcs : [geometry.arcs]));
  return { type: "FeatureCollection", features: [{ type: "Feature", properties: { name: "land" },
    geometry: { type: "MultiPolygon", coordinates: polygons.flatMap((polygon) => polygon.flatMap((indices) => cutRing(ring(indices)).map((piece) => [piece]))) } }] };
}

/** A ring that crosses longitude 180 would be drawn as a line across the whole map. Unwrap it, then keep what lies
 *  within [-180, 180] of it and of its copies one turn away. */
function cutRing(points) {
  const unwrapped = [points[0].slice()];
  for (const [longitude, latitude] of points.slice(1)) {
    const before = unwrapped[unwrapped.length - 1][0];
    unwrapped.push([longitude - 360 * Math.round((longitude - before) / 360), latitude]);
  }
  const first = unwrapped[0], last = unwrapped[unwrapped.length - 1];
  if (Math.abs(first[0] - last[0]) > 180) unwrapped.push([last[0], -90], [first[0], -90], first.slice()); /* round the pole: Antarctica */
  const clip = (shape, edge, keep) => shape.flatMap((a, i) => {
    const b = shape[(i + 1) % shape.length], out = keep(a[0]) ? [a] : [];
    if (keep(a[0]) !== keep(b[0])) out.push([edge, a[1] + (edge - a[0]) / (b[0] - a[0]) * (b[1] - a[1])]);
    return out;
  });
  return [-360, 0, 360].map((turn) => unwrapped.map(([x, y]) => [x + turn, y]))
    .map((shape) => clip(clip(shape, -180, (x) => x >= -180), 180, (x) => x <= 180)).filter((shape) => shape.length > 3);
}

/** Points along the great circle between two sites, in pieces that do not cross longitude 180. */
function greatCircle(a, b) {
  const radians = Math.PI / 180;
  const vector = (site) => [Math.cos(site.lat * radians) * Math.cos(site.lon * radians), Math.cos(site.lat * radians) * Math.sin(site.lon * radians), Math.sin(site.lat * radians)];
  const from = vector(a), to = vector(b);
  const angle = Math.acos(Math.min(1, Math.max(-1, from[0] * to[0] + from[1] * to[1] + from[2] * to[2])));
  const steps = Math.max(1, Math.ceil(angle / radians / 4));
  const pieces = [[]];
  let before = null;
  for (let i = 0; i <= steps; i++) {
    const part = i / steps, near = angle < 1e-6 || Math.PI - angle < 1e-6;
    const [p, q] = near ? [1 - part, part] : [Math.sin((1 - part) * angle) / Math.sin(angle), Math.sin(part * angle) / Math.sin(angle)];
    const [x, y, z] = [0, 1, 2].map((k) => p * from[k] + q * to[k]);
    const point = [Math.atan2(y, x) / radians, Math.atan2(z, Math.hypot(x, y)) / radians];
    if (before && Math.abs(point[0] - before[0]) > 180) {
      const side = before[0] > 0 ? 180 : -180, far = point[0] + 2 * side;
      const latitude = before[1] + (side - before[0]) / (far - before[0]) * (point[1] - before[1]);
      pieces[pieces.length - 1].push([side, latitude]);
      pieces.push([[-side, latitude]]);
    }
    pieces[pieces.length - 1].push(point);
    before = point;
  }
  return pieces.filter((piece) => piece.length > 1);
}

/** The part of the world that shows the given sites in a box of this shape, with a margin, true to shape at its middle. */
function mapBounds(shown, width, height) {
  const pad = (low, high, least) => { const grow = Math.max(0.07 * (high - low), least); return [low - grow, high + grow]; };
  let [west, east] = pad(smallest(shown.map((site) => site.lon)), largest(shown.map((site) => site.lon)), 2);
  let [south, north] = pad(smallest(shown.map((site) => site.lat)), largest(shown.map((site) => site.lat)), 2);
  const aspect = Math.max(0.4, Math.cos((south + north) / 2 * Math.PI / 180));
  const wanted = width / height, have = (east - west) * aspect / (north - south);
  if (have < wanted) { const grow = ((north - south) * wanted / aspect - (east - west)) / 2; west -= grow; east += grow; }
  else { const grow = ((east - west) * aspect / wanted - (north - south)) / 2; south -= grow; north += grow; }
  return { corners: [[west, north], [east, south]], aspect };
}

/* === 7. Sections ============================================================================================ */

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
function differenceText(difference, base, metric, interval) {
  const scale = metricScale(metric);
  const digits = interval && finite(get(interval, "difference_low")) ? decimalsFor((interval.difference_high - interval.difference_low) / 2 * scale.factor) : undefined;
  const size = `${number(Math.abs(difference) * scale.factor, digits)}${scale.difference ? NBSP + scale.difference : ""}`;
  return finite(base) && base !== 0 && scale.label !== "%" ? `${size} (${percent(Math.abs(difference / base))})` : size;
}

const intervalText = (low, high, metric) => {
  const scale = metricScale(metric), digits = decimalsFor((high - low) / 2 * scale.factor);
  return `${signed(low * scale.factor, digits)} to ${signed(high * scale.factor, digits)}${scale.difference ? NBSP + scale.difference : ""}`;
};

/* --- verdict --- */

const auditFailures = () => Math.max(get(made, "audit.failed") || 0, ...runs.map((run) => get(run.summary, "audit.failed") || 0), 0);
const auditChecks = () => get(made, "audit.checks") ?? (runs.length ? get(runs[0].summary, "audit.checks") : null);
const incompleteRuns = () => runs.filter((run) => run.status && run.status !== "complete");

/** What must be read before the verdict. */
function warnings() {
  const banners = [], failed = auditFailures(), partial = incompleteRuns();
  if (failed > 0) banners.push(h("p", { class: "banner bad", role: "alert" }, strong("The audit failed: do not decide on these numbers. "),
    `${plural(failed, "conservation check does", "conservation checks do")} not balance, so something was lost or counted twice. `, h("a", { href: "#made" }, "See the audit table.")));
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
  if (finite(price)) parts.push(`a million tokens cost ${number(price)} yuan`);
  return [first, parts.length ? [capital(sentenceList(parts)), "."] : null, trustSentence(null)].filter(Boolean);
}

const verdictSentences = () => (comparison && metrics.length ? [winnerSentence(metrics[0]), tradeSentence(metrics[0]), trustSentence(metrics[0])] : runVerdict()).filter((sentence) => sentence.length);

function orreryMark() {
  return s("svg", { viewBox: "0 0 32 32", "aria-hidden": "true", fill: "none", "stroke-width": 1.3 },
    s("circle", { cx: 16, cy: 16, r: 13, stroke: "currentColor", opacity: 0.5 }), s("circle", { cx: 16, cy: 16, r: 7.2, stroke: "currentColor", opacity: 0.5 }),
    s("circle", { cx: 16, cy: 16, r: 3.4, style: "fill: var(--series-5)" }), s("circle", { cx: 25.2, cy: 6.8, r: 2.8, style: "fill: var(--series-1)" }), s("circle", { cx: 10.2, cy: 20.2, r: 2.2, style: "fill: var(--series-2)" }));
}

function masthead() {
  const facts = [], seeds = unique(policies.flatMap(seedsOf));
  if (policies.length) facts.push(plural(policies.length, "policy", "policies"));
  if (seeds.length) facts.push(plural(seeds.length, "seed"));
  if (sites.length) facts.push(plural(sites.length, "site"));
  if (links.length) facts.push(plural(links.length, "link"));
  if (bins) facts.push(`${duration(bins.count * bins.width_s)} simulated`);
  return h("header", { class: "masthead", id: "verdict" },
    h("p", { class: "kicker" }, orreryMark(), comparison ? "Policy comparison" : "Simulation report", data.generated_by ? ` · ${data.generated_by}` : ""),
    h("h1", null, data.title || "Untitled run"),
    data.question ? h("p", { class: "question" }, data.question) : null,
    warnings(),
    h("div", { class: "verdict" }, verdictSentences().map((sentence) => h("p", null, sentence))),
    facts.length ? h("p", { class: "facts" }, facts.join(" · ")) : null,
    oracleNote(),
    h("nav", { class: "print-contents", "aria-hidden": "true" }));
}

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
  ["Cost per million tokens", (p) => runMean(p, "cost.per_million_tokens_yuan"), (v) => [number(v), "yuan"]],
  ["Cost of the run", (p) => runMean(p, "cost.total_yuan"), (v) => [count(v), "yuan"]],
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
    : row && finite(row.difference) ? `${number(Math.abs(row.difference * scale.factor))}${NBSP}pp` : "";
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

function agesTable() {
  const rows = policies.filter((policy) => policy.decision_age_s && ["mean", "p50", "p99"].some((key) => finite(policy.decision_age_s[key])));
  if (!rows.length) return null;
  const column = (title, key) => ({ title, sort: (policy) => get(policy, `decision_age_s.${key}`), cell: (policy) => duration(get(policy, `decision_age_s.${key}`)) });
  return [h("h3", null, "How old the state was that each policy decided on"),
    h("p", { class: "note" }, "A scheduler sees reports of the grid, not the grid. The older the reports, the more a policy that trusts them sends everybody to the same place."),
    table({ rows, columns: [{ title: "Policy", sort: (policy) => policy.name, cell: (policy) => policyCell(policy.name) }, column("Mean age", "mean"), column("Median", "p50"), column("99th percentile", "p99")] })];
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
      h("p", { class: "note" }, chanceNote()), agesTable(),
    ];
  },
};

const agesSection = {
  id: "ages", title: "What the policy saw", show: () => !policySection.show() && agesTable() !== null,
  body: () => agesTable().slice(1),
};

/* --- latency --- */

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

/** A percentile from the pooled curve that the chart shows, else the mean of the runs' own. */
function percentileOf(policy, item, metric, [name, share]) {
  const curve = curveOf(policy, item.name, metric);
  if (curve) return quantileOf(curve, share);
  return mean(runsOf(policy.name).map((run) => { const byClass = get(run.summary, "by_class"); return byClass && byClass[item.name] ? get(byClass[item.name], `latency.${metric}.${name}`) : null; }));
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

/* --- demand and outcomes --- */

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

const flowSection = {
  id: "flow", title: "Demand over the day", show: () => withFlow().length > 0,
  body: () => [flowChart()],
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

/* --- map --- */

const placed = () => sites.filter((site) => finite(site.lat) && finite(site.lon) && Math.abs(site.lat) <= 90);
const TINY_LOAD = 0.02; /* below this at every link, widths by load would all look alike: bytes tell more */

function mapAreas() {
  const all = placed(), byCountry = new Map();
  for (const site of all) if (site.country) byCountry.set(site.country, [...(byCountry.get(site.country) || []), site]);
  const countries = [...byCountry].filter(([, members]) => members.length > 1 && members.length < all.length).sort((a, b) => b[1].length - a[1].length);
  return [{ value: "*", text: `all ${plural(all.length, "site")}`, members: all }, ...countries.map(([country, members]) => ({ value: country, text: `${country}: ${plural(members.length, "site")}`, members }))];
}

/** Where most of the accelerators are, when they are mostly in one country; else everywhere. */
function startArea(areas) {
  const power = (members) => sum(members.map((site) => site.accelerators || 0)) || members.length;
  const first = areas[1];
  return first && power(first.members) > 0.6 * power(areas[0].members) ? first.value : "*";
}

/* Radius of a site in a map of this width: area by accelerators, above a least size that can still be seen. */
const siteRadius = (accelerators, most, width) => (narrow(width) ? 0.62 : 1) * (accelerators > 0 && most > 0 ? 3.5 + 14 * Math.sqrt(accelerators / most) : 2.4);
const linkValues = (policy, by) => list(links).map((_, i) => { const values = policy ? policy[by === "load" ? "link_load" : "link_bytes"] : null; return Array.isArray(values) && finite(values[i]) ? values[i] : null; });
const linkWidth = (value, most) => (finite(value) && most > 0 ? 0.7 + 5.3 * Math.sqrt(value / most) : 0.7);

function mapChart() {
  const areas = mapAreas(), which = policies.filter((policy) => busySites(policy, "utilisation").length || Array.isArray(policy.link_load) || Array.isArray(policy.link_bytes));
  const redraw = () => element.redraw();
  const area = chooser("Area", areas, redraw, startArea(areas));
  const pick = chooser("Policy", policyOptions(which), redraw, leadingIn(which));
  const loads = which.flatMap((policy) => linkValues(policy, "load")), bytes = which.flatMap((policy) => linkValues(policy, "bytes"));
  const widths = [];
  if (loads.some((v) => v > 0)) widths.push({ value: "load", text: "load (share of capacity)" });
  if (bytes.some((v) => v > 0)) widths.push({ value: "bytes", text: "bytes carried" });
  const by = chooser("Width of a link", widths, redraw, widths.length > 1 && largest(loads) < TINY_LOAD ? "bytes" : undefined);
  const time = timeSlider(() => { element.chart.describe(); element.chart.draw(); });
  const policy = () => policyNamed(pick.value);
  const top = shareTop(largest(which.flatMap((p) => busySites(p, "utilisation").flatMap((site) => seriesOf(p, "utilisation", site.id)))));
  const members = () => areas.find((item) => item.value === area.value).members;
  const view = (theme, width, height) => mapOption({ theme, width, height, members: members(), policy: policy(), by: by.value, bin: time.bin(), top });
  const element = figure({
    id: "chart-map", title: "Sites and links", controls: [area, pick, by], extra: time.element, framed: true,
    note: "A circle is a site: its area is the number of accelerators, its colour the share of their places that is taken; a hollow dot has none. A line is a link, curved along the shortest way round the globe.",
    legend: () => mapLegend(policy(), by.value, top), state: () => [`time: ${time.text()}`],
    height: (width) => Math.min(580, Math.max(320, width * 0.64)), build: view, words: () => mapWords(policy(), by.value, area.value, areas),
  });
  return element;
}

/** The slider through the run: position 0 is the whole run, position i the interval i. A button plays it. */
function timeSlider(onchange) {
  if (!bins || !policies.some((policy) => busySites(policy, "utilisation").length)) return { element: null, bin: () => null, text: () => "whole run" };
  const input = h("input", { type: "range", min: 0, max: bins.count, value: 0, step: 1, "aria-label": "Time of the map", "data-slider": "time" });
  const output = h("output"), play = h("button", { type: "button", "data-play": "time" }, "Play");
  const bin = () => (+input.value ? +input.value - 1 : null);
  const text = () => (bin() === null ? "mean of the whole run" : binSpan(bin()));
  const update = () => { output.textContent = text(); input.setAttribute("aria-valuetext", text()); onchange(); };
  let timer = null;
  const stop = () => { clearInterval(timer); timer = null; play.textContent = "Play"; };
  play.addEventListener("click", () => {
    if (timer) return stop();
    play.textContent = "Stop";
    timer = setInterval(() => { input.value = (+input.value % bins.count) + 1; update(); if (+input.value === bins.count) stop(); }, 120);
  });
  input.addEventListener("input", () => { stop(); update(); });
  output.textContent = text();
  return { element: h("div", { class: "control wide" }, h("span", null, "Time: ", output), h("div", { class: "slider" }, play, input)), bin, text };
}

function mapOption({ theme, width, height, members, policy, by, bin, top }) {
  const { corners, aspect } = mapBounds(members, width, height);
  const most = largest(sites.map((site) => site.accelerators || 0)), busy = (site) => siteBusy(policy, site, bin);
  const ordered = [...placed()].sort((a, b) => (b.accelerators || 0) - (a.accelerators || 0));
  const labelled = new Set(members.slice().sort((a, b) => (b.accelerators || 0) - (a.accelerators || 0)).slice(0, narrow(width) ? 8 : 18).map((site) => site.id));
  const values = linkValues(policy, by), widest = largest(values);
  return {
    geo: { map: "land", roam: "move", left: 0, right: 0, top: 0, bottom: 0, boundingCoords: corners, aspectScale: aspect, clip: false, silent: true, itemStyle: { areaColor: theme.land, borderColor: theme.coast, borderWidth: 0.6 } },
    series: [
      { type: "lines", coordinateSystem: "geo", polyline: true, z: 2, data: linkLines(theme, values, widest, by), emphasis: { lineStyle: { opacity: 1 } } },
      { type: "scatter", coordinateSystem: "geo", z: 4, labelLayout: { hideOverlap: true }, emphasis: { scale: 1.15 },
        data: ordered.map((site) => ({ name: site.id, value: [site.lon, site.lat], symbolSize: 2 * siteRadius(site.accelerators, most, width),
          itemStyle: siteStyle(theme, busy(site), top, site),
          label: { show: labelled.has(site.id), formatter: shortName(titleOf(site)), minMargin: 3, distance: 3, position: site.lon > corners[1][0] - 0.22 * (corners[1][0] - corners[0][0]) ? "left" : "right", fontSize: narrow(width) ? 10 : 11, color: theme.ink, textBorderColor: theme.sea, textBorderWidth: 2.5 } })) },
    ],
    tooltip: { ...commonOption(theme).tooltip, formatter: (item) => (item.seriesType === "lines" ? linkTip(item.data.index, policy) : siteTip(siteById.get(item.name), policy, bin)) },
  };
}

const shortName = (name) => { const short = name.replace(/\s*\(.*\)\s*$/, "").replace(/ cluster$/, ""); return short.length > 22 ? `${short.slice(0, 20).trim()}…` : short; };
const siteBusy = (policy, site, bin) => { const values = seriesOf(policy, "utilisation", site.id); return values ? (bin === null ? mean(values) : values[bin]) : null; };
const siteStyle = (theme, value, top, site) => (finite(value) ? { color: scaleColour(theme.scale, value / top), borderColor: theme.ink, borderWidth: 0.9, opacity: 0.95 }
  : { color: site.accelerators > 0 ? theme.wash : theme.panel, borderColor: theme.faint, borderWidth: 1 });

function linkLines(theme, values, widest, by) {
  return links.flatMap((link, index) => {
    const a = siteById.get(link.a), b = siteById.get(link.b);
    if (!a || !b || ![a.lat, a.lon, b.lat, b.lon].every(finite)) return [];
    const hot = by === "load" && values[index] >= 0.8;
    const lineStyle = { width: linkWidth(values[index], widest), color: hot ? theme.bad : theme.soft, opacity: hot ? 0.9 : 0.42, type: hot ? "dashed" : "solid" };
    return greatCircle(a, b).map((coords) => ({ coords, index, lineStyle }));
  });
}

function linkTip(index, policy) {
  const link = links[index], name = (id) => (siteById.get(id) ? titleOf(siteById.get(id)) : id);
  const load = linkValues(policy, "load")[index], bytes = linkValues(policy, "bytes")[index];
  return tip(`${name(link.a)} ${DASH} ${name(link.b)}`, [finite(link.km) ? tipRow("", "length", `${number(link.km)} km`) : "", finite(link.capacity_gbps) ? tipRow("", "capacity", `${number(link.capacity_gbps)} Gbit/s`) : "",
    finite(load) ? tipRow("", "mean load", percent(load)) : "", finite(bytes) ? tipRow("", "carried", quantity(bytes, "bytes")) : ""].filter(Boolean));
}

function siteTip(site, policy, bin) {
  if (!site) return "";
  const busy = siteBusy(policy, site, bin);
  return tip(titleOf(site), [site.kind ? tipRow("", "kind", spoken(site.kind)) : "", finite(site.accelerators) ? tipRow("", "accelerators", number(site.accelerators)) : "",
    tipRow("", bin === null ? "places taken, whole run" : `places taken, ${binSpan(bin)}`, finite(busy) ? percent(busy) : "not recorded")].filter(Boolean));
}

function mapLegend(policy, by, top) {
  const most = largest(sites.map((site) => site.accelerators || 0)), items = [];
  if (busySites(policy, "utilisation").length) items.push(rampLegend("0 %", percent(top), "places taken"));
  if (most > 0) {
    const steps = unique([1, 0.25, 0.05].map((part) => Math.max(1, Number((most * part).toPrecision(1)))));
    items.push(h("span", { class: "item" }, "accelerators", steps.map((size) => { const r = siteRadius(size, most, innerWidth); return [s("svg", { width: 2 * r + 2, height: 2 * r + 2, "aria-hidden": "true" }, s("circle", { cx: r + 1, cy: r + 1, r, fill: "none", stroke: "currentColor" })), number(size)]; })));
  }
  const values = linkValues(policy, by), widest = largest(values);
  if (widest > 0) {
    const show = (value) => (by === "load" ? percent(value) : quantity(value, "bytes"));
    items.push(h("span", { class: "item" }, by === "load" ? "mean load" : "carried", [widest, widest / 10].map((value) => [s("svg", { width: 26, height: 10, "aria-hidden": "true" }, s("line", { x1: 0, x2: 26, y1: 5, y2: 5, stroke: "currentColor", "stroke-width": linkWidth(value, widest) })), show(value)])));
    if (by === "load" && widest >= 0.8) items.push(h("span", { class: "item" }, h("span", { class: "poor" }, "- - - load of 80 % or more")));
  }
  return h("ul", { class: "legend" }, items.map((item) => h("li", null, item)));
}

function mapWords(policy, by, area, areas) {
  const values = linkValues(policy, by), most = largest(values), parts = [];
  if (most > 0) {
    const link = links[values.indexOf(most)], name = (id) => (siteById.get(id) ? shortName(titleOf(siteById.get(id))) : id);
    parts.push(`The ${by === "load" ? "most loaded" : "busiest"} link under ${policy.name} is ${name(link.a)} ${DASH} ${name(link.b)}, ${by === "load" ? `${percent(most)} of its capacity on average` : `which carried ${quantity(most, "bytes")}`}.`);
    if (by === "bytes") { const load = largest(linkValues(policy, "load")); if (load >= 0 && load < TINY_LOAD) parts.push(`No link is loaded above ${percent(load)} on average: most of the network is idle.`); }
  }
  const outside = areas[0].members.length - areas.find((item) => item.value === area).members.length;
  if (outside > 0) parts.push(`${capital(plural(outside, "site lies", "sites lie"))} in other countries: choose “${areas[0].text}” to see the whole map.`);
  return parts.join(" ");
}

const mapSection = {
  id: "map", title: "The grid on the map", show: () => placed().length > 0 && Boolean(land),
  body() {
    const shapes = landShapes(land);
    echarts.registerMap("land", shapes);
    return [mapChart()];
  },
};

/* --- bars: cost and refusals --- */

/** Horizontal bars: a group per category, a bar per policy, the value written at the end of each bar. */
function barFigure({ id, title, note, categories, which, value, axis, show, words, tipText }) {
  const hidden = new Set(), redraw = () => element.redraw();
  const shown = () => which.filter((policy) => !hidden.has(policy.index));
  const thick = () => (which.length > 6 ? 11 : 14);
  const element = figure({
    id, title, note, words, legend: () => (which.length > 1 ? lineLegendAsBoxes(which, hidden, redraw) : null),
    height: () => categories.length * (Math.max(1, shown().length) * thick() + 16) + 66,
    build(theme, width) {
      const labels = categories.map((item) => item.text), room = labelRoom(labels, 12, width);
      const most = largest(categories.flatMap((item) => shown().map((policy) => value(policy, item.value))));
      return {
        grid: { left: room, right: 64, top: 8, bottom: 50 },
        xAxis: merge(axisLook(theme), { type: "value", min: 0, max: most > 0 ? undefined : 1, splitNumber: narrow(width) ? 3 : 5, axisLabel: { formatter: axisCount, hideOverlap: true }, ...bottomName(axis) }),
        yAxis: merge(axisLook(theme), { type: "category", inverse: true, data: labels, splitLine: { show: false }, axisTick: { show: false }, axisLabel: { color: theme.ink, width: room - 12, lineHeight: 14, overflow: "break", interval: 0 } }),
        series: shown().map((policy) => ({ name: policy.name, type: "bar", barGap: "8%", barCategoryGap: 14, itemStyle: { color: theme.of(policy.index) },
          label: { show: true, position: "right", fontSize: which.length > 6 ? 9 : 11, color: theme.soft, formatter: (item) => (finite(item.value) ? show(item.value) : "") },
          data: categories.map((item) => value(policy, item.value)) })),
        tooltip: { ...commonOption(theme).tooltip, formatter: (item) => tip(item.name, [tipRow(item.marker, item.seriesName, `${show(item.value)}`), ...(tipText ? tipText(policyNamed(item.seriesName), categories[item.dataIndex].value) : [])]) },
      };
    },
  });
  return element;
}

const lineLegendAsBoxes = (which, hidden, redraw) => h("ul", { class: "legend" }, which.map((policy) => h("li", null, h("button", {
  type: "button", "aria-pressed": hidden.has(policy.index) ? "false" : "true", title: "Click to hide or show",
  onclick: () => { if (hidden.has(policy.index)) hidden.delete(policy.index); else hidden.add(policy.index); redraw(); },
}, boxSwatch(`var(--series-${colourIndex(policy.index)})`), policy.name, policy.oracle ? h("span", { class: "tag" }, "oracle") : null))));

const costOf = (policy, by, key) => { const item = policy[by] && policy[by][key]; return item && finite(item.yuan_per_million) ? item.yuan_per_million : null; };
const costKeys = (by) => unique(policies.flatMap((policy) => entries(policy[by]).filter(([key]) => finite(costOf(policy, by, key))).map(([key]) => key)));

function costFigure(by, title, name) {
  const keys = costKeys(by), which = policies.filter((policy) => keys.some((key) => finite(costOf(policy, by, key))));
  if (!keys.length) return null;
  return barFigure({
    id: `chart-${by.replace(/_/g, "-")}`, title, which, axis: "yuan per million tokens", show: (value) => number(value),
    categories: keys.map((key) => ({ value: key, text: name(key) })), value: (policy, key) => costOf(policy, by, key),
    words: () => costWords(by, keys, which, name),
    tipText: (policy, key) => { const item = policy[by][key]; return [finite(item.tokens) ? tipRow("", "tokens", count(item.tokens)) : "", finite(item.yuan) ? tipRow("", "cost", `${count(item.yuan)} yuan`) : ""].filter(Boolean); },
  });
}

function costWords(by, keys, which, name) {
  const policy = which.find((item) => item.name === leadingPolicy()) || which[0];
  const ranked = keys.map((key) => ({ key, cost: costOf(policy, by, key) })).filter((item) => finite(item.cost)).sort((a, b) => b.cost - a.cost);
  if (ranked.length < 2) return "";
  const high = ranked[0], low = ranked[ranked.length - 1];
  return `Under ${policy.name}, the dearest is ${name(high.key)} at ${number(high.cost)} yuan per million tokens${low.cost > 0 ? `, ${number(high.cost / low.cost)} times the cost of ${name(low.key)}` : ""}.`;
}

const classTitle = (name) => { const item = classes.find((entry) => entry.name === name); return item ? titleOf(item) : name; };

const costSection = {
  id: "cost", title: "What a million tokens cost", show: () => costKeys("cost_by_model").length + costKeys("cost_by_class").length > 0,
  body: () => [
    h("p", { class: "lead" }, "Tokens of all kinds (fresh input, cached input, output) counted together; the price of each kind is in the scenario."),
    h("div", { class: "pair" }, costFigure("cost_by_model", "By model", (name) => name), costFigure("cost_by_class", "By class of client", classTitle)),
  ],
};

const reasonOf = (policy, reason) => (policy.reasons && finite(policy.reasons[reason]) ? policy.reasons[reason] : null);
/** Requests offered over all seeds of a policy, to which its counts of reasons refer. */
const offeredTotal = (policy) => sum(runsOf(policy.name).map((run) => get(run.summary, "requests.offered")));

const refusalSection = {
  id: "refusals", title: "Why requests were turned away", show: () => policies.some((policy) => policy.reasons),
  body() {
    const reasons = unique(policies.flatMap((policy) => entries(policy.reasons).filter(([, n]) => n > 0).map(([reason]) => reason)));
    if (!reasons.length) return [h("p", { class: "words" }, "No request was turned away, under any policy.")];
    const total = (reason) => sum(policies.map((policy) => reasonOf(policy, reason))) || 0;
    reasons.sort((a, b) => total(b) - total(a));
    const which = policies.filter((policy) => policy.reasons), perThousand = which.every((policy) => offeredTotal(policy) > 0);
    const value = (policy, reason) => { const n = reasonOf(policy, reason) ?? 0; return perThousand ? 1000 * n / offeredTotal(policy) : n; };
    const worst = which.map((policy) => ({ policy, n: sum(reasons.map((reason) => value(policy, reason))) })).sort((a, b) => b.n - a.n);
    return [barFigure({
      id: "chart-reasons", title: "By reason", note: "Over all seeds of a policy.", which, categories: reasons.map((reason) => ({ value: reason, text: spoken(reason) })), value,
      axis: perThousand ? "requests in a thousand offered" : "requests", show: (v) => (v > 0 && v < 0.01 ? "< 0.01" : number(v)),
      tipText: (policy, reason) => [tipRow("", "requests", count(reasonOf(policy, reason) ?? 0))],
      words: () => `The commonest reason is “${spoken(reasons[0])}”. ${worst.length > 1 ? `Most are turned away by ${worst[0].policy.name}, fewest by ${worst[worst.length - 1].policy.name}: ` : "In all "}` +
        `${worst.length > 1 ? `${number(worst[0].n)} and ${number(worst[worst.length - 1].n)}` : number(worst[0].n)} ${perThousand ? "in a thousand requests." : "requests."}`,
    })];
  },
};

/* --- energy --- */

const energyOf = (policy) => runMean(policy.name, "energy.kwh") ?? (finite(policy.energy_kwh) ? policy.energy_kwh : null);
const carbonOf = (policy) => runMean(policy.name, "carbon.kg") ?? (finite(policy.carbon_kg) ? policy.carbon_kg : null);
const electricityOf = (policy) => runMean(policy.name, "electricity.yuan");
const barCell = (text, value, most) => [text, finite(value) && most > 0 ? h("span", { class: "databar", style: `width: ${(100 * value / most).toFixed(1)}%` }) : null];

const energySection = {
  id: "energy", title: "Energy, electricity and carbon", show: () => policies.some((policy) => finite(energyOf(policy)) || finite(carbonOf(policy))),
  body() {
    const perMillion = (value, policy) => { const tokens = tokensOf(policy.name); return finite(value) && tokens > 0 ? value / tokens * 1e6 : null; };
    const grams = (policy) => { const kg = carbonOf(policy); return finite(kg) ? 1000 * kg : null; };
    const values = [
      ["Energy", "kWh per run", energyOf], ["Energy per million tokens", "kWh", (policy) => perMillion(energyOf(policy), policy)],
      ["Electricity", "yuan per run", electricityOf], ["Electricity per million tokens", "yuan", (policy) => perMillion(electricityOf(policy), policy)],
      ["Carbon", "kg CO₂ per run", carbonOf], ["Carbon per million tokens", "g CO₂", (policy) => perMillion(grams(policy), policy)],
      ["Carbon in the electricity used", "g CO₂ per kWh", (policy) => ratioOf(grams(policy), energyOf(policy))],
    ].filter(([, , value]) => policies.some((policy) => finite(value(policy))));
    return [
      h("p", { class: "lead" }, "Energy drawn from the grid: accelerators, the servers around them, and the facility’s cooling and conversion. The same energy weighs differently where and when electricity is cleaner or cheaper: a policy can save carbon or money without saving energy. Per million tokens delivered to clients."),
      table({ rows: policies, columns: [{ title: "Policy", sort: (policy) => policy.name, cell: (policy) => policyCell(policy.name) },
        ...values.map(([title, unit, value]) => { const most = largest(policies.map(value)); return { title, unit, sort: value, cell: (policy) => barCell(number(value(policy)), value(policy), most) }; })] }),
      h("p", { class: "words" }, energyWords()),
      drawnParts(),
    ];
  },
};

/** What each site or model drew under a policy, over all its seeds: [{name, runs, tokens, kwh, it, kg, yuan}]. */
function drawnBy(policy, by) {
  const parts = new Map(), runs = runsOf(policy.name);
  for (const run of runs) for (const [name, part] of entries(get(run.summary, `serving.${by}`))) {
    const sums = parts.get(name) || { name, runs: runs.length, tokens: 0, kwh: 0, it: 0, kg: 0, yuan: 0 };
    sums.tokens += part.tokens; sums.kwh += part.energy.kwh; sums.it += part.energy.it_kwh; sums.kg += part.carbon.kg; sums.yuan += part.electricity.yuan;
    parts.set(name, sums);
  }
  return [...parts.values()].filter((part) => part.kwh > 0);
}

function drawnTable(policy, by, title, text) {
  const rows = drawnBy(policy, by), perMillion = (value) => (part) => (part.tokens > 0 ? value(part) / part.tokens * 1e6 : null);
  const values = [
    ["Energy", "kWh per run", (part) => part.kwh / part.runs], ["PUE", "from the grid over at the servers", (part) => ratioOf(part.kwh, part.it), true], ["Energy", "kWh per million tokens", perMillion((part) => part.kwh)],
    ["Electricity", "yuan per million tokens", perMillion((part) => part.yuan)], ["Carbon", "g CO₂ per million tokens", perMillion((part) => 1000 * part.kg)],
  ];
  return table({ caption: `By ${title.toLowerCase()}, under ${policy.name}`, rows, tall: rows.length > 30, sorted: { column: 1, direction: -1 }, columns: [{ title, sort: (part) => text(part.name), cell: (part) => text(part.name) },
    ...values.map(([heading, unit, value, plain]) => { const most = plain ? 0 : largest(rows.map(value)); return { title: heading, unit, sort: value, cell: (part) => barCell(number(value(part)), value(part), most) }; })] });
}

/** Where the energy goes: sites that serve, and models. Each is the whole run, cut in two ways. */
function drawnParts() {
  const which = policies.filter((policy) => drawnBy(policy, "by_site").length > 0);
  if (!which.length) return null;
  const siteText = (id) => { const site = sites.find((item) => item.id === id); return site ? titleOf(site) : id; };
  const holder = h("div");
  const tables = (name) => { const policy = policyNamed(name); return [drawnTable(policy, "by_model", "Model", (model) => model), drawnTable(policy, "by_site", "Site", siteText)].flat(); };
  const pick = chooser("Policy", policyOptions(which), (name) => put(holder, tables(name)), leadingIn(which));
  put(holder, tables(pick.value));
  return [h("h3", null, "Where the energy goes"), h("p", { class: "note" }, "Per million tokens served there (of all kinds), whoever asked for them: the energy of servers that stand idle counts in, so a site that serves little looks dear."),
    pick.element ? h("div", { class: "controls" }, pick.element) : null, holder];
}

function energyWords() {
  const ranked = policies.filter((policy) => !policy.oracle && finite(carbonOf(policy))).sort((a, b) => carbonOf(a) - carbonOf(b));
  if (ranked.length < 2) return ranked.length ? `The run emits ${number(carbonOf(ranked[0]))} kg of CO₂${finite(energyOf(ranked[0])) ? ` for ${number(energyOf(ranked[0]))} kWh` : ""}.` : "";
  const low = ranked[0], high = ranked[ranked.length - 1], more = carbonOf(low) > 0 ? carbonOf(high) / carbonOf(low) - 1 : 0;
  return more < 0.01 ? `Carbon hardly depends on the policy: all${policies.some((policy) => policy.oracle) ? " but the oracle" : ""} lie within ${percent(more)}.` : `${low.name} emits least and ${high.name} most, ${percent(more)} more. Whether a difference is more than chance is in the policy table if carbon is one of its metrics.`;
}

/* --- how this was made --- */

const madeSection = {
  id: "made", title: "How this was made", show: () => true,
  body: () => [madeFacts(), auditTable(), assumedTable(), scenarioText(), notesList(), runsTable(), glossary(), colophon()],
};

function madeFacts() {
  const seeds = list(made.seeds).length ? list(made.seeds) : unique(policies.flatMap(seedsOf));
  const speed = (path) => get(made, `host.${path}`) ?? mean(runs.map((run) => get(run.summary, `speed.${path}`)));
  const facts = [
    ["Program", data.generated_by || (made.version ? `orrery ${made.version}` : null)], ["Scenario file", made.scenario_file ? h("code", null, made.scenario_file) : null],
    ["Scenario hash", made.scenario_hash ? h("code", null, made.scenario_hash) : null], ["Seeds", seeds.length ? seeds.join(", ") : null],
    ["Policies", policies.length ? policies.map((policy) => policy.name).join(", ") : null],
    ["Audit", auditFailures() > 0 ? h("strong", { class: "poor" }, `failed: ${plural(auditFailures(), "check")} out of balance`) : finite(auditChecks()) ? `passed, ${plural(auditChecks(), "check")}` : "not recorded"],
    ["Computing time", finite(speed("wall_s")) ? `${duration(speed("wall_s"))} a run${finite(speed("requests_per_s")) ? `, ${count(speed("requests_per_s"))} simulated requests per second` : ""}` : null],
  ].filter(([, value]) => value);
  return [h("p", { class: "lead" }, "The same scenario, seeds and version give the same numbers, to the last digit."), h("dl", { class: "pairs" }, facts.flatMap(([name, value]) => [h("dt", null, name), h("dd", null, value)]))];
}

function auditTable() {
  const rows = list(get(made, "audit.rows"));
  if (!rows.length) return null;
  const balanced = (row) => /^[-+\u2212]?0*(\.0*)?$/.test(String(row.difference ?? "").trim());
  return [h("h3", null, "Audit: everything is conserved"), h("p", { class: "note" }, "Each check compares two counts that were made independently, for example requests offered with the sum of their fates. The difference must be exactly zero."),
    table({ rows, tall: rows.length > 16, rowClass: (row) => (balanced(row) ? null : "failed"), columns: [
      { title: "Check", sort: (row) => String(row.name), cell: (row) => spoken(row.name ?? "") }, { title: "One side", class: "break", cell: (row) => groupDigits(row.left) }, { title: "Other side", class: "break", cell: (row) => groupDigits(row.right) },
      { title: "Difference", class: "break", cell: (row) => groupDigits(row.difference) }, { title: "Result", text: true, sort: (row) => (balanced(row) ? 1 : 0), cell: (row) => (balanced(row) ? "balanced" : h("strong", { class: "poor" }, "✗ does not balance")) },
    ] })];
}

/* Sides of an audit are exact integers beyond 2^53 and come as text: group the digits as text. */
const groupDigits = (value) => (value === null || value === undefined ? NONE : String(value).replace(/^-/, MINUS).replace(/^(\u2212?)(\d+)/, (_, sign, digits) => sign + digits.replace(/\B(?=(\d{3})+$)/g, ",")));

function assumedTable() {
  const heading = h("h3", { id: "assumed" }, "Assumed parameters used");
  if (!assumed.length) return made.assumed ? [heading, h("p", { class: "note" }, "None: every catalogue value used was published, measured or derived from such.")] : null;
  const holder = h("div"), found = h("span", { class: "note" });
  const search = h("input", { type: "search", placeholder: "catalogue, row, source…", "aria-label": "Search the assumed parameters", "data-search": "assumed" });
  const show = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const rows = assumed.filter((row) => { const text = Object.values(row).join(" ").toLowerCase(); return words.every((word) => text.includes(word)); });
    found.textContent = words.length ? `${count(rows.length)} of ${count(assumed.length)} rows` : plural(assumed.length, "row");
    const column = (title, key) => ({ title, text: true, class: "break", sort: (row) => String(row[key] ?? ""), cell: (row) => row[key] ?? NONE });
    put(holder, table({ rows, pinned: false, tall: assumed.length > 12, columns: [column("Catalogue", "catalogue"), column("Row", "row"), column("Assumed range", "range"), column("Why, and from where", "source")] }));
  };
  search.addEventListener("input", show);
  show();
  return [heading, h("p", { class: "note" }, "Nobody has published or measured these. Each is a judgement with a range; if a decision hangs on one, vary it with a sweep before deciding."),
    h("div", { class: "controls" }, h("label", { class: "control" }, "Search", search), found), holder];
}

function scenarioText() {
  if (!made.scenario_text) return null;
  const text = String(made.scenario_text), lines = text.split("\n").length;
  const copy = h("button", { type: "button" }, "Copy");
  const pre = h("pre", { class: "scenario", tabindex: "0" }, text);
  copy.addEventListener("click", () => {
    const done = () => { copy.textContent = "Copied"; setTimeout(() => { copy.textContent = "Copy"; }, 1500); };
    const select = () => { const range = document.createRange(); range.selectNodeContents(pre); getSelection().removeAllRanges(); getSelection().addRange(range); copy.textContent = "Selected"; };
    if (navigator.clipboard) navigator.clipboard.writeText(text).then(done, select); else select();
  });
  return [h("h3", null, "Scenario"), fold("The resolved scenario, with every default filled in", `${plural(lines, "line")} of YAML`, false, h("div", { class: "controls" }, copy), pre)];
}

function notesList() {
  const notes = list(made.decision_notes);
  return notes.length ? [h("h3", null, "Notes on decisions"), h("ul", null, notes.map((note) => h("li", null, note)))] : null;
}

function runsTable() {
  if (!runs.length) return null;
  const at = (path) => (run) => get(run.summary, path), cell = (path, show) => (run) => { const value = get(run.summary, path); return finite(value) ? show(value) : NONE; };
  const columns = [
    { title: "File", sort: (run) => run.file || "", class: "break", cell: (run) => h("code", null, run.file || NONE) }, { title: "Policy", text: true, sort: (run) => run.policy || "", cell: (run) => run.policy || NONE },
    { title: "Seed", sort: (run) => run.seed, cell: (run) => (finite(run.seed) ? String(run.seed) : run.seed ?? NONE) }, { title: "Status", text: true, sort: (run) => run.status || "", cell: (run) => run.status || NONE },
    { title: "Requests", sort: at("requests.offered"), cell: cell("requests.offered", count) }, { title: "Wall time", sort: at("speed.wall_s"), cell: cell("speed.wall_s", duration) },
    { title: "Speed", unit: "requests/s", sort: at("speed.requests_per_s"), cell: cell("speed.requests_per_s", count) }, { title: "Memory, peak", sort: at("speed.peak_rss_bytes"), cell: cell("speed.peak_rss_bytes", (v) => quantity(v, "bytes")) },
  ];
  return [h("h3", null, "Runs"), fold(`All ${plural(runs.length, "run")} behind this page`, "files, seeds, speed", runs.length <= 6, table({ rows: runs, columns, pinned: false, tall: runs.length > 14, rowClass: (run) => (run.status && run.status !== "complete" ? "failed" : null) }))];
}

const GLOSSARY = [
  ["accelerator", "a chip made for neural networks, such as a GPU or an NPU"], ["audit", "the checks that nothing was lost or counted twice: requests, tokens, money, energy, bytes"],
  ["batch", "the number of requests a server decodes together; larger is cheaper and slower for each"], ["class", "a kind of client: its devices, its habits and what it expects"],
  ["confidence interval", "a range that would cover the true value in the stated share of repetitions of the whole experiment"], ["goodput", "requests per second that met their objective"],
  ["objective, SLO", "the latency that a class of clients was promised"], ["oracle", "a policy that is shown the true state; a bound, not a candidate"],
  ["paired difference", "two policies on the same seed meet the same demand and failures, so their difference is free of that noise"], ["percentile", "the 99th percentile is the wait that 99 in 100 requests do not exceed"],
  ["policy", "the rule that chooses where a request is served"], ["seed", "a number that fixes all chance in a run; another seed is another day of the same kind"],
  ["token", "the piece of text that models read and write, about three quarters of an English word"], ["TTFT, TPOT, E2E", "time to the first token, time per further token, time to the whole answer, as seen by the client"], ["utilisation", "the share of places (requests that a replica may serve at a time) that are taken, on average over time"],
];

const glossary = () => [h("h3", null, "Words"), printed(fold("What the words in this report mean", "", false, h("dl", { class: "pairs" }, GLOSSARY.flatMap(([word, meaning]) => [h("dt", null, word), h("dd", null, meaning)]))))];

function colophon() {
  const save = h("button", { type: "button", class: "screen-only" }, "Save the data of this page (JSON)");
  save.addEventListener("click", () => {
    const link = h("a", { href: URL.createObjectURL(new Blob([JSON.stringify(data)], { type: "application/json" })), download: "orrery-report.json" });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
  return [h("p", null, save), h("p", { class: "note" }, "This page is one file and loads nothing. Charts: Apache ECharts (Apache License 2.0). Coast lines: Natural Earth through world-atlas (public domain, ISC); no borders are drawn. Colours: Okabe and Ito.")];
}

/* === 8. The page ============================================================================================ */

const SECTIONS = [figuresSection, policySection, agesSection, latencySection, flowSection, heatSection, mapSection, costSection, refusalSection, energySection, madeSection];

/** A section that cannot be drawn says so in its place and leaves the others alone. */
function renderSection(section, number) {
  const holder = h("section", { id: section.id }, h("h2", null, section.title));
  try { holder.append(...[section.body()].flat(Infinity).filter(Boolean)); } catch (problem) {
    console.error(`section ${section.id}: ${problem.stack || problem}`);
    holder.append(h("p", { class: "banner bad" }, `This part could not be drawn: ${problem.message}`));
  }
  return holder;
}

function buildContents(shown) {
  const links = () => h("ol", null, h("li", null, h("a", { href: "#verdict" }, "Verdict")), shown.map((section) => h("li", null, h("a", { href: `#${section.id}` }, section.title))));
  const details = h("details", null, h("summary", null, "Contents"), links());
  const wide = matchMedia("(min-width: 1100px)");
  const follow = () => { details.open = wide.matches; };
  wide.addEventListener("change", follow);
  follow();
  details.addEventListener("click", (event) => { if (event.target.closest("a") && !wide.matches) details.open = false; });
  document.getElementById("contents").append(details);
  document.querySelector(".print-contents").append(links());
  markCurrent(details);
}

/** Marks the section being read in the contents. */
function markCurrent(details) {
  const targets = [...document.querySelectorAll("header.masthead, main section")];
  const anchors = new Map([...details.querySelectorAll("a")].map((anchor) => [anchor.getAttribute("href").slice(1), anchor]));
  const update = () => {
    const current = targets.filter((target) => target.getBoundingClientRect().top < 140).pop() || targets[0];
    anchors.forEach((anchor, id) => (current && id === current.id ? anchor.setAttribute("aria-current", "true") : anchor.removeAttribute("aria-current")));
  };
  new IntersectionObserver(update, { rootMargin: "-130px 0px 0px 0px", threshold: [0, 0.02, 0.1, 0.25, 0.5, 1] }).observe(targets[0]);
  addEventListener("scroll", () => requestAnimationFrame(update), { passive: true });
  update();
}

const drawAll = () => charts.forEach((chart) => guarded(chart.draw, chart));
function guarded(action, chart) {
  try { action(); } catch (problem) {
    console.error(`chart ${chart.spec.id}: ${problem.stack || problem}`);
    chart.box.append(h("p", { class: "banner bad" }, `This chart could not be drawn: ${problem.message}`));
  }
}

function watchPage() {
  let pending = 0;
  const later = () => { cancelAnimationFrame(pending); pending = requestAnimationFrame(() => charts.filter((chart) => chart.box.clientWidth && chart.box.clientWidth !== chart.width).forEach((chart) => guarded(chart.draw, chart))); };
  new ResizeObserver(later).observe(document.getElementById("report"));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  const preparePaper = () => charts.forEach((chart) => guarded(() => { chart.describe(); chart.print(); }, chart));
  const unfold = (open) => document.querySelectorAll("details[data-print]").forEach((details) => { details.open = open; });
  addEventListener("beforeprint", () => { preparePaper(); unfold(true); });
  addEventListener("afterprint", () => unfold(false));
  matchMedia("print").addEventListener("change", (event) => { if (event.matches) preparePaper(); });
}

function start() {
  const main = document.getElementById("report");
  paperProbe = h("div", { class: "ink-on-paper", "aria-hidden": "true" });
  document.body.append(paperProbe);
  const shown = SECTIONS.filter((section) => { try { return section.show(); } catch (problem) { console.error(`section ${section.id}: ${problem.stack || problem}`); return false; } });
  try { main.append(masthead()); } catch (problem) {
    console.error(`verdict: ${problem.stack || problem}`);
    main.append(h("header", { class: "masthead", id: "verdict" }, h("h1", null, data.title || "Report"), h("p", { class: "banner bad" }, `The verdict could not be written: ${problem.message}`), h("nav", { class: "print-contents" })));
  }
  main.append(...shown.map(renderSection));
  buildContents(shown);
  drawAll();
  watchPage();
  requestAnimationFrame(() => requestAnimationFrame(() => { document.documentElement.dataset.ready = "true"; }));
}

start();
})();

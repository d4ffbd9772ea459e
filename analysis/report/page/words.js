/* Numbers, units and times in words: the same figure is written the same way everywhere, with its unit, and never
   with more digits than it supports. */

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
  const most = finite(size) ? Math.abs(size) : 0; /* a metric that no run has */
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

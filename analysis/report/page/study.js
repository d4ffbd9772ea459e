/* The study behind the page, if there is one: its axes, policies, metrics and cells, and what may be said of a cell.

   A cell is one point of the axes under one policy, estimated over its seeds. A cell with growing queues has no mean: it
   is called unstable wherever it is shown, and counts as worse than any stable one. Differences to the baseline are
   paired by seed and tested by the program, and so are those to the oracle, to random and to nearest if the study has them; between two other policies only the
   means are compared, and the words say so. */

const study = data.study && list(data.study.policies).length && list(data.study.cells).length ? data.study : null;
const studyMetrics = study ? list(study.metrics) : [];
/** Times of one day by the clock, of several by day and clock: what they share says nothing. */
function shortTimes(values) {
  const parts = values.map((value) => /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(?::00)?([+-]\d\d:\d\d|Z)?$/.exec(value));
  if (!parts.every(Boolean) || unique(parts.map((part) => part[3])).length > 1) return values;
  return parts.map((part) => (unique(parts.map((one) => one[1])).length > 1 ? `${part[1]} ${part[2]}` : part[2]));
}

const axes = study ? list(study.axes).map((axis, index) => ({ ...axis, index, values: shortTimes(list(axis.values).map(String)) })) : [];
const swept = axes.filter((axis) => axis.values.length > 1);
const studyBaseline = study ? Math.max(0, study.policies.indexOf(study.baseline)) : 0;
const focus = study ? axes.map((axis) => (Array.isArray(study.focus) && finite(study.focus[axis.index]) ? study.focus[axis.index] : 0)) : [];
const cellKey = (at, policy) => `${at.join()}/${policy}`;
const cells = new Map(study ? list(study.cells).map((cell) => [cellKey(list(cell.at), cell.policy), cell]) : []);
const cellAt = (at, policy) => cells.get(cellKey(at, policy)) || null;
const placedAt = (at, axis, index) => at.map((value, i) => (i === axis.index ? index : value));

const studyLevel = () => (study && finite(study.level) ? study.level : 0.95);
const studyLevelText = () => `${number(100 * studyLevel())}${NBSP}%`;
/* An axis is called by its short name in sentences; its title, which may be a sentence of the scenario, stands along the chart. */
const axisTitle = (axis) => capital(spoken(axis.name || axis.key));
const axisHeadline = (axis) => (axis.title && axis.title.toLowerCase() !== axisTitle(axis).toLowerCase() ? `${axisTitle(axis)}: ${axis.title}` : axisTitle(axis));
const axisPlace = (axis, index) => `${inSentence(axisTitle(axis))} ${axis.values[index]}`;
/** A point of the axes in words, those left out that a chart shows anyway. */
const placeText = (at, without = []) => sentenceList(swept.filter((axis) => !without.includes(axis)).map((axis) => axisPlace(axis, at[axis.index])));
const unstable = (cell) => Boolean(cell && cell.unstable > 0);
const unjudged = (cell) => Boolean(cell && !(cell.unstable > 0) && cell.unjudged > 0);
const unsettled = (cell) => Boolean(cell && cell.settled === false);
const metricTitle = (metric) => metric.title || metric.key;
const sense = (metric) => (metric.better === "higher" ? -1 : 1);
const worseWord = (metric) => (metric.better ? "worse" : "higher"), betterWord = (metric) => (metric.better ? "better" : "lower");

/** Mean and interval of a metric in a cell; null where there is none, or where it would not mean anything. */
function estimateOf(cell, metric) {
  const values = cell && !unstable(cell) && cell.metrics ? cell.metrics[metric.key] : null;
  return Array.isArray(values) && finite(values[0]) ? { mean: values[0], low: values[1], high: values[2] } : null;
}

/** The paired difference of a cell to a reference in the same place, in the shape that judge() takes. The program has tested those to the baseline and to the policies in `study.references`. */
function pairedOf(cell, metric, reference = studyBaseline) {
  const tested = cell && (reference === studyBaseline ? cell.differences : cell.against && cell.against[study.policies[reference]]);
  const values = tested ? tested[metric.key] : null;
  if (!Array.isArray(values) || !finite(values[0]) || unstable(cell) || unstable(cellAt(cell.at, reference))) return null;
  const [difference, difference_low, difference_high, pairs, p, significant, correlation] = values;
  return { difference, difference_low, difference_high, pairs, p, significant: Boolean(significant), correlation };
}

/** Policy against reference in one place: sign > 0 is worse. Null where nothing can be said. */
function standing(at, policy, reference, metric) {
  const own = cellAt(at, policy), other = cellAt(at, reference);
  if (policy === reference || !own || !other) return null;
  if (unstable(own) || unstable(other)) return unstable(own) && unstable(other) ? null : { sign: unstable(own) ? 1 : -1, unstable: true, tested: false };
  const a = estimateOf(own, metric), b = estimateOf(other, metric);
  if (!a || !b) return null;
  const paired = pairedOf(own, metric, reference);
  const difference = paired ? paired.difference : a.mean - b.mean;
  return { sign: Math.sign(sense(metric) * difference), difference, ratio: b.mean > 0 && a.mean > 0 ? a.mean / b.mean : null, paired, tested: Boolean(paired && finite(paired.difference_low)), significant: Boolean(paired && paired.significant) };
}

/** One unit for all cells of a metric. */
const studyScale = (metric, values) => unitScale(metric.unit, metric.key, largest((values || [...cells.values()].map((cell) => estimateOf(cell, metric)).filter(Boolean).map((estimate) => estimate.mean)).map(Math.abs)));
const inUnit = (scale, value, step) => `${number(value * scale.factor, step > 0 ? decimalsFor(step * scale.factor) : undefined)}${scale.label ? NBSP + scale.label : ""}`;
const estimateText = (scale, estimate) => (finite(estimate.low) && finite(estimate.high)
  ? `${inUnit(scale, estimate.mean, (estimate.high - estimate.low) / 2)} (${studyLevelText()} interval ${number(estimate.low * scale.factor, decimalsFor((estimate.high - estimate.low) / 2 * scale.factor))} to ${number(estimate.high * scale.factor, decimalsFor((estimate.high - estimate.low) / 2 * scale.factor))})`
  : inUnit(scale, estimate.mean));

/** Where along an axis a policy stops being better than the reference, or begins to be. The place is read off the
 *  straight line between two neighbouring points of the sweep; it is null when one of them is unstable or the axis has no numbers. */
function crossings(axis, at, policy, reference, metric) {
  const found = [], position = axisPosition(axis);
  let before = null;
  for (let i = 0; i < axis.values.length; i++) {
    const here = standing(placedAt(at, axis, i), policy, reference, metric);
    if (!here || here.sign === 0) continue;
    if (before && before.here.sign !== here.sign) {
      const known = finite(before.here.difference) && finite(here.difference);
      const part = known ? before.here.difference / (before.here.difference - here.difference) : 0.5;
      found.push({ policy, from: before.i, to: i, worse: here.sign > 0, exact: known && axis.numbers, at: position(before.i) + part * (position(i) - position(before.i)),
        sure: [before.here, here].every((side) => side.unstable || side.significant), tested: [before.here, here].every((side) => side.tested || side.unstable) });
    }
    before = { i, here };
  }
  return found;
}

/** The place of a value on the chart's axis: logarithmic if the study says so, by number, else one step per value. */
function axisPosition(axis) {
  const numbers = Array.isArray(axis.numbers) && axis.numbers.length === axis.values.length && axis.numbers.every(finite) ? axis.numbers : null;
  if (!numbers) return (i) => i;
  const sorted = numbers.every((value, i) => i === 0 || value > numbers[i - 1]);
  const spread = numbers[0] > 0 ? numbers[numbers.length - 1] / numbers[0] : 0;
  if (!sorted) return (i) => i;
  return axis.law === "log" || (numbers[0] > 0 && numbers.length > 2 && spread >= 30) ? (i) => Math.log10(numbers[i]) : (i) => numbers[i];
}

/** The value at a position, in the words of the axis' own unit. */
function positionText(axis, position) {
  const of = axisPosition(axis), logarithmic = Math.abs(of(0) - Math.log10(axis.numbers[0])) < 1e-12 && of(0) !== axis.numbers[0];
  return quantity(Number((logarithmic ? 10 ** position : position).toPrecision(2)), axis.unit, axis.key);
}

function crossingText(axis, crossing, reference, metric) {
  const where = crossing.exact ? `at a ${inSentence(axisTitle(axis))} of about ${positionText(axis, crossing.at)}` : `between ${inSentence(axisTitle(axis))} ${axis.values[crossing.from]} and ${axis.values[crossing.to]}`;
  const sure = crossing.sure ? "" : crossing.tested ? " (not significant on both sides of it)" : " (by the means)";
  return `${study.policies[crossing.policy]} becomes ${crossing.worse ? worseWord(metric) : betterWord(metric)} than ${study.policies[reference]} ${where}${sure}`;
}

/* --- choosers that the study's charts share --- */

const studyMetricChooser = (redraw, label = "Metric", initial) => chooser(label, studyMetrics.map((metric) => ({ value: metric.key, text: metricTitle(metric) })), redraw, initial);
const studyMetricNamed = (key) => studyMetrics.find((metric) => metric.key === key);
const studyPolicyOptions = () => study.policies.map((name, index) => ({ value: String(index), text: name + (index === studyBaseline ? " (baseline)" : "") }));

/** A chooser per swept axis; `use(axes)` hides those that the chart spans, `at()` is the chosen place. */
function placeChoosers(redraw) {
  const controls = swept.map((axis) => chooser(capital(axisTitle(axis)), axis.values.map((text, i) => ({ value: String(i), text: String(text) })), redraw, String(focus[axis.index])));
  return {
    controls,
    at: () => axes.map((axis) => { const i = swept.indexOf(axis); return i >= 0 ? +controls[i].value : 0; }),
    use: (spanned) => controls.forEach((control, i) => { control.element.hidden = spanned.includes(swept[i]); }),
  };
}

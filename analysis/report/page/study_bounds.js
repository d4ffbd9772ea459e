/* What knowledge is worth: every policy against the one that sees the truth (its regret), and against random and nearest, in one place of the study. */

const boundReferences = () => [...new Set([study.oracle, ...list(study.references), study.baseline].filter(Boolean))].map((name) => study.policies.indexOf(name)).filter((index) => index >= 0);

/** A paired difference with its interval; "=" before one that is not significant. */
function boundCell(at, policy, reference, metric, scale) {
  const own = cellAt(at, policy), paired = policy === reference ? null : pairedOf(own, metric, reference);
  if (policy !== reference && (unstable(own) || unstable(cellAt(at, reference)))) return "unstable";
  if (!paired) return NONE;
  const half = finite(paired.difference_high) ? (paired.difference_high - paired.difference_low) / 2 : 0, decimals = decimalsFor((half || Math.abs(paired.difference) / 100) * scale.factor);
  return [`${paired.significant ? "" : `=${NBSP}`}${signed(paired.difference * scale.factor, decimals)}`,
    h("small", null, finite(paired.difference_low) ? `${signed(paired.difference_low * scale.factor, decimals)} to ${signed(paired.difference_high * scale.factor, decimals)}` : "one pair")];
}

function boundsTable() {
  const holder = h("div"), metricControl = studyMetricChooser(() => redraw()), places = placeChoosers(() => redraw());
  const redraw = () => {
    const metric = studyMetricNamed(metricControl.value), at = places.at(), scale = studyScale(metric);
    put(holder, table({
      rows: study.policies.map((name, index) => index),
      caption: `${metricTitle(metric)}${scale.label ? `, ${scale.label}` : ""}${metric.better ? ` (${metric.better} is better)` : ""}${swept.length ? `, at ${placeText(at)}` : ""}`,
      columns: [{ title: "Policy", cell: (index) => policyCell(study.policies[index]) }, ...boundReferences().map((reference) => ({
        title: study.policies[reference] === study.oracle ? `Regret (against ${study.policies[reference]})` : `Against ${study.policies[reference]}`, cell: (index) => boundCell(at, index, reference, metric, scale) }))],
    }));
  };
  redraw();
  return [h("div", { class: "controls" }, [metricControl, ...places.controls].map((control) => control.element).filter(Boolean)), holder,
    h("p", { class: "note" }, `Differences seed by seed with ${studyLevelText()} intervals; \u201c=\u201d stands before those that are not significant among all comparisons of the study.${study.oracle ? " The oracle sees the true load of every pool at every instant, which no real scheduler can: its distance is what old and partial knowledge costs." : ""}`)];
}

const boundsSection = {
  id: "bounds", title: "What knowledge is worth", show: () => Boolean(study && list(study.references).length),
  body: () => boundsTable(),
};

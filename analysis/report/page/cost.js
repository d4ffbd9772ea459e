/* Bars by policy: what a million tokens cost, and why requests were turned away. */

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

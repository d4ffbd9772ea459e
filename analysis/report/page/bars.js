/* Horizontal bars: a group per category with a bar per policy, or a bar per row divided into parts. */

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

/** One bar per row, divided into parts that add up; `mark` sets a diamond beside them.
 *  rows() -> [{ text, values: { part: number } , mark }], parts: [{ key, text, colour }]. Parts of which nothing is known are left out. */
function stackFigure({ id, title, note, controls, rows, parts, axis, show, words, most, markText, rowTip }) {
  const known = () => parts.filter((part) => rows().some((row) => finite(row.values[part.key]) && row.values[part.key] > 0));
  return figure({
    id, title, note, controls, words,
    legend: () => h("ul", { class: "legend" }, [...known().map((part) => h("span", { class: "item" }, boxSwatch(`var(--series-${part.colour + 1})`), part.text)),
      markText && rows().some((row) => finite(row.mark)) ? h("span", { class: "item" }, s("svg", { class: "swatch", width: 13, height: 13, "aria-hidden": "true" }, s("path", { d: "M6.5 0.5 L12.5 6.5 L6.5 12.5 L0.5 6.5 Z", style: "fill: var(--ink)" })), markText) : null].filter(Boolean).map((item) => h("li", null, item))),
    height: () => rows().length * 34 + 66,
    build(theme, width) {
      const all = rows(), labels = all.map((row) => row.text), room = labelRoom(labels, 12, width), total = (row) => sum(parts.map((part) => row.values[part.key]));
      const top = most || largest(all.flatMap((row) => [total(row), row.mark])) * 1.04 || 1;
      return {
        grid: { left: room, right: most ? 24 : 64, top: 6, bottom: 52 },
        xAxis: merge(axisLook(theme), { type: "value", min: 0, max: top, splitNumber: narrow(width) ? 3 : 5, axisLabel: { formatter: most ? (value) => `${number(100 * value)}${NBSP}%` : axisCount, hideOverlap: true, showMaxLabel: Boolean(most) }, ...bottomName(axis) }),
        yAxis: merge(axisLook(theme), { type: "category", inverse: true, data: labels, splitLine: { show: false }, axisTick: { show: false }, axisLabel: { color: theme.ink, width: room - 12, lineHeight: 14, overflow: "break", interval: 0 } }),
        series: [
          ...known().map((part, i, shown) => ({ name: part.text, type: "bar", stack: "all", barWidth: 20, itemStyle: { color: theme.of(part.colour), borderColor: theme.panel, borderWidth: 1 }, data: all.map((row) => row.values[part.key] ?? 0),
            label: !most && i === shown.length - 1 ? { show: true, position: "right", fontSize: 11, color: theme.soft, formatter: (item) => show(total(all[item.dataIndex])) } : { show: false } })),
          { name: markText, type: "scatter", z: 6, symbol: "diamond", symbolSize: 13, itemStyle: { color: theme.ink, borderColor: theme.panel, borderWidth: 1.5 }, data: all.map((row, i) => [finite(row.mark) ? row.mark : null, i]) },
        ],
        tooltip: { ...commonOption(theme).tooltip, formatter: (item) => { const row = all[item.dataIndex]; return tip(row.text, [...known().map((part) => tipRow("", part.text, show(row.values[part.key]))), finite(row.mark) ? tipRow("", markText, show(row.mark)) : "", ...(rowTip ? rowTip(row) : [])].filter(Boolean)); } },
      };
    },
  });
}

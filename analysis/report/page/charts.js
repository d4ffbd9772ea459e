/* Figures: a chart with its title, controls, legend, sentence, and the vector image that paper gets. */

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
    const choices = [...controls.filter((control) => control.element && !control.element.hidden).map((control) => `${control.label.toLowerCase()}: ${control.text()}`), ...(spec.state ? spec.state() : [])];
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

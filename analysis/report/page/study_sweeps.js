/* The sweep drawn two ways: every place at once as a heat map, and one axis as lines with confidence bands. In both the
   crossover is marked: the line on whose one side a policy is better than the reference and on whose other it is worse. */

/** Text that can be read on a colour. */
function inkOn(rgb, theme) {
  const [r, g, b] = rgb.match(/\d+/g).map(Number), dark = 0.299 * r + 0.587 * g + 0.114 * b < 140;
  return dark ? "#ffffff" : theme.ink === "#000" || parseInt(theme.ink.slice(1, 3), 16) < 128 ? theme.ink : "#14181b";
}

/** The name of an axis, shortened to its first part where there is no room. */
const fitted = (name, room) => (measure(name, 12) <= room ? name : name.split(":")[0]);

/* --- heat map --- */

/** What may lie across each other: policies and an axis, or two axes under one policy. */
function heatLayouts() {
  const layouts = swept.map((axis) => ({ value: `p/${axis.index}`, text: `policies × ${inSentence(axisTitle(axis))}`, rows: null, column: axis }));
  swept.forEach((row) => swept.forEach((column) => { if (row.index > column.index) layouts.push({ value: `${row.index}/${column.index}`, text: `${inSentence(axisTitle(row))} × ${inSentence(axisTitle(column))}`, rows: row, column }); }));
  return layouts;
}

function heatSweep() {
  const layouts = heatLayouts(), redraw = () => { follow(); element.redraw(); };
  const metric = studyMetricChooser(redraw), layout = chooser("Rows and columns", layouts.map(({ value, text }) => ({ value, text })), redraw);
  const what = chooser("Colour shows", [{ value: "difference", text: "better or worse than the reference" }, { value: "value", text: "the metric itself" }], redraw);
  const policy = chooser("Policy", studyPolicyOptions(), redraw, String(study.policies.findIndex((_, i) => i !== studyBaseline)));
  const reference = chooser("Reference", studyPolicyOptions(), redraw, String(studyBaseline));
  const places = placeChoosers(redraw), shape = () => layouts.find((item) => item.value === layout.value);
  const follow = () => { places.use([shape().rows, shape().column]); if (policy.element) policy.element.hidden = !shape().rows; };
  follow();
  const grid = () => heatGrid(shape(), studyMetricNamed(metric.value), +policy.value, +reference.value, places.at());
  const element = figure({
    id: "chart-sweep", title: "Where which policy is better", controls: [metric, layout, what, policy, reference, ...places.controls],
    note: "One box per cell of the study. The heavy line is the crossover: on its one side a policy is better than the reference, on its other side worse. “≈” marks a difference that is not significant.",
    legend: () => heatSweepLegend(grid(), what.value),
    height: (width) => grid().rowNames.length * (narrow(width) ? 40 : 44) + 84,
    build: (theme, width) => heatSweepOption(theme, width, grid(), what.value), words: () => heatSweepWords(grid(), shape(), places.at()),
  });
  return element;
}

/** All that the picture shows, with the colours' ends. */
function heatGrid({ rows, column }, metric, policy, reference, at) {
  const rowNames = rows ? rows.values.map(String) : study.policies, boxes = [];
  rowNames.forEach((_, r) => column.values.forEach((_, c) => {
    const place = placedAt(rows ? placedAt(at, rows, r) : at, column, c), who = rows ? policy : r, cell = cellAt(place, who);
    if (cell) boxes.push({ r, c, who, cell, estimate: estimateOf(cell, metric), standing: standing(place, who, reference, metric) });
  }));
  const values = boxes.map((box) => get(box.estimate, "mean")).filter(finite), ratios = boxes.map((box) => get(box.standing, "ratio")).filter(finite).map((ratio) => Math.abs(Math.log(ratio)));
  const gaps = boxes.map((box) => get(box.standing, "difference")).filter(finite).map(Math.abs), scale = studyScale(metric, values.length ? values : [0]);
  const relative = scale.label !== "%" && ratios.length > 0; /* shares are compared in percentage points, all else as a ratio */
  const low = smallest(values), high = largest(values);
  return { rowNames, rows, column, metric, policy, reference, boxes, scale, relative, low, high, logarithmic: low > 0 && high / low > 30, reach: Math.max(relative ? Math.min(Math.log(4), largest([...ratios, 0])) : largest([...gaps, 0]), 1e-9) };
}

const towards = (grid, box) => { const s = box.standing; return s.unstable ? s.sign : Math.max(-1, Math.min(1, sense(grid.metric) * (grid.relative ? Math.log(s.ratio || 1) : s.difference) / grid.reach)); };

function boxColour(theme, grid, box, what) {
  if (unstable(box.cell)) return theme.wash;
  if (what === "value") {
    if (!box.estimate) return theme.panel;
    const by = grid.logarithmic ? Math.log : (v) => v, span = by(grid.high) - by(grid.low);
    return scaleColour(theme.scale, span > 0 ? (by(box.estimate.mean) - by(grid.low)) / span : 0.5);
  }
  return box.standing ? scaleColour([theme.series[0], theme.wash, theme.series[1]], 0.5 + 0.5 * towards(grid, box)) : theme.panel;
}

/** The difference as a reader would say it: −12 %, or 3.1 times. */
function changeText(grid, standing) {
  if (!grid.relative) return `${signed(standing.difference * grid.scale.factor, decimalsFor(Math.abs(standing.difference * grid.scale.factor)))}${NBSP}pp`;
  if (!finite(standing.ratio)) return signed(standing.difference * grid.scale.factor);
  if (standing.ratio >= 2) return `×${NBSP}${number(Number(standing.ratio.toPrecision(2)))}`;
  const change = 100 * (standing.ratio - 1);
  return `${signed(change, Math.abs(change) < 9.95 ? 1 : 0)}${NBSP}%`;
}

function boxText(grid, box, what) {
  if (unstable(box.cell)) return "unstable";
  const value = box.estimate ? number(Number((box.estimate.mean * grid.scale.factor).toPrecision(3))) : "";
  if (what === "value") return value;
  if (!box.standing) return box.who === grid.reference ? "reference" : "";
  if (box.standing.unstable) return "stable";
  return `${box.standing.tested && !box.standing.significant ? "≈ " : ""}${changeText(grid, box.standing)}`;
}

function heatSweepOption(theme, width, grid, what) {
  const labels = grid.rowNames, room = labelRoom(labels, 12, width, 0.28), columns = grid.column.values.map(String), boxWidth = (width - room - 14) / columns.length;
  const rectangle = (_, api) => {
    const box = grid.boxes[api.value(2)], [x, y] = api.coord([api.value(0), api.value(1)]), [w, hgt] = api.size([1, 1]), fill = boxColour(theme, grid, box, what), text = boxText(grid, box, what);
    const hatched = unstable(box.cell);
    const size = boxWidth >= 76 ? 12 : 10.5, fits = measure(text, size) + 4 <= boxWidth, muted = what === "difference" && box.who === grid.reference, ink = /^rgb/.test(fill) ? inkOn(fill, theme) : theme.soft;
    return { type: "group", children: [
      { type: "rect", shape: { x: x - w / 2 + 1, y: y - hgt / 2 + 1, width: w - 2, height: hgt - 2 }, style: { fill, stroke: hatched ? theme.faint : muted ? theme.line : "none", lineDash: hatched ? [3, 3] : null, lineWidth: 1 }, emphasis: { style: { stroke: theme.ink, lineWidth: 2 } } },
      ...(fits ? [{ type: "text", silent: true, style: { text, x, y, fill: ink, align: "center", verticalAlign: "middle", font: `${size}px ${theme.font}` } }] : hatched ? [{ type: "text", silent: true, style: { text: "✗", x, y, fill: theme.bad, align: "center", verticalAlign: "middle", font: `13px ${theme.font}` } }] : []),
    ] };
  };
  const edges = crossoverEdges(grid);
  const edge = (_, api) => {
    const { r, c, across } = edges[api.value(2)], [x, y] = api.coord([c, r]), [w, hgt] = api.size([1, 1]);
    return { type: "line", silent: true, shape: across ? { x1: x - w / 2, x2: x + w / 2, y1: y + hgt / 2, y2: y + hgt / 2 } : { x1: x + w / 2, x2: x + w / 2, y1: y - hgt / 2, y2: y + hgt / 2 }, style: { stroke: theme.ink, lineWidth: 4, lineCap: "square" } };
  };
  return {
    grid: { left: room, right: 14, top: grid.rows ? 30 : 8, bottom: 54 },
    xAxis: merge(axisLook(theme), { type: "category", data: columns, splitLine: { show: false }, axisTick: { show: false }, axisLabel: { interval: 0, hideOverlap: true }, ...bottomName(fitted(axisHeadline(grid.column), width - room)) }),
    yAxis: merge(axisLook(theme), { type: "category", inverse: true, data: labels, splitLine: { show: false }, axisTick: { show: false }, axisLabel: { color: theme.ink, interval: 0, width: room - 12, overflow: "truncate" } },
      grid.rows ? { name: axisTitle(grid.rows), nameLocation: "start", nameGap: 14, nameTextStyle: { align: "left", padding: [0, 0, 0, 8 - room] } } : {}),
    series: [
      { type: "custom", renderItem: rectangle, encode: { x: 0, y: 1 }, data: grid.boxes.map((box, i) => [box.c, box.r, i]), tooltip: {} },
      { type: "custom", renderItem: edge, encode: { x: 0, y: 1 }, z: 5, silent: true, tooltip: { show: false }, data: edges.map((one, i) => [one.c, one.r, i]) },
    ],
    tooltip: { ...commonOption(theme).tooltip, formatter: (item) => heatSweepTip(grid, grid.boxes[item.value[2]]) },
  };
}

function heatSweepTip(grid, box) {
  const rows = [tipRow("", metricTitle(grid.metric), box.estimate ? inUnit(grid.scale, box.estimate.mean, (box.estimate.high - box.estimate.low) / 2) : unstable(box.cell) ? "unstable" : NONE)];
  if (box.estimate && finite(box.estimate.low)) rows.push(tipRow("", `${studyLevelText()} interval`, `${inUnit(grid.scale, box.estimate.low)} to ${inUnit(grid.scale, box.estimate.high)}`));
  if (box.standing && !box.standing.unstable) rows.push(tipRow("", `against ${study.policies[grid.reference]}`, changeText(grid, box.standing)), tipRow("", "in words", box.standing.paired ? judge(box.standing.paired, grid.metric).word : "means compared, not tested"));
  return tip(`${study.policies[box.who]}, ${placeText(box.cell.at)}`, rows);
}

/** Edges between neighbouring boxes of which one is better than the reference and the other worse. */
function crossoverEdges(grid) {
  const signs = new Map(grid.boxes.filter((box) => box.standing && box.standing.sign).map((box) => [`${box.r}/${box.c}`, box.standing.sign])), edges = [];
  for (const { r, c } of grid.boxes) {
    const own = signs.get(`${r}/${c}`), right = signs.get(`${r}/${c + 1}`), below = grid.rows ? signs.get(`${r + 1}/${c}`) : undefined;
    if (own && right && own !== right) edges.push({ r, c, across: false });
    if (own && below && own !== below) edges.push({ r, c, across: true });
  }
  return edges;
}

function heatSweepLegend(grid, what) {
  const items = [];
  if (what === "value") items.push(rampLegend(inUnit(grid.scale, grid.low), inUnit(grid.scale, grid.high), `${metricTitle(grid.metric)}${grid.logarithmic ? " (logarithmic)" : ""}`));
  else items.push(...[["var(--series-1)", `${betterWord(grid.metric)} than ${study.policies[grid.reference]}`], ["var(--series-2)", `${worseWord(grid.metric)} than ${study.policies[grid.reference]}`]].map(([colour, text]) => h("span", { class: "item" }, boxSwatch(colour), text)));
  items.push(h("span", { class: "item" }, s("svg", { width: 26, height: 12, "aria-hidden": "true" }, s("line", { x1: 13, x2: 13, y1: 0, y2: 12, stroke: "currentColor", "stroke-width": 4 })), "crossover"));
  if (grid.boxes.some((box) => unstable(box.cell))) items.push(h("span", { class: "item" }, s("svg", { class: "swatch", width: 15, height: 12, "aria-hidden": "true" }, s("rect", { x: 1, y: 1, width: 13, height: 10, fill: "none", stroke: "currentColor", "stroke-dasharray": "3 3" })), "unstable: queues grow"));
  return h("ul", { class: "legend" }, items.map((item) => h("li", null, item)));
}

function heatSweepWords(grid, { rows, column }, at) {
  const whom = rows ? [grid.policy] : study.policies.map((_, i) => i), reference = study.policies[grid.reference];
  if (rows) {
    const judged = grid.boxes.filter((box) => box.standing), worse = judged.filter((box) => box.standing.sign > 0).length;
    if (!judged.length) return "There is nothing to compare here: choose another policy or reference.";
    return `${study.policies[grid.policy]} is ${betterWord(grid.metric)} than ${reference} in ${count(judged.length - worse)} of ${plural(judged.length, "cell")} and ${worseWord(grid.metric)} in ${count(worse)}${judged.some((box) => box.standing.unstable) ? ", where unstable counts as worse" : ""}${worse && worse < judged.length ? "; the heavy line divides them" : ""}.`;
  }
  const found = whom.flatMap((policy) => crossings(column, at, policy, grid.reference, grid.metric));
  return found.length ? `${sentenceList(found.slice(0, 4).map((crossing) => crossingText(column, crossing, grid.reference, grid.metric)))}.` : `No policy crosses ${reference} along this axis.`;
}

/* --- lines with bands --- */

function lineSweep() {
  const hidden = new Set(), redraw = () => { places.use([axis()]); element.redraw(); };
  const metric = studyMetricChooser(redraw), along = chooser("Along", swept.map((item) => ({ value: String(item.index), text: inSentence(axisTitle(item)) })), redraw);
  const reference = chooser("Crossovers with", studyPolicyOptions(), redraw, String(studyBaseline));
  const scale = chooser("Vertical scale", [{ value: "auto", text: "chosen by the range" }, { value: "linear", text: "linear, from zero" }, { value: "log", text: "logarithmic" }], redraw);
  const places = placeChoosers(redraw), axis = () => axes[along.value === null ? swept[0].index : +along.value];
  places.use([axis()]);
  const shown = () => study.policies.map((_, i) => i).filter((policy) => !hidden.has(policy));
  const picture = () => linePicture(axis(), studyMetricNamed(metric.value), places.at(), shown(), +reference.value, scale.value);
  const element = figure({
    id: "chart-lines", title: "One axis closely", controls: [metric, along, reference, scale, ...places.controls],
    note: `Means over the seeds; the bands are ${studyLevelText()} intervals. A dotted upright line marks a crossover, “✗” a place where the policy is unstable, so that it has no mean.`,
    legend: () => lineLegend(study.policies.map((name, index) => ({ index, name })), hidden, redraw),
    height: (width) => (narrow(width) ? 330 : 400), build: (theme, width) => lineOption(theme, width, picture()), words: () => lineWords(picture()),
  });
  return element;
}

function linePicture(axis, metric, at, shown, reference, choice) {
  const position = axisPosition(axis);
  const lines = shown.map((policy) => ({ policy, points: axis.values.map((_, i) => { const cell = cellAt(placedAt(at, axis, i), policy); return { i, x: position(i), cell, estimate: estimateOf(cell, metric) }; }) }));
  const estimates = lines.flatMap((line) => line.points.map((point) => point.estimate)).filter(Boolean), means = estimates.map((estimate) => estimate.mean);
  const lows = estimates.map((estimate) => (finite(estimate.low) ? estimate.low : estimate.mean)), highs = estimates.map((estimate) => (finite(estimate.high) ? estimate.high : estimate.mean));
  const low = smallest(means), high = largest(means), logarithmic = low > 0 && (choice === "log" || (choice === "auto" && high / low > 20));
  return { axis, metric, at, lines, position, reference, logarithmic, choice, means, lowest: smallest(lows), highest: largest(highs), scale: studyScale(metric, means.length ? means : [0]),
    found: shown.flatMap((policy) => crossings(axis, at, policy, reference, metric)) };
}

function lineOption(theme, width, picture) {
  const { axis, lines, position, logarithmic, scale } = picture, positions = axis.values.map((_, i) => position(i));
  if (!picture.means.length) return { title: { text: "unstable everywhere: no means to draw", left: "center", top: "middle", textStyle: { color: theme.soft, fontSize: 14, fontWeight: 400 } } };
  const share = scale.label === "%" && picture.choice !== "linear", from = smallest(positions), to = largest(positions), pad = 0.03 * (to - from || 1);
  const up = logarithmic ? Math.log10 : (v) => v, floor = smallest(picture.means.filter((v) => v > 0)) / 3;
  const clip = (value) => (logarithmic ? Math.log10(Math.max(value, floor)) : value);
  const bottom = logarithmic ? clip(picture.lowest) - 0.05 : share ? Math.max(0, picture.lowest - 0.08 * (picture.highest - picture.lowest)) : Math.min(0, picture.lowest);
  const top = logarithmic ? up(picture.highest) + 0.08 : share ? Math.min(1.02, picture.highest + 0.08 * (picture.highest - picture.lowest || 0.05)) : picture.highest * 1.06 || 1;
  const show = (value) => number(Number((value * scale.factor).toPrecision(4)));
  const marked = picture.found.slice(0, 6).sort((a, b) => a.at - b.at), floors = Math.max(1, Math.min(narrow(width) ? 4 : 2, marked.length)); /* so that labels of near crossovers do not overlap */
  const named = (name) => merge(topName(name), { nameGap: 6 + 13 * floors });
  const band = (line) => ({ type: "custom", name: `band ${line.policy}`, silent: true, z: 1, clip: true, tooltip: { show: false }, data: [[from, bottom]], renderItem: (_, api) => {
    const pieces = [[]];
    for (const point of line.points) if (point.estimate && finite(point.estimate.low)) pieces[pieces.length - 1].push(point); else if (pieces[pieces.length - 1].length) pieces.push([]);
    return { type: "group", children: pieces.filter((piece) => piece.length > 1).map((piece) => ({ type: "polygon", style: { fill: theme.of(line.policy), opacity: 0.16 },
      shape: { points: [...piece.map((point) => api.coord([point.x, clip(point.estimate.low)])), ...piece.slice().reverse().map((point) => api.coord([point.x, clip(point.estimate.high)]))] } })) };
  } });
  const lost = lines.flatMap((line) => line.points.filter((point) => unstable(point.cell)).map((point) => ({ value: [point.x, top], policy: line.policy, symbolOffset: [(line.policy - (study.policies.length - 1) / 2) * 9, 9], label: { color: theme.of(line.policy) } })));
  return {
    grid: { left: 66, right: 22, top: 26 + 13 * floors, bottom: 54 },
    xAxis: placedAxis(theme, positions, (x) => String(axis.values[positions.reduce((best, p, i) => (Math.abs(p - x) < Math.abs(positions[best] - x) ? i : best), 0)]), { min: from - pad, max: to + pad, splitLine: { show: false }, ...bottomName(fitted(axisHeadline(axis), width - 90)) }),
    yAxis: logarithmic ? placedAxis(theme, logTicks(bottom, top, 7), (y) => show(10 ** y), { min: bottom, max: top, ...named(axisHeading(picture)) })
      : merge(axisLook(theme), { type: "value", min: bottom, max: top, axisLabel: { formatter: show, showMaxLabel: false, showMinLabel: bottom === 0 }, ...named(axisHeading(picture)) }),
    series: [
      ...lines.map(band),
      ...lines.map((line) => ({ type: "line", name: study.policies[line.policy], z: 3, symbol: "circle", symbolSize: 6, connectNulls: false, lineStyle: { width: 2.2, color: theme.of(line.policy), type: dashOf(line.policy).length ? dashOf(line.policy) : "solid" }, itemStyle: { color: theme.of(line.policy) },
        data: line.points.map((point) => [point.x, point.estimate ? clip(point.estimate.mean) : null, point.i]) })),
      { type: "scatter", name: "unstable", symbol: "circle", symbolSize: 1, itemStyle: { color: "transparent" }, silent: true, tooltip: { show: false }, z: 4, data: lost, label: { show: true, formatter: "✗", position: "inside", fontSize: 15, fontWeight: 700 } },
      { type: "line", data: [], silent: true, tooltip: { show: false }, markLine: { silent: true, symbol: "none", data: marked.map((crossing, i) => ({ xAxis: crossing.at,
        lineStyle: { color: theme.ink, type: "dotted", width: 1.6 }, label: { formatter: `${study.policies[crossing.policy]} ${crossing.worse ? "worse" : "better"} →`, color: theme.ink, fontSize: 11, position: "end", distance: 3 + 13 * (i % floors), align: crossing.at > from + 0.7 * (to - from) ? "right" : crossing.at < from + 0.3 * (to - from) ? "left" : "center" } })) } },
    ],
    tooltip: { ...commonOption(theme).tooltip, trigger: "axis", axisPointer: { lineStyle: { color: theme.faint } }, formatter: (params) => lineTip(picture, params) },
  };
}

const axisHeading = (picture) => `${metricTitle(picture.metric)}${picture.scale.label ? `, ${picture.scale.label}` : ""}${picture.logarithmic ? " (logarithmic)" : ""}`;

function lineTip(picture, params) {
  const shown = params.filter((item) => item.seriesType === "line" && item.value && finite(item.value[2]));
  if (!shown.length) return "";
  const i = shown[0].value[2];
  return tip(axisPlace(picture.axis, i), picture.lines.map((line) => { const point = line.points[i], marker = (shown.find((item) => item.seriesName === study.policies[line.policy]) || {}).marker;
    return tipRow(marker, study.policies[line.policy], point.estimate ? `${inUnit(picture.scale, point.estimate.mean)}${finite(point.estimate.low) ? ` (${number(point.estimate.low * picture.scale.factor)} to ${number(point.estimate.high * picture.scale.factor)})` : ""}` : unstable(point.cell) ? "unstable" : NONE); }));
}

function lineWords(picture) {
  const reference = study.policies[picture.reference], said = picture.found.slice(0, 4).map((crossing) => crossingText(picture.axis, crossing, picture.reference, picture.metric));
  const lost = picture.lines.filter((line) => line.points.some((point) => unstable(point.cell))).map((line) => study.policies[line.policy]);
  return `${said.length ? `${sentenceList(said)}.` : `No policy crosses ${reference} on this axis.`}${lost.length ? ` ${sentenceList(lost)} ${lost.length > 1 ? "are" : "is"} unstable where marked: no mean is shown there.` : ""}`;
}

const sweepSection = {
  id: "sweep", title: "Over the sweep", show: () => Boolean(study && swept.length && studyMetrics.length && study.policies.length > 1),
  body: () => [heatSweep(), lineSweep()],
};

/* Sites and links on the map, with a slider through the run. */

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
/** The load of the links in an interval of the page, or over the whole run; kept by coarser intervals than the sites'. */
function loadsAt(policy, by, bin) {
  const flow = policy ? policy.link_flow : null;
  if (bin === null || !flow || !Array.isArray(flow.load) || !(flow.group > 0)) return linkValues(policy, by);
  return links.map((link, i) => { const load = (flow.load[i] || [])[Math.floor(bin / flow.group)]; return !finite(load) ? null : by === "load" ? load : load * 2 * link.capacity_gbps * 1e9 / 8 * bins.width_s * flow.group; });
}

/** The largest that any link reaches in an interval, for one scale through the whole run. */
const peakLoad = (policy, by) => (bins && get(policy, "link_flow.load") ? largest(Array.from({ length: Math.ceil(bins.count / policy.link_flow.group) }, (_, i) => largest(loadsAt(policy, by, i * policy.link_flow.group)))) : largest(linkValues(policy, by)));
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
    legend: () => mapLegend(policy(), by.value, top, time.bin()), state: () => [`time: ${time.text()}`],
    height: (width) => Math.min(580, Math.max(320, width * 0.64)), build: view, words: () => mapWords(policy(), by.value, area.value, areas, time.bin()),
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
  const values = loadsAt(policy, by, bin), widest = bin === null ? largest(values) : peakLoad(policy, by);
  return {
    geo: { map: "land", roam: "move", left: 0, right: 0, top: 0, bottom: 0, boundingCoords: corners, aspectScale: aspect, clip: false, silent: true, itemStyle: { areaColor: theme.land, borderColor: theme.coast, borderWidth: 0.6 } },
    series: [
      { type: "lines", coordinateSystem: "geo", polyline: true, z: 2, data: linkLines(theme, values, widest, by), emphasis: { lineStyle: { opacity: 1 } } },
      { type: "scatter", coordinateSystem: "geo", z: 4, labelLayout: { hideOverlap: true }, emphasis: { scale: 1.15 },
        data: ordered.map((site) => ({ name: site.id, value: [site.lon, site.lat], symbolSize: 2 * siteRadius(site.accelerators, most, width),
          itemStyle: siteStyle(theme, busy(site), top, site),
          label: { show: labelled.has(site.id), formatter: shortName(titleOf(site)), minMargin: 3, distance: 3, position: site.lon > corners[1][0] - 0.22 * (corners[1][0] - corners[0][0]) ? "left" : "right", fontSize: narrow(width) ? 10 : 11, color: theme.ink, textBorderColor: theme.sea, textBorderWidth: 2.5 } })) },
    ],
    tooltip: { ...commonOption(theme).tooltip, formatter: (item) => (item.seriesType === "lines" ? linkTip(item.data.index, policy, bin) : siteTip(siteById.get(item.name), policy, bin)) },
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

function linkTip(index, policy, bin) {
  const link = links[index], name = (id) => (siteById.get(id) ? titleOf(siteById.get(id)) : id);
  const load = linkValues(policy, "load")[index], bytes = linkValues(policy, "bytes")[index];
  return tip(`${name(link.a)} ${DASH} ${name(link.b)}`, [finite(link.km) ? tipRow("", "length", `${number(link.km)} km`) : "", finite(link.capacity_gbps) ? tipRow("", "capacity", `${number(link.capacity_gbps)} Gbit/s`) : "",
    finite(load) ? tipRow("", "mean load", percent(load)) : "", bin !== null && finite(loadsAt(policy, "load", bin)[index]) ? tipRow("", `load about ${timeAt(bin)}`, percent(loadsAt(policy, "load", bin)[index])) : "", finite(bytes) ? tipRow("", "carried", quantity(bytes, "bytes")) : ""].filter(Boolean));
}

function siteTip(site, policy, bin) {
  if (!site) return "";
  const busy = siteBusy(policy, site, bin);
  return tip(titleOf(site), [site.kind ? tipRow("", "kind", spoken(site.kind)) : "", finite(site.accelerators) ? tipRow("", "accelerators", number(site.accelerators)) : "",
    tipRow("", bin === null ? "places taken, whole run" : `places taken, ${binSpan(bin)}`, finite(busy) ? percent(busy) : "not recorded")].filter(Boolean));
}

function mapLegend(policy, by, top, bin) {
  const most = largest(sites.map((site) => site.accelerators || 0)), items = [];
  if (busySites(policy, "utilisation").length) items.push(rampLegend("0 %", percent(top), "places taken"));
  if (most > 0) {
    const steps = unique([1, 0.25, 0.05].map((part) => Math.max(1, Number((most * part).toPrecision(1)))));
    items.push(h("span", { class: "item" }, "accelerators", steps.map((size) => { const r = siteRadius(size, most, innerWidth); return [s("svg", { width: 2 * r + 2, height: 2 * r + 2, "aria-hidden": "true" }, s("circle", { cx: r + 1, cy: r + 1, r, fill: "none", stroke: "currentColor" })), number(size)]; })));
  }
  const widest = bin === null ? largest(linkValues(policy, by)) : peakLoad(policy, by);
  if (widest > 0) {
    const show = (value) => (by === "load" ? percent(value) : quantity(value, "bytes"));
    items.push(h("span", { class: "item" }, by === "load" ? (bin === null ? "mean load" : "load") : bin === null ? "carried" : `carried in ${duration(bins.width_s * get(policy, "link_flow.group"))}`, [widest, widest / 10].map((value) => [s("svg", { width: 26, height: 10, "aria-hidden": "true" }, s("line", { x1: 0, x2: 26, y1: 5, y2: 5, stroke: "currentColor", "stroke-width": linkWidth(value, widest) })), show(value)])));
    if (by === "load" && widest >= 0.8) items.push(h("span", { class: "item" }, h("span", { class: "poor" }, "- - - load of 80 % or more")));
  }
  return h("ul", { class: "legend" }, items.map((item) => h("li", null, item)));
}

function mapWords(policy, by, area, areas, bin) {
  const values = loadsAt(policy, by, bin), most = largest(values), parts = [];
  if (most > 0) {
    const link = links[values.indexOf(most)], name = (id) => (siteById.get(id) ? shortName(titleOf(siteById.get(id))) : id);
    parts.push(`The ${by === "load" ? "most loaded" : "busiest"} link under ${policy.name} is ${name(link.a)} ${DASH} ${name(link.b)}, ${by === "load" ? `${percent(most)} of its capacity${bin === null ? " on average" : ` about ${timeAt(bin)}`}` : `which carried ${quantity(most, "bytes")}${bin === null ? "" : ` about ${timeAt(bin)}`}`}.`);
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

/* Elements of the page: text, tables that sort, choosers, swatches. Text is never markup. */

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

/* The page itself: sections in their order, contents, and what happens when it is resized, recoloured or printed. */

const SECTIONS = [expectedSection, sweepSection, ...(study ? [frontSection] : []), ...(study ? [boundsSection] : []), tornadoSection, cellsSection, studyRunsSection, focusSection,
  figuresSection, policySection, ...(study ? [] : [frontSection]), latencySection, refusalSection, flowSection, heatSection, mapSection, costSection, energySection, decisionsSection, madeSection];

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

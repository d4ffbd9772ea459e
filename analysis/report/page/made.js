/* How this was made: scenario, seeds, versions, audit, assumed parameters, runs and their speed, words. */

const madeSection = {
  id: "made", title: "How this was made", show: () => true,
  body: () => [madeFacts(), auditTable(), assumedTable(), scenarioText(), notesList(), runsTable(), glossary(), colophon()],
};

function madeFacts() {
  const seeds = list(made.seeds).length ? list(made.seeds) : unique(policies.flatMap(seedsOf));
  const speed = (path) => get(made, `host.${path}`) ?? mean(runs.map((run) => get(run.summary, `speed.${path}`)));
  const facts = [
    ["Program", data.generated_by || (made.version ? `orrery ${made.version}` : null)], ["Scenario file", made.scenario_file ? h("code", null, made.scenario_file) : null],
    ["Scenario hash", made.scenario_hash ? h("code", null, made.scenario_hash) : null], ["Seeds", seeds.length ? seeds.join(", ") : null],
    ["Policies", policies.length ? policies.map((policy) => policy.name).join(", ") : null],
    ["Audit", auditFailures() > 0 ? h("strong", { class: "poor" }, `failed: ${plural(auditFailures(), "check")} out of balance`) : finite(auditChecks()) ? `passed, ${plural(auditChecks(), "check")}` : "not recorded"],
    ["Speed of a run", finite(speed("wall_s")) ? [`${duration(speed("wall_s"))} of computing`, simulatedSpeed(speed("wall_s")), finite(speed("requests_per_s")) ? `${count(speed("requests_per_s"))} requests per second` : "", finite(speed("events_per_s")) ? `${count(speed("events_per_s"))} events per second` : "", finite(speed("peak_rss_bytes")) ? `at most ${quantity(speed("peak_rss_bytes"), "bytes")} of memory` : ""].filter(Boolean).join(", ") : null],
  ].filter(([, value]) => value);
  return [h("p", { class: "lead" }, "The same scenario, seeds and version give the same numbers, to the last digit."), h("dl", { class: "pairs" }, facts.flatMap(([name, value]) => [h("dt", null, name), h("dd", null, value)]))];
}

/** How much faster than the clock. */
function simulatedSpeed(wall) {
  const simulated = mean(runs.map((run) => get(run.summary, "simulated_s")));
  return finite(simulated) && wall > 0 ? `${count(simulated / wall)} times as fast as the grid itself` : "";
}

function auditTable() {
  const rows = list(get(made, "audit.rows"));
  if (!rows.length) return null;
  const balanced = (row) => /^[-+\u2212]?0*(\.0*)?$/.test(String(row.difference ?? "").trim());
  return [h("h3", null, "Audit: everything is conserved"), h("p", { class: "note" }, "Each check compares two counts that were made independently, for example requests offered with the sum of their fates. The difference must be exactly zero."),
    table({ rows, tall: rows.length > 16, rowClass: (row) => (balanced(row) ? null : "failed"), columns: [
      { title: "Check", sort: (row) => String(row.name), cell: (row) => spoken(row.name ?? "") }, { title: "One side", class: "break", cell: (row) => groupDigits(row.left) }, { title: "Other side", class: "break", cell: (row) => groupDigits(row.right) },
      { title: "Difference", class: "break", cell: (row) => groupDigits(row.difference) }, { title: "Result", text: true, sort: (row) => (balanced(row) ? 1 : 0), cell: (row) => (balanced(row) ? "balanced" : h("strong", { class: "poor" }, "✗ does not balance")) },
    ] })];
}

/* Sides of an audit are exact integers beyond 2^53 and come as text: group the digits as text. */
const groupDigits = (value) => (value === null || value === undefined ? NONE : String(value).replace(/^-/, MINUS).replace(/^(\u2212?)(\d+)/, (_, sign, digits) => sign + digits.replace(/\B(?=(\d{3})+$)/g, ",")));

function assumedTable() {
  const heading = h("h3", { id: "assumed" }, "Assumed parameters used");
  if (!assumed.length) return made.assumed ? [heading, h("p", { class: "note" }, "None: every catalogue value used was published, measured or derived from such.")] : null;
  const holder = h("div"), found = h("span", { class: "note" });
  const search = h("input", { type: "search", placeholder: "catalogue, row, source…", "aria-label": "Search the assumed parameters", "data-search": "assumed" });
  const show = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const rows = assumed.filter((row) => { const text = Object.values(row).join(" ").toLowerCase(); return words.every((word) => text.includes(word)); });
    found.textContent = words.length ? `${count(rows.length)} of ${count(assumed.length)} rows` : plural(assumed.length, "row");
    const column = (title, key) => ({ title, text: true, class: "break", sort: (row) => String(row[key] ?? ""), cell: (row) => row[key] ?? NONE });
    put(holder, table({ rows, pinned: false, tall: assumed.length > 12, columns: [column("Catalogue", "catalogue"), column("Row", "row"), column("Assumed range", "range"), column("Why, and from where", "source")] }));
  };
  search.addEventListener("input", show);
  show();
  return [heading, h("p", { class: "note" }, "Nobody has published or measured these. Each is a judgement with a range; if a decision hangs on one, vary it with a sweep before deciding."),
    h("div", { class: "controls" }, h("label", { class: "control" }, "Search", search), found), holder];
}

function scenarioText() {
  if (!made.scenario_text) return null;
  const text = String(made.scenario_text), lines = text.split("\n").length;
  const copy = h("button", { type: "button" }, "Copy");
  const pre = h("pre", { class: "scenario", tabindex: "0" }, text);
  copy.addEventListener("click", () => {
    const done = () => { copy.textContent = "Copied"; setTimeout(() => { copy.textContent = "Copy"; }, 1500); };
    const select = () => { const range = document.createRange(); range.selectNodeContents(pre); getSelection().removeAllRanges(); getSelection().addRange(range); copy.textContent = "Selected"; };
    if (navigator.clipboard) navigator.clipboard.writeText(text).then(done, select); else select();
  });
  return [h("h3", null, "Scenario"), study && study.text ? fold("The study, with every default filled in", `${plural(String(study.text).split("\n").length, "line")} of YAML`, false, h("pre", { class: "scenario", tabindex: "0" }, String(study.text))) : null, fold("The resolved scenario, with every default filled in", `${plural(lines, "line")} of YAML`, false, h("div", { class: "controls" }, copy), pre)];
}

function notesList() {
  const notes = list(made.decision_notes);
  return notes.length ? [h("h3", null, "Notes on decisions"), h("ul", null, notes.map((note) => h("li", null, note)))] : null;
}

function runsTable() {
  if (!runs.length) return null;
  const at = (path) => (run) => get(run.summary, path), cell = (path, show) => (run) => { const value = get(run.summary, path); return finite(value) ? show(value) : NONE; };
  const columns = [
    { title: "File", sort: (run) => run.file || "", class: "break", cell: (run) => h("code", null, run.file || NONE) }, { title: "Policy", text: true, sort: (run) => run.policy || "", cell: (run) => run.policy || NONE },
    { title: "Seed", sort: (run) => run.seed, cell: (run) => (finite(run.seed) ? String(run.seed) : run.seed ?? NONE) }, { title: "Status", text: true, sort: (run) => run.status || "", cell: (run) => run.status || NONE },
    { title: "Requests", sort: at("requests.offered"), cell: cell("requests.offered", count) }, { title: "Wall time", sort: at("speed.wall_s"), cell: cell("speed.wall_s", duration) },
    { title: "Speed", unit: "requests/s", sort: at("speed.requests_per_s"), cell: cell("speed.requests_per_s", count) }, { title: "Memory, peak", sort: at("speed.peak_rss_bytes"), cell: cell("speed.peak_rss_bytes", (v) => quantity(v, "bytes")) },
  ];
  return [h("h3", null, "Runs"), fold(`All ${plural(runs.length, "run")} behind this page`, "files, seeds, speed", runs.length <= 6, table({ rows: runs, columns, pinned: false, tall: runs.length > 14, rowClass: (run) => (run.status && run.status !== "complete" ? "failed" : null) }))];
}

const GLOSSARY = [
  ["accelerator", "a chip made for neural networks, such as a GPU or an NPU"], ["audit", "the checks that nothing was lost or counted twice: requests, tokens, money, energy, bytes"],
  ["batch", "the number of requests a server decodes together; larger is cheaper and slower for each"], ["class", "a kind of client: its devices, its habits and what it expects"],
  ["confidence interval", "a range that would cover the true value in the stated share of repetitions of the whole experiment"], ["goodput", "requests per second that met their objective"],
  ["objective, SLO", "the latency that a class of clients was promised"], ["oracle", "a policy that is shown the true state; a bound, not a candidate"],
  ["paired difference", "two policies on the same seed meet the same demand and failures, so their difference is free of that noise"], ["percentile", "the 99th percentile is the wait that 99 in 100 requests do not exceed"],
  ["policy", "the rule that chooses where a request is served"], ["seed", "a number that fixes all chance in a run; another seed is another day of the same kind"],
  ["token", "the piece of text that models read and write, about three quarters of an English word"], ["TTFT, TPOT, E2E", "time to the first token, time per further token, time to the whole answer, as seen by the client"], ["utilisation", "the share of places (requests that a replica may serve at a time) that are taken, on average over time"],
];

const glossary = () => [h("h3", null, "Words"), printed(fold("What the words in this report mean", "", false, h("dl", { class: "pairs" }, GLOSSARY.flatMap(([word, meaning]) => [h("dt", null, word), h("dd", null, meaning)]))))];

function colophon() {
  const save = h("button", { type: "button", class: "screen-only" }, "Save the data of this page (JSON)");
  save.addEventListener("click", () => {
    const link = h("a", { href: URL.createObjectURL(new Blob([JSON.stringify(data)], { type: "application/json" })), download: "orrery-report.json" });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
  return [h("p", null, save), h("p", { class: "note" }, "This page is one file and loads nothing. Charts: Apache ECharts (Apache License 2.0). Coast lines: Natural Earth through world-atlas (public domain, ISC); no borders are drawn. Colours: Okabe and Ito.")];
}

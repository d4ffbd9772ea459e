/* Reads one report in a real browser without a network and says, in TAP, whether it works.

     node test_report.mjs REPORT.html [--shots FOLDER]

   Needs Node 18 and Chromium (the program named by CHROMIUM, else the first found on the path), nothing from npm.
   The browser is driven through a pipe (--remote-debugging-pipe: JSON ended by NUL on descriptors 3 and 4), so no
   port is opened. Clicks and keys are sent as input events, not as calls into the page. --shots also writes
   pictures (light, dark, phone) and the printed page, for a person to look at. */

import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const PRINT_WIDTH = 688; /* A4 between the margins of style.css, in CSS pixels */
const DEADLINE_MS = 60000;

/* --- the browser --- */

function findBrowser() {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  for (const name of ["chromium", "chromium-browser", "google-chrome"]) {
    for (const folder of (process.env.PATH || "").split(delimiter)) if (existsSync(join(folder, name))) return join(folder, name);
  }
  return null;
}

class Browser {
  constructor(program) {
    this.profile = mkdtempSync(join(tmpdir(), "report-test-"));
    this.process = spawn(program, ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--host-resolver-rules=MAP * ~NOTFOUND", "--remote-debugging-pipe",
      `--user-data-dir=${this.profile}`, "about:blank"], { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
    this.waiting = new Map();
    this.listeners = [];
    this.next = 1;
    let rest = "";
    this.process.stdio[4].setEncoding("utf8").on("data", (text) => {
      const messages = (rest + text).split("\0");
      rest = messages.pop();
      messages.forEach((message) => this.receive(JSON.parse(message)));
    });
    this.process.stdio[3].on("error", () => {});
    this.process.on("exit", () => { for (const { reject } of this.waiting.values()) reject(new Error("the browser ended")); this.waiting.clear(); });
  }

  receive(message) {
    const caller = this.waiting.get(message.id);
    if (!caller) return this.listeners.forEach((listener) => listener(message));
    this.waiting.delete(message.id);
    if (message.error) caller.reject(new Error(`${caller.method}: ${message.error.message}`)); else caller.resolve(message.result);
  }

  send(method, params = {}, session = this.session) {
    const id = this.next++;
    this.process.stdio[3].write(JSON.stringify({ id, method, params, sessionId: session }) + "\0");
    return new Promise((resolve, reject) => this.waiting.set(id, { resolve, reject, method }));
  }

  async open() {
    const { targetId } = await this.send("Target.createTarget", { url: "about:blank" });
    this.session = (await this.send("Target.attachToTarget", { targetId, flatten: true })).sessionId;
    for (const domain of ["Page", "Runtime", "Log", "Network"]) await this.send(`${domain}.enable`);
    await this.send("Network.emulateNetworkConditions", { offline: true, latency: 0, downloadThroughput: -1, uploadThroughput: -1 });
  }

  /** The value of an expression in the page; promises are awaited, exceptions become ours. */
  async evaluate(expression) {
    const { result, exceptionDetails } = await this.send("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description || exceptionDetails.text);
    return result.value;
  }

  async size(width, height, mobile = false) {
    await this.send("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile });
    await this.settle();
  }

  media(media, scheme = "light") { return this.send("Emulation.setEmulatedMedia", { media, features: [{ name: "prefers-color-scheme", value: scheme }] }); }
  settle() { return this.evaluate("new Promise((done) => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(done)), 60))"); }

  /** A real mouse click at a part of the width of the element, once it is in view. */
  async click(selector, part = 0.5) {
    await this.evaluate(`${find(selector)}.scrollIntoView({ block: "center", behavior: "instant" })`);
    await this.clickAt(selector, part);
  }

  /** The same where the element is. */
  async clickAt(selector, part = 0.5) {
    const at = await this.evaluate(`(() => { const r = ${find(selector)}.getBoundingClientRect(); return [r.left + ${part} * r.width, r.top + r.height / 2]; })()`);
    for (const type of ["mousePressed", "mouseReleased"]) await this.send("Input.dispatchMouseEvent", { type, x: at[0], y: at[1], button: "left", clickCount: 1 });
    await this.settle();
  }

  async key(key, code = key, number = 0) {
    for (const type of ["keyDown", "keyUp"]) await this.send("Input.dispatchKeyEvent", { type, key, code, windowsVirtualKeyCode: number });
    await this.settle();
  }

  async close() {
    await this.send("Browser.close", {}, undefined).catch(() => {});
    await new Promise((done) => { if (this.process.exitCode !== null) done(); else { this.process.on("exit", done); setTimeout(() => { this.process.kill("SIGKILL"); done(); }, 5000).unref(); } });
    rmSync(this.profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

const find = (selector) => (Array.isArray(selector) ? `document.querySelectorAll(${JSON.stringify(selector[0])})[${selector[1]}]` : `document.querySelector(${JSON.stringify(selector)})`);

/* --- TAP --- */

let tests = 0, failures = 0;

function report(good, name, detail) {
  tests += 1;
  if (!good) failures += 1;
  console.log(`${good ? "ok" : "not ok"} ${tests} - ${name.replace(/#/g, "no.")}`);
  if (!good && detail) [detail].flat().slice(0, 12).forEach((line) => console.log(`# ${String(line).replace(/\n/g, " | ")}`));
}

const skip = (name, why) => { tests += 1; console.log(`ok ${tests} - ${name} # SKIP ${why}`); };

async function check(name, body) {
  try { const problems = [await body()].flat().filter(Boolean); report(problems.length === 0, name, problems); } catch (problem) { report(false, name, problem.stack); }
}

/* --- what runs inside the page --- */

/** A number that changes when the picture of a chart changes, and how much of it is painted. */
const PICTURES = `[...document.querySelectorAll(".chart")].map((box) => {
  const canvases = [...box.querySelectorAll("canvas")], colours = new Set();
  let painted = 0, hash = 0;
  for (const canvas of canvases) {
    const pixels = new Uint32Array(canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.buffer);
    for (let i = 0; i < pixels.length; i++) { if (pixels[i]) { painted++; hash = (hash * 31 + pixels[i] + i) | 0; if (colours.size < 64) colours.add(pixels[i]); } }
  }
  return { id: box.id, canvases: canvases.length, painted, colours: colours.size, hash };
})`;

/** What a reader sees in the surroundings of a control: text, values, pictures. */
const around = (selector) => `(() => { const e = ${find(selector)}, part = e.closest("figure") || e.closest("section"); const all = ${PICTURES};
  return part.textContent + [...part.querySelectorAll(".chart")].map((box) => all.find((p) => p.id === box.id).hash).join(); })()`;

const OVERFLOW = `(() => {
  const width = document.documentElement.clientWidth, out = [];
  const name = (e) => e.tagName.toLowerCase() + (e.id ? "#" + e.id : "") + (e.className && e.className.baseVal === undefined ? "." + e.className : "") + " “" + e.textContent.trim().slice(0, 40) + "”";
  for (const e of document.querySelectorAll("main *")) {
    const style = getComputedStyle(e);
    if (style.display === "none" || style.visibility === "hidden" || e.closest("svg") && e.tagName !== "svg" || !e.getClientRects().length) continue;
    const r = e.getBoundingClientRect();
    if (r.width && (r.right > width + 1 || r.left < -1)) out.push("beyond the page by " + Math.round(r.right - width) + ": " + name(e));
    else if (e.scrollWidth > e.clientWidth + 1 && e.clientWidth && style.display !== "inline" && style.overflowX !== "visible") out.push("clipped: " + name(e));
    else if (["TD", "TH"].includes(e.tagName) && e.scrollWidth > e.clientWidth + 2) out.push("text wider than its cell: " + name(e));
  }
  return out;
})()`;

const PAPER = `(() => { const out = [];
  for (const box of document.querySelectorAll(".chart")) {
    const svg = box.parentElement.querySelector(".print-image svg");
    if (!svg) { out.push(box.id + " has no image for paper"); continue; }
    if (getComputedStyle(box).display !== "none") out.push(box.id + ": the screen's canvas is printed too");
    if (svg.querySelectorAll("path, text").length < 4) out.push(box.id + " is empty on paper");
    const frame = svg.getBoundingClientRect();
    if (box.id !== "chart-map") for (const text of svg.querySelectorAll("text")) { const r = text.getBoundingClientRect();
      if (r.width && (r.left < frame.left - 2 || r.right > frame.right + 2 || r.top < frame.top - 2 || r.bottom > frame.bottom + 2)) out.push(box.id + ": text leaves the image: “" + text.textContent + "”"); }
  }
  return out; })()`;

/* --- the tests --- */

async function load(browser, url, problems) {
  browser.listeners.push(({ method, params }) => {
    if (method === "Runtime.exceptionThrown") problems.push(params.exceptionDetails.exception?.description || params.exceptionDetails.text);
    if (method === "Runtime.consoleAPICalled" && params.type === "error") problems.push(params.args.map((arg) => arg.value ?? arg.description).join(" "));
    if (method === "Log.entryAdded" && params.entry.level === "error") problems.push(`${params.entry.text} ${params.entry.url || ""}`);
    if (method === "Network.requestWillBeSent" && !/^(file|data|about|blob):/.test(params.request.url)) problems.push(`asks for ${params.request.url}`);
  });
  await browser.size(1360, 900);
  await browser.media("screen");
  const { errorText } = await browser.send("Page.navigate", { url });
  if (errorText) throw new Error(`the page does not open: ${errorText}`);
  const until = Date.now() + DEADLINE_MS;
  while (Date.now() < until) {
    if (await browser.evaluate(`location.href !== "about:blank" && document.documentElement.dataset.ready === "true"`).catch(() => false)) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error("the page never became ready");
}

async function testChoosers(browser) {
  const labels = await browser.evaluate(`[...document.querySelectorAll("select[data-chooser]")].map((e) => (e.getClientRects().length ? e.closest("section").id + ": " + e.dataset.chooser : null))`);
  if (!labels.length) return skip("choosers", "nothing to choose in this report");
  for (let i = 0; i < labels.length; i++) if (labels[i]) await check(`chooser ${labels[i]}`, async () => {
    const selector = ["select[data-chooser]", i];
    const before = [await browser.evaluate(`${find(selector)}.selectedIndex`), await browser.evaluate(around(selector))];
    const down = await browser.evaluate(`(() => { const e = ${find(selector)}; e.scrollIntoView({ block: "center", behavior: "instant" }); e.focus(); return e.selectedIndex < e.options.length - 1; })()`);
    await browser.key(down ? "ArrowDown" : "ArrowUp", undefined, down ? 40 : 38);
    const after = [await browser.evaluate(`${find(selector)}.selectedIndex`), await browser.evaluate(around(selector))];
    await browser.key(down ? "ArrowUp" : "ArrowDown", undefined, down ? 38 : 40);
    const back = await browser.evaluate(around(selector));
    return [before[0] === after[0] && "the key did not change the choice", before[1] === after[1] && "nothing changed on the page", back !== before[1] && "going back does not restore the picture"];
  });
}

async function testSlider(browser) {
  const slider = "input[data-slider]";
  if (!(await browser.evaluate(`Boolean(${find(slider)})`))) return skip("time slider", "no times in this report");
  await check("time slider recolours the map", async () => {
    const before = await browser.evaluate(around(slider));
    await browser.click(slider, 0.8);
    const value = await browser.evaluate(`+${find(slider)}.value`), after = await browser.evaluate(around(slider));
    return [value === 0 && "the click did not move the slider", before === after && "nothing changed on the page"];
  });
  await check("play button moves the time and stops", async () => {
    const value = () => browser.evaluate(`+${find(slider)}.value`);
    await browser.click(slider, 0.1); /* far from the end, where it would stop by itself */
    const before = await value(), pause = (ms) => new Promise((done) => setTimeout(done, ms));
    const label = () => browser.evaluate(`${find("button[data-play]")}.textContent`);
    await browser.click("button[data-play]");
    for (let tries = 0; tries < 50 && (await value()) === before; tries++) await pause(100); /* a busy machine takes its time */
    if ((await label()) === "Stop") await browser.click("button[data-play]");
    for (let tries = 0; tries < 50 && (await label()) === "Stop"; tries++) await pause(100);
    const stopped = await value();
    await pause(800);
    return [before === stopped && "the time did not move", stopped !== (await value()) && "it did not stop"];
  });
}

async function testClicks(browser) {
  const heading = "th button.sort";
  if (await browser.evaluate(`Boolean(${find(heading)})`)) await check("a heading sorts its table", async () => {
    await browser.click(heading);
    const up = await browser.evaluate(`${find(heading)}.closest("th").getAttribute("aria-sort")`);
    await browser.click(heading);
    const down = await browser.evaluate(`${find(heading)}.closest("th").getAttribute("aria-sort")`);
    return [up !== "ascending" && `first click: ${up}`, down !== "descending" && `second click: ${down}`];
  });
  const legend = ".legend button";
  if (await browser.evaluate(`Boolean(${find(legend)})`)) await check("a legend entry hides its series", async () => {
    const before = await browser.evaluate(around(legend));
    await browser.click(legend);
    const [pressed, after] = [await browser.evaluate(`${find(legend)}.getAttribute("aria-pressed")`), await browser.evaluate(around(legend))];
    await browser.click(legend);
    return [pressed !== "false" && "not marked as hidden", before === after && "the picture did not change"];
  }); else skip("legend", "a single series");
  const search = "input[data-search]", rows = `${find(search)}.closest("section").querySelectorAll("#assumed ~ div tbody tr").length`;
  if (await browser.evaluate(`Boolean(${find(search)})`)) await check("search narrows the assumed parameters", async () => {
    const before = await browser.evaluate(rows);
    await browser.click(search);
    await browser.send("Input.insertText", { text: "no such parameter" });
    await browser.settle();
    const after = await browser.evaluate(rows);
    await browser.evaluate(`${find(search)}.value = ""; ${find(search)}.dispatchEvent(new Event("input"))`);
    return after >= before && `${before} rows before, ${after} after`;
  }); else skip("search", "no assumed parameters");
}

/** Pictures of the whole page and of each of its parts, for a person to look at. */
async function takePictures(browser, shots, name) {
  if (!shots) return;
  const height = await browser.evaluate("Math.min(16000, document.documentElement.scrollHeight)");
  const { data } = await browser.send("Page.captureScreenshot", { format: "png", captureBeyondViewport: true, clip: { x: 0, y: 0, width: await browser.evaluate("innerWidth"), height, scale: 1 } });
  writeFileSync(join(shots, `${name}.png`), Buffer.from(data, "base64"));
  const parts = await browser.evaluate(`[...document.querySelectorAll("header.masthead, main section")].map((e) => { const r = e.getBoundingClientRect(); return [e.id, Math.max(0, r.left - 8), r.top + scrollY, r.width + 16, Math.min(2600, r.height)]; })`);
  for (const [id, x, y, wide, tall] of parts) {
    const part = await browser.send("Page.captureScreenshot", { format: "png", captureBeyondViewport: true, clip: { x, y, width: wide, height: tall, scale: 1 } });
    writeFileSync(join(shots, `${name}-${id}.png`), Buffer.from(part.data, "base64"));
  }
}

/** What the page of a study must say, held against the data inside it. */
async function testStudy(browser) {
  const study = await browser.evaluate(`(JSON.parse(document.getElementById("report-data").textContent).study || null)`);
  if (!study) return skip("study", "a report without one");
  const text = (selector) => browser.evaluate(`(${find(selector)} || { innerText: "" }).innerText`);
  const several = study.axes.some((axis) => axis.values.length > 1) && study.policies.length > 1;
  await check("study: its parts are there", () => browser.evaluate(`[${several ? '"chart-sweep", "chart-lines",' : ""} "chart-front"${study.sensitivity ? ', "chart-tornado"' : ""}, "cells", "study-runs"].filter((id) => !document.getElementById(id)).map((id) => "no " + id)`));
  await check("study: an anchor that does not hold is called that", async () => {
    const failed = await browser.evaluate(`document.querySelectorAll("#expected tr.failed").length`), wanted = (study.anchors || []).filter((anchor) => anchor.verdict === "fails").length;
    return [failed !== wanted && `${failed} rows marked, ${wanted} in the data`, wanted > 0 && !(await text("#expected")).includes("does not hold") && "the words are missing"];
  });
  await check("study: unstable cells show no mean", async () => {
    const rows = await browser.evaluate(`[...document.querySelectorAll("#cells tbody tr")].filter((row) => row.innerText.includes("queues grow")).map((row) => row.innerText)`), wanted = study.cells.filter((cell) => cell.unstable > 0).length;
    return [study.cells.length <= 400 && rows.length !== wanted && `${rows.length} rows, ${wanted} unstable cells`, ...rows.filter((row) => !/\bunstable\b/.test(row) || / to /.test(row)).map((row) => `a mean is shown: ${row}`)];
  });
  await check("study: what is not significant is said in words", async () => {
    const key = study.metrics[0].key, shaky = (at) => study.cells.some((cell) => cell.unstable > 0 && String(cell.at) === String(at) && cell.policy === study.policies.indexOf(study.baseline));
    const wanted = study.cells.slice(0, 400).filter((cell) => cell.differences?.[key] && !cell.differences[key][5] && !(cell.unstable > 0) && !shaky(cell.at)).length;
    const rows = ((await text("#cells")).match(/≈ difference not significant/g) || []).length;
    return rows !== wanted && `${rows} rows say so, ${wanted} in the data`;
  });
  if (several) await check("study: the crossovers are counted and named", async () => {
    const words = await browser.evaluate(`document.getElementById("chart-lines").closest("figure").querySelector(".words").innerText`);
    const axis = study.axes.findIndex((one) => one.values.length > 1), base = study.policies.indexOf(study.baseline), metric = study.metrics[0];
    const mean = (policy, i) => { const at = study.focus.map((value, k) => (k === axis ? i : value)), cell = study.cells.find((one) => one.policy === policy && String(one.at) === String(at)); return cell && !(cell.unstable > 0) ? cell.differences?.[metric.key]?.[0] : undefined; };
    let wanted = 0;
    study.policies.forEach((_, policy) => { if (policy === base) return; const signs = study.axes[axis].values.map((_, i) => Math.sign(mean(policy, i))).filter((sign) => sign); signs.forEach((sign, i) => { if (i && sign !== signs[i - 1]) wanted++; }); });
    const named = (words.match(/becomes (worse|better|higher|lower) than/g) || []).length;
    return named !== Math.min(4, wanted) && `${named} named, ${wanted} in the data: ${words}`;
  });
  await check("study: the front and what it dominates are named", async () => {
    const words = await browser.evaluate(`document.getElementById("chart-front").closest("figure").querySelector(".words").innerText`);
    const [x, y] = await browser.evaluate(`[...document.getElementById("chart-front").closest("figure").querySelectorAll("select")].slice(0, 2).map((e) => e.value)`);
    const sense = (key) => (study.metrics.find((one) => one.key === key).better === "higher" ? -1 : 1);
    const points = study.cells.filter((cell) => String(cell.at) === String(study.focus) && !(cell.unstable > 0)).map((cell) => ({ name: study.policies[cell.policy], x: sense(x) * cell.metrics[x][0], y: sense(y) * cell.metrics[y][0] }));
    const lost = points.filter((point) => point.name !== study.oracle && points.some((other) => other.name !== study.oracle && other.x <= point.x && other.y <= point.y && (other.x < point.x || other.y < point.y))).map((point) => point.name);
    return points.map(({ name }) => words.includes(`${name} is dominated by`) !== lost.includes(name) && `${name} is ${lost.includes(name) ? "" : "not "}dominated, but the page says: ${words}`);
  });
  if (study.sensitivity) await check("study: the tornado names the parameter that moves most", async () => {
    const words = await browser.evaluate(`document.getElementById("chart-tornado").closest("figure").querySelector(".words").innerText`), base = study.sensitivity.base[0];
    const swing = (row) => Math.max(base, row.at_low[0], row.at_high[0]) - Math.min(base, row.at_low[0], row.at_high[0]);
    const clear = study.sensitivity.rows.filter((row) => row.at_low && row.at_high && (row.low_difference[5] || row.high_difference[5])).sort((a, b) => swing(b) - swing(a));
    return !words.toLowerCase().includes(clear.length ? `the result hangs most on “${clear[0].text.toLowerCase()}”` : "parameter moves the metric by more than chance") && words;
  });
  await check("study: a legend entry hides its line", async () => {
    const entry = "#sweep figure:last-of-type .legend button", before = await browser.evaluate(around(entry));
    await browser.click(entry);
    const after = await browser.evaluate(around(entry));
    await browser.click(entry);
    return before === after && "the picture did not change";
  });
}

async function testLayouts(browser, shots) {
  await browser.evaluate("scrollTo({ top: 0, behavior: 'instant' })");
  await takePictures(browser, shots, "light");
  const light = JSON.stringify(await browser.evaluate(PICTURES));
  await browser.media("screen", "dark");
  await browser.settle();
  await check("dark colours reach page and charts", async () => {
    const dark = JSON.stringify(await browser.evaluate(PICTURES)), paper = await browser.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)");
    return [paper.some((channel) => channel > 80) && `page background ${paper}`, light !== "[]" && light === dark && "the charts did not change"];
  });
  await takePictures(browser, shots, "dark");
  await browser.media("screen");
  await browser.size(390, 844, true);
  await check("a phone shows the page without scrolling sideways", async () => {
    const [inner, scroll] = await browser.evaluate("[innerWidth, document.documentElement.scrollWidth]");
    return (inner !== 390 || scroll > 390) && `${scroll} pixels wide in a window of ${inner}`;
  });
  await check("every chart fits the phone", () => browser.evaluate(`[...document.querySelectorAll(".chart canvas")].filter((c) => c.getBoundingClientRect().width > 390).map((c) => c.closest(".chart").id)`));
  await check("the contents of a phone open by a click and lead to a part", async () => {
    await browser.click("#contents summary");
    const open = await browser.evaluate(`document.querySelector("#contents details").open && document.querySelectorAll("#contents a").length`);
    await browser.evaluate(`document.documentElement.style.scrollBehavior = "auto"`);
    const target = await browser.evaluate(`document.querySelector("#contents li:last-child a").getAttribute("href").slice(1)`);
    await browser.evaluate(`document.querySelector("#contents li:last-child a").scrollIntoView({ block: "nearest", behavior: "instant" })`);
    await browser.clickAt("#contents li:last-child a");
    await browser.settle();
    const [top, still] = await browser.evaluate(`[document.getElementById("${target}").getBoundingClientRect().top, document.querySelector("#contents details").open]`);
    return [!open && "the list did not open", Math.abs(top) > 400 && `“${target}” is ${Math.round(top)} pixels away`, still && "the list stays open over the text"];
  });
  await browser.evaluate("scrollTo({ top: 0, behavior: 'instant' })");
  await takePictures(browser, shots, "phone");
}

async function testPrint(browser, shots) {
  await browser.size(PRINT_WIDTH, 1000);
  await browser.media("print");
  await browser.settle();
  await check("paper: each chart has a vector image whose text stays inside", () => browser.evaluate(PAPER));
  await check("paper: no text is clipped or leaves the page", () => browser.evaluate(OVERFLOW));
  await check("paper: no control is printed", () => browser.evaluate(`[...document.querySelectorAll("select, input, .controls")].filter((e) => e.getClientRects().length).map((e) => e.outerHTML.slice(0, 80))`));
  await takePictures(browser, shots, "print");
  await browser.media("");
  await browser.size(1360, 900);
  await check("prints to PDF", async () => {
    const { data } = await browser.send("Page.printToPDF", { preferCSSPageSize: true, printBackground: true });
    const pdf = Buffer.from(data, "base64");
    if (shots) writeFileSync(join(shots, "print.pdf"), pdf);
    return (pdf.subarray(0, 5).toString() !== "%PDF-" || pdf.length < 5000) && `${pdf.length} bytes`;
  });
}

async function main() {
  const file = process.argv[2], at = process.argv.indexOf("--shots"), shots = at > 0 ? process.argv[at + 1] : null;
  if (!file || !existsSync(file)) { console.error("usage: node test_report.mjs REPORT.html [--shots FOLDER]"); process.exit(2); }
  console.log("TAP version 13");
  const program = findBrowser();
  if (!program) { console.log("1..0 # SKIP no Chromium on this machine"); return; }
  if (shots) mkdirSync(shots, { recursive: true });
  const browser = new Browser(program), problems = [];
  const alarm = setTimeout(() => { console.log("Bail out! the browser does not answer"); browser.process.kill("SIGKILL"); process.exit(1); }, 5 * DEADLINE_MS);
  try {
    await browser.open();
    await check("the page marks itself ready", async () => { await load(browser, pathToFileURL(resolve(file)).href, problems); });
    await check("there is a title, a verdict and a contents list", () => browser.evaluate(`[!document.title && "no title", !document.querySelector("h1")?.textContent && "no heading", !document.querySelector(".verdict p") && "no verdict",
      [...document.querySelectorAll("#contents a")].filter((a) => !document.querySelector(a.getAttribute("href"))).map((a) => "leads nowhere: " + a.textContent)].flat()`));
    await check("every chart drew something", async () => (await browser.evaluate(PICTURES)).filter((p) => !p.canvases || p.painted < 300 || p.colours < 3).map((p) => `${p.id}: ${p.painted} painted pixels, ${p.colours} colours`));
    await check("no part says that it could not be drawn", () => browser.evaluate(`[...document.querySelectorAll(".banner")].map((e) => e.textContent).filter((text) => text.includes("could not be"))`));
    await check("no undefined, NaN or [object Object] in the text", () => browser.evaluate(`(document.querySelector("main").innerText.match(/.*\\b(undefined|NaN|Infinity|null)\\b.*|.*\\[object .*/g) || [])`));
    await testChoosers(browser);
    await testSlider(browser);
    await testClicks(browser);
    await testStudy(browser);
    await testLayouts(browser, shots);
    await testPrint(browser, shots);
  } catch (problem) { report(false, "the test ran to its end", problem.stack); }
  report(problems.length === 0, "no console error, exception or request to a network", problems);
  clearTimeout(alarm);
  await browser.close();
  console.log(`1..${tests}`);
  process.exitCode = failures ? 1 : 0;
}

await main();

/* What a million tokens cost: what clients pay for them, and what serving them costs the provider. */

/* Parts of the provider's cost (src/trace/summary_cost.h defines them); transport is there where the scenario has a price for it. */
const COST_PARTS = [{ key: "compute_yuan", text: "compute: rent of places taken", colour: 0 }, { key: "idle_yuan", text: "idle: rent of places not taken", colour: 4 }, { key: "energy_yuan", text: "energy: electricity", colour: 2 }, { key: "transport_yuan", text: "transport: bytes carried", colour: 3 }];
const partsOf = (read) => Object.fromEntries(COST_PARTS.map((part) => [part.key, mean(read(part.key))]));

/** Cost of serving under a policy, by parts, in yuan per million tokens served. */
const providerParts = (policy) => partsOf((key) => runsOf(policy.name).map((run) => get(run.summary, `provider.per_million_tokens.${key}`)));
const modelParts = (policy, model) => partsOf((key) => runsOf(policy.name).map((run) => get((get(run.summary, "serving.by_model") || {})[model], `provider.per_million_tokens.${key}`)));
const isPriced = (values) => finite(values.compute_yuan) && finite(values.energy_yuan);
const withProvider = () => policies.filter((policy) => isPriced(providerParts(policy)));
const totalCost = (values) => sum(COST_PARTS.map((part) => values[part.key]));
const chargedOf = (policy) => runMean(policy.name, "cost.per_million_tokens_yuan");
const yuan = (value) => `${number(value)}${NBSP}yuan`;

function providerFigure() {
  const rows = () => withProvider().map((policy) => ({ text: policy.name, policy, values: providerParts(policy), mark: chargedOf(policy) }));
  return stackFigure({
    id: "chart-provider", title: "What serving costs the provider, beside what clients pay", rows, parts: COST_PARTS, axis: "yuan per million tokens", show: yuan, markText: "clients pay",
    note: "Accelerators at the rents of the catalogue for as long as replicas hold them, electricity at the price of the hour. Rents often include electricity already; then it is counted twice here. Transport at the scenario’s price per gigabyte and link, where it has one. Per million tokens that servers made; clients pay for those that reached them.",
    words: () => providerWords(rows()),
  });
}

function providerWords(rows) {
  const row = rows.find((item) => item.policy.name === leadingPolicy()) || rows[0], total = totalCost(row.values);
  const share = runMean(row.policy.name, "provider.priced_share"), cheap = rows.slice().sort((a, b) => totalCost(a.values) - totalCost(b.values))[0];
  const said = `Under ${row.text}, a million tokens cost the provider ${yuan(total)}: ${sentenceList(COST_PARTS.filter((part) => row.values[part.key] > 0).map((part) => `${percent(row.values[part.key] / total)} ${part.text.split(":")[0]}`))}`;
  const paid = finite(row.mark) ? `; clients pay ${yuan(row.mark)}, ${row.mark >= total ? `${percent(1 - total / row.mark)} of which is left over` : `${percent(row.mark / total)} of it`}` : "";
  const best = rows.length > 1 && cheap !== row ? ` ${cheap.text} serves cheapest, at ${yuan(totalCost(cheap.values))}.` : "";
  return `${said}${paid}.${best}${share < 0.995 ? ` Priced are ${percent(share)} of the accelerator-hours; the rest has no rent in the catalogue.` : ""}`;
}

function providerModels() {
  const models = (policy) => unique(runsOf(policy.name).flatMap((run) => entries(get(run.summary, "serving.by_model")).map(([name]) => name))).filter((name) => isPriced(modelParts(policy, name)));
  const which = withProvider().filter((policy) => models(policy).length), redraw = () => element.redraw();
  if (!which.length) return null;
  const pick = chooser("Policy", policyOptions(which), redraw, leadingIn(which)), policy = () => policyNamed(pick.value);
  const rows = () => models(policy()).map((name) => ({ text: name, values: modelParts(policy(), name) })).sort((a, b) => totalCost(b.values) - totalCost(a.values));
  const element = stackFigure({
    id: "chart-provider-models", title: "The provider’s cost by model", controls: [pick], rows, parts: COST_PARTS, axis: "yuan per million tokens served", show: yuan,
    note: "A model that is rarely asked for pays for places that stand idle.",
    words() {
      const idle = rows().map((row) => ({ row, share: row.values.idle_yuan / totalCost(row.values) })).sort((a, b) => b.share - a.share)[0];
      return idle ? `${idle.row.text} pays most for idle places: ${percent(idle.share)} of its cost.` : "";
    },
  });
  return element;
}

/** Bytes carried, which are the measure of transport where it has no price. */
function transportNote() {
  if (withProvider().some((policy) => finite(providerParts(policy).transport_yuan))) return null;
  const policy = policyNamed(leadingPolicy()), bytes = policy && Array.isArray(policy.link_bytes) ? sum(policy.link_bytes) : null;
  return withProvider().length && bytes > 0 ? h("p", { class: "note" }, `Transport is not priced (network.transport_price): under ${policy.name} the links carried ${quantity(bytes, "bytes")} in a run, every link of a route counted.`) : null;
}

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
    h("p", { class: "lead" }, "Tokens of all kinds (fresh input, cached input, output) counted together."),
    withProvider().length ? [providerFigure(), providerModels(), transportNote()] : null,
    h("h3", null, "What clients pay"), h("p", { class: "note" }, "At the tariff of the scenario, which has a price for each kind of token."),
    h("div", { class: "pair" }, costFigure("cost_by_model", "By model", (name) => name), costFigure("cost_by_class", "By class of client", classTitle)),
  ],
};

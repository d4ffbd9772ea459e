/* Energy, electricity and carbon, by policy, model and site. */

const energyOf = (policy) => runMean(policy.name, "energy.kwh") ?? (finite(policy.energy_kwh) ? policy.energy_kwh : null);
const carbonOf = (policy) => runMean(policy.name, "carbon.kg") ?? (finite(policy.carbon_kg) ? policy.carbon_kg : null);
const electricityOf = (policy) => runMean(policy.name, "electricity.yuan");
const barCell = (text, value, most) => [text, finite(value) && most > 0 ? h("span", { class: "databar", style: `width: ${(100 * value / most).toFixed(1)}%` }) : null];

const energySection = {
  id: "energy", title: "Energy, electricity and carbon", show: () => policies.some((policy) => finite(energyOf(policy)) || finite(carbonOf(policy))),
  body() {
    const perMillion = (value, policy) => { const tokens = tokensOf(policy.name); return finite(value) && tokens > 0 ? value / tokens * 1e6 : null; };
    const grams = (policy) => { const kg = carbonOf(policy); return finite(kg) ? 1000 * kg : null; };
    const values = [
      ["Energy", "kWh per run", energyOf], ["Energy per million tokens", "kWh", (policy) => perMillion(energyOf(policy), policy)],
      ["Electricity", "yuan per run", electricityOf], ["Electricity per million tokens", "yuan", (policy) => perMillion(electricityOf(policy), policy)],
      ["Carbon", "kg CO₂ per run", carbonOf], ["Carbon per million tokens", "g CO₂", (policy) => perMillion(grams(policy), policy)],
      ["Carbon in the electricity used", "g CO₂ per kWh", (policy) => ratioOf(grams(policy), energyOf(policy))],
    ].filter(([, , value]) => policies.some((policy) => finite(value(policy))));
    return [
      h("p", { class: "lead" }, "Energy drawn from the grid: accelerators, the servers around them, and the facility’s cooling and conversion. The same energy weighs differently where and when electricity is cleaner or cheaper: a policy can save carbon or money without saving energy. Per million tokens delivered to clients."),
      table({ rows: policies, columns: [{ title: "Policy", sort: (policy) => policy.name, cell: (policy) => policyCell(policy.name) },
        ...values.map(([title, unit, value]) => { const most = largest(policies.map(value)); return { title, unit, sort: value, cell: (policy) => barCell(number(value(policy)), value(policy), most) }; })] }),
      h("p", { class: "words" }, energyWords()),
      drawnParts(),
    ];
  },
};

/** What each site or model drew under a policy, over all its seeds: [{name, runs, tokens, kwh, it, kg, yuan}]. */
function drawnBy(policy, by) {
  const parts = new Map(), runs = runsOf(policy.name);
  for (const run of runs) for (const [name, part] of entries(get(run.summary, `serving.${by}`))) {
    const sums = parts.get(name) || { name, runs: runs.length, tokens: 0, kwh: 0, it: 0, kg: 0, yuan: 0 };
    sums.tokens += part.tokens; sums.kwh += part.energy.kwh; sums.it += part.energy.it_kwh; sums.kg += part.carbon.kg; sums.yuan += part.electricity.yuan;
    parts.set(name, sums);
  }
  return [...parts.values()].filter((part) => part.kwh > 0);
}

function drawnTable(policy, by, title, text) {
  const rows = drawnBy(policy, by), perMillion = (value) => (part) => (part.tokens > 0 ? value(part) / part.tokens * 1e6 : null);
  const values = [
    ["Energy", "kWh per run", (part) => part.kwh / part.runs], ["PUE", "from the grid over at the servers", (part) => ratioOf(part.kwh, part.it), true], ["Energy", "kWh per million tokens", perMillion((part) => part.kwh)],
    ["Electricity", "yuan per million tokens", perMillion((part) => part.yuan)], ["Carbon", "g CO₂ per million tokens", perMillion((part) => 1000 * part.kg)],
  ];
  return table({ caption: `By ${title.toLowerCase()}, under ${policy.name}`, rows, tall: rows.length > 30, sorted: { column: 1, direction: -1 }, columns: [{ title, sort: (part) => text(part.name), cell: (part) => text(part.name) },
    ...values.map(([heading, unit, value, plain]) => { const most = plain ? 0 : largest(rows.map(value)); return { title: heading, unit, sort: value, cell: (part) => barCell(number(value(part)), value(part), most) }; })] });
}

/** Where the energy goes: sites that serve, and models. Each is the whole run, cut in two ways. */
function drawnParts() {
  const which = policies.filter((policy) => drawnBy(policy, "by_site").length > 0);
  if (!which.length) return null;
  const siteText = (id) => { const site = sites.find((item) => item.id === id); return site ? titleOf(site) : id; };
  const holder = h("div");
  const tables = (name) => { const policy = policyNamed(name); return [drawnTable(policy, "by_model", "Model", (model) => model), drawnTable(policy, "by_site", "Site", siteText)].flat(); };
  const pick = chooser("Policy", policyOptions(which), (name) => put(holder, tables(name)), leadingIn(which));
  put(holder, tables(pick.value));
  return [h("h3", null, "Where the energy goes"), h("p", { class: "note" }, "Per million tokens served there (of all kinds), whoever asked for them: the energy of servers that stand idle counts in, so a site that serves little looks dear."),
    pick.element ? h("div", { class: "controls" }, pick.element) : null, holder];
}

function energyWords() {
  const ranked = policies.filter((policy) => !policy.oracle && finite(carbonOf(policy))).sort((a, b) => carbonOf(a) - carbonOf(b));
  if (ranked.length < 2) return ranked.length ? `The run emits ${number(carbonOf(ranked[0]))} kg of CO₂${finite(energyOf(ranked[0])) ? ` for ${number(energyOf(ranked[0]))} kWh` : ""}.` : "";
  const low = ranked[0], high = ranked[ranked.length - 1], more = carbonOf(low) > 0 ? carbonOf(high) / carbonOf(low) - 1 : 0;
  return more < 0.01 ? `Carbon hardly depends on the policy: all${policies.some((policy) => policy.oracle) ? " but the oracle" : ""} lie within ${percent(more)}.` : `${low.name} emits least and ${high.name} most, ${percent(more)} more. Whether a difference is more than chance is in the policy table if carbon is one of its metrics.`;
}

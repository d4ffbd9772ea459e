/* What deciding cost: decisions, what became of them, the time they were charged, and how old the state was. */

const chargedTime = () => { const found = /^\s*decision_time:\s*(.+?)\s*(#.*)?$/m.exec(String(made.scenario_text || "")); return found ? found[1] : null; };
const decisionsOf = (policy, key) => runMean(policy.name, `decisions.${key}`);

const decisionsSection = {
  id: "decisions", title: "What deciding cost", show: () => policies.some((policy) => finite(decisionsOf(policy, "decisions"))),
  body() {
    const each = (policy) => ratioOf(decisionsOf(policy, "decisions"), runMean(policy.name, "requests.offered")), time = chargedTime();
    const column = (title, unit, value, show = count) => ({ title, unit, sort: value, cell: (policy) => (finite(value(policy)) ? show(value(policy)) : NONE) });
    const age = (key) => (policy) => get(policy, `decision_age_s.${key}`);
    return [
      h("p", { class: "lead" }, time ? `Every decision is charged ${time === "0" ? "no time" : time}: ${time === "0" ? "`brain.decision_time` is 0 in this scenario, so that deciding is free." : "it delays the attempt by that much."}`.replace(/`/g, "") : "",
        " A scheduler sees reports of the grid, not the grid: the older they are, the more a policy that trusts them sends everybody to the same place."),
      table({ rows: policies, caption: "Decisions, per run", columns: [
        { title: "Policy", sort: (policy) => policy.name, cell: (policy) => policyCell(policy.name) }, column("Decisions", "asked of the policy", (policy) => decisionsOf(policy, "decisions")), column("Per request", "retries included", each, (v) => number(v, 2)),
        column("Sent", "to a pool", (policy) => decisionsOf(policy, "attempts")), column("Put off", "by the policy", (policy) => decisionsOf(policy, "deferred")), column("Refused", "by policy or rule", (policy) => { const n = sum(["policy", "not_permitted", "too_long"].map((reason) => reasonOf(policy, reason))); return finite(n) ? n / Math.max(1, runsOf(policy.name).length) : null; }),
        column("Not valid", "replaced by the host", (policy) => decisionsOf(policy, "bad_decisions")), { title: "Age of the state", unit: "median, 99th percentile", sort: age("p50"), cell: (policy) => (finite(age("p50")(policy)) ? [duration(age("p50")(policy)), h("small", null, duration(age("p99")(policy)))] : NONE) },
      ] }),
    ];
  },
};

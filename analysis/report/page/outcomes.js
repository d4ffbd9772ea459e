/* What became of the promise to clients: served in time, late, turned away, and why. */

const ENDS = [
  { key: "met", text: "served within the objective", colour: 0 }, { key: "late", text: "served late", colour: 4 }, { key: "refused", text: "refused", colour: 1 },
  { key: "abandoned", text: "abandoned by the client", colour: 3 }, { key: "failed", text: "failed", colour: 6 },
];

/** Shares of the requests that have ended, under a policy, of a class or of all; null where the run does not say. */
function endShares(policy, className) {
  const path = (run, key) => (className === "*" ? get(run.summary, `requests.${key}`) : get((get(run.summary, "by_class") || {})[className], `requests.${key}`));
  const total = (key) => sum(runsOf(policy.name).map((run) => path(run, key)));
  const [served, late, refused, abandoned, failed] = ["served", "late", "refused", "abandoned", "failed"].map(total);
  const ended = sum([served, refused, abandoned, failed]);
  if (![served, late].every(finite) || !(ended > 0)) return null;
  return { met: (served - late) / ended, late: late / ended, refused: refused / ended, abandoned: abandoned / ended, failed: failed / ended };
}

function promiseFigure() {
  const redraw = () => element.redraw(), which = policies.filter((policy) => endShares(policy, "*"));
  const several = which.length > 1, shownClasses = classes.filter((item) => which.some((policy) => endShares(policy, item.name)));
  const pick = several ? chooser("Class", [{ value: "*", text: "all classes" }, ...shownClasses.map((item) => ({ value: item.name, text: titleOf(item) }))], redraw) : chooser("Policy", policyOptions(which), redraw);
  const rows = () => (several ? which.map((policy) => ({ text: policy.name, values: endShares(policy, pick.value) }))
    : [{ text: "all classes", values: endShares(which[0], "*") }, ...shownClasses.map((item) => ({ text: titleOf(item), values: endShares(which[0], item.name) }))]).filter((row) => row.values);
  const element = stackFigure({
    id: "chart-promise", title: several ? "Kept and broken promises by policy" : "Kept and broken promises by class", controls: [pick], rows, parts: ENDS, axis: "share of the requests that ended", show: percent, most: 1,
    note: "The attainment of the objective (SLO) is the first part alone: a request that is refused, abandoned or failed counts as missed, like one that is late.",
    words() {
      const ranked = rows().slice(several ? 0 : 1).sort((a, b) => b.values.met - a.values.met), best = ranked[0], worst = ranked[ranked.length - 1];
      if (!best) return "";
      const lost = sum(["refused", "abandoned", "failed"].map((key) => worst.values[key]));
      return ranked.length > 1 ? `Most promises are kept ${several ? "under" : "to"} ${best.text} (${percent(best.values.met)}), fewest ${several ? "under" : "to"} ${worst.text} (${percent(worst.values.met)}), where ${percent(lost / (lost + worst.values.late || 1))} of the broken ones got no answer at all.` : `${percent(best.values.met)} of the promises are kept.`;
    },
  });
  return element;
}

const reasonOf = (policy, reason) => (policy.reasons && finite(policy.reasons[reason]) ? policy.reasons[reason] : null);
/** Requests offered over all seeds of a policy, to which its counts of reasons refer. */
const offeredTotal = (policy) => sum(runsOf(policy.name).map((run) => get(run.summary, "requests.offered")));

const refusalSection = {
  id: "refusals", title: "Objectives kept and requests turned away", show: () => policies.some((policy) => policy.reasons || endShares(policy, "*")),
  body: () => [policies.some((policy) => endShares(policy, "*")) ? promiseFigure() : null, policies.some((policy) => policy.reasons) ? reasonsFigure() : null],
};

function reasonsFigure() {
  const reasons = unique(policies.flatMap((policy) => entries(policy.reasons).filter(([, n]) => n > 0).map(([reason]) => reason)));
  if (!reasons.length) return h("p", { class: "words" }, "No request was turned away, under any policy.");
  const total = (reason) => sum(policies.map((policy) => reasonOf(policy, reason))) || 0;
  reasons.sort((a, b) => total(b) - total(a));
  const which = policies.filter((policy) => policy.reasons), perThousand = which.every((policy) => offeredTotal(policy) > 0);
  const value = (policy, reason) => { const n = reasonOf(policy, reason) ?? 0; return perThousand ? 1000 * n / offeredTotal(policy) : n; };
  const worst = which.map((policy) => ({ policy, n: sum(reasons.map((reason) => value(policy, reason))) })).sort((a, b) => b.n - a.n);
  return barFigure({
    id: "chart-reasons", title: "Why requests were turned away", note: "Over all seeds of a policy.", which, categories: reasons.map((reason) => ({ value: reason, text: spoken(reason) })), value,
    axis: perThousand ? "requests in a thousand offered" : "requests", show: (v) => (v > 0 && v < 0.01 ? "< 0.01" : number(v)),
    tipText: (policy, reason) => [tipRow("", "requests", count(reasonOf(policy, reason) ?? 0))],
    words: () => `The commonest reason is “${spoken(reasons[0])}”. ${worst.length > 1 ? `Most are turned away by ${worst[0].policy.name}, fewest by ${worst[worst.length - 1].policy.name}: ` : "In all "}` +
      `${worst.length > 1 ? `${number(worst[0].n)} and ${number(worst[worst.length - 1].n)}` : number(worst[0].n)} ${perThousand ? "in a thousand requests." : "requests."}`,
  });
}

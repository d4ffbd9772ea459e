/* What little is computed here and not in the program: differences between two policies that the reader picks, and
   points of a latency curve. */

/** Two-sided Student quantile: the t with P(|T| <= t) = level at n degrees of freedom (Abramowitz and Stegun 26.7.3-4). */
function studentQuantile(level, n) {
  const inside = (t) => {
    const angle = Math.atan(t / Math.sqrt(n)), cos2 = Math.cos(angle) ** 2;
    let term = n % 2 ? Math.cos(angle) : 1, series = n === 1 ? 0 : term;
    for (let k = n % 2 ? 3 : 2; k <= n - 2; k += 2) { term *= cos2 * (k - 1) / k; series += term; }
    return n % 2 ? 2 / Math.PI * (angle + Math.sin(angle) * series) : Math.sin(angle) * series;
  };
  let low = 0, high = 1e4;
  for (let i = 0; i < 80; i++) { const middle = (low + high) / 2; if (inside(middle) < level) low = middle; else high = middle; }
  return high;
}

/** Paired difference a - b over common seeds, with its interval; null with fewer than two pairs. */
function pairedDifference(a, b, path, level) {
  const second = new Map(runsOf(b).map((run) => [run.seed, get(run.summary, path)]));
  const differences = runsOf(a).map((run) => [get(run.summary, path), second.get(run.seed)]).filter(([x, y]) => finite(x) && finite(y)).map(([x, y]) => x - y);
  const n = differences.length;
  if (n < 2) return null;
  const middle = mean(differences);
  const spread = Math.sqrt(sum(differences.map((d) => (d - middle) ** 2)) / (n - 1));
  const half = studentQuantile(level, n - 1) * spread / Math.sqrt(n);
  return { pairs: n, difference: middle, low: middle - half, high: middle + half, significant: Math.abs(middle) > half };
}

/** Share of a distribution at or below x (upper edges s, cumulative cdf), linear in log s between edges. */
function shareBelow(curve, x) {
  const edges = curve.s, index = edges.findIndex((edge) => edge >= x);
  if (index < 0) return curve.cdf[curve.cdf.length - 1];
  if (index === 0) return edges[0] === x ? curve.cdf[0] : null;
  const part = (Math.log(x) - Math.log(edges[index - 1])) / (Math.log(edges[index]) - Math.log(edges[index - 1]));
  return curve.cdf[index - 1] + part * (curve.cdf[index] - curve.cdf[index - 1]);
}

/** Quantile of the same; null where the curve does not reach it. */
function quantileOf(curve, share) {
  const index = curve.cdf.findIndex((value) => value >= share);
  if (index < 0) return null;
  if (index === 0) return curve.s[0];
  const rise = curve.cdf[index] - curve.cdf[index - 1];
  const part = rise > 0 ? (share - curve.cdf[index - 1]) / rise : 1;
  return Math.exp(Math.log(curve.s[index - 1]) + part * (Math.log(curve.s[index]) - Math.log(curve.s[index - 1])));
}

/** The latency curve of a policy and class, with unusable points removed; null when there is nothing to draw. */
function curveOf(policy, className, metric) {
  const raw = get(policy, "latency") && policy.latency[className] ? policy.latency[className][metric] : null;
  if (!raw || !Array.isArray(raw.s) || !Array.isArray(raw.cdf)) return null;
  const curve = { s: [], cdf: [] };
  raw.s.forEach((edge, i) => { if (finite(edge) && edge > 0 && finite(raw.cdf[i])) { curve.s.push(edge); curve.cdf.push(raw.cdf[i]); } });
  return curve.s.length > 1 ? curve : null;
}

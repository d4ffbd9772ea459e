/* Coast lines, great circles and the part of the world that a map shows. */

/** Coast lines: the arcs of the TopoJSON file, decoded, joined to rings and cut at the antimeridian. */
function landShapes(topology) {
  if (!topology || !topology.arcs || !topology.transform) return null;
  const { scale, translate } = topology.transform;
  const arcs = topology.arcs.map((arc) => {
    let x = 0, y = 0;
    return arc.map(([dx, dy]) => [(x += dx) * scale[0] + translate[0], (y += dy) * scale[1] + translate[1]]);
  });
  const ring = (indices) => indices.flatMap((index, i) => (index >= 0 ? arcs[index] : [...arcs[~index]].reverse()).slice(i ? 1 : 0));
  const geometries = Object.values(topology.objects).flatMap((object) => object.geometries || [object]);
  const polygons = geometries.flatMap((geometry) => (geometry.type === "MultiPolygon" ? geometry.arcs : [geometry.arcs]));
  return { type: "FeatureCollection", features: [{ type: "Feature", properties: { name: "land" },
    geometry: { type: "MultiPolygon", coordinates: polygons.flatMap((polygon) => polygon.flatMap((indices) => cutRing(ring(indices)).map((piece) => [piece]))) } }] };
}

/** A ring that crosses longitude 180 would be drawn as a line across the whole map. Unwrap it, then keep what lies
 *  within [-180, 180] of it and of its copies one turn away. */
function cutRing(points) {
  const unwrapped = [points[0].slice()];
  for (const [longitude, latitude] of points.slice(1)) {
    const before = unwrapped[unwrapped.length - 1][0];
    unwrapped.push([longitude - 360 * Math.round((longitude - before) / 360), latitude]);
  }
  const first = unwrapped[0], last = unwrapped[unwrapped.length - 1];
  if (Math.abs(first[0] - last[0]) > 180) unwrapped.push([last[0], -90], [first[0], -90], first.slice()); /* round the pole: Antarctica */
  const clip = (shape, edge, keep) => shape.flatMap((a, i) => {
    const b = shape[(i + 1) % shape.length], out = keep(a[0]) ? [a] : [];
    if (keep(a[0]) !== keep(b[0])) out.push([edge, a[1] + (edge - a[0]) / (b[0] - a[0]) * (b[1] - a[1])]);
    return out;
  });
  return [-360, 0, 360].map((turn) => unwrapped.map(([x, y]) => [x + turn, y]))
    .map((shape) => clip(clip(shape, -180, (x) => x >= -180), 180, (x) => x <= 180)).filter((shape) => shape.length > 3);
}

/** Points along the great circle between two sites, in pieces that do not cross longitude 180. */
function greatCircle(a, b) {
  const radians = Math.PI / 180;
  const vector = (site) => [Math.cos(site.lat * radians) * Math.cos(site.lon * radians), Math.cos(site.lat * radians) * Math.sin(site.lon * radians), Math.sin(site.lat * radians)];
  const from = vector(a), to = vector(b);
  const angle = Math.acos(Math.min(1, Math.max(-1, from[0] * to[0] + from[1] * to[1] + from[2] * to[2])));
  const steps = Math.max(1, Math.ceil(angle / radians / 4));
  const pieces = [[]];
  let before = null;
  for (let i = 0; i <= steps; i++) {
    const part = i / steps, near = angle < 1e-6 || Math.PI - angle < 1e-6;
    const [p, q] = near ? [1 - part, part] : [Math.sin((1 - part) * angle) / Math.sin(angle), Math.sin(part * angle) / Math.sin(angle)];
    const [x, y, z] = [0, 1, 2].map((k) => p * from[k] + q * to[k]);
    const point = [Math.atan2(y, x) / radians, Math.atan2(z, Math.hypot(x, y)) / radians];
    if (before && Math.abs(point[0] - before[0]) > 180) {
      const side = before[0] > 0 ? 180 : -180, far = point[0] + 2 * side;
      const latitude = before[1] + (side - before[0]) / (far - before[0]) * (point[1] - before[1]);
      pieces[pieces.length - 1].push([side, latitude]);
      pieces.push([[-side, latitude]]);
    }
    pieces[pieces.length - 1].push(point);
    before = point;
  }
  return pieces.filter((piece) => piece.length > 1);
}

/** The part of the world that shows the given sites in a box of this shape, with a margin, true to shape at its middle. */
function mapBounds(shown, width, height) {
  const pad = (low, high, least) => { const grow = Math.max(0.07 * (high - low), least); return [low - grow, high + grow]; };
  let [west, east] = pad(smallest(shown.map((site) => site.lon)), largest(shown.map((site) => site.lon)), 2);
  let [south, north] = pad(smallest(shown.map((site) => site.lat)), largest(shown.map((site) => site.lat)), 2);
  const aspect = Math.max(0.4, Math.cos((south + north) / 2 * Math.PI / 180));
  const wanted = width / height, have = (east - west) * aspect / (north - south);
  if (have < wanted) { const grow = ((north - south) * wanted / aspect - (east - west)) / 2; west -= grow; east += grow; }
  else { const grow = ((east - west) * aspect / wanted - (north - south)) / 2; south -= grow; north += grow; }
  return { corners: [[west, north], [east, south]], aspect };
}

/* Lengths and areas on the ellipsoid of WGS 84, and GCJ-02 for tiles that are drawn in it. Degrees in, metres out. */
(function () {
  "use strict";
  const gc = (window.geoCluster = window.geoCluster || {});
  const A = 6378137, F = 1 / 298.257223563, B = A * (1 - F), E2 = F * (2 - F), E = Math.sqrt(E2), RAD = Math.PI / 180;

  /* Vincenty's inverse formula (Survey Review 23, 1975); points are {lat, lng}. */
  function distance(p, q) {
    const u1 = Math.atan((1 - F) * Math.tan(p.lat * RAD)), u2 = Math.atan((1 - F) * Math.tan(q.lat * RAD)), l = (q.lng - p.lng) * RAD;
    const s1 = Math.sin(u1), c1 = Math.cos(u1), s2 = Math.sin(u2), c2 = Math.cos(u2);
    let lambda = l, sinS = 0, cosS = 1, sigma = 0, cos2a = 0, cos2m = 0;
    for (let i = 0; i < 100; i++) {
      const sl = Math.sin(lambda), cl = Math.cos(lambda);
      sinS = Math.hypot(c2 * sl, c1 * s2 - s1 * c2 * cl);
      if (sinS === 0) return 0;
      cosS = s1 * s2 + c1 * c2 * cl;
      sigma = Math.atan2(sinS, cosS);
      const sinA = (c1 * c2 * sl) / sinS;
      cos2a = 1 - sinA * sinA;
      cos2m = cos2a ? cosS - (2 * s1 * s2) / cos2a : 0;
      const c = (F / 16) * cos2a * (4 + F * (4 - 3 * cos2a)), before = lambda;
      lambda = l + (1 - c) * F * sinA * (sigma + c * sinS * (cos2m + c * cosS * (2 * cos2m * cos2m - 1)));
      if (Math.abs(lambda - before) < 1e-12) break;
    }
    const u = (cos2a * (A * A - B * B)) / (B * B);
    const a = 1 + (u / 16384) * (4096 + u * (-768 + u * (320 - 175 * u))), b = (u / 1024) * (256 + u * (-128 + u * (74 - 47 * u)));
    const d = b * sinS * (cos2m + (b / 4) * (cosS * (2 * cos2m * cos2m - 1) - (b / 6) * cos2m * (4 * sinS * sinS - 3) * (4 * cos2m * cos2m - 3)));
    return B * a * (sigma - d);
  }

  /* Area on the authalic sphere (Snyder, Map Projections, 1987, eq. 3-12): that sphere keeps the ellipsoid's areas. */
  const q = (s) => (1 - E2) * (s / (1 - E2 * s * s) - Math.log((1 - E * s) / (1 + E * s)) / (2 * E));
  const POLE = q(1), RADIUS = A * Math.sqrt(POLE / 2);
  const half = (lat) => Math.tan(Math.asin(q(Math.sin(lat * RAD)) / POLE) / 2);
  function area(ring) {
    let excess = 0;
    ring.forEach((p, i) => {
      const n = ring[(i + 1) % ring.length], t1 = half(p.lat), t2 = half(n.lat);
      excess += 2 * Math.atan2(Math.tan(((n.lng - p.lng) * RAD) / 2) * (t1 + t2), 1 + t1 * t2);
    });
    return Math.abs(excess) * RADIUS * RADIUS;
  }

  const length = (path) => path.slice(1).reduce((sum, p, i) => sum + distance(path[i], p), 0);

  /* A ring of points at one distance of a centre: sphere first, then corrected twice by the true distance. */
  function circle(centre, radius) {
    const ring = [];
    for (let i = 0; i < 96; i++) {
      const way = (i / 96) * 2 * Math.PI;
      let reach = radius, p = centre;
      for (let round = 0; round < 3; round++) {
        const d = reach / 6371008.8, lat = centre.lat * RAD;
        const to = Math.asin(Math.sin(lat) * Math.cos(d) + Math.cos(lat) * Math.sin(d) * Math.cos(way));
        const by = Math.atan2(Math.sin(way) * Math.sin(d) * Math.cos(lat), Math.cos(d) - Math.sin(lat) * Math.sin(to));
        p = { lat: to / RAD, lng: centre.lng + by / RAD };
        reach *= radius / (distance(centre, p) || radius || 1);
      }
      ring.push(p);
    }
    return ring;
  }

  /* Metres from a point to the edge of a ring, below zero inside; plane, true to 0.1 % within some 50 km. */
  function toEdge(p, ring) {
    const ky = 110574 + 1118 * Math.sin(p.lat * RAD) ** 2, kx = 111320 * Math.cos(p.lat * RAD) * (1 + 0.00335 * Math.sin(p.lat * RAD) ** 2);
    const at = ring.map((r) => [(r.lng - p.lng) * kx, (r.lat - p.lat) * ky]);
    let inside = false, best = Infinity;
    at.forEach(([x1, y1], i) => {
      const [x2, y2] = at[(i + 1) % at.length], dx = x2 - x1, dy = y2 - y1, l = dx * dx + dy * dy;
      if (y1 > 0 !== y2 > 0 && x1 - (y1 * dx) / dy > 0) inside = !inside;
      const t = l ? Math.max(0, Math.min(1, -(x1 * dx + y1 * dy) / l)) : 0;
      best = Math.min(best, Math.hypot(x1 + t * dx, y1 + t * dy));
    });
    return inside ? -best : best;
  }

  /* WGS 84 to GCJ-02 by the public formula, as `geo_cluster.world.coordinates` has it; the inverse is iterated. */
  function toGcj(lat, lng) {
    if (lng < 72.004 || lng > 137.8347 || lat < 0.8293 || lat > 55.8271) return { lat: lat, lng: lng };
    const x = lng - 105, y = lat - 35, pi = Math.PI, s = Math.sin, root = Math.sqrt(Math.abs(x));
    const common = 20 * s(6 * x * pi) + 20 * s(2 * x * pi);
    const north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + ((common + 20 * s(y * pi) + 40 * s((y / 3) * pi) + 160 * s((y / 12) * pi) + 320 * s((y / 30) * pi)) * 2) / 3;
    const east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + ((common + 20 * s(x * pi) + 40 * s((x / 3) * pi) + 150 * s((x / 12) * pi) + 300 * s((x / 30) * pi)) * 2) / 3;
    const a = 6378245, ee = 0.00669342162296594323, m = 1 - ee * s(lat * RAD) ** 2;
    return { lat: lat + north / (((a * (1 - ee)) / (m * Math.sqrt(m))) * RAD), lng: lng + east / ((a / Math.sqrt(m)) * Math.cos(lat * RAD) * RAD) };
  }
  function fromGcj(lat, lng) {
    let p = { lat: lat, lng: lng };
    for (let i = 0; i < 8; i++) {
      const ahead = toGcj(p.lat, p.lng);
      p = { lat: p.lat - (ahead.lat - lat), lng: p.lng - (ahead.lng - lng) };
    }
    return p;
  }

  gc.geodesy = { distance, area, length, circle, toEdge, toGcj, fromGcj };
})();

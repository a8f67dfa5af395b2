// The grids' shapes: loaded once, projected once, known by code; and their names for whoever shows a place.
(function () {
  "use strict";
  const part = (window.gridwallMap = window.gridwallMap || {});
  const URL = "/api/v1/grids/shapes";
  const RETRY = 5000; // ms
  const READABLE = 18; // CSS pixels² at 1920×1080 a cell needs on average to be told from its neighbours

  const names = new Map(); // code -> name

  async function load(level) {
    for (;;) {
      try {
        const answer = await fetch(`${URL}?level=${level}`);
        if (answer.ok) {
          part.grids = answer.headers.get("gridwall-grids") || "";
          return (await answer.json()).features;
        }
        if (answer.status === 404 || answer.status === 422) return [];
      } catch {
        // the server is away; try again
      }
      part.onfailure?.();
      await new Promise((done) => setTimeout(done, RETRY));
    }
  }

  function polygons(geometry) {
    if (!geometry) return [];
    return geometry.type === "MultiPolygon" ? geometry.coordinates : [geometry.coordinates];
  }

  // One area ready to draw. Paths are relative to `origin`, for canvas paths hold 32-bit floats only.
  function cell(feature, origin) {
    const path = new Path2D();
    const box = [Infinity, Infinity, -Infinity, -Infinity];
    let area = 0;
    for (const rings of polygons(feature.geometry)) {
      for (const [index, ring] of rings.entries()) {
        let [px, py] = [0, 0];
        for (const [at, [lon, lat]] of ring.entries()) {
          const [wx, wy] = part.project(lon, lat);
          const [x, y] = [wx - origin[0], wy - origin[1]];
          if (at) path.lineTo(x, y);
          else path.moveTo(x, y);
          if (at && !index) area += px * y - x * py;
          [px, py] = [x, y];
          if (x < box[0]) box[0] = x;
          if (y < box[1]) box[1] = y;
          if (x > box[2]) box[2] = x;
          if (y > box[3]) box[3] = y;
        }
        path.closePath();
      }
    }
    const { code, name, parent, population, cx, cy } = feature.properties;
    const [wx, wy] = cx === undefined ? [(box[0] + box[2]) / 2 + origin[0], (box[1] + box[3]) / 2 + origin[1]] : part.project(cx, cy);
    return { code, name, parent, population, path, box, area: Math.abs(area) / 2, x: wx - origin[0], y: wy - origin[1] };
  }

  class Layers {
    // levels: cells by code, one Map a level, top first. heirs: {code that is no more: code that counts for it}.
    constructor(all, heirs = {}) {
      const first = all[0][0] && polygons(all[0][0].geometry)[0][0][0];
      this.origin = first ? part.project(first[0], first[1]) : [0, 0];
      this.levels = all.map((features) => new Map(features.map((one) => [one.properties.code, cell(one, this.origin)])));
      this.parents = new Map();
      for (const level of this.levels) for (const one of level.values()) this.parents.set(one.code, one.parent);
      for (const code in heirs) if (!this.parents.has(code)) this.parents.set(code, heirs[code]);
      for (const level of this.levels) for (const one of level.values()) names.set(one.code, one.name);
      this.box = [Infinity, Infinity, -Infinity, -Infinity];
      for (const one of this.levels[this.leaf].values()) {
        this.box = [0, 1].map((i) => Math.min(this.box[i], one.box[i])).concat([2, 3].map((i) => Math.max(this.box[i], one.box[i])));
      }
    }

    get leaf() {
      return this.levels.length - 1;
    }

    // The deepest level few enough to name on the map.
    get named() {
      let found = 0;
      this.levels.forEach((level, at) => {
        if (level.size <= 40 && at < Math.max(this.leaf, 1)) found = at;
      });
      return found;
    }

    // The deepest level whose cells can be told apart at a scale (CSS pixels a path unit).
    readable(scale) {
      const factor = part.scale() ** 2;
      for (let at = this.leaf; at > this.named; at -= 1) {
        let area = 0;
        for (const one of this.levels[at].values()) area += one.area;
        if ((area / this.levels[at].size) * scale ** 2 >= (READABLE * factor) / Math.max(factor, 1)) return at;
      }
      return this.named;
    }

    // All of them, as Leaflet wants it.
    bounds() {
      const [x0, y0, x1, y1] = this.box;
      const back = (x, y) => part.place(x + this.origin[0], y + this.origin[1]).reverse();
      return L.latLngBounds(back(x0, y1), back(x1, y0));
    }

    // The code on level `at` that the leaf `code` lies in.
    ancestor(code, at) {
      let found = code;
      while (found && !this.levels[at].has(found)) found = this.parents.get(found);
      return found || "";
    }

    // Whether the leaf `code` counts nowhere: a grid of an earlier version without an heir.
    earlier(code) {
      return !this.parents.has(code);
    }
  }

  // The deepest level (asked for as 0) says how many there are.
  async function loadAll() {
    const leaves = await load(0);
    if (!leaves.length) return null;
    const heirs = await fetch("/api/v1/grids/heirs").then((answer) => (answer.ok ? answer.json() : {})).catch(() => ({}));
    const above = Array.from({ length: leaves[0].properties.level - 1 }, (_, at) => load(at + 1));
    return new Layers([...(await Promise.all(above)).filter((level) => level.length), leaves], heirs);
  }

  // Water and roads behind the incidents, one path a kind; nothing when there are none.
  async function loadBackdrop(origin) {
    const paths = { lake: new Path2D(), river: new Path2D(), road: new Path2D() };
    const answer = await fetch("/api/v1/grids/backdrop").catch(() => null);
    const features = answer?.ok ? (await answer.json()).features : [];
    for (const { properties, geometry } of features) {
      const path = paths[properties.kind];
      if (path) trace(path, geometry.type === "LineString" ? [geometry.coordinates] : geometry.coordinates, origin);
    }
    return paths;
  }

  function trace(path, lines, origin) {
    for (const line of lines) {
      line.forEach(([lon, lat], at) => {
        const [x, y] = part.project(lon, lat);
        path[at ? "lineTo" : "moveTo"](x - origin[0], y - origin[1]);
      });
    }
  }

  // ---- names of places: <span class="place" data-town data-grid> ----

  function fill(span) {
    const known = [span.dataset.town, span.dataset.grid].map((code) => names.get(code)).filter(Boolean);
    const [town, leaf] = known;
    const told = leaf?.startsWith(town) ? leaf : [...new Set(known)].join(" · ");
    if (told && span.textContent !== told) span.textContent = told;
  }

  // The words that tell two places apart come last: where both do not fit, the town gives way.
  function fillThese(spans) {
    spans.forEach(fill);
    const cut = spans.filter((span) => {
      const line = span.closest(".cut:not(.place)") || span;
      return span.dataset.town && line.scrollWidth > line.clientWidth;
    });
    for (const span of cut) span.textContent = names.get(span.dataset.grid) || span.textContent;
  }

  function fillAll() {
    fillThese([...document.querySelectorAll(".place[data-grid]")]);
  }

  // An age that grows from "9 分" to "10 分" takes room from the place beside it.
  const REFIT = 1000; // ms

  function watch() {
    setInterval(fillAll, REFIT);
    new MutationObserver((changes) => {
      if (!names.size) return;
      const spans = new Set();
      for (const change of changes) {
        if (change.type === "attributes" && change.target.classList?.contains("place")) spans.add(change.target);
        for (const node of change.addedNodes) {
          if (node.nodeType === 1) node.querySelectorAll(".place[data-grid]").forEach((one) => spans.add(one));
        }
      }
      if (spans.size) fillThese([...spans]);
    }).observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-grid"] });
  }

  Object.assign(part, { Layers, cell, load, loadAll, loadBackdrop, names, fillAll, watch });
})();

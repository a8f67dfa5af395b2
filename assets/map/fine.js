// What shows at deep zooms, loaded by windows of the map: the general grids as they were drawn, and the grids over them
// (微网格, 专属), which a whole city has too many of.
(function () {
  "use strict";
  const part = (window.gridwallMap = window.gridwallMap || {});
  const URL = "/api/v1/grids/shapes";
  const DRAWN = 13; // zoom from which the shapes of a whole level are too coarse
  const RETRY = 5000; // ms
  const KEPT = 96; // windows of a layer kept

  class Layer {
    // query: what of the shapes; zoom: from which it shows; ready(): something has come.
    constructor(query, zoom, layers, ready) {
      Object.assign(this, { query, zoom, layers, ready });
      this.size = part.WORLD / 2 ** Math.max(0, Math.floor(zoom) - 1); // of a window, in path units
      this.windows = new Map(); // "x/y" -> Map of cells by code, or null while it is on its way; least needed first
      this.waiting = 0;
    }

    // Load what is missing for a view (path units: x0, y0, x1, y1) and forget what was needed longest ago.
    need([x0, y0, x1, y1]) {
      const [ox, oy] = this.layers.origin;
      const at = (value) => Math.floor(value / this.size);
      this.now = [];
      for (let x = at(x0 + ox); x <= at(x1 + ox); x += 1) {
        for (let y = at(y0 + oy); y <= at(y1 + oy); y += 1) this.now.push([x, y]);
      }
      for (const [x, y] of this.now) {
        const key = `${x}/${y}`;
        const known = this.windows.get(key);
        if (known === undefined) this.load(key, x, y);
        else {
          this.windows.delete(key);
          this.windows.set(key, known);
        }
      }
      for (const key of this.windows.keys()) {
        if (this.windows.size <= Math.max(KEPT, this.now.length)) break;
        this.windows.delete(key);
      }
    }

    async load(key, x, y) {
      this.windows.set(key, null);
      this.waiting += 1;
      const [west, north] = part.meant(...part.place(x * this.size, y * this.size));
      const [east, south] = part.meant(...part.place((x + 1) * this.size, (y + 1) * this.size));
      const box = [west, south, east, north].map((value) => value.toFixed(6)).join();
      try {
        const answer = await fetch(`${URL}?${this.query}&bbox=${box}`);
        if (!answer.ok && answer.status !== 422) throw new Error(String(answer.status));
        const features = answer.ok ? (await answer.json()).features : []; // 422: more than can be drawn
        this.windows.set(key, new Map(features.map((one) => [one.properties.code, part.cell(one, this.layers.origin)])));
      } catch {
        this.windows.delete(key); // asked for again when the view next changes
      }
      this.waiting -= 1;
      this.ready();
    }

    // The cells of the view that are here, each once.
    cells() {
      const found = new Map();
      for (const [x, y] of this.now || []) {
        for (const [code, one] of this.windows.get(`${x}/${y}`) || []) found.set(code, one);
      }
      return found;
    }
  }

  class Fine {
    // about: the answer of /api/v1/grids/about, or null.
    constructor(layers, about, ready) {
      this.layers = layers;
      const again = () => {
        this.frame = this.frame || requestAnimationFrame(() => { this.frame = 0; ready(); });
      };
      this.general = new Layer("kind=general", DRAWN, layers, again);
      this.over = Object.entries(about?.over || {}).map(([kind, { zoom }]) => new Layer(`kind=${kind}`, zoom, layers, again));
    }

    // Say what is drawn: level `at`, at a zoom, of a view in path units. Returns {drawn, over}: cells by code.
    look(at, zoom, view) {
      const wanted = (layer) => zoom >= layer.zoom && at === this.layers.leaf;
      const cells = (layer) => {
        if (!wanted(layer)) return new Map();
        layer.need(view);
        return layer.cells();
      };
      return { drawn: cells(this.general), over: this.over.map(cells) };
    }

    get waiting() {
      return [this.general, ...this.over].reduce((sum, one) => sum + one.waiting, 0);
    }
  }

  // How many grids of which level and kind there are; null when nobody can say.
  part.loadAbout = async () => {
    for (;;) {
      const answer = await fetch("/api/v1/grids/about").catch(() => null);
      if (answer?.ok) return answer.json();
      if (answer && answer.status < 500) return null;
      part.onfailure?.();
      await new Promise((done) => setTimeout(done, RETRY));
    }
  };

  Object.assign(part, { Fine });
})();

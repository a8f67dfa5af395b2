// The heat page's map: one level of areas on one canvas, drawn for the screen and for the picture by the same code.
(() => {
  const part = (window.gridwallHeat = window.gridwallHeat || {});
  const LINED = 30; // CSS pixels² from which an area has its own border
  const NAMED = 40; // areas at most that have their names on the map

  const levels = []; // features by level, as they came
  let layers = null; // areas of levels 1 to the one drawn

  /** Load what level `at` (1 = top) needs; the same again costs nothing. */
  part.shapes = async (at) => {
    const map = window.gridwallMap;
    const wanted = Array.from({ length: at }, (_, n) => n);
    await Promise.all(wanted.map(async (n) => { levels[n] = levels[n] || (await map.load(n + 1)); }));
    layers = new map.Layers(wanted.map((n) => levels[n]).filter((one) => one.length));
    return layers;
  };

  class Chart {
    constructor(canvas) {
      this.canvas = canvas;
      this.colours = new Map(); // code -> class
      this.chosen = "";
      new ResizeObserver(() => this.draw()).observe(canvas);
    }

    show(found, classes) {
      this.layers = found;
      this.colours = classes;
      this.draw();
    }

    choose(code) {
      this.chosen = code;
      this.draw();
    }

    draw() {
      this.frame = this.frame || requestAnimationFrame(() => this.paint());
    }

    paint() {
      this.frame = 0;
      if (!this.layers) return;
      const ratio = window.devicePixelRatio || 1;
      const { clientWidth: width, clientHeight: height } = this.canvas;
      this.canvas.width = Math.round(width * ratio);
      this.canvas.height = Math.round(height * ratio);
      const context = this.canvas.getContext("2d");
      context.scale(ratio, ratio);
      this.view = this.onto(context, { x: 0, y: 0, width, height });
    }

    /** Draw into a box of any canvas; returns how the areas lie in it. */
    onto(context, box, letters = 14) {
      const [x0, y0, x1, y1] = this.layers.box;
      const k = Math.min((box.width - 16) / (x1 - x0), (box.height - 16) / (y1 - y0));
      const view = { k, x: box.x + box.width / 2 - ((x0 + x1) / 2) * k, y: box.y + box.height / 2 - ((y0 + y1) / 2) * k };
      const { heat, grid, border, text } = window.gridwallMap.colours();
      context.save();
      context.translate(view.x, view.y);
      context.scale(k, k);
      const cells = this.layers.levels[this.layers.leaf];
      const lines = new Path2D();
      for (const one of cells.values()) {
        context.fillStyle = heat[this.colours.get(one.code) ?? 0];
        context.fill(one.path, "evenodd");
        if (one.area * k * k > LINED) lines.addPath(one.path);
      }
      const stroke = (path, colour, width) => {
        Object.assign(context, { strokeStyle: colour, lineWidth: width / k, lineJoin: "round" });
        context.stroke(path);
      };
      stroke(lines, grid, 0.75);
      for (const at of [...new Set([this.layers.named, 0])]) {
        for (const one of this.layers.levels[at].values()) stroke(one.path, border, at ? 1 : 1.5);
      }
      const chosen = cells.get(this.chosen);
      if (chosen) stroke(chosen.path, text, 3);
      context.restore();
      this.names(context, view, letters);
      return view;
    }

    names(context, view, letters) {
      const { levels, leaf } = this.layers;
      const named = levels[levels[leaf].size <= NAMED ? leaf : this.layers.named];
      if (named.size > NAMED) return;
      const { label, halo } = window.gridwallMap.colours();
      Object.assign(context, { font: `500 ${letters}px ${getComputedStyle(document.body).fontFamily}`, textAlign: "center", textBaseline: "middle" });
      Object.assign(context, { lineJoin: "round", lineWidth: letters / 4, strokeStyle: halo, fillStyle: label });
      const taken = [];
      for (const one of [...named.values()].sort((a, b) => b.area - a.area)) {
        const [x, y, wide] = [one.x * view.k + view.x, one.y * view.k + view.y, context.measureText(one.name).width / 2 + 3];
        if (taken.some((other) => Math.abs(other.x - x) < other.wide + wide && Math.abs(other.y - y) < letters * 1.2)) continue;
        taken.push({ x, y, wide });
        context.strokeText(one.name, x, y);
        context.fillText(one.name, x, y);
      }
    }

    /** The code of the area under a point of the canvas, "" for none. */
    at(px, py) {
      if (!this.view) return "";
      const [x, y] = [(px - this.view.x) / this.view.k, (py - this.view.y) / this.view.k];
      const plane = document.createElement("canvas").getContext("2d");
      for (const one of this.layers.levels[this.layers.leaf].values()) {
        const [x0, y0, x1, y1] = one.box;
        if (x >= x0 && x <= x1 && y >= y0 && y <= y1 && plane.isPointInPath(one.path, x, y, "evenodd")) return one.code;
      }
      return "";
    }
  }
  part.Chart = Chart;
})();

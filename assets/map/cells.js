// The cells on canvas. Fills and lines lie on two canvases: a changed cell is filled again over its old colour, under the
// lines, so nothing is cleared and nothing else is drawn. (Leaflet's canvas redraws the union of all changed bounds.)
(function () {
  "use strict";
  const part = (window.gridwallMap = window.gridwallMap || {});
  const BUDGET = 6; // ms of painting a frame
  const LINED = 50; // CSS pixels² at 1920×1080 from which a cell has its own border; smaller ones would turn to mud

  class Cells {
    constructor(map, layers) {
      this.map = map;
      this.layers = layers;
      this.colours = [];
      this.queue = new Set(); // codes to fill
      this.drawn = new Map(); // cells of the view as they were drawn, by code
      this.over = []; // cells of the grids over these, by code
      this.frame = 0;
      this.fills = canvas(map, "cells-fills");
      this.lines = canvas(map, "cells-lines");
    }

    // colourOf: code -> css colour.
    show(at, colourOf) {
      this.at = at;
      this.colourOf = colourOf;
      this.redraw();
    }

    // Draw everything anew for the present view.
    redraw() {
      this.view = part.view(this.map, this.layers);
      this.window = part.window(this.view);
      if (this.fine) Object.assign(this, this.fine.look(this.at, this.map.getZoom(), this.window));
      for (const one of [this.fills, this.lines]) fit(one, this.view);
      this.drawLines();
      this.queue = new Set();
      for (const [code, one] of this.layers.levels[this.at]) if (meets(one.box, this.window)) this.queue.add(code);
      this.next();
    }

    // What is loaded by windows of the map at deep zooms.
    finer(fine) {
      this.fine = fine;
      if (this.view) this.redraw();
    }

    // Water and roads to draw over the fills and under the borders.
    behind(backdrop) {
      this.backdrop = backdrop;
      if (this.view) this.redraw();
    }

    // Fill these cells again, spread over frames.
    restyle(codes) {
      for (const code of codes) this.queue.add(code);
      this.next();
    }

    next() {
      if (!this.frame && this.queue.size) this.frame = requestAnimationFrame(() => this.paint());
    }

    paint() {
      this.frame = 0;
      const until = performance.now() + BUDGET;
      const cells = this.layers.levels[this.at];
      const context = transformed(this.fills, this.view);
      for (const code of this.queue) {
        this.queue.delete(code);
        const one = cells.get(code) && (this.drawn.get(code) || cells.get(code));
        if (one && meets(one.box, this.window)) {
          context.fillStyle = this.colourOf(code);
          context.fill(one.path, "evenodd");
        }
        if (performance.now() > until) break;
      }
      this.next();
    }

    drawLines() {
      const context = transformed(this.lines, this.view);
      const { grid, border, over } = part.colours();
      const factor = part.scale() / this.view.scale;
      const least = (LINED * part.scale() ** 2) / this.view.scale ** 2;
      const draw = (cells, colour, width, whole = true) => {
        const all = new Path2D();
        for (const [code, one] of cells) {
          if ((whole || one.area > least) && meets(one.box, this.window)) all.addPath((this.drawn.get(code) || one).path);
        }
        context.strokeStyle = colour;
        context.lineWidth = width * factor;
        context.lineJoin = "round";
        context.stroke(all);
      };
      this.drawBackdrop(context, factor);
      const { levels, named } = this.layers;
      for (const cells of this.over) draw(cells, over, 0.75);
      draw(levels[this.at], this.over.some((cells) => cells.size) ? border : grid, 0.75, false);
      if (named < this.at) draw(levels[named], border, 1.25);
      draw(levels[0], border, 2);
    }

    drawBackdrop(context, factor) {
      if (!this.backdrop) return;
      const { water, road } = part.colours();
      context.lineJoin = context.lineCap = "round";
      context.fillStyle = context.strokeStyle = water;
      context.fill(this.backdrop.lake);
      context.lineWidth = 7 * factor;
      context.stroke(this.backdrop.river);
      context.strokeStyle = road;
      context.lineWidth = 2.5 * factor;
      context.stroke(this.backdrop.road);
    }
  }

  function canvas(map, name) {
    const made = document.createElement("canvas");
    made.className = `layer ${name}`;
    map.getContainer().append(made);
    return made;
  }

  function fit(one, view) {
    one.width = Math.round(view.width * view.ratio);
    one.height = Math.round(view.height * view.ratio);
  }

  // Whether two boxes [x0, y0, x1, y1] share anything.
  function meets(one, other) {
    return one[0] <= other[2] && other[0] <= one[2] && one[1] <= other[3] && other[1] <= one[3];
  }

  // The part of the plane that a view shows, in path units.
  part.window = ({ x, y, width, height, scale }) => [-x / scale, -y / scale, (width - x) / scale, (height - y) / scale];

  function transformed(one, view) {
    const context = one.getContext("2d");
    const k = view.scale * view.ratio;
    context.setTransform(k, 0, 0, k, view.x * view.ratio, view.y * view.ratio);
    return context;
  }

  // How path units lie on the map's container: container = path × scale + (x, y), in CSS pixels.
  part.view = function (map, layers) {
    const size = map.getSize();
    const scale = (256 * 2 ** map.getZoom()) / part.WORLD;
    const corner = map.getPixelBounds().min;
    const [x, y] = layers.origin.map((value) => value * scale);
    return { width: size.x, height: size.y, ratio: window.devicePixelRatio || 1, scale, x: x - corner.x, y: y - corner.y };
  };

  Object.assign(part, { Cells, canvas, fit });
})();

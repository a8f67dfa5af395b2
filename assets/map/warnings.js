// What warnings cover, outlined on the map in the colour of their level and lightly hatched: never a colour of the heat.
// The banner's element says it (`data-outline`); here are also the names of the areas, and how high the banner is.
(function () {
  "use strict";
  const part = (window.gridwallMap = window.gridwallMap || {});
  const WIDTH = 5; // of the outline at 1920×1080, half of it drawn
  const HATCH = 14; // between two lines of the hatching
  const DASH = [14, 10]; // of an exercise
  const NAMES = 4; // named before "and others"

  const place = () => document.querySelector("[data-outline]");
  const call = () => document.getElementById("wall-call");
  part.bannerHeight = () => (document.documentElement.dataset.page === "wall" && place()?.offsetHeight) || 0;
  // How much of the map's top the call to the duty commander and warnings cover.
  part.covered = () => (call()?.offsetHeight || 0) + part.bannerHeight();

  class Warnings {
    constructor(map, layers, resized) {
      Object.assign(this, { map, layers, resized });
      this.canvas = part.canvas(map, "warned");
      this.shown = [];
      this.height = 0;
      this.watch();
    }

    watch() {
      const element = place();
      if (!element) return void setTimeout(() => this.watch(), 50);
      this.words = JSON.parse(element.dataset.words);
      const follow = { subtree: true, childList: true, attributes: true, attributeFilter: ["data-outline", "data-codes"] };
      new MutationObserver(() => this.update(element)).observe(element, follow);
      const sizes = new ResizeObserver(() => this.measure());
      for (const one of [element, call()]) if (one) sizes.observe(one);
      this.update(element);
    }

    update(element) {
      for (const span of element.querySelectorAll(".warning-area")) this.name(span);
      if (element.dataset.outline === this.told) return;
      this.told = element.dataset.outline;
      this.shown = JSON.parse(this.told);
      this.draw();
    }

    measure() {
      const height = part.bannerHeight() && part.covered(); // a call alone lies over the map, and moves nothing
      if (height === this.height) return;
      this.height = height;
      document.documentElement.style.setProperty("--covered", `${height}px`); // for the bar that says the link is lost
      this.resized();
    }

    name(span) {
      const covered = span.dataset.codes.split(" ");
      const town = (code) => this.layers.ancestor(code, this.layers.named) || code;
      const codes = covered.length > NAMES ? [...new Set(covered.map(town))] : covered; // many parts: their towns
      const names = codes.map((code) => part.names.get(code)).filter(Boolean);
      let said = names.slice(0, NAMES).join(this.words.separator);
      if (codes.length > NAMES && names.length) said = fill(this.words.some, { names: said, n: codes.length });
      if (codes[0] === "*") said = this.words.everywhere;
      if (said && span.textContent !== said) span.textContent = said;
    }

    draw() {
      const view = part.view(this.map, this.layers);
      part.fit(this.canvas, view);
      const context = this.canvas.getContext("2d");
      for (const one of this.shown) this.drawOne(context, view, one);
    }

    drawOne(context, view, { level, codes, exercise }) {
      const paths = this.paths(codes);
      if (!paths.length) return;
      const all = new Path2D();
      for (const path of paths) all.addPath(path);
      const layer = document.createElement("canvas");
      part.fit(layer, view);
      const own = layer.getContext("2d");
      const [factor, k] = [part.scale() / view.scale, view.scale * view.ratio];
      own.setTransform(k, 0, 0, k, view.x * view.ratio, view.y * view.ratio);
      own.strokeStyle = own.fillStyle = colour(level);
      own.lineJoin = "round";
      own.lineWidth = 2 * WIDTH * factor;
      own.stroke(all);
      own.globalCompositeOperation = "destination-out"; // what is inside goes: borders between two covered grids
      own.fill(all, "nonzero");
      own.globalCompositeOperation = "source-over";
      own.save();
      own.clip(all, "nonzero");
      own.setTransform(view.ratio, 0, 0, view.ratio, 0, 0);
      hatch(own, view, part.scale(), exercise);
      own.restore();
      context.drawImage(layer, 0, 0);
    }

    paths(codes) {
      const cells = codes.flatMap((code) => (code ? this.layers.levels.map((level) => level.get(code)) : [...this.layers.levels[0].values()]));
      return cells.filter(Boolean).map((one) => one.path);
    }
  }

  function hatch(context, { width, height }, factor, exercise) {
    context.globalAlpha = 0.5;
    context.lineWidth = 1.5 * factor;
    context.setLineDash(exercise ? DASH.map((one) => one * factor) : []);
    context.beginPath();
    for (let x = -height; x < width; x += HATCH * factor) {
      context.moveTo(x, height);
      context.lineTo(x + height, 0);
    }
    context.stroke();
  }

  function colour(level) {
    const style = getComputedStyle(document.documentElement);
    return style.getPropertyValue(level === "none" ? "--text-2" : `--warning-${level}`).trim();
  }

  function fill(text, values) {
    return text.replace(/{(\w+)}/g, (_, name) => values[name] ?? "");
  }

  Object.assign(part, { Warnings });
})();

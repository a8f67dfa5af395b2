// The cameras: the server gathers them by squares of the view (dashboard/api_cameras.py), here they are drawn. Gathered ones
// are a plate with their number, a bar as long as the share that is not live, and cut corners once that is much; single ones
// have a sign by their state, and near by the sector they look at. Asked for when the view changes, and when the live
// channel says that cameras have; never on a clock.
(function () {
  "use strict";
  const part = (window.gridwallMap = window.gridwallMap || {});
  const URL = "/cameras-on-map";
  const SETTLE = 120; // ms a view must have stood still
  const SPREAD = 1500; // ms within which screens ask after a change, so that not all do at once
  const RETRY = 5000; // ms
  const WALL = 1.8; // how much larger all is on a wall, which is read from afar
  const MUCH = 0.2; // share not live from which a plate has its corners cut
  const [PLATE, LETTERS, PAD, BAR, CUT] = [24, 13, 8, 4, 6];
  const BESIDE = 10; // pixels within which cameras stand on each other, and are drawn round their place
  const ROUND = 15;
  const SECTOR = 12; // pixels a sector's radius needs to be drawn
  const [ANGLE, DISTANCE] = [90, 100]; // degrees and metres where a record does not say them, as operations/cameras/near.py
  const EARTH = 40075016.7; // metres round the equator
  const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const NEARER = 2; // zooms
  const STATES = ["live", "dark", "off", "faulty", "unknown", "maintenance"];
  const RADIANS = Math.PI / 180;

  class Cameras {
    constructor(map, layers, section, say) {
      Object.assign(this, { map, layers, section, say, on: false, seen: null, asked: 0 });
      this.canvas = part.canvas(map, "cameras");
      this.signs = document.createElement("div");
      this.signs.className = "layer camera-signs";
      map.getContainer().append(this.signs);
      this.line = section.querySelector(".legend-cameras");
      this.button = section.querySelector(".map-cameras");
      this.button?.addEventListener("click", () => this.switched?.(!this.on));
      for (const name of ["mousedown", "touchstart", "pointerdown"]) {
        this.signs.addEventListener(name, (event) => event.target !== this.signs && event.stopPropagation()); // no map is dragged by a camera
      }
    }

    get url() {
      return URL;
    }

    get size() {
      return document.documentElement.dataset.page === "wall" ? WALL * part.scale() : 1;
    }

    switch(on) {
      if (on === this.on) return;
      this.on = on;
      this.section.dataset.cameras = on ? "on" : "off";
      this.button?.setAttribute("aria-pressed", String(on));
      if (!on) this.seen = this.plates = null;
      this.tell();
      this.draw();
      if (on) this.ask();
    }

    // The live channel says that cameras have changed since `key`.
    changed(key) {
      if (key === this.key) return;
      const first = this.key === undefined;
      this.key = key;
      if (this.on && !first) this.ask(Math.random() * SPREAD);
    }

    // The view is another.
    moved() {
      this.draw();
      if (this.on) this.ask();
    }

    ask(wait = SETTLE) {
      clearTimeout(this.later);
      this.later = setTimeout(() => this.fetch(), wait);
    }

    async fetch() {
      const serial = (this.asked += 1);
      this.request?.abort();
      this.request = new AbortController();
      const { x, y } = this.map.getSize();
      if (!this.on || !x || !y) return;
      const corner = (at) => { const { lat, lng } = this.map.containerPointToLatLng(at); return part.meant(lng, lat); };
      const [[west, north], [east, south]] = [corner([0, 0]), corner([x, y])];
      const box = [west, south, east, north].map((one) => one.toFixed(6)).join();
      const zoom = Math.min(24, Math.max(0, this.map.getZoom() - Math.log2(this.size))).toFixed(3);
      try {
        const answer = await fetch(`${this.url}?box=${box}&zoom=${zoom}`, { signal: this.request.signal });
        if (!answer.ok) throw new Error(String(answer.status));
        const seen = await answer.json();
        if (serial !== this.asked) return;
        this.seen = seen;
        this.away = false;
      } catch (error) {
        if (error.name === "AbortError" || serial !== this.asked) return;
        this.away = true;
        this.ask(RETRY);
      }
      this.tell();
      this.draw();
      this.drawn?.();
    }

    // What names of towns should not cover: [x, y, half size, weight].
    obstacles() {
      return (this.plates || []).map(({ row, at }) => [...at, width(row, this.size) / 2, 2]);
    }

    // How many cameras this view shows, how many of them are not live, and what the signs mean.
    tell() {
      if (!this.line) return;
      this.line.hidden = !this.on;
      this.section.classList.toggle("cameras-away", Boolean(this.away));
      if (!this.on) return this.line.replaceChildren();
      if (this.away) return this.line.replaceChildren(this.say("camera.away"));
      if (!this.seen) return this.line.replaceChildren(this.say("camera.loading"));
      const { total, states } = this.seen;
      const lost = total - states[0];
      const values = { n: total.toLocaleString("en"), lost: lost.toLocaleString("en"), share: total ? Math.round((lost / total) * 1000) / 10 : 0 };
      const key = STATES.flatMap((state, at) => (states[at] ? [sign(state), `${this.say(`camera.state.${state}`)} ${states[at].toLocaleString("en")}`] : []));
      return this.line.replaceChildren(this.say(total ? "camera.total" : "camera.none", values), ...key, ...this.blind());
    }

    // Grids of one's whole reach that are told to have no live camera; at a desk the way to their list.
    blind() {
      if (!this.seen.voids) return [];
      const wall = document.documentElement.dataset.page === "wall";
      const one = Object.assign(document.createElement(wall ? "b" : "a"), { className: "legend-voids" });
      if (!wall) one.href = "/cameras#coverage";
      one.textContent = this.say("camera.voids", { n: this.seen.voids.toLocaleString("en") });
      return [one];
    }

    draw() {
      this.frame = this.frame || requestAnimationFrame(() => this.paint());
    }

    paint() {
      this.frame = 0;
      this.view = part.view(this.map, this.layers || { origin: [0, 0] });
      part.fit(this.canvas, this.view);
      const { gathered, singles } = (this.on && this.seen) || { gathered: [], singles: [] };
      const context = this.canvas.getContext("2d");
      context.scale(this.view.ratio, this.view.ratio);
      const shown = singles.map((row) => ({ row, at: this.point(row[2], row[3]) })).filter(({ at }) => this.holds(at));
      for (const one of shown) this.sector(context, one);
      this.plates = gathered.map((row) => ({ row, at: this.point(row[0], row[1]) })).filter(({ at }) => this.holds(at));
      for (const one of this.plates) plate(context, one, this.size);
      this.place(shown);
    }

    point(lon, lat) {
      const [x, y] = part.project(lon, lat);
      const [ox, oy] = this.layers ? this.layers.origin : [0, 0];
      return [(x - ox) * this.view.scale + this.view.x, (y - oy) * this.view.scale + this.view.y];
    }

    holds([x, y]) {
      return x > -40 && y > -40 && x < this.view.width + 40 && y < this.view.height + 40;
    }

    // What a camera looks at, as far as its record tells.
    sector(context, { row: [, , , lat, state, , direction, angle, distance], at: [x, y] }) {
      if (direction === null) return;
      const pixels = (256 * 2 ** this.map.getZoom()) / (EARTH * Math.cos(lat * RADIANS));
      const radius = (distance || DISTANCE) * pixels;
      if (radius < SECTOR * this.size) return;
      const [middle, half] = [(direction - 90) * RADIANS, ((angle || ANGLE) / 2) * RADIANS];
      const colour = colours()[state === 0 ? "live" : "lost"];
      context.beginPath();
      context.moveTo(x, y);
      context.arc(x, y, radius, middle - half, middle + half);
      context.closePath();
      context.globalAlpha = 0.18;
      context.fillStyle = colour;
      context.fill();
      context.globalAlpha = 0.7;
      context.lineWidth = this.size;
      context.setLineDash(state === 0 ? [] : [4 * this.size, 3 * this.size]);
      context.strokeStyle = colour;
      context.stroke();
      context.setLineDash([]);
      context.globalAlpha = 1;
    }

    // Put the signs of single cameras where they are; those on one spot stand round it, each on the side it looks to.
    place(shown) {
      const known = new Map([...this.signs.children].map((one) => [one.dataset.cameraId, one]));
      for (const { row, at: [x, y] } of spread(shown, BESIDE * this.size, ROUND * this.size)) {
        const element = known.get(row[0]) || this.signs.appendChild(made(row));
        known.delete(row[0]);
        this.dress(element, row);
        element.style.transform = `translate(${Math.round(x)}px, ${Math.round(y)}px)`;
        element.gridwallAt = [x, y];
      }
      for (const one of known.values()) one.remove();
      const all = [...this.signs.children];
      const stop = all.find((one) => one.tabIndex === 0) || all[0];
      for (const one of all) one.tabIndex = one === stop ? 0 : -1;
    }

    dress(element, [id, name, , , state, streams, direction]) {
      const condition = STATES[state];
      const said = [name || id, this.say(`camera.state.${condition}`), ...(streams ? [] : [this.say("camera.no_streams")])].join(" · ");
      if (element.dataset.condition !== condition) element.dataset.condition = condition;
      if (element.title === said) return;
      element.title = said;
      element.setAttribute("aria-label", said);
      element.dataset.cameraName = name || id;
      element.dataset.streams = String(streams);
      element.classList.toggle("has-direction", direction !== null);
      if (direction !== null) element.style.setProperty("--direction", `${direction}deg`);
    }

    // The plate at a point of the map's container.
    plateAt({ x, y }) {
      if (!this.on) return null;
      return (this.plates || []).find(({ at: [px, py], row }) => Math.abs(px - x) <= width(row, this.size) / 2 && Math.abs(py - y) <= (PLATE * this.size) / 2);
    }

    // Look nearer at the cameras gathered in a plate.
    nearer({ row: [lon, lat] }) {
      this.map.setView(part.shown(lon, lat).reverse(), this.map.getZoom() + NEARER, { animate: false });
    }

    // Go on from a sign by an arrow key; whether it was one.
    travel(element, code) {
      const way = ARROWS[code];
      const next = way && this.beside(element, way);
      if (next) [element.tabIndex, next.tabIndex] = [-1, 0];
      next?.focus();
      return Boolean(way);
    }

    // The sign that lies from another in the direction of an arrow key, the nearest; null when none does.
    beside(element, [dx, dy]) {
      const [x, y] = element.gridwallAt;
      let best = null;
      for (const one of this.signs.children) {
        const [ax, ay] = [one.gridwallAt[0] - x, one.gridwallAt[1] - y];
        const [along, off] = [ax * dx + ay * dy, Math.abs(ax * dy) + Math.abs(ay * dx)];
        if (one === element || along <= 0 || off > along * 2) continue;
        const cost = along + 2 * off;
        if (!best || cost < best.cost) best = { one, cost };
      }
      return best?.one || null;
    }
  }

  let known = null;
  function colours() {
    const style = getComputedStyle(document.documentElement);
    const token = (name) => style.getPropertyValue(`--${name}`).trim();
    known = known || { live: token("camera-live"), lost: token("camera-lost"), ground: token("ground"), text: token("text") };
    return known;
  }

  function sign(state) {
    const one = document.createElement("i");
    one.className = "camera-state";
    one.dataset.condition = state;
    return one;
  }

  function made([id]) {
    const one = document.createElement("button");
    one.type = "button";
    one.className = "camera-state camera-sign";
    one.draggable = true;
    one.dataset.cameraId = id;
    return one;
  }

  const width = ([, , count], size) => (count.toLocaleString("en").length * LETTERS * 0.62 + 2 * PAD) * size;

  function plate(context, { row, at: [x, y] }, size) {
    const [, , count, lost] = row;
    const share = lost / count;
    const { live, lost: bad, ground, text } = colours();
    const [w, h] = [width(row, size), PLATE * size];
    const [left, top] = [x - w / 2, y - h / 2];
    outline(context, left, top, w, h, CUT * size, share >= MUCH);
    context.globalAlpha = 0.88;
    context.fillStyle = ground;
    context.fill();
    context.globalAlpha = 1;
    context.save();
    context.clip();
    context.fillStyle = bad;
    if (lost) context.fillRect(left, top + h - BAR * size, Math.max(w * share, 6 * size), BAR * size);
    context.restore();
    outline(context, left, top, w, h, CUT * size, share >= MUCH);
    context.lineWidth = (share >= MUCH ? 2 : 1) * size;
    context.strokeStyle = share >= MUCH ? bad : live;
    context.stroke();
    context.font = `600 ${LETTERS * size}px sans-serif`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillStyle = text;
    context.fillText(count.toLocaleString("en"), x, y - size);
  }

  function outline(context, left, top, w, h, r, cut) {
    context.beginPath();
    if (!cut) return context.roundRect(left, top, w, h, r * 0.6);
    context.moveTo(left + r, top);
    for (const [x, y] of [[w - r, 0], [w, r], [w, h - r], [w - r, h], [r, h], [0, h - r], [0, r]]) context.lineTo(left + x, top + y);
    return context.closePath();
  }

  // Cameras on one spot, moved apart: {row, at} with another `at`.
  function spread(shown, beside, round) {
    const spots = new Map();
    for (const one of shown) {
      const key = one.at.map((value) => Math.round(value / beside)).join();
      if (!spots.has(key)) spots.set(key, []);
      spots.get(key).push(one);
    }
    return [...spots.values()].flatMap((some) => {
      if (some.length === 1) return some;
      const ways = some.map(({ row }) => row[6]);
      const apart = ways.every((way, at) => way !== null && ways.every((other, index) => index === at || Math.abs(((way - other + 540) % 360) - 180) > 40));
      const far = Math.max(round, some.length * round * 0.22);
      return some.map(({ row, at: [x, y] }, at) => {
        const angle = ((apart ? ways[at] : (360 * at) / some.length) - 90) * RADIANS;
        return { row, at: [x + far * Math.cos(angle), y + far * Math.sin(angle)] };
      });
    });
  }

  Object.assign(part, { Cameras });
})();

// The wall's map: joins Leaflet (view, lock), shapes, heat and marks (assets/map/), and the live rows "heat" and "markers".
// The view moves only by the hand of somebody who unlocked it.
(function () {
  "use strict";
  const part = (window.gridwallMap = window.gridwallMap || {});
  const ROOM = { top: 20, side: 16, bottom: 132 }; // kept free round the city: the legend stands below
  const [BESIDE, WIDEST] = [240, 420]; // least and most width beside the city for the callout, under a banner
  const [TURNS, TURN] = [30, 1000]; // how often, and every how many ms, shapes are asked for until the new ones come
  const HANDLERS = ["dragging", "scrollWheelZoom", "touchZoom", "boxZoom", "keyboard"];

  let colours = null;
  part.colours = function () {
    if (colours) return colours;
    const style = getComputedStyle(document.documentElement);
    const token = (name) => style.getPropertyValue(`--${name}`).trim();
    colours = { grid: token("map-grid"), border: token("map-border"), over: token("map-over"), label: token("map-label"), halo: token("map-halo") };
    [colours.water, colours.road] = [token("map-water"), token("map-road")];
    for (const name of ["ground", "text", "critical", "urgent", "routine"]) colours[name] = token(name);
    colours.heat = [0, 1, 2, 3, 4, 5, 6].map((step) => token(`heat-${step}`)).concat(token("heat-none"));
    return colours;
  };
  part.scale = () => (document.documentElement.dataset.page === "wall" ? Math.min(innerWidth / 1920, innerHeight / 1080) : 1);
  part.time = function (ms) {
    const zone = document.querySelector("[data-zone]")?.dataset.zone || "UTC";
    return new Date(ms).toLocaleTimeString("zh-CN", { timeZone: zone, hour12: false });
  };

  class Picture {
    constructor(map, section) {
      this.map = map;
      this.section = section;
      this.words = JSON.parse(section.dataset.words);
      this.say = (key, values = {}) => (this.words[key] || key).replace(/{(\w+)}/g, (_, name) => values[name] ?? "");
      this.find = (name) => section.querySelector(`.${name}`);
      this.control = new part.LensControl(section, this.say);
      this.lock(document.documentElement.dataset.page === "wall"); // at a desk a hand is on the mouse
      this.find("map-lock").addEventListener("click", () => this.lock(!this.locked));
    }

    async start() {
      part.onfailure = () => this.notice(this.say("failed"));
      const about = await part.loadAbout();
      if (about?.base) {
        part.lay(this.map, about.base);
        this.base = new part.Base(this.map, this.section, about.base, this.say);
      }
      this.layers = await part.loadAll();
      this.notice(this.layers ? "" : this.say("none"));
      this.fit();
      if (this.layers) {
        part.fillAll();
        part.watch();
        this.cells = new part.Cells(this.map, this.layers);
        this.cells.finer(new part.Fine(this.layers, about, () => this.cells.redraw()));
        if (!about?.base) part.loadBackdrop(this.layers.origin).then((backdrop) => this.cells.behind(backdrop));
        this.heat = new part.Heat(this.layers, Number(this.section.dataset.minimum) || 1000);
        this.show();
        this.warnings = new part.Warnings(this.map, this.layers, () => this.room());
        this.listen("heat", (set, gone) => this.warm(set, gone));
      }
      this.listen("gauges", (set, gone, whole) => this.follow(whole.get("grids")));
      this.cameras = new part.Cameras(this.map, this.layers, this.section, this.say);
      this.listen("gauges", (set, gone, whole) => this.cameras.changed(whole.get("cameras")));
      if (this.section.dataset.cameras === "on" && document.documentElement.dataset.page === "wall") this.cameras.switch(true);
      this.marks = new part.Marks(this.map, this.layers, this.section, this.say);
      this.marks.others = () => this.cameras.obstacles();
      this.cameras.drawn = () => this.marks.draw();
      this.listen("markers", (set, gone, whole) => {
        if (!this.layers) this.fitMarks(whole);
        this.marks.update(whole);
        this.rest();
      });
      this.listen("alarms", (set, gone, whole) => {
        this.marks.alarms = whole;
        this.marks.draw();
      });
      this.listen("gauges", (set, gone, whole) => this.aged(Number(whole.get("as_of")) || 0));
      this.map.on("move", () => this.shift());
      this.map.on("moveend zoomend resize", () => this.redraw());
      new ResizeObserver(() => this.resized()).observe(this.map.getContainer());
      new MutationObserver(() => this.legend()).observe(this.section.querySelector("#wall-map-lens"), { attributes: true });
      setInterval(() => this.legend(), 10000);
    }

    // Other grids are in force: their shapes take the place of these, from whichever server has them first.
    async follow(key) {
      this.wanted = key || "";
      if (!this.wanted || this.loading) return;
      this.loading = true;
      for (let turn = 0; part.grids !== this.wanted && turn < TURNS; turn += 1) {
        const [layers, about] = await Promise.all([part.loadAll(), part.loadAbout()]);
        if (layers) this.adopt(layers, about);
        if (part.grids !== this.wanted) await new Promise((done) => setTimeout(done, TURN));
      }
      this.loading = false;
    }

    adopt(layers, about) {
      const known = this.heat;
      if (!known) return location.reload(); // the first grids of all
      this.layers = this.cells.layers = this.cameras.layers = this.marks.layers = this.warnings.layers = layers;
      this.heat = new part.Heat(layers, known.minimum);
      this.heat.counts = known.counts;
      this.heat.show(layers.leaf);
      this.cells.fine = new part.Fine(layers, about, () => this.cells.redraw());
      part.fillAll();
      if (!about?.base) part.loadBackdrop(layers.origin).then((backdrop) => this.cells.behind(backdrop));
      if (this.locked) this.fit();
      this.redraw();
    }

    listen(name, fn) {
      const wait = () => (window.gridwall?.on ? window.gridwall.on(name, fn) : setTimeout(wait, 50));
      wait();
    }

    notice(text) {
      this.find("map-notice").textContent = text;
      this.find("map-notice").hidden = !text;
    }

    // ---- view ----

    lock(locked) {
      this.locked = locked;
      for (const name of HANDLERS) this.map[name]?.[locked ? "disable" : "enable"]();
      this.section.dataset.locked = String(locked);
      this.find("map-lock").textContent = this.say(locked ? "locked" : "unlocked");
      if (locked && this.layers) this.fit();
    }

    // What a desk has this wall look at, with a sixth of the city round it; null where it is not on these grids.
    focused() {
      const wanted = part.focused;
      if (!wanted) return null;
      const [x0, y0, x1, y1] = this.layers.box;
      const [ox, oy] = this.layers.origin;
      const cell = wanted.grid && Object.values(this.layers.levels).map((one) => one.get?.(wanted.grid)).find(Boolean);
      if (wanted.grid && !cell) return null;
      const [x, y] = cell ? [cell.x + ox, cell.y + oy] : part.project(wanted.lon, wanted.lat);
      const half = Math.max(x1 - x0, y1 - y0) / 12;
      return L.latLngBounds(part.place(x - half, y + half).reverse(), part.place(x + half, y - half).reverse());
    }

    fit() {
      if (!this.layers) return;
      const factor = part.scale();
      const room = (name) => ROOM[name] * factor;
      this.map.invalidateSize({ animate: false });
      const top = room("top") + (part.bannerHeight() && part.covered());
      const told = part.focused ? document.getElementById("wall-driven")?.offsetHeight || 0 : 0;
      const bottom = Math.max(room("bottom"), this.find("legend").offsetHeight) + told;
      if (!this.roomy(2 * room("side"), top + bottom)) return;
      part.beside = part.bannerHeight() && !part.focused ? this.beside(top + bottom, 2 * room("side"), factor) : 0;
      this.map.fitBounds(this.focused() || this.layers.bounds(), {
        animate: false,
        paddingTopLeft: [part.beside || room("side"), top],
        paddingBottomRight: [room("side"), bottom],
      });
    }

    // Whether the map is larger than this; it has no size at all once its page is gone.
    roomy(width, height) {
      const size = this.map.getSize();
      return size.x > width && size.y > height;
    }

    // Under a banner the city is low: the width it leaves, if the callout has room in it, else 0.
    beside(vertical, sides, factor) {
      const { x: width, y: height } = this.map.getSize();
      const [x0, y0, x1, y1] = this.layers.box;
      const free = width - sides - ((height - vertical) * (x1 - x0)) / (y1 - y0);
      return free >= BESIDE * factor ? Math.min(free, WIDEST * factor) : 0;
    }

    fitMarks(whole) {
      if (!this.roomy(128, 128)) return;
      const points = [...whole.values()].map((row) => part.shown(row.lon, row.lat).reverse());
      if (points.length && !this.fitted) this.map.fitBounds(L.latLngBounds(points), { animate: false, maxZoom: 12, padding: [64, 64] });
      this.fitted = points.length > 0;
    }

    // A banner over the top of the map has come, grown or gone.
    room() {
      if (this.locked) this.fit();
      this.redraw();
    }

    resized() {
      if (this.locked) this.fit();
      else this.map.invalidateSize({ animate: false });
      this.redraw();
    }

    // While a hand drags, the drawn picture moves as it is; it is drawn anew at the end.
    shift() {
      if (!this.cells) return;
      const [was, is] = [this.cells.view, part.view(this.map, this.layers)];
      if (was.scale !== is.scale) return;
      this.section.style.setProperty("--shift-x", `${is.x - was.x}px`);
      this.section.style.setProperty("--shift-y", `${is.y - was.y}px`);
    }

    redraw() {
      if (!this.roomy(0, 0)) return;
      this.section.style.setProperty("--shift-x", "0px");
      this.section.style.setProperty("--shift-y", "0px");
      if (this.cells) this.show();
      this.warnings?.draw();
      this.cameras?.moved();
      this.marks?.draw();
    }

    // ---- heat ----

    show() {
      const at = Number(this.section.dataset.level || this.layers.readable(part.view(this.map, this.layers).scale));
      if (at !== this.heat.at) this.heat.show(at);
      this.cells.show(at, (code) => part.colours().heat[this.heat.class(code)]);
      this.legend();
    }

    warm(set, gone) {
      const touched = this.heat.update(set, gone);
      this.cells.restyle(touched || this.layers.levels[this.heat.at].keys());
      if (!touched) this.legend();
    }

    // The moment (µs) the data stands for, which is not the clock's; the legend says its minute.
    aged(at) {
      const minute = Math.floor(at / 6e7);
      const told = this.asOf === undefined ? null : Math.floor(this.asOf / 6e7);
      this.asOf = at;
      if (minute !== told) this.legend();
    }

    // How many open incidents have no mark, once there are more than a screen holds.
    rest() {
      const marked = this.marks?.rows.size || 0;
      const open = Number(this.section.querySelector("[data-open]")?.dataset.open) || 0;
      const more = marked >= Number(this.section.dataset.marks) ? open - marked : 0;
      const said = more > 0 ? this.say("unmarked", { marked: marked.toLocaleString("en"), n: more.toLocaleString("en") }) : "";
      const line = this.find("legend-rest");
      if (line.textContent !== said) line.textContent = said;
      line.hidden = !said;
    }

    // The window and what it is narrowed to stand before it, said by the server with the counts they belong to.
    legend() {
      this.rest();
      if (!this.heat) return;
      const up = this.layers.leaf - this.heat.at;
      const unit = up ? this.say("legend_rolled", { level: this.say(`level_up_${up}`) }) : this.say("legend_unit");
      const cells = this.say("cells", { n: this.layers.levels[this.heat.at].size.toLocaleString("en") });
      const at = this.asOf;
      const cut = at ? ` · ${this.say("cut_off", { time: part.time(at / 1000).slice(0, 5) })}` : "";
      const narrowed = this.section.querySelector(".legend-lens.is-set"); // takes the room of what matters least
      this.find("legend-about").textContent = [`(${unit})`, ...(narrowed ? [] : [cells])].join(" · ");
      const earlier = this.heat.earlier();
      this.find("legend-time").textContent = cut + (earlier ? ` · ${this.say("earlier", { n: earlier.toLocaleString("en") })}` : "");
      const steps = this.heat.steps();
      if (up) steps.push([part.NO_POPULATION, this.say("no_population")]);
      const key = JSON.stringify(steps);
      if (key === this.stepsShown) return;
      this.stepsShown = key;
      this.find("legend-steps").replaceChildren(
        ...steps.map(([step, text]) => {
          const item = document.createElement("li");
          item.className = `legend-step legend-step-${step}`;
          item.textContent = text;
          return item;
        }),
      );
    }
  }

  part.pictures = [];
  // A desk has this wall look at one incident ({lon, lat} or {grid}), or with null at the whole city again.
  part.focus = function (wanted) {
    const [was, is] = [part.focused, wanted].map((one) => JSON.stringify(one || null));
    part.focused = wanted;
    if (was !== is) requestAnimationFrame(() => part.pictures.forEach((one) => one.layers && one.room()));
  };
  function begin(map) {
    const section = map.getContainer().closest(".map[data-words]");
    if (!section) return;
    const picture = new Picture(map, section);
    part.pictures = part.pictures.filter((one) => one.section.isConnected).concat(picture);
    picture.start();
  }

  // Leaflet comes with dash-leaflet; the map tells us of itself when Dash has drawn it.
  (function hook() {
    if (!window.L?.Map) return void setTimeout(hook, 20);
    L.Map.addInitHook(function () {
      this.whenReady(() => setTimeout(() => begin(this), 0));
    });
  })();
})();

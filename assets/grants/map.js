// Cameras picked on the city's map (视频调阅): its grids, roads and base map below, above the cameras one may ask to see.
(() => {
  const access = window.gridwall?.access;
  if (!access) return;
  const { h } = window.gridwall.desk;
  const BESIDE = [24, 20, 26]; // pixels: half a name's width, how near a plate may come, how far it gives way
  const COUNTRY = [[35, 105], 4]; // where there are neither grids nor a place
  const OPTIONS = { zoomSnap: 0, maxZoom: 20, zoomAnimation: false, fadeAnimation: false, inertia: false, attributionControl: false, doubleClickZoom: false };

  /** The map. `pick(id)`: what a press on a camera does; `chosen(id)`: whether it is; `words`: its texts. */
  access.CityMap = class {
    constructor({ pick, chosen, words }) {
      const part = window.gridwallMap;
      Object.assign(this, { part, pick, towns: [], say: (key, values = {}) => (words[key] ?? key).replace(/{(\w+)}/g, (_, name) => values[name] ?? "") });
      this.ground = h("div.leaflet");
      this.told = h("p.map-notice", { role: "status" }, this.say("loading"));
      this.section = h("section.map.access-city", { "aria-label": access.say("ask.map"), "data-locked": "false" }, this.ground, this.told);
      this.legend = h("div.access-legend.desk-hint", {}, h("p.legend-cameras", { hidden: true }), h("p.legend-credit", { hidden: true }));
      this.whole = h("div.access-citymap", {}, this.section, this.legend);
      this.map = L.map(this.ground, OPTIONS).setView(...COUNTRY);
      this.ground.style.position = ""; // Leaflet sets one on what is not on the page yet
      const url = "/cameras-to-ask";
      this.cameras = new (class extends part.Cameras {
        get url() { return url; }

        dress(element, row) {
          super.dress(element, row);
          element.setAttribute("aria-pressed", String(chosen(row[0])));
        }
      })(this.map, null, this.whole, this.say);
      this.cameras.signs.addEventListener("click", (event) => this.pressed(event.target));
      this.cameras.signs.addEventListener("keydown", (event) => {
        const sign = event.target.closest(".camera-sign");
        if (!sign || event.ctrlKey || event.altKey || event.metaKey || !this.cameras.travel(sign, event.code)) return;
        event.preventDefault();
        event.stopPropagation();
      });
      this.map.on("click", ({ containerPoint }) => {
        const plate = this.cameras.plateAt(containerPoint);
        if (plate) this.cameras.nearer(plate);
      });
      this.map.on("move", () => this.shift());
      this.map.on("moveend zoomend resize", () => this.draw());
      new ResizeObserver(() => this.resized()).observe(this.ground);
      this.start();
    }

    async start() {
      const { part } = this;
      const about = await part.loadAbout();
      if (about?.base) {
        part.lay(this.map, about.base);
        this.base = new part.Base(this.map, this.whole, about.base, this.say);
      }
      this.layers = this.cameras.layers = await part.loadAll();
      this.told.hidden = true;
      if (this.layers) {
        this.cells = new part.Cells(this.map, this.layers);
        this.cells.finer(new part.Fine(this.layers, about, () => this.cells.redraw()));
        if (!about?.base) part.loadBackdrop(this.layers.origin).then((backdrop) => this.cells.behind(backdrop));
        this.ground.append(this.cameras.canvas, this.cameras.signs); // above the cells
        this.names();
      }
      this.ready = true;
      this.cameras.switch(true);
      this.look();
    }

    // The names of the districts, in a layer above the cells.
    names() {
      const { levels, named } = this.layers;
      const layer = h("div.layer");
      for (const { name, x, y } of levels[named].values()) {
        const label = h("span.access-town", {}, name);
        this.towns.push({ x, y, label });
        layer.append(label);
      }
      this.ground.append(layer);
      this.cameras.drawn = () => requestAnimationFrame(() => this.apart()); // once the plates are where they belong
    }

    // Put each where it is or, where a plate is, below it.
    apart() {
      const [half, near, away] = BESIDE;
      const plates = this.cameras.obstacles();
      const view = this.part.view(this.map, this.layers);
      for (const one of this.towns) {
        const [x, y] = [one.x * view.scale + view.x, one.y * view.scale + view.y];
        const covered = plates.some(([px, py, wide]) => Math.abs(px - x) < wide + half && Math.abs(py - y) < near);
        one.label.style.transform = `translate(${Math.round(x)}px, ${Math.round(y) + (covered ? away : 0)}px) translate(-50%, -50%)`;
      }
    }

    /** Look at a place ({lon, lat}) with so many metres round it, or at the whole city. */
    show(place, metres) {
      const key = JSON.stringify([place?.lon, place?.lat, metres]);
      this.around = place && place.lon !== null && place.lon !== undefined ? { place, metres } : null;
      if (this.shown !== key) this.fitted = false;
      this.shown = key;
      this.look();
    }

    look() {
      if (!this.ready) return;
      const { x, y } = this.map.getSize();
      this.circle?.remove();
      if (this.around) {
        const at = this.part.shown(this.around.place.lon, this.around.place.lat).reverse();
        const round = L.circle(at, { radius: this.around.metres, className: "access-around", interactive: false });
        const spot = L.circleMarker(at, { radius: 8, className: "access-spot", interactive: false });
        this.circle = L.layerGroup([round, spot]).addTo(this.map);
        if (!this.fitted && x && y) this.map.fitBounds(L.latLng(at).toBounds(this.around.metres * 2), { animate: false, padding: [16, 16] });
      } else if (!this.fitted && x && y && this.layers) this.map.fitBounds(this.layers.bounds(), { animate: false });
      if (x && y) this.fitted = true;
      this.cameras.draw();
    }

    resized() {
      this.map.invalidateSize({ animate: false });
      this.look();
      this.draw();
    }

    // While a hand drags, the drawn picture moves as it is.
    shift() {
      if (!this.cells?.view) return;
      const [was, is] = [this.cells.view, this.part.view(this.map, this.layers)];
      if (was.scale !== is.scale) return;
      this.section.style.setProperty("--shift-x", `${is.x - was.x}px`);
      this.section.style.setProperty("--shift-y", `${is.y - was.y}px`);
    }

    draw() {
      const { x, y } = this.map.getSize();
      if (!x || !y) return;
      this.section.style.setProperty("--shift-x", "0px");
      this.section.style.setProperty("--shift-y", "0px");
      if (this.cells) {
        this.cells.show(this.layers.readable(this.part.view(this.map, this.layers).scale), () => "transparent");
        this.apart();
      }
      this.cameras.moved();
    }

    pressed(target) {
      const sign = target.closest(".camera-sign");
      if (sign) this.pick(sign.dataset.cameraId);
    }
  };
})();

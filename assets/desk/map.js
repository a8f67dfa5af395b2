// The map on the desk: the wall's map (assets/map.js) with a ring round the chosen incident, a pin, clicks that pick, and
// the desk's keys for what the heat counts.
// The view moves only when somebody drags it or opens an incident that lies outside it; never when it is locked, and never
// out of the city: of an incident there it is said how far away it is.
(() => {
  const desk = window.gridwall?.desk;
  if (!desk) return;
  const h = desk.h;
  const SMALLER = 0.62; // the wall's labels and marks, read from a chair
  const NEAR = 16; // px from a mark that still count as a click on it

  const chart = (desk.map = { highlight() {}, show() {}, pick() {}, pin() {} });
  let picture = null;
  let picking = null;
  let overlay = {};
  let chosen = null;
  let pinned = null;

  const at = (lon, lat) => picture.map.latLngToContainerPoint(place(lon, lat));
  // Where a place stands on the map, and which place a point of the map is (the base map may be of another datum).
  const place = (lon, lat) => window.gridwallMap.shown(lon, lat).reverse();
  const meant = ({ lat, lng }) => L.latLng(window.gridwallMap.meant(lng, lat).reverse());
  const put = (element, lon, lat) => {
    const known = lon !== undefined && lon !== null && lat !== undefined && lat !== null;
    element.hidden = !known;
    if (!known) return;
    const { x, y } = at(lon, lat);
    element.style.setProperty("transform", `translate(${x}px, ${y}px)`);
  };
  const move = () => {
    const row = chosen && desk.queue.get(chosen);
    put(overlay.ring, row?.lon, row?.lat);
    put(overlay.pin, pinned?.lng, pinned?.lat);
    overlay.away.hidden = !row || within(row);
    overlay.away.textContent = overlay.away.hidden ? "" : far(row);
  };
  /** Whether an incident lies in the picture of the city; without grids, or without a point, nothing lies outside it. */
  const within = ({ lon, lat }) => lon === undefined || lat === undefined || !picture.layers || picture.layers.bounds().contains(place(lon, lat));
  const far = (row) => {
    if (!row.nearest) return desk.text("map.outside");
    return desk.text("map.outside_near", { grid: desk.grid(row.nearest), km: ((row.distance_m || 0) / 1000).toLocaleString("en", { maximumFractionDigits: 1 }) });
  };

  const nearest = (point) => {
    let best = null;
    for (const [id, row] of picture.marks.rows) {
      const far = at(row.lon, row.lat).distanceTo(point);
      if (far < NEAR && (!best || far < best.far)) best = { id, far };
    }
    return best?.id;
  };
  const clicked = async (event) => {
    if (!picking) {
      const id = nearest(event.containerPoint);
      if (id) desk.open(id);
      else if (event.type === "click" && desk.cameraClicked(event)) return;
      else if (event.type === "dblclick") desk.gridCard?.((await desk.locate(event.latlng.lng, event.latlng.lat))?.code);
      return;
    }
    const { run, plain } = picking;
    const point = meant(event.latlng);
    chart.pin(point);
    if (plain) return void run(point);
    run(point, null);
    const found = await desk.locate(point.lng, point.lat);
    if (pinned === point) run(point, found);
  };

  const begin = () => {
    picture.lock(false);
    picture.marks.place = () => null; // the drawer names incidents here, a callout would only cover the map
    picture.marks.draw();
    const box = picture.map.getContainer();
    overlay = {
      ring: h("i.desk-ring", { hidden: true, "aria-hidden": "true" }),
      pin: h("i.desk-pin", { hidden: true, "aria-hidden": "true" }),
      hint: h("p.desk-pick", { hidden: true }, desk.text("map.pick")),
    };
    overlay.away = h("p.desk-away", { hidden: true, role: "status" });
    box.append(overlay.ring, overlay.pin);
    picture.section.append(overlay.hint, overlay.away);
    box.tabIndex = -1; // the desk's keys do all the map's keys would; it is no stop on the way
    picture.map.on("move zoom resize viewreset", move);
    picture.map.on("click", clicked);
    picture.map.on("dblclick", (event) => { if (!picking) clicked(event); });
    desk.queue.watch((ids) => { if (ids.includes(chosen)) move(); });

    chart.highlight = (id) => { chosen = id; move(); };
    chart.show = (id) => {
      chart.highlight(id);
      const row = desk.queue.get(id);
      if (row?.lon === undefined || row.lat === undefined || picture.locked || !within(row)) return;
      if (!picture.map.getBounds().pad(-0.05).contains(place(row.lon, row.lat))) picture.map.panTo(place(row.lon, row.lat), { animate: false });
    };
    chart.pin = (point) => { pinned = point; move(); };
    chart.pick = (run, plain = false) => {
      picking = run ? { run, plain } : null;
      overlay.hint.hidden = !picking;
      picture.section.classList.toggle("picking", Boolean(picking));
      if (!picking) chart.pin(null);
    };
    if (desk.queue.selected) chart.highlight(desk.queue.selected);
    const free = () => ["queue", "drawer"].includes(desk.mode());
    for (const [code, name] of Object.entries(picture.control.keys)) {
      desk.key(code, () => picture.control.step(name), free);
      desk.key(`Shift+${code}`, () => picture.control.step(name, -1), free);
    }
    desk.key(picture.control.backKey, () => picture.control.back(), free);
  };

  desk.onStart("desk", () => {
    const maps = window.gridwallMap;
    if (!maps) return;
    maps.scale = () => SMALLER;
    const wait = () => {
      picture = maps.pictures?.[0];
      if (picture?.marks) begin();
      else setTimeout(wait, 100);
    };
    wait();
  });
})();

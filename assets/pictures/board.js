// The page of pictures: what stands in which tile. A camera is looked at only where it is seen and once a reason is given.
(() => {
  const desk = window.gridwall?.desk;
  if (!desk) return;
  const pictures = (desk.pictures = {});
  const h = desk.h;
  const MOST = 16;
  const COUNTS = [1, 4, 9, 16];
  const KEPT = "gridwall.pictures"; // in this tab's own store: a page loaded again shows the same tiles
  const CAMERA = "text/x-gridwall-camera", PLACE = "text/x-gridwall-place";

  let box = null;
  let states = "";
  let slots = []; // as they stand on the screen
  let count = 4;
  let at = 0;
  let large = false;
  let why = null; // {why, incident, text}, null: nothing may be looked at yet

  const listeners = [];
  /** Have `run` called whenever what stands in the tiles has changed. */
  pictures.onChange = (run) => listeners.push(run);
  pictures.ask = (asked) => desk.send(asked, "pictures-ask");
  pictures.text = (key, params) => desk.text(`pictures.${key}`, params);
  pictures.count = () => count;
  pictures.selected = () => slots[at];
  pictures.large = () => large;
  pictures.why = () => why;
  pictures.slots = () => slots.slice(0, count);
  pictures.cameras = () => pictures.slots().map((slot) => slot.camera?.id || "");
  const said = pictures.text;

  class Slot {
    constructor() {
      this.camera = null;
      this.picture = h("div.pictures-picture");
      this.name = h("b");
      this.number = h("span.pictures-number", { "aria-hidden": "true" });
      this.tools = h("span.pictures-tools");
      this.figure = h("figure.pictures-tile", { tabindex: "-1", draggable: "true" },
        this.picture, h("figcaption", {}, this.number, this.name, this.tools));
      const place = () => slots.indexOf(this);
      this.figure.addEventListener("focus", () => choose(place(), false));
      this.figure.addEventListener("pointerdown", () => choose(place(), false));
      this.figure.addEventListener("dblclick", () => { choose(place()); enlarge(); });
      this.figure.addEventListener("dragstart", (event) => this.drag(event));
      this.figure.addEventListener("dragover", (event) => this.over(event));
      this.figure.addEventListener("dragleave", () => { this.figure.dataset.over = "false"; });
      this.figure.addEventListener("drop", (event) => this.drop(event));
    }

    drag(event) {
      if (!this.camera) return event.preventDefault();
      event.dataTransfer.setData(PLACE, String(slots.indexOf(this)));
      event.dataTransfer.setData(CAMERA, this.camera.id);
      event.dataTransfer.setData("text/plain", this.camera.name);
      return undefined;
    }

    over(event) {
      if (!event.dataTransfer.types.includes(CAMERA)) return;
      event.preventDefault();
      this.figure.dataset.over = "true";
    }

    drop(event) {
      event.preventDefault();
      this.figure.dataset.over = "false";
      const here = slots.indexOf(this);
      const from = event.dataTransfer.getData(PLACE);
      choose(here); // the keys go on from here
      if (from !== "" && slots[Number(from)]?.camera?.id === event.dataTransfer.getData(CAMERA)) swap(Number(from), here);
      else putId(event.dataTransfer.getData(CAMERA), here);
    }

    /** Show what stands here: a camera, one that is out of reach, or nothing. */
    draw(index) {
      const { camera } = this;
      const seen = index < count;
      const looks = Boolean(camera && !camera.gone && camera.usable && why && seen);
      this.figure.hidden = !seen;
      this.figure.dataset.filled = String(Boolean(camera));
      this.figure.dataset.large = String(large && index === at);
      this.figure.setAttribute("aria-label", `${index + 1} ${camera ? camera.name || said("gone") : said("empty")}`);
      this.number.textContent = String(index + 1);
      this.name.textContent = camera ? camera.name : "";
      this.picture.dataset.quick = String(count === 1 || (large && index === at));
      if (looks) this.look(camera);
      else this.rest(camera);
    }

    look(camera) {
      const { picture } = this;
      if (picture.dataset.camera === camera.id && picture.dataset.why === why.why && picture.dataset.incident === why.incident) return;
      delete picture.dataset.camera;
      Object.assign(picture.dataset, { words: states, why: why.why, incident: why.incident });
      requestAnimationFrame(() => { if (this.camera === camera && why) picture.dataset.camera = camera.id; });
    }

    rest(camera) {
      const { picture } = this;
      delete picture.dataset.camera;
      const text = !camera ? [h("b", {}, said("empty")), h("span", {}, said("empty_hint"))]
        : [h("b", {}, camera.gone ? said("gone") : camera.about || said("waits")),
          camera.gone && h("a.tile-ask", { href: `/access?${new URLSearchParams({ cameras: camera.id })}` }, said("ask"))];
      queueMicrotask(() => { if (!picture.dataset.camera) picture.replaceChildren(h("div.pictures-rest", {}, text)); });
    }
  }

  const draw = () => {
    box.dataset.tiles = String(count);
    box.dataset.large = String(large && count > 1);
    slots.forEach((slot, index) => slot.draw(index));
    try {
      sessionStorage.setItem(KEPT, JSON.stringify({ count, cameras: slots.map((slot) => slot.camera?.id || "") }));
    } catch { /* a browser that keeps nothing */ }
    for (const run of listeners) run();
  };
  pictures.draw = draw;

  const choose = (index, focus = true) => {
    at = Math.max(0, Math.min(index, count - 1));
    slots.forEach((slot, place) => {
      slot.figure.tabIndex = place === at ? 0 : -1;
      slot.figure.setAttribute("aria-current", String(place === at));
    });
    if (focus) slots[at].figure.focus({ preventScroll: true });
    if (large) draw();
  };
  pictures.choose = choose;

  const enlarge = (on = !large) => {
    large = on && count > 1 && Boolean(slots[at].camera);
    draw();
    slots[at].figure.focus({ preventScroll: true });
  };
  pictures.enlarge = enlarge;

  /** Show so many tiles; what stands in the others stays there, not looked at. */
  const spread = (wanted) => {
    count = COUNTS.includes(wanted) ? wanted : 4;
    large = false;
    draw();
    choose(Math.min(at, count - 1), false);
  };
  pictures.spread = spread;

  /** Put a camera {id, name, usable, about, gone} into a tile, into the chosen one without a number. */
  const put = (camera, place = at) => {
    const there = slots.findIndex((slot, index) => index < count && slot.camera?.id === camera.id);
    if (there >= 0 && there !== place) return swap(there, place);
    slots[place].camera = camera;
    draw();
    choose(place, false);
    if (!why) pictures.askWhy?.();
    return undefined;
  };
  pictures.put = put;

  /** Put into the chosen tile, and go on to the next empty one. */
  pictures.add = (camera) => {
    put(camera);
    const empty = slots.findIndex((slot, index) => index < count && !slot.camera);
    if (empty >= 0) choose(empty, false);
  };

  const putId = async (id, place) => {
    if (id) put((await pictures.cards([id]))[0], place);
  };

  /** The cameras of these ids, in their order; what one may not see says so. */
  pictures.cards = async (ids) => {
    const wanted = ids.filter(Boolean);
    const answer = wanted.length ? await pictures.ask({ do: "cards", ids: wanted }) : { ok: true, cameras: [] };
    if (!answer.ok) desk.say(answer.text, { bad: true });
    const known = new Map((answer.cameras || []).map((one) => [one.id, one]));
    return ids.map((id) => (id ? known.get(id) || { id, name: "", gone: true } : null));
  };

  /** Show these cameras, in so many tiles. */
  pictures.show = async (wanted, ids) => {
    const cameras = await pictures.cards(ids.slice(0, MOST));
    slots.forEach((slot, index) => { slot.camera = cameras[index] || null; });
    spread(wanted);
    choose(0, false);
    if (!why && cameras.some((one) => one && !one.gone)) pictures.askWhy?.();
  };

  const swap = (one, other) => {
    if (one === other || !slots[one] || !slots[other] || other >= count || one >= count) return;
    [slots[one], slots[other]] = [slots[other], slots[one]];
    box.replaceChildren(...slots.map((slot) => slot.figure)); // the pictures move with their tiles: no look ends
    draw();
    choose(other);
  };
  pictures.swap = swap;

  pictures.clear = () => {
    slots[at].camera = null;
    large = false;
    draw();
    choose(at);
  };

  /** From now on look for this reason; null: end every look. */
  pictures.looks = (reason) => {
    why = reason;
    draw();
  };

  /** The tile beside one, by an arrow: those of a row and of a column. */
  pictures.beside = (arrow) => {
    const wide = Math.sqrt(count);
    const column = at % wide;
    if (arrow === "ArrowLeft") return column > 0 ? at - 1 : at;
    if (arrow === "ArrowRight") return column < wide - 1 ? at + 1 : at;
    const down = at + (arrow === "ArrowDown" ? wide : -wide);
    return down >= 0 && down < count ? down : at;
  };
  pictures.at = () => at;

  const kept = () => {
    const given = new URLSearchParams(location.search);
    const ids = given.getAll("camera").slice(0, MOST);
    if (ids.length) return { count: COUNTS.find((one) => one >= ids.length), cameras: ids };
    try {
      return JSON.parse(sessionStorage.getItem(KEPT)) || { count: 4, cameras: [] };
    } catch {
      return { count: 4, cameras: [] };
    }
  };

  desk.onStart("pictures", () => {
    const page = desk.byId("pictures-page");
    states = page.dataset.states;
    slots = Array.from({ length: MOST }, () => new Slot());
    box = h("div.pictures-tiles", { role: "group", "aria-label": said("label") }, slots.map((slot) => slot.figure));
    desk.byId("pictures-main").append(pictures.bar(), box);
    const { count: wanted, cameras } = kept();
    spread(wanted);
    choose(0, false);
    pictures.begin();
    if (cameras.some(Boolean)) pictures.show(count, cameras);
  });
})();

// Driving a wall: Shift+W opens the sheet of walls; arrows choose one, a letter has it show what is chosen at the desk,
// or says which live pictures stay on it; a digit takes one camera off.
(() => {
  const desk = window.gridwall?.desk;
  if (!desk) return;
  const h = desk.h;
  const KEYS = { focus: "F", order: "O", pin: "T", unplaced: "U", release: "R" };
  const PICTURES = { pin: "I", veto: "N", keep: "K", auto_again: "V" }; // what is said of the live pictures of a wall
  let walls = [];
  let at = 0;
  let body = null;
  let sheet = null;

  const ask = (deed, more = {}) => desk.send({ deed, ...more }, "desk-drive");
  const driven = (wall) => Boolean(wall.by) && Number(wall.until) > window.gridwall.clock() * 1000;
  const what = (wall) => {
    if (!driven(wall)) return desk.text("drive.own");
    const one = desk.queue.get(wall.incident);
    return desk.text("drive.now", { who: wall.by, what: one ? `${one.number} ${one.title || ""}` : "…" });
  };
  const playing = () => walls[at]?.playing || { incident: "", cameras: [] };
  const found = (id) => desk.queue.get(id);
  const key = (code, text, does) => h("button.desk-button", { type: "button", onclick: does }, h("kbd", {}, code), text);
  const pictures = () => {
    const { incident, cameras } = playing();
    const one = found(incident);
    const what_now = one ? `${one.number} ${one.title || ""}` : desk.text("drive.pictures.kept");
    const now = cameras.length ? desk.text("drive.pictures.playing", { what: what_now, n: cameras.length }) : desk.text("drive.pictures.nothing");
    return [
      h("h3", {}, desk.text("drive.pictures.title")),
      h("p.desk-hint", {}, walls[at].said || desk.text("drive.pictures.auto"), h("br"), now),
      h("div.desk-drive-cameras", {}, cameras.map(([id, name], index) =>
        h("button.desk-button.quiet", { type: "button", onclick: () => off(index) }, h("kbd", {}, String(index + 1)), `${desk.text("drive.pictures.off")} ${name}`))),
      h("div.desk-actions", {}, Object.entries(PICTURES).map(([name, code]) => key(code, desk.text(`drive.pictures.${name}`), () => picture(name)))),
    ];
  };
  const draw = () => {
    const rows = walls.map((wall, index) => h("button.desk-choice", {
      type: "button", role: "radio", "aria-checked": String(index === at), onclick: () => { at = index; draw(); },
    }, wall.name, h("small.desk-hint", {}, what(wall))));
    body.replaceChildren(
      h("header", {}, h("h2", {}, desk.text("drive.title")), h("button.desk-button.quiet", { type: "button", onclick: () => sheet.close() }, h("kbd", {}, "Esc"), desk.text("close"))),
      rows.length ? h("div.desk-drive-walls", { role: "radiogroup" }, rows) : h("p.desk-empty", {}, desk.text("drive.none")),
      rows.length ? h("div.desk-actions", {}, Object.entries(KEYS).map(([name, code]) => key(code, desk.text(`drive.${name}`), () => run(name)))) : "",
      ...(rows.length ? pictures() : []));
    (body.querySelector("[aria-checked=true]") || body.querySelector("button")).focus();
  };
  const run = async (name) => {
    const wall = walls[at];
    if (!wall) return;
    const incident = desk.opened || desk.queue.selected;
    const order = desk.order.open || desk.orders.chosen;
    if (name === "focus" && !incident) return desk.say(desk.text("drive.no_incident"), { bad: true });
    if (name === "order" && !order) return desk.say(desk.text("drive.no_order"), { bad: true });
    const kept = driven(wall) ? { incident: wall.incident || "", order: wall.order || "", pinned: wall.pinned || "" } : {};
    const shown = {
      focus: { incident, pinned: kept.pinned },
      order: { order, incident: desk.orders.rows.get(order)?.incident || "", pinned: kept.pinned },
      pin: { ...kept, pinned: "trend" },
      unplaced: { ...kept, pinned: "unplaced" },
      release: {},
    }[name];
    sheet.close();
    const answer = await ask("drive", { wall: wall.id, name: wall.name, ...shown });
    desk.say(answer.text, { bad: !answer.ok });
  };
  const say = async (what, more = {}) => {
    const wall = walls[at];
    sheet.close();
    const answer = await ask("picture", { what, wall: wall.id, name: wall.name, ...more });
    desk.say(answer.text, { bad: !answer.ok });
  };
  const off = (index) => {
    const camera = playing().cameras[index];
    return camera && say("veto_camera", { cameras: [camera[0]] });
  };
  const picture = (name) => {
    if (!walls[at]) return null;
    const { incident, cameras } = playing();
    const chosen = desk.opened || desk.queue.selected;
    if (name === "pin") return chosen ? say("pin", { incident: chosen }) : desk.say(desk.text("drive.no_incident"), { bad: true });
    if (name === "auto_again") return say("release");
    if (name === "veto" && incident) return say("veto", { incident });
    if (name === "keep" && cameras.length) return say("keep", { cameras: cameras.map(([id]) => id) });
    return desk.say(desk.text("drive.pictures.nothing"), { bad: true });
  };
  const show = async () => {
    if (!desk.can("drive")) return desk.say(desk.text("denied", { role: desk.text(`role.${desk.facts.me.role}`) }), { bad: true });
    body.replaceChildren(h("p.desk-empty", {}, desk.text("drive.loading")));
    sheet.showModal();
    const answer = await ask("list");
    if (!answer.ok) { sheet.close(); return desk.say(answer.text, { bad: true }); }
    walls = answer.walls;
    at = Math.min(at, Math.max(walls.length - 1, 0));
    return sheet.open && draw();
  };
  const pressed = (event) => {
    const by = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    const pressed_of = (keys) => Object.keys(keys).find((one) => event.code === `Key${keys[one]}`);
    const [name, of_pictures] = [pressed_of(KEYS), pressed_of(PICTURES)];
    const digit = Number(/^(?:Digit|Numpad)([1-9])$/.exec(event.code)?.[1] || 0);
    if (event.ctrlKey || event.altKey || event.metaKey || !(by || name || of_pictures || digit)) return;
    event.preventDefault();
    event.stopPropagation();
    if (name) run(name);
    else if (of_pictures) picture(of_pictures);
    else if (digit) off(digit - 1);
    else if (walls.length) { at = (at + by + walls.length) % walls.length; draw(); }
  };

  desk.onStart("desk", () => {
    sheet = desk.byId("desk-drive-sheet");
    body = desk.byId("desk-drive-body");
    sheet.addEventListener("keydown", pressed);
    const mode = desk.mode;
    desk.mode = () => (sheet.open ? "drive" : mode());
    desk.key("Shift+KeyW", show, () => ["queue", "drawer", "order", "orders"].includes(desk.mode()));
    desk.key("Escape", () => sheet.close(), () => sheet.open);
  });
})();

// Pictures near an incident: Shift+C opens the four best; 1-4 enlarges one, a button puts another in its place.
(() => {
  const desk = window.gridwall?.desk;
  if (!desk) return;
  const h = desk.h;
  const TILES = 4;
  let sheet = null;
  let body = null;
  let cameras = [];
  let shown = [];
  let large = -1;
  let incident = "";
  let tiles = null;

  const tile = (camera) => h("figure.desk-camera", {},
    h("div.desk-camera-picture", {
      "data-camera": camera.id, "data-why": incident ? "incident" : "patrol", "data-incident": incident, "data-words": body.dataset.states,
    }),
    h("figcaption", {}, h("b", {}, camera.name), h("small", {}, camera.about)));
  const number = (box, index) => {
    const caption = box.querySelector("figcaption");
    caption.dataset.place = String(index + 1);
    caption.onclick = () => enlarge(index);
    box.hidden = large >= 0 && index !== large;
  };
  const arrange = () => {
    tiles.dataset.large = String(large >= 0 || shown.length === 1);
    tiles.dataset.few = String(shown.length === 2);
    [...tiles.children].forEach(number);
    for (const button of body.querySelectorAll(".desk-choice")) {
      const on = shown.includes(button.dataset.id);
      button.setAttribute("aria-pressed", String(on));
    }
  };
  const enlarge = (index) => {
    if (index >= shown.length) return;
    large = large === index ? -1 : index;
    arrange();
  };
  const put = (camera) => {
    if (shown.includes(camera.id) || !camera.usable) return;
    const place = large >= 0 ? large : shown.length < TILES ? shown.length : TILES - 1;
    const fresh = tile(camera);
    if (place < shown.length) tiles.children[place].replaceWith(fresh);
    else tiles.append(fresh);
    shown[place] = camera.id;
    arrange();
  };
  const draw = (title) => {
    large = -1;
    shown = [];
    tiles = h("div.desk-camera-tiles", {});
    body.replaceChildren(
      h("header", {}, h("h2", {}, desk.text("cameras.title"), " ", h("small", {}, title)),
        h("button.desk-button.quiet", { type: "button", onclick: onward }, desk.text("cameras.onward")),
        h("button.desk-button.quiet", { type: "button", onclick: request }, desk.text("cameras.request")),
        h("button.desk-button.quiet", { type: "button", onclick: () => sheet.close() }, h("kbd", {}, "Esc"), desk.text("close"))),
      tiles,
      h("div.desk-camera-more", {}, cameras.map((one) => h("button.desk-choice", {
        type: "button", "data-id": one.id, "aria-disabled": one.usable ? null : "true", onclick: () => put(one),
      }, h("b", {}, one.name), h("small.desk-hint", {}, one.about)))),
      h("p.desk-hint", {}, desk.text("cameras.hint")));
    cameras.filter((one) => one.usable).slice(0, TILES).forEach(put);
  };
  // The same pictures on a page of their own, in another window: for a second screen, with more tiles.
  const onward = () => {
    const asked = new URLSearchParams([...shown.map((id) => ["camera", id]), ["incident", incident]]);
    window.open(`/pictures?${asked}`, "gridwall-pictures");
    sheet.close();
  };
  // Ask for access to what is shown, because of the incident.
  const request = () => {
    const asked = new URLSearchParams({ cameras: shown.join(","), ...(incident && { incident }) });
    window.open(`/access?${asked}`, "gridwall-access");
    sheet.close();
  };
  const show = async () => {
    if (!desk.can("look")) return desk.say(desk.text("denied", { role: desk.text(`role.${desk.facts.me.role}`) }), { bad: true });
    incident = desk.opened || desk.queue.selected;
    if (!incident) return desk.say(desk.text("cameras.no_incident"), { bad: true });
    const row = desk.queue.get(incident);
    body.replaceChildren(h("p.desk-empty", {}, desk.text("cameras.loading")));
    sheet.showModal();
    const answer = await desk.send({ incident }, "desk-cameras");
    if (!answer.ok) { sheet.close(); return desk.say(answer.text, { bad: true }); }
    cameras = answer.cameras;
    return sheet.open && draw(row ? `${row.number} ${row.title || ""}` : "");
  };
  /** Open the picture of one camera; it is looked through because of the opened incident, else on patrol. */
  desk.showCamera = (camera) => {
    if (!desk.can("look")) return desk.say(desk.text("denied", { role: desk.text(`role.${desk.facts.me.role}`) }), { bad: true });
    incident = desk.opened || "";
    cameras = [camera];
    if (!sheet.open) sheet.showModal();
    return draw(incident ? desk.queue.get(incident)?.number || "" : "");
  };
  const pressed = (event) => {
    const digit = /^Digit([1-4])$/.exec(event.code);
    if (!digit || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    enlarge(Number(digit[1]) - 1);
  };

  desk.onStart("desk", () => {
    sheet = desk.byId("desk-cameras-sheet");
    body = desk.byId("desk-cameras-body");
    sheet.addEventListener("keydown", pressed);
    sheet.addEventListener("close", () => body.replaceChildren()); // no tile is left: every look has ended
    const mode = desk.mode;
    desk.mode = () => (sheet.open ? "cameras" : mode());
    desk.key("Shift+KeyC", show, () => ["queue", "drawer", "order", "orders"].includes(desk.mode()));
    desk.key("Escape", () => sheet.close(), () => sheet.open);
  });
})();

// Finding cameras for the tiles: by name or code; into a tile by Enter, by a click or by dragging.
(() => {
  const desk = window.gridwall?.desk;
  if (!desk?.pictures) return;
  const { pictures } = desk;
  const h = desk.h;
  const PAUSE = 200; // ms without a letter before somebody has finished typing
  let field = null;
  let list = null;
  let note = null;
  let timer = 0;
  let turn = 0;

  const item = (camera) => {
    const made = h("button.pictures-found", {
      type: "button", draggable: "true", tabindex: "-1", "data-camera-id": camera.id, "data-camera-name": camera.name,
      onclick: () => pictures.add(camera), "aria-disabled": camera.usable ? null : "true",
    }, h("span.camera-state", { "data-condition": camera.condition, "aria-hidden": "true" }),
    h("b", {}, camera.name || camera.code), h("small", {}, camera.about || camera.code));
    return made;
  };
  const show = (answer) => {
    list.replaceChildren(...answer.cameras.map(item));
    note.textContent = !answer.cameras.length ? pictures.text("found_none")
      : answer.more ? pictures.text("found_more", { n: answer.cameras.length }) : pictures.text("find_first");
  };
  const find = async () => {
    const mine = ++turn;
    const answer = await pictures.ask({ do: "find", text: field.value });
    if (mine !== turn) return;
    if (answer.ok) show(answer);
    else note.textContent = answer.text;
  };
  const move = (step) => {
    const all = [...list.children];
    const next = all.indexOf(document.activeElement) + step;
    if (next < 0) field.focus();
    else all[Math.min(next, all.length - 1)]?.focus();
  };
  const pressed = (event) => {
    if (event.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) { event.preventDefault(); event.stopPropagation(); move(step); }
    if (event.key === "Enter" && event.target === field) { event.preventDefault(); list.firstElementChild?.click(); }
    if (event.key === "Enter" && event.target !== field) event.stopPropagation();
    if (event.key === "Escape") { event.stopPropagation(); pictures.choose(pictures.at()); }
  };

  pictures.finder = () => {
    field = h("input.desk-input", {
      type: "search", maxlength: "80", placeholder: pictures.text("find_hint"), "aria-label": pictures.text("find"), autocomplete: "off",
      oninput: () => { clearTimeout(timer); timer = setTimeout(find, PAUSE); },
    });
    list = h("div.pictures-list", { "aria-label": pictures.text("find") });
    note = h("p.desk-hint", { role: "status" }, pictures.text("find_first"));
    const side = desk.byId("pictures-side");
    side.append(h("h2", {}, h("kbd", {}, "/"), pictures.text("find")), field, note, list, h("p.desk-hint.pictures-keys", {}, pictures.text("keys")));
    side.addEventListener("keydown", pressed);
    find();
  };
  pictures.find = () => { field.focus(); field.select(); };
})();

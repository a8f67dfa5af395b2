// One's own views: which cameras stand in how many tiles, kept under a name, opened from the list or by Shift and a digit.
(() => {
  const desk = window.gridwall?.desk;
  if (!desk?.pictures) return;
  const { pictures } = desk;
  const h = desk.h;
  let views = [];
  let parts = null;

  const draw = () => {
    parts.select.replaceChildren(h("option", { value: "" }, pictures.text("view_none")),
      ...views.map((one, index) => h("option", { value: one.id }, index < 9 ? `⇧${index + 1} ${one.name}` : one.name)));
    parts.drop.hidden = true;
  };
  const told = (answer, again = null) => {
    if (answer.views) { views = answer.views; draw(); }
    if (answer.text) desk.say(answer.text, { bad: !answer.ok, again: answer.ok ? again : null });
    return answer.ok;
  };
  const shown = () => ({ tiles: pictures.count(), cameras: pictures.cameras() });
  const open = (one) => {
    parts.select.value = one.id;
    parts.drop.hidden = false;
    pictures.show(one.tiles, one.cameras);
  };
  const keep = async () => {
    const name = parts.name.value.trim();
    if (!name) return parts.name.focus();
    const kept = told(await pictures.ask({ do: "keep", name, shown: shown() }));
    if (!kept) return parts.name.focus();
    parts.form.hidden = true;
    const one = views.find((view) => view.name === name);
    if (one) { parts.select.value = one.id; parts.drop.hidden = false; }
    return pictures.choose(pictures.at());
  };
  const drop = async () => {
    const one = views.find((view) => view.id === parts.select.value);
    if (!one) return;
    const again = () => pictures.ask({ do: "keep", name: one.name, shown: { tiles: one.tiles, cameras: one.cameras } }).then((answer) => told(answer));
    told(await pictures.ask({ do: "drop", id: one.id, name: one.name }), again);
  };
  const named = (event) => {
    if (event.isComposing) return;
    if (event.key === "Enter") { event.preventDefault(); keep(); }
    if (event.key === "Escape") { event.stopPropagation(); parts.form.hidden = true; pictures.choose(pictures.at()); }
  };
  const naming = () => {
    parts.form.hidden = !parts.form.hidden;
    parts.name.value = views.find((view) => view.id === parts.select.value)?.name || "";
    if (!parts.form.hidden) parts.name.focus();
  };

  /** The part of the bar with the views. */
  pictures.viewLine = () => {
    parts = {
      select: h("select.desk-input", {
        "aria-label": pictures.text("view"), "aria-keyshortcuts": "Shift+V",
        onchange: () => { const one = views.find((view) => view.id === parts.select.value); if (one) open(one); },
      }),
      drop: h("button.desk-button.quiet", { type: "button", hidden: true, onclick: drop }, pictures.text("view_drop")),
      name: h("input.desk-input", { type: "text", maxlength: "40", "aria-label": pictures.text("view_name"), placeholder: pictures.text("view_name"), onkeydown: named }),
    };
    parts.form = h("span.pictures-naming", { hidden: true }, parts.name,
      h("button.desk-button.primary", { type: "button", onclick: keep }, h("kbd", {}, "Enter"), pictures.text("view_keep")));
    draw();
    return h("span.pictures-views", {}, parts.select,
      h("button.desk-button.quiet", { type: "button", onclick: naming }, pictures.text("view_keep")), parts.form, parts.drop);
  };
  /** Open the view of this number, as they stand in the list. */
  pictures.open = (index) => {
    if (views[index]) open(views[index]);
    else desk.say(pictures.text("view_key", { n: index + 1 }), { bad: true });
  };
  pictures.chooseView = () => parts.select.focus();
  pictures.views = async () => told(await pictures.ask({ do: "views" }));
})();

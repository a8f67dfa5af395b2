// Saved views of the queue: chosen from a list beside the filters, kept under a name, forgotten with a way back.
(() => {
  const desk = window.gridwall?.desk;
  if (!desk) return;
  const h = desk.h;
  let views = [];
  let parts = null;
  let last = null; // {name, filter} of the one forgotten last

  const ask = (asked) => window.dash_clientside.set_props("views-asked", { data: { ...asked, serial: Date.now() } });
  const chosen = () => views.find((one) => one.id === parts.select.value);
  const apply = () => {
    const one = chosen();
    parts.drop.hidden = !one;
    if (one) desk.queue.show(one.filter);
  };
  const keep = () => {
    const name = parts.name.value.trim();
    if (!name) return parts.name.focus();
    ask({ do: "keep", name, filter: desk.queue.filter() });
    parts.name.value = "";
    parts.form.hidden = true;
    return desk.byId("desk-rows").focus();
  };
  const drop = () => {
    const one = chosen();
    if (!one) return;
    last = one;
    ask({ do: "drop", id: one.id, name: one.name });
  };
  const draw = () => {
    const value = parts.select.value;
    parts.select.replaceChildren(h("option", { value: "" }, desk.text("views.choose")),
      ...views.map((one) => h("option", { value: one.id, selected: one.id === value }, one.name)));
    parts.drop.hidden = !chosen();
  };

  /** The line of views below the filters; the queue puts it in its place. */
  desk.viewLine = () => {
    parts = {
      select: h("select.desk-input", { "aria-label": desk.text("views.title"), "aria-keyshortcuts": "Shift+V", onchange: apply }),
      drop: h("button.desk-button.quiet", { type: "button", hidden: true, onclick: drop }, desk.text("views.drop")),
      name: h("input.desk-input", {
        type: "text", maxlength: "40", placeholder: desk.text("views.name"), "aria-label": desk.text("views.name"),
        onkeydown: (event) => {
          if (event.isComposing) return;
          if (event.key === "Enter") { event.preventDefault(); keep(); }
          if (event.key === "Escape") { event.stopPropagation(); parts.form.hidden = true; desk.byId("desk-rows").focus(); }
        },
      }),
    };
    parts.form = h("span.desk-line.desk-view-form", { hidden: true }, parts.name,
      h("button.desk-button.primary", { type: "button", onclick: keep }, desk.text("views.keep")));
    const open = h("button.desk-button.quiet", { type: "button", onclick: () => { parts.form.hidden = !parts.form.hidden; parts.name.focus(); } },
      desk.text("views.new"));
    draw();
    return h("div.desk-line.desk-views", {}, parts.select, parts.drop, open, parts.form);
  };

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.desk = window.dash_clientside.desk || {};
  window.dash_clientside.desk.viewed = (answer) => {
    if (!answer || !parts) return window.dash_clientside.no_update;
    views = answer.views || [];
    draw();
    const again = answer.ok && answer.do === "drop" && last && { name: last.name, filter: last.filter };
    if (answer.said) desk.say(answer.said, { bad: !answer.ok, again: again && (() => ask({ do: "keep", ...again })) });
    return window.dash_clientside.no_update;
  };

  desk.onStart("desk", () => {
    ask({ do: "list" });
    desk.key("Shift+KeyV", () => parts.select.focus(), () => ["queue", "drawer"].includes(desk.mode()));
  });
})();

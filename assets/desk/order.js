// One order over the map: its recipients, its trail (written by the server), and what can be done about it, by one key each.
(() => {
  const desk = window.gridwall?.desk;
  if (!desk) return;
  const h = desk.h;
  const HEARD = ["signed", "arrived", "progress", "done", "refused", "called"];
  const REASONS = ["not_ours", "wrong_place", "no_capacity", "handled", "other"];
  const SHORT = 200; // rows of the trail asked for again at most each so many ms
  /** key, right, whether it is about one recipient, whether it may be done to a row and recipient. */
  const open = (row) => row.state === "open";
  const ACTIONS = {
    phone: { key: "T", can: "phone", one: true, when: open },
    remind: { key: "R", can: "remind", when: open },
    add: { key: "A", can: "amend", when: open },
    amend: { key: "M", can: "amend", when: open },
    appoint: { key: "E", can: "amend", one: true, when: (row, to) => open(row) && to?.role !== "lead" },
    withdraw: { key: "X", can: "amend", one: true, when: open },
    resend: { key: "B", can: "amend", one: true, when: (row, to) => open(row) && to?.state === "refused" },
    rule: { key: "U", can: "rule", one: true, when: (row, to) => open(row) && to?.state === "refused" },
    accept: { key: "V", can: "accept", when: open },
    return: { key: "G", can: "accept", when: (row) => row.state !== "cancelled" },
    cancel: { key: "C", can: "amend", when: open },
  };

  const order = (desk.order = { open: null });
  const drafts = new Map(); // "order/action" -> fields
  let action = null; // {name, fields}
  let parts = {};
  let asked = 0;
  let later = 0;
  let sending = false;

  const row = () => desk.orders.rows.get(order.open);
  const chosen = () => row()?.to.find((one) => one.id === desk.orders.recipient) || null;
  const fields = () => action.fields;

  // ---- opening -----------------------------------------------------------------------------------------------------
  const request = () => {
    clearTimeout(later);
    asked += 1;
    dash_clientside.set_props("desk-order-open", { data: { id: order.open, n: asked } });
  };
  /** Open an order, and one of its recipients. */
  order.show = (id, recipient = null) => {
    if (!id || desk.compose.open) return;
    const other = order.open !== id;
    if (other) action = null;
    order.open = id;
    desk.orders.choose(id, recipient);
    desk.bench("order");
    if (other) request();
    head();
    parts.box.focus({ preventScroll: true });
    const about = row()?.incident;
    if (about && desk.queue.get(about) && desk.opened !== about) { desk.open(about); parts.box.focus({ preventScroll: true }); }
  };
  order.hide = () => {
    order.open = null;
    action = null;
    desk.bench("");
    desk.byId("desk-rows").focus();
  };
  order.cancel = async (id) => {
    const answer = await desk.send({ deed: "undo", id }, "desk-order-command");
    desk.say(answer.text, { bad: !answer.ok });
  };

  // ---- head and buttons --------------------------------------------------------------------------------------------
  const why = (name) => {
    const one = ACTIONS[name];
    if (!desk.can(one.can)) return desk.text("denied", { role: desk.text(`role.${desk.facts.me.role}`) });
    if (one.one && !chosen()) return desk.text("order.choose");
    return one.when(row(), chosen()) ? "" : desk.text("order.not_now");
  };
  const button = (name) => {
    const no = why(name);
    return h("button.desk-button", { type: "button", "data-action": name, "aria-disabled": no ? "true" : null, title: no || null,
      "aria-pressed": action?.name === name ? "true" : null, onclick: () => act(name) }, h("kbd", {}, ACTIONS[name].key), desk.text(`order.action.${name}`));
  };
  const who = (one) => {
    const look = desk.orders.look(one, window.gridwall.clock() * 1000);
    return h("button.desk-choice", { type: "button", role: "radio", "data-recipient": one.id, "data-look": look, "aria-checked": String(one.id === desk.orders.recipient),
      onclick: () => { desk.orders.choose(order.open, one.id === desk.orders.recipient ? null : one.id); head(); } },
      one.role === "lead" && "★", one.name || desk.orders.short(one), h("small", {}, desk.orders.word(one, look)));
  };
  const head = () => {
    const one = row();
    if (!order.open) return;
    if (!one) return void parts.head.replaceChildren(h("p.desk-empty", {}, desk.text("order.gone")));
    const names = Object.keys(ACTIONS).filter((name) => !ACTIONS[name].one || ACTIONS[name].when(one, chosen()));
    const kept = action && parts.form;
    parts.head.replaceChildren(
      h("div.desk-bench-head", {}, desk.shape(one.urgency), h("h2", {}, one.number), h("span.cut", {}, `${desk.text(`order.kind.${one.kind}`)} · ${one.title || ""} · ${one.sender}`),
        h("button.desk-button.quiet", { type: "button", onclick: order.hide }, h("kbd", {}, "Esc"))),
      h("div.desk-bench-top", {},
        h("div.desk-choices", { role: "radiogroup", "aria-label": desk.text("compose.to") }, one.to.map(who)),
        h("div.desk-actions", { role: "toolbar" }, names.map(button))),
      kept || "");
  };

  // ---- forms -------------------------------------------------------------------------------------------------------
  const keep = () => {
    const [id, name] = [order.open, action.name];
    if (Object.values(action.fields).some(Boolean)) drafts.set(`${id}/${name}`, action.fields);
    else drafts.delete(`${id}/${name}`);
    while (drafts.size > 40) drafts.delete(drafts.keys().next().value);
  };
  const input = (name, label, props = {}) => {
    const element = h(props.rows ? "textarea.desk-input" : "input.desk-input", { autocomplete: "off", maxlength: "200", ...props, oninput: () => { fields()[name] = element.value; keep(); } });
    element.value = fields()[name] ?? "";
    return h("label.desk-field", {}, h("span", {}, label), element);
  };
  const choice = (name, options, prefix) =>
    h("div.desk-choices", { role: "radiogroup" }, options.map((value, index) => h("button.desk-choice", { type: "button", role: "radio", "aria-checked": String(fields()[name] === value),
      onclick: () => { fields()[name] = value; keep(); form(); } }, h("kbd", {}, String(index + 1)), desk.text(`${prefix}.${value}`))));
  const note = (label, rows = "2") => input("text", desk.text(`order.${label}`), { rows, maxlength: "2000" });
  const FORMS = {
    phone: () => [choice("heard", HEARD, "order.heard"), input("answered_by", desk.text("order.answered_by"), { maxlength: "40" }),
      fields().heard === "refused" && choice("reason", REASONS, "order.reason"), note("said")],
    remind: () => [h("p.desk-hint", {}, chosen() ? chosen().name : desk.text("order.remind_all")), note("note")],
    add: () => [picker()],
    amend: () => [input("title", desk.text("compose.matter"), { maxlength: "80", placeholder: row().title || "" }), note("new_text", "3"),
      h("div.desk-pair", {}, ["sign", "arrive", "close"].map((name) => input(name, `${desk.text(`compose.${name}`)} (${desk.text("order.minutes")})`, { inputmode: "numeric", maxlength: "6" })))],
    appoint: () => [h("p.desk-hint", {}, chosen()?.name || "")],
    withdraw: () => [h("p.desk-hint", {}, chosen()?.name || ""), note("note")],
    resend: () => [h("p.desk-hint", {}, chosen()?.name || ""), note("note")],
    rule: () => [choice("ruling", ["must", "released"], "order.ruling"), note("why")],
    accept: () => [note("note")],
    return: () => [note("why")],
    cancel: () => [note("why")],
  };
  const picker = () => {
    const list = h("div.desk-choices", {});
    const field = h("input.desk-input", { autocomplete: "off", placeholder: desk.text("compose.pick"), "aria-label": desk.text("compose.pick"), oninput: async () => {
      const typed = field.value.trim();
      if (!typed) return list.replaceChildren();
      const answer = await desk.send({ deed: "find", typed }, "desk-compose");
      if (field.value.trim() !== typed || !action) return undefined;
      return list.replaceChildren(...(answer.found || []).map((one) => h("button.desk-choice", { type: "button", onclick: () => {
        fields().to = [...(fields().to || []).filter((other) => other.kind !== one.kind || other.id !== one.id), { ...one, role: "support" }];
        keep();
        form();
      } }, one.shown || one.name)));
    }, onkeydown: (event) => {
      if (event.key !== "Enter" || event.ctrlKey || event.isComposing) return;
      event.preventDefault();
      if (field.value.trim()) list.querySelector("button")?.click();
      else submit();
    } });
    return [h("div.desk-addressees", {}, (fields().to || []).map((one, index) => h("button.desk-addressee", { type: "button", onclick: () => { fields().to.splice(index, 1); keep(); form(); } }, one.shown || one.name, " ×"))), field, list];
  };
  const form = () => {
    const name = action.name;
    parts.form = h("form.desk-panel", { "aria-label": desk.text(`order.action.${name}`), onsubmit: (event) => event.preventDefault(), onkeydown: (event) => {
      if (event.key === "Enter" && event.ctrlKey && !event.isComposing) { event.preventDefault(); submit(); }
    } }, h("h3", {}, desk.text(`order.action.${name}`)), FORMS[name](),
      h("div.desk-line", {}, h("button.desk-button.primary", { type: "button", onclick: () => submit() }, h("kbd", {}, "Ctrl+Enter"), desk.text("order.go")),
        h("button.desk-button.quiet", { type: "button", onclick: leave }, h("kbd", {}, "Esc"), desk.text("cancel"))));
    head();
    (parts.form.querySelector("[aria-checked='false'], textarea, input") || parts.form.querySelector(".primary")).focus();
  };
  const act = (name) => {
    const no = row() ? why(name) : desk.text("order.gone");
    if (no) return desk.say(no, { bad: true });
    action = { name, recipient: ACTIONS[name].one || name === "remind" ? desk.orders.recipient : null, fields: drafts.get(`${order.open}/${name}`) || {} };
    return form();
  };
  const leave = () => {
    action = null;
    parts.form = null;
    head();
    parts.box.focus({ preventScroll: true });
  };
  const submit = async () => {
    if (sending || !action) return;
    sending = true;
    const id = order.open;
    const { name, recipient, fields: filled } = action;
    if (name === "phone" && filled.keyed !== recipient) Object.assign(filled, { key: crypto.randomUUID(), keyed: recipient }); // sent again it is the same call
    const numbers = Object.fromEntries(["sign", "arrive", "close"].filter((one) => filled[one]).map((one) => [one, Number(filled[one])]));
    const answer = await desk.send({ ...filled, ...numbers, deed: name, id, recipient, revision: row()?.revision ?? 0 }, "desk-order-command");
    sending = false;
    desk.say(answer.text, { bad: !answer.ok });
    if (!answer.ok) return;
    drafts.delete(`${id}/${name}`);
    if (order.open === id && action?.name === name) leave();
    if (order.open === id) request();
  };

  // ---- keys --------------------------------------------------------------------------------------------------------
  const pressed = (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    const field = event.target.matches("input, textarea");
    if (event.key === "Escape") { event.preventDefault(); event.stopPropagation(); return void (action ? leave() : order.hide()); }
    if (field || !desk.letters()) return;
    const digit = Number(event.key);
    const options = action && parts.form.querySelectorAll("[role=radio]");
    const name = Object.keys(ACTIONS).find((one) => `Key${ACTIONS[one].key}` === event.code);
    if (options?.length && digit >= 1 && digit <= options.length) options[digit - 1].click();
    else if (!action && name && !event.shiftKey) act(name);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  desk.onStart("desk", () => {
    parts = { box: desk.byId("desk-order"), head: desk.byId("desk-order-head"), form: null };
    parts.box.tabIndex = -1;
    parts.box.addEventListener("keydown", pressed);
    const mode = desk.mode;
    desk.mode = () => (order.open && parts.box.contains(document.activeElement) && ["queue", "drawer"].includes(mode()) ? "order" : mode());
    desk.key("Escape", () => order.hide(), () => Boolean(order.open) && ["queue", "drawer"].includes(desk.mode()));
    desk.orders.watch((ids) => {
      if (!order.open || !ids.includes(order.open)) return;
      if (!action) head(); // a form keeps its buttons; they are drawn again when it is done
      clearTimeout(later);
      later = setTimeout(request, SHORT);
    });
  });
})();

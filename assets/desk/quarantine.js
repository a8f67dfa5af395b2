// Quarantine 隔离来件: a list, one item's reason, its sealed content after a reason is given, repair or discard.
(() => {
  const desk = window.gridwall?.desk;
  if (!desk) return;
  const h = desk.h;
  const KEYS = { read: "V", discard: "D" };

  let items = []; // [{id, source, field, reason, ...}], newest first
  let chosen = null; // id
  let opened = null; // id whose details are shown
  let content = null; // {text, exact} once it was read
  let asking = ""; // "read" or "discard" while a reason is asked for
  let typed = {}; // what was typed, by "id/field"
  let loaded = false;
  let total = 0; // how many wait, shown or not
  let more = false; // whether older ones are not shown yet
  let waiting = null; // what to do once they are
  let parts = {};

  const denied = () => desk.text("quarantine.denied", { role: desk.text(`role.${desk.facts.me.role}`) });
  const item = (id) => items.find((one) => one.id === id);
  const fault = (one) => one.why;
  const list = () => {
    parts.empty.hidden = items.length > 0;
    parts.empty.textContent = desk.text(loaded ? "quarantine.empty" : "quarantine.loading");
    parts.list.replaceChildren(...items.map((one) =>
      h("div.desk-row.quarantine-row", {
        id: `quarantine-${one.id}`, role: "option", "aria-selected": String(one.id === chosen), "data-id": one.id,
        class: `desk-row quarantine-row${one.id === opened ? " opened" : ""}`, onclick: () => { select(one.id); open(one.id); },
      },
        h("span.desk-row-title", {}, fault(one)),
        h("span.desk-row-age", { "data-at": one.received_at }, desk.ago(one.received_at)),
        h("span.desk-row-where", {}, [one.source, one.field].filter(Boolean).join(" · ")),
        h("span.desk-row-state", {}, one.report))));
    if (chosen !== null) parts.list.setAttribute("aria-activedescendant", `quarantine-${chosen}`);
    parts.foot.hidden = !items.length;
    parts.total.textContent = desk.text("quarantine_list.total", { n: items.length, total });
    parts.more.hidden = !more;
  };
  const select = (id) => {
    chosen = id;
    list();
    desk.byId(`quarantine-${id}`)?.scrollIntoView({ block: "nearest" });
  };
  const step = (by) => {
    if (!items.length) return undefined;
    const at = items.findIndex((one) => one.id === chosen) + by;
    if (at >= items.length && more) return older(() => step(by));
    return select(items[Math.min(Math.max(at, 0), items.length - 1)].id);
  };
  const open = (id) => {
    if (id === null || id === undefined) return;
    if (opened !== id) content = null;
    opened = id;
    asking = "";
    list();
    detail();
  };

  const remember = (name, rows, label, readonly = false) => {
    const key = `${opened}/${name}`;
    const area = h("textarea.desk-input", { id: `quarantine-${name}`, rows, readonly, spellcheck: "false", oninput: () => { typed[key] = area.value; } });
    area.value = typed[key] ?? (name === "content" ? content.text : "");
    return h("label.desk-field", {}, h("span", {}, label), area);
  };
  const button = (action) => {
    const why = !desk.can("repair") && action !== "read" ? denied() : "";
    const text = desk.text(action === "read" ? "quarantine.show" : "quarantine.discard");
    return h("button.desk-button", { type: "button", "aria-disabled": why ? "true" : null, title: why || null, onclick: () => ask(action) }, h("kbd", {}, KEYS[action]), text);
  };
  const fact = (name, value) => (value ? [h("dt", {}, desk.text(`quarantine.${name}`)), h("dd", {}, value)] : []);

  const detail = () => {
    const one = item(opened);
    if (opened === null) return parts.detail.replaceChildren(h("p.desk-empty", {}, desk.text("quarantine.select")));
    if (!one) return parts.detail.replaceChildren(h("p.desk-empty", {}, desk.text("quarantine.gone")));
    const reason = asking && h("div.desk-panel", { onkeydown: (event) => sendOn(event, () => send(asking)) },
      h("p.desk-hint", {}, desk.text(asking === "read" ? "quarantine.show_hint" : "quarantine.discard_hint")),
      remember(asking, "2", desk.text(asking === "read" ? "quarantine.show_reason" : "quarantine.discard_reason")),
      h("div.desk-line", {},
        h("button.desk-button.primary", { type: "button", onclick: () => send(asking) }, h("kbd", {}, "Ctrl+Enter"), desk.text(asking === "read" ? "quarantine.show_send" : "quarantine.discard_send")),
        h("button.desk-button.quiet", { type: "button", onclick: back }, h("kbd", {}, "Esc"), desk.text("cancel"))));
    const repair = content && h("div.quarantine-repair", { onkeydown: (event) => sendOn(event, () => send("resubmit")) },
      !content.exact && h("p.desk-hint", {}, desk.text("quarantine.not_text")),
      content.hint && h("p.desk-found", {}, content.hint),
      desk.can("repair") ? remember("content", "14", desk.text("quarantine.content")) : remember("content", "14", desk.text("drawer.text"), true),
      h("p.desk-error", { id: "quarantine-error", role: "alert", hidden: true }),
      h("button.desk-button.primary", { type: "button", "aria-disabled": desk.can("repair") ? null : "true", onclick: () => send("resubmit") }, h("kbd", {}, "Ctrl+Enter"), desk.text("quarantine.resubmit")));
    return parts.detail.replaceChildren(
      h("h2.desk-title", {}, fault(one)),
      !desk.can("repair") && h("p.desk-denied", { role: "note" }, denied()) || "",
      h("dl.desk-facts", {}, ...fact("number", String(one.id)), ...fact("source", one.source), ...fact("report", one.report), ...fact("field", one.path === one.field ? one.field : `${one.field} ${one.path}`),
        h("dt", {}, desk.text("quarantine.received")), h("dd", {}, one.received, h("time", { "data-at": one.received_at }, desk.ago(one.received_at))),
        ...fact("size", one.size ? desk.text("quarantine.size_value", { n: one.size }) : ""), ...fact("hash", one.sha256)),
      h("div.desk-actions", {}, !content && button("read"), button("discard")),
      reason || "", repair || "");
  };
  const sendOn = (event, run) => {
    if (event.key === "Enter" && event.ctrlKey && !event.isComposing) { event.preventDefault(); event.stopPropagation(); run(); }
  };

  const ask = (action) => {
    if (action !== "read" && !desk.can("repair")) return desk.say(denied(), { bad: true });
    if (opened === null && chosen !== null) open(chosen);
    if (opened === null || (action === "read" && content)) return undefined;
    asking = action;
    detail();
    return desk.byId(`quarantine-${action}`).focus();
  };
  const back = () => {
    if (asking) asking = "";
    else if (document.activeElement !== parts.list && opened !== null) { /* first out of the field, then out of the item */ }
    else opened = null;
    list();
    detail();
    parts.list.focus();
  };

  const send = async (action) => {
    if (action === "resubmit" && !desk.can("repair")) return desk.say(denied(), { bad: true });
    const id = opened;
    const value = (typed[`${id}/${action === "resubmit" ? "content" : action}`] ?? (action === "resubmit" ? content.text : "")).trim();
    if (action !== "resubmit" && value.length < 2) return desk.say(desk.text("quarantine.need_reason"), { bad: true });
    const answer = await desk.send({ action, id, [action === "resubmit" ? "content" : "reason"]: value });
    if (!answer.ok) return failed(answer);
    asking = "";
    if (action === "read") {
      content = { text: answer.content, exact: answer.exact, hint: answer.hint };
      detail();
      const area = desk.byId("quarantine-content");
      area.focus();
      area.setSelectionRange(0, 0);
      area.scrollTop = 0;
      return undefined;
    }
    for (const key of Object.keys(typed)) if (key.startsWith(`${id}/`)) delete typed[key];
    const at = items.findIndex((one) => one.id === id);
    items = items.filter((one) => one.id !== id);
    chosen = items[Math.min(at, items.length - 1)]?.id ?? null;
    opened = null;
    content = null;
    list();
    detail();
    parts.list.focus();
    desk.say(answer.text);
    return load();
  };
  const failed = (answer) => {
    const box = desk.byId("quarantine-error");
    if (!box) return desk.say(answer.text, { bad: true });
    box.textContent = answer.text;
    box.hidden = false;
    return undefined;
  };

  // ---- the list is asked for when the page opens and whenever the number in the header changes -----------------------
  let asked = 0;
  const load = () => {
    asked += 1;
    dash_clientside.set_props("quarantine-ask", { data: { asked, through: items.at(-1)?.id } });
  };
  const older = (then = null) => {
    waiting = then;
    asked += 1;
    dash_clientside.set_props("quarantine-ask", { data: { asked, before: items.at(-1).id } });
  };
  desk.listed = (told) => {
    if (!parts.list || !told) return;
    if (told.before && told.before !== items.at(-1)?.id) return; // the list has changed since
    loaded = true;
    items = told.before ? [...items, ...told.rows] : told.rows;
    ({ total, more } = told);
    if (chosen !== null && !item(chosen)) chosen = null;
    list();
    if (opened !== null && !item(opened)) detail();
    const then = waiting;
    waiting = null;
    if (told.before) then?.();
  };

  desk.onStart("quarantine", () => {
    parts = {
      list: h("div.desk-rows", { id: "quarantine-list", role: "listbox", tabindex: "0", "aria-label": desk.text("quarantine.title") }),
      total: h("span.desk-hint", { id: "quarantine-total", role: "status" }),
      more: h("button.desk-button", { id: "quarantine-more", type: "button", onclick: () => older(() => parts.list.focus()) }, h("kbd", {}, "E"), desk.text("quarantine_list.more")),
      empty: h("p.desk-empty", {}), detail: desk.byId("quarantine-detail"),
    };
    parts.foot = h("div.desk-line.quarantine-foot", {}, parts.total, parts.more);
    desk.byId("quarantine-items").replaceChildren(parts.list, parts.foot, parts.empty);
    list();
    detail();
    load();
    new MutationObserver(load).observe(desk.byId("desk-quarantined"), { childList: true, characterData: true, subtree: true });
    const free = () => !desk.byId("desk-help").open;
    for (const key of ["KeyJ", "ArrowDown"]) desk.key(key, () => step(1), free);
    for (const key of ["KeyK", "ArrowUp"]) desk.key(key, () => step(-1), free);
    desk.key("Enter", () => open(chosen), (event) => free() && chosen !== null && !event.target.closest("button, a"));
    desk.key("KeyV", () => ask("read"), free);
    desk.key("KeyD", () => ask("discard"), free);
    desk.key("KeyE", () => { if (more) older(); }, free);
    desk.key("Escape", () => (desk.byId("desk-help").open ? desk.byId("desk-help").close() : back()));
    parts.list.focus();
  });

  window.dash_clientside.desk.listed = (told) => { desk.listed(told); return window.dash_clientside.no_update; };
})();

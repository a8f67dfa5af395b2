// The drawer: one incident, its facts and history (written by the server), and what can be done with it, each by one key.
(() => {
  const desk = window.gridwall?.desk;
  if (!desk) return;
  const h = desk.h;
  const ACTIONS = { acknowledge: "A", urgency: "U", note: "M", place: "G", close: "C", reopen: "R", reveal: "V", flow: "F" };
  const OPEN_ONLY = ["acknowledge", "urgency", "place", "close"];
  const LATE = 3000; // ms the details may take before they count as failed and are asked for again; doubled at each try
  const LATE_MOST = 30000;

  desk.opened = null;
  let action = null; // {name, id, revision, fields: {...}, conflict}
  const drafts = new Map(); // "incident/action" -> fields: nothing typed is lost by looking elsewhere
  const DRAFTS = 40; // bound of the drafts kept
  let ticked = ""; // how its clocks stood then: what they say moves no revision
  let shown = 0; // revision the details were asked for
  let own = { id: "", revision: 0 }; // what our last command made of an incident; its row may come later than the answer
  let asked = 0;
  let failed = 0; // times in a row the details did not come
  let late = 0; // timer

  desk.mode = () => {
    if (desk.byId("desk-help")?.open) return "help";
    if (desk.form?.open) return "form";
    if (action) return "action";
    return desk.opened ? "drawer" : "queue";
  };
  /** Bring a part of the desk into sight where they stand one under another (a phone); beside each other nothing moves. */
  desk.reach = (element) => {
    if (desk.handheld()) element.scrollIntoView({ block: "start" });
  };
  const clocks = () => JSON.stringify([row()?.clock, row()?.card]);
  const row = (id = desk.opened) => desk.queue.get(id);

  // ---- opening ---------------------------------------------------------------------------------------------------
  const live = () => document.documentElement.dataset.link === "live";
  /** While the server is away, say that the details come with it; when they do not come from one that is there, too. */
  const waiting = () => {
    const box = desk.byId("desk-waiting");
    box.hidden = (live() && !failed) || !desk.opened || !desk.byId("desk-side").dataset.loading;
    if (box.hidden) return box.replaceChildren();
    if (!live()) return box.replaceChildren(desk.text("drawer.away"));
    if (!box.querySelector("button")) {
      box.replaceChildren(h("p", {}, desk.text("drawer.failed")),
        h("button.desk-button", { type: "button", onclick: () => ask() }, desk.text("drawer.retry")));
    }
  };
  document.addEventListener("gridwall:link", () => {
    if (!desk.opened) return;
    if (live() && desk.byId("desk-side").dataset.loading) ask();
    else waiting();
  });
  const ask = () => {
    failed = 0;
    request();
  };
  const missed = () => {
    if (!desk.opened || !desk.byId("desk-side").dataset.loading) return;
    if (!live()) return; // the connection's return asks
    failed += 1;
    request();
  };
  const request = () => {
    clearTimeout(late);
    late = setTimeout(missed, Math.min(LATE * 2 ** failed, LATE_MOST));
    asked += 1;
    shown = row()?.revision ?? 0;
    ticked = clocks();
    const painted = desk.byId("desk-details")?.dataset.id;
    desk.byId("desk-side").dataset.loading = painted === desk.opened ? "again" : "other";
    waiting();
    dash_clientside.set_props("desk-open", { data: { id: desk.opened, n: asked } });
  };
  /** Open the drawer on an incident; `focus` moves the keyboard into it. */
  desk.open = (id, focus = false) => {
    if (!id) return;
    if (action && action.id !== id) leave();
    const other = desk.opened !== id;
    desk.opened = id;
    if (desk.queue.selected !== id) desk.queue.select(id);
    if (desk.form?.open) desk.form.hide();
    if (other) ask();
    head();
    desk.queue.refresh();
    desk.map?.show(id);
    desk.reach(desk.byId("desk-side"));
    if (focus) desk.byId("desk-drawer-body").focus();
  };
  desk.closeDrawer = () => {
    leave();
    desk.opened = null;
    waiting();
    head();
    desk.queue.refresh();
    desk.byId("desk-rows").focus();
    desk.reach(desk.byId("desk-queue"));
  };
  /** The details have been painted by Dash. */
  desk.detailed = () => {
    clearTimeout(late);
    failed = 0;
    delete desk.byId("desk-side").dataset.loading;
    waiting();
    for (const time of desk.byId("desk-drawer-body").querySelectorAll("[data-at]:not([data-way])")) time.textContent = desk.ago(Number(time.dataset.at));
    desk.loop.painted();
  };

  // ---- head: who it is and what can be done ------------------------------------------------------------------------
  const allowed = (name, one) => {
    if (name === "flow") return desk.loop.choices().length ? "" : desk.text(behind() ? "why.loading" : "loop.none");
    if (!desk.can(name)) return desk.text("denied", { role: desk.text(`role.${desk.facts.me.role}`) });
    if (name === "acknowledge" && one.acknowledged_at) return desk.text("why.acknowledged");
    if (OPEN_ONLY.includes(name) && one.step === "closed") return desk.text("why.closed");
    if (name === "reopen" && one.step !== "closed") return desk.text("why.open");
    return "";
  };
  const button = (name, one) => {
    const why = allowed(name, one);
    return h("button.desk-button", {
      type: "button", "aria-disabled": why ? "true" : null, title: why || null, "aria-keyshortcuts": ACTIONS[name],
      "aria-pressed": action?.name === name ? "true" : null, "data-action": name, onclick: () => act(name),
    }, h("kbd", {}, ACTIONS[name]), desk.text(`action.${name}`));
  };
  const head = () => {
    const side = desk.byId("desk-side");
    side.dataset.open = desk.opened ? "true" : "false";
    const box = desk.byId("desk-head");
    const one = row();
    if (!desk.opened) return box.replaceChildren(h("p.desk-empty", {}, desk.text("drawer.empty")));
    if (!one) return box.replaceChildren(h("p.desk-empty", {}, desk.text("drawer.gone")));
    const names = Object.keys(ACTIONS).filter((name) => name !== "flow" && name !== (one.step === "closed" ? "close" : "reopen"));
    return box.replaceChildren(
      h("div.desk-head-line", { "data-urgency": one.urgency },
        h("span.desk-row-mark", {}, desk.shape(one.urgency), h("b", {}, desk.urgency(one.urgency))),
        h("span.desk-number", {}, String(one.number ?? "")),
        h("span.desk-step", {}, desk.loop.step(one)),
        h("button.desk-button.quiet", { type: "button", onclick: desk.closeDrawer, "aria-label": desk.text("close") }, h("kbd", {}, "Esc"))),
      h("h2.desk-title", {}, one.title || desk.type(one.type)),
      desk.waiting.head(one),
      desk.facts.me.can.length ? "" : h("p.desk-denied", { role: "note" }, desk.text("denied_all", { role: desk.text(`role.${desk.facts.me.role}`) })),
      h("div.desk-actions", { role: "toolbar", "aria-label": desk.text("drawer.actions") }, names.map((name) => button(name, one))));
  };

  // ---- actions ---------------------------------------------------------------------------------------------------
  const act = (name) => {
    const id = desk.opened || desk.queue.selected;
    const one = id && row(id);
    if (!one) return desk.say(desk.text("why.none"), { bad: true });
    const why = allowed(name, one);
    if (why) return desk.say(why, { bad: true });
    if (name === "acknowledge") return send({ name, id, revision: seen(id), fields: {} });
    if (desk.opened !== id) desk.open(id);
    if (action) keep();
    action = { name, id, revision: seen(id), fields: drafts.get(`${id}/${name}`) || {}, conflict: null };
    head();
    return panel();
  };
  desk.act = act;
  /** Show a form of another module in the place of the actions', and put it away again. */
  desk.ask = (id, name, fields, form) => {
    if (desk.opened !== id) desk.open(id);
    if (action) leave();
    action = { name, id, revision: 0, fields, conflict: null, own: true };
    desk.byId("desk-action").replaceChildren(form);
    form.querySelector("[role=radio], textarea, button")?.focus();
  };
  desk.unask = () => cancel();

  /** The revision somebody has seen: the row's, or the one that follows by our own command, and nobody else's, upon it. */
  const seen = (id) => Math.max(row(id)?.revision ?? 0, own.id === id ? own.revision : 0);

  const keep = () => {
    if (!action) return;
    drafts.delete(`${action.id}/${action.name}`);
    if (Object.values(action.fields).some(Boolean)) drafts.set(`${action.id}/${action.name}`, action.fields);
    while (drafts.size > DRAFTS) drafts.delete(drafts.keys().next().value);
  };
  const leave = () => {
    keep();
    action = null;
    desk.byId("desk-action").replaceChildren();
    desk.map?.pick(null);
    if (desk.opened) head();
  };
  const cancel = () => {
    leave();
    desk.byId("desk-rows").focus();
  };

  const area = (name, label, required = false) => {
    const field = h("textarea.desk-input", {
      rows: "3", maxlength: "2000", id: `desk-${name}`, "aria-required": required ? "true" : null,
      oninput: () => { action.fields[name] = field.value; },
    });
    field.value = action.fields[name] || "";
    return h("label.desk-field", {}, h("span", {}, label), field);
  };
  // A second Enter on what is chosen sends it.
  const choices = (name, options, label, chosen = () => panel(action.fields[name])) =>
    h("div.desk-choices", { role: "radiogroup", "aria-label": label }, options.map(([value, text, mark], index) =>
      h("button.desk-choice", {
        type: "button", role: "radio", "aria-checked": String(action.fields[name] === value), "data-value": value,
        onclick: () => { action.fields[name] = value; chosen(); },
        onkeydown: (event) => {
          if (event.key !== "Enter" || event.ctrlKey || action.fields[name] !== value) return;
          event.preventDefault();
          submit();
        },
      }, h("kbd", {}, String(index + 1)), mark, text)));

  const PANELS = {
    acknowledge: () => [],
    note: () => [area("text", desk.text("action.note_text"), true)],
    urgency: () => [choices("urgency", desk.facts.urgencies.map((one) => [one, desk.urgency(one), desk.shape(one)]), desk.text("action.urgency"), submit)],
    close: () => [
      choices("result", desk.facts.results.map((one) => [one, desk.text(`result.${one}`)]), desk.text("action.result")),
      area("text", desk.text(action.fields.result && action.fields.result !== "resolved" ? "action.close_text_needed" : "action.close_text")),
      h("p.desk-hint", {}, desk.text("action.close_hint"))],
    reopen: () => [area("text", desk.text("action.reopen_text"), true)],
    flow: () => [
      choices("choice", desk.loop.choices().map((one) => [one.code || one.action, one.label]), desk.text("loop.pick")),
      ...desk.loop.parts(action.fields, area)],
    reveal: () => [h("p.desk-hint", {}, desk.text("action.reveal_hint")), area("reason", desk.text("action.reason"), true)],
    place: () => {
      const pick = desk.combo({
        label: desk.text("action.place_grid"), hint: desk.text("action.place_grid"), options: () => Object.entries(desk.facts.grids),
        taken: (grid) => { action.fields = grid ? { grid } : {}; desk.map?.pin(null); panel("grid"); },
      });
      pick.set(action.fields.grid || "");
      desk.map?.pick((point, found) => {
        action.fields = { lon: point.lng, lat: point.lat, found };
        panel("send");
      });
      const at = action.fields.lon === undefined ? null
        : h("p.desk-found", {}, desk.text("action.place_point", { lon: action.fields.lon.toFixed(5), lat: action.fields.lat.toFixed(5) }),
          " ", h("b", {}, desk.found(action.fields.found)));
      return [h("p.desk-hint", {}, desk.text("action.place_hint")), at, pick.element];
    },
  };
  /** What a located point is called: its chain, or unplaced with the nearest grid. */
  desk.found = (found) => {
    if (!found) return desk.text("queue.locating");
    if (found.error) return found.error;
    if (found.code) return desk.chain(found.chain);
    if (!found.nearest) return desk.text("queue.unplaced");
    return desk.text("queue.unplaced_near", { grid: desk.grid(found.nearest), metres: Math.round(found.distance_m) });
  };

  const COMPLETE = {
    note: (f) => f.text?.trim(), urgency: (f) => f.urgency, close: (f) => f.result && (f.result === "resolved" || f.text?.trim()), reopen: (f) => f.text?.trim(),
    reveal: (f) => f.reason?.trim(), place: (f) => f.grid || f.lon !== undefined, acknowledge: () => true,
    flow: (f) => !desk.loop.lacks(f),
  };

  const panel = (focus = null) => {
    const box = desk.byId("desk-action");
    const conflict = action.conflict && h("div.desk-conflict", { role: "alert" },
      h("b", {}, desk.text("conflict.title")), h("p", {}, action.conflict.text), h("p.desk-hint", {}, desk.text("conflict.kept")));
    const go = h("button.desk-button.primary", { type: "button", id: "desk-send", onclick: submit },
      h("kbd", {}, action.conflict ? "Enter" : "Ctrl+Enter"), desk.text(action.conflict ? "conflict.redo" : `action.${action.name}_send`));
    box.replaceChildren(h("form.desk-panel", {
      "aria-label": desk.text(`action.${action.name}`),
      onsubmit: (event) => event.preventDefault(),
      onkeydown: (event) => {
        if (event.key === "Enter" && event.ctrlKey && !event.isComposing) { event.preventDefault(); submit(); }
      },
    },
      h("h3", {}, desk.text(`action.${action.name}`)), conflict, PANELS[action.name](),
      h("div.desk-line", {}, go,
        h("button.desk-button.quiet", { type: "button", onclick: cancel }, h("kbd", {}, "Esc"), desk.text("cancel")))));
    if (action.name === "urgency" && !action.conflict) go.remove(); // choosing sends
    const target = action.conflict ? go
      : box.querySelector(focus === "send" || focus === "grid" ? "#desk-send" : `[data-value="${focus}"]`) ||
        box.querySelector("textarea, input, [role=radio]") || go;
    target.focus();
  };

  const submit = () => {
    if (action.name === "urgency" && action.fields.urgency === row(action.id)?.urgency) {
      action.fields = {};
      return desk.hint(desk.text("why.urgency", { urgency: desk.urgency(row(action.id).urgency) }));
    }
    if (action.name === "flow") {
      const lacks = desk.loop.lacks(action.fields);
      if (lacks) return desk.say(lacks, { bad: true });
      return send({ ...action, form: "flow", ...desk.loop.command(action.fields) });
    }
    if (!COMPLETE[action.name](action.fields)) return desk.say(desk.text(`missing.${action.name}`), { bad: true });
    return send(action);
  };

  const inverse = (name, before, fields) => {
    if (name === "distinct") return fields.same ? null : { name, fields: { ...fields, same: true } };
    if (name === "merge") return { name: "split", fields };
    if (name === "split") return before.id === fields.others[0] ? null : { name: "merge", fields };
    if (name === "link") return { name, fields: { ...fields, away: !fields.away } };
    if (name === "urgency") return { name, fields: { urgency: before.urgency } };
    if (name === "close") return desk.can("reopen") ? { name: "reopen", fields: { text: desk.text("action.undo_reason") } } : null;
    if (name === "place" && before.lon !== undefined) return { name, fields: { lon: before.lon, lat: before.lat } };
    return null;
  };

  const SEALED_MS = 60000; // how long what was sealed is shown
  let masking = 0; // timer
  let sending = false;
  const send = async (wanted) => {
    if (sending) return;
    sending = true;
    desk.byId("desk-side").dataset.sending = "true";
    const before = { ...row(wanted.id) };
    const { found, ...fields } = wanted.fields;
    const answer = await desk.send({ action: wanted.name, id: wanted.id, revision: wanted.revision, ...fields });
    sending = false;
    delete desk.byId("desk-side").dataset.sending;
    if (answer.ok) return done(wanted, before, answer);
    if (answer.code === "conflict") return conflicted(wanted, answer);
    return desk.say(answer.text, { bad: true });
  };
  const done = (wanted, before, answer) => {
    drafts.delete(`${wanted.id}/${wanted.form || wanted.name}`);
    if (answer.revision <= seen(wanted.id) + 1) own = { id: wanted.id, revision: answer.revision };
    if (action?.id === wanted.id && action.name === (wanted.form || wanted.name)) { action.fields = {}; leave(); }
    const back = inverse(wanted.name, before, wanted.fields) || desk.loop.inverse(wanted.name, before, wanted.fields);
    desk.say(answer.text, { again: back && (() => send({ ...back, id: wanted.id, revision: answer.revision })) });
    if (desk.opened === wanted.id) {
      ask();
      shown = Math.max(shown, answer.revision || 0); // the row that follows brings nothing new
      head();
    }
    if (answer.late?.length && wanted.name !== "explain") desk.askLate(wanted.id, answer.late[0]);
    else if (answer.sealed) reveal(answer.sealed);
    else if (desk.mode() !== "form") desk.byId("desk-rows").focus();
  };
  const conflicted = (wanted, answer) => {
    if (desk.opened !== wanted.id) desk.open(wanted.id);
    const kept = wanted.form && action?.name === wanted.form ? action.fields : wanted.fields; // what was typed, as it was typed
    action = { ...wanted, name: wanted.form || wanted.name, fields: kept, revision: answer.revision, conflict: answer };
    head();
    panel();
    ask();
  };
  const reveal = (sealed) => {
    desk.byId("desk-action").replaceChildren(h("div.desk-panel.sealed", { tabindex: "-1", id: "desk-sealed" },
      h("h3", {}, desk.text("reveal.title")), h("p.desk-hint", { id: "desk-sealed-left" }),
      h("dl.desk-facts", {}, Object.entries(sealed).map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])),
      h("button.desk-button", { type: "button", onclick: cancel }, h("kbd", {}, "Esc"), desk.text("reveal.hide"))));
    action = { name: "sealed", id: desk.opened, revision: 0, fields: {}, conflict: null };
    desk.byId("desk-sealed").focus();
    mask(Date.now() + SEALED_MS);
  };
  /** What was sealed is shown for a while, then no more; a page that slept meanwhile shows it no longer either. */
  const mask = (end) => {
    clearTimeout(masking);
    const left = Math.ceil((end - Date.now()) / 1000);
    const said = desk.byId("desk-sealed-left");
    if (!said) return;
    if (left <= 0) {
      desk.say(desk.text("reveal.over"));
      if (action?.name === "sealed") cancel();
      else desk.byId("desk-sealed").remove();
      return;
    }
    said.textContent = desk.text("reveal.recorded", { n: left });
    masking = setTimeout(() => mask(end), 1000);
  };

  // ---- what may be the same event: proposed by the server in the details, opened or told apart from here ------------
  /** The button of the proposal that has the keyboard's focus, else of the first. */
  const proposal = (name) => {
    const body = desk.byId("desk-drawer-body");
    const chosen = body.contains(document.activeElement) && document.activeElement.closest("[data-twin]");
    return (chosen || body.querySelector("[data-twin]"))?.querySelector(`[data-${name}]`);
  };
  const relate = (name, other, more = {}) => {
    const right = name === "split" ? "merge" : name;
    if (!desk.can(right)) return desk.say(desk.text("denied", { role: desk.text(`role.${desk.facts.me.role}`) }), { bad: true });
    return send({ name, id: desk.opened, revision: row()?.revision ?? 0, fields: { others: [other], ...more } });
  };
  const RELATIONS = {
    distinct: (other) => relate("distinct", other), merge: (other) => relate("merge", other), split: (other) => relate("split", other),
    link: (other) => relate("link", other), unlink: (other) => relate("link", other, { away: true }),
  };
  /** Whether the details that stand there are still those of the incident looked at before. */
  const behind = () => desk.byId("desk-details")?.dataset.id !== desk.opened;
  const heard = (event) => {
    const item = event.target.closest("[data-strike]");
    if (item) return send({ name: "strike", id: desk.opened, revision: seen(desk.opened), fields: { item: item.dataset.strike, back: item.dataset.back === "true" } });
    const button = event.target.closest("button:is([data-other], [data-distinct], [data-merge], [data-split], [data-link], [data-unlink])");
    if (!button) return;
    if (behind()) return desk.hint(desk.text("why.loading"));
    if (button.dataset.other) return desk.open(button.dataset.other);
    const name = Object.keys(RELATIONS).find((one) => one in button.dataset);
    return RELATIONS[name](button.dataset[name]);
  };
  const propose = (name) => {
    if (!desk.opened) return desk.say(desk.text("why.open_first"), { bad: true });
    if (behind()) return desk.hint(desk.text("why.loading"));
    const button = proposal(name);
    if (!button) return desk.say(desk.text("why.no_double"), { bad: true });
    return button.click();
  };
  /** What may be the same event as these has changed. */
  desk.doubled = (ids) => {
    if (desk.opened && ids.includes(desk.opened) && !sending) ask();
  };

  // ---- keys ------------------------------------------------------------------------------------------------------
  /** Esc goes one step back: field, action, form, drawer. */
  const back = (event) => {
    const mode = desk.mode();
    if (mode === "help") return desk.byId("desk-help").close();
    if (mode === "gridcard") return desk.byId("desk-gridcard").close();
    if (mode === "warnings") return desk.byId("desk-warnings").close();
    if (mode === "form") return desk.form.hide();
    if (mode === "action") return cancel();
    if (event.target.matches("input, select, textarea")) return desk.byId("desk-rows").focus();
    if (mode === "drawer") return desk.closeDrawer();
    return desk.hush();
  };

  desk.onStart("desk", () => {
    desk.loop.pick = (choice) => {
      act("flow");
      if (action?.name !== "flow") return;
      action.fields.choice = choice;
      panel(choice);
    };
    desk.loop.redraw = () => { if (action?.name === "flow") panel(); };
    head();
    desk.orders.watch((ids) => {
      if (desk.opened && ids.some((id) => [desk.opened, undefined].includes(desk.orders.rows.get(id)?.incident))) head();
    });
    desk.queue.watch((ids) => {
      if (!desk.opened || !ids.includes(desk.opened)) return;
      head();
      if (((row()?.revision ?? 0) !== shown || clocks() !== ticked) && !sending) ask();
    });
    const wanted = new URL(location.href);
    if (wanted.searchParams.has("incident")) { // a link of another page: opened once, then the address is the desk's again
      const id = wanted.searchParams.get("incident");
      setTimeout(() => desk.open(id, true)); // when all parts of the desk have started
      wanted.searchParams.delete("incident");
      history.replaceState(null, "", wanted);
    }
    const free = () => ["queue", "drawer"].includes(desk.mode());
    for (const [name, letter] of Object.entries(ACTIONS)) desk.key(`Key${letter}`, () => act(name), free);
    desk.key("KeyO", () => propose("other"), free);
    desk.key("KeyD", () => propose("distinct"), free);
    desk.key("KeyY", () => propose("merge"), free);
    desk.byId("desk-drawer-body").addEventListener("click", heard);
    const choose = (index) => desk.byId("desk-action").querySelectorAll("[role=radio]")[index]?.click();
    for (let index = 0; index < 9; index += 1) desk.key(`Digit${index + 1}`, () => choose(index), () => desk.mode() === "action");
    desk.key("Escape", back);
    // A key that has to wait says so.
    const busy = () => ["action", "form"].includes(desk.mode());
    for (const letter of [...Object.values(ACTIONS), "N", "O", "D", "Y", "Z"]) desk.key(`Key${letter}`, () => desk.hint(desk.text("why.panel")), busy);
    desk.key("KeyZ", () => desk.say(desk.text("why.undo")), free);
  });
})();

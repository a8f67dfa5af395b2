// 登记: the form used during a phone call. It stands beside the queue and the map, so a click on the map places the matter.
// The caller's name and phone stay in memory only; the rest survives a reload.
(() => {
  const desk = window.gridwall?.desk;
  if (!desk) return;
  const h = desk.h;
  const MEMORY = "gridwall.desk.draft";
  const KEPT = ["channel", "address", "type", "urgency", "title", "text", "lon", "lat", "grid"]; // never name and phone
  const TYPED = ["caller", "phone", "address", "type", "title", "text", "lon", "grid"];
  const NEAR = 500; // m within which a matter of the same type may be the same
  const RECENT = 24 * 3600e6; // µs
  const WAIT = 15000; // ms we wait for the journal before we say so
  const EARTH = 6371008.8; // m

  const form = (desk.form = { open: false });
  let draft = {};
  let parts = {};
  let found = null;
  let expected = null; // {report, timer}: a sent report the journal has yet to show
  let located = 0;

  // Its id and time are made once: a form that is sent again is a repeat, not another report.
  const fresh = () => ({ channel: "hotline", urgency: "", report: crypto.randomUUID(), at: Math.round(window.gridwall.clock()) });
  const save = () => {
    const kept = Object.fromEntries(KEPT.filter((name) => draft[name] !== undefined && draft[name] !== "").map((name) => [name, draft[name]]));
    sessionStorage.setItem(MEMORY, JSON.stringify(kept));
  };
  const load = () => {
    try { return { ...fresh(), ...JSON.parse(sessionStorage.getItem(MEMORY) || "{}") }; } catch { return fresh(); }
  };

  // ---- place -----------------------------------------------------------------------------------------------------
  /** Ask the server which grid a point lies in; resolves to {code, chain, nearest, distance_m} or {error}. */
  desk.locate = async (lon, lat) => {
    try {
      const answer = await fetch(`/api/v1/grids/locate?lon=${lon}&lat=${lat}`, { headers: { accept: "application/json" } });
      if (!answer.ok) return { error: desk.text("error.locate") };
      return await answer.json();
    } catch {
      return { error: desk.text("error.locate") };
    }
  };
  const showPlace = () => {
    parts.found.replaceChildren();
    if (draft.grid) {
      parts.found.append(h("b", {}, desk.facts.grids[draft.grid] || draft.grid), ` ${draft.grid}`,
        h("p.desk-hint", {}, desk.text("form.grid_only")));
    } else if (draft.lon !== undefined) {
      parts.found.append(h("b", {}, desk.found(found)), ` ${found?.code || ""}`,
        h("button.desk-button.quiet", { type: "button", onclick: () => point(null) }, desk.text("form.no_point")));
    } else parts.found.append(h("span.desk-hint", {}, desk.text("form.place_hint")));
    parts.found.dataset.outside = String(Boolean(found && !found.code && draft.lon !== undefined));
    duplicates();
  };
  const point = async (at) => {
    located += 1;
    const mine = located;
    found = null;
    delete draft.lon;
    delete draft.lat;
    if (at) {
      Object.assign(draft, { lon: Number(at.lng.toFixed(6)), lat: Number(at.lat.toFixed(6)) });
      delete draft.grid;
      parts.grid.set("");
    } else desk.map?.pin(null);
    save();
    showPlace();
    if (!at) return;
    const answer = await desk.locate(draft.lon, draft.lat);
    if (mine !== located) return;
    found = answer;
    showPlace();
  };

  // ---- may be the same matter --------------------------------------------------------------------------------------
  const metres = (a, b) => {
    const x = ((b.lon - a.lon) * Math.PI) / 180 * Math.cos(((a.lat + b.lat) * Math.PI) / 360);
    const y = ((b.lat - a.lat) * Math.PI) / 180;
    return Math.hypot(x, y) * EARTH;
  };
  const alike = (row, now) => {
    if (row.step === "closed" || row.type !== draft.type || now - (row.opened_at || 0) > RECENT) return false;
    if (draft.lon !== undefined && row.lon !== undefined) return metres(draft, row) < NEAR;
    const grid = draft.grid || found?.code;
    return Boolean(grid && row.grid === grid) || Boolean(draft.address && row.address?.includes(draft.address.trim()));
  };
  const duplicates = () => {
    const now = window.gridwall.clock() * 1000;
    const some = draft.type ? [...desk.queue.rows].filter(([, row]) => alike(row, now)).slice(0, 3) : [];
    parts.same.hidden = !some.length;
    parts.same.replaceChildren(h("b", {}, desk.text("form.same", { n: some.length })), ...some.map(([id, row]) =>
      h("button.desk-same", { type: "button", onclick: () => desk.open(id) },
        desk.shape(row.urgency), `${row.number || ""} ${row.title}`, h("span", { "data-at": row.opened_at }, desk.ago(row.opened_at)))));
  };

  // ---- fields ----------------------------------------------------------------------------------------------------
  const field = (name, label, element, hint = "") =>
    h(`div.desk-field.desk-field-${name}`, {}, h("label", { for: `desk-form-${name}` }, label), element,
      hint && h("p.desk-hint", { id: `desk-form-${name}-hint` }, hint));
  const input = (name, props = {}) => {
    const element = h(props.rows ? "textarea.desk-input" : "input.desk-input", {
      id: `desk-form-${name}`, autocomplete: "off", maxlength: "200", ...props,
      oninput: () => { draft[name] = element.value; save(); if (name === "address") duplicates(); },
    });
    element.value = draft[name] || "";
    return element;
  };
  const channel = () => {
    const element = h("select.desk-input", { id: "desk-form-channel", onchange: () => { draft.channel = element.value; save(); } },
      desk.facts.channels.map((one) => h("option", { value: one, selected: draft.channel === one }, desk.text(`channel.${one}`))));
    return element;
  };
  const urgency = () =>
    h("div.desk-choices", { role: "radiogroup", "aria-label": desk.text("form.urgency"), id: "desk-form-urgency" },
      desk.facts.urgencies.map((one, index) => h("button.desk-choice", {
        type: "button", role: "radio", "data-value": one, "aria-checked": String(draft.urgency === one),
        tabindex: (draft.urgency || "routine") === one ? "0" : "-1", onclick: () => setUrgency(one),
        onkeydown: (event) => urgencyKey(event, index),
      }, desk.shape(one), desk.urgency(one))));
  const setUrgency = (one, focus = true) => {
    draft.urgency = one;
    save();
    for (const button of parts.urgency.children) {
      button.setAttribute("aria-checked", String(button.dataset.value === one));
      button.tabIndex = button.dataset.value === one ? 0 : -1;
      if (focus && button.dataset.value === one) button.focus();
    }
  };
  const urgencyKey = (event, index) => {
    const { urgencies } = desk.facts;
    const digit = "123".indexOf(event.key);
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (digit < 0 && !by) return;
    event.preventDefault();
    event.stopPropagation();
    setUrgency(urgencies[digit >= 0 ? digit : (index + by + urgencies.length) % urgencies.length]);
  };
  const typeCombo = () => {
    const combo = desk.combo({
      id: "desk-form-type", label: desk.text("form.type"), hint: desk.text("form.type_hint"),
      options: () => Object.entries(desk.facts.types).filter(([code]) => code.length === 4),
      describe: (code, name) => `${desk.facts.types[code.slice(0, 2)]} / ${name}`,
      taken: (code) => {
        draft.type = code;
        if (code && !draft.urgency) setUrgency(desk.facts.defaults[code] || "routine", false);
        save();
        duplicates();
      },
    });
    combo.set(draft.type || "");
    return combo;
  };
  const gridCombo = () => {
    const combo = desk.combo({
      id: "desk-form-grid", label: desk.text("form.grid"), hint: desk.text("form.grid_hint"),
      options: () => Object.entries(desk.facts.grids).filter(([code]) => desk.facts.leaves.has(code)),
      taken: (code) => {
        if (code) point(null);
        draft.grid = code;
        if (!code) delete draft.grid;
        save();
        showPlace();
      },
    });
    combo.set(draft.grid || "");
    return combo;
  };

  const build = () => {
    parts = { type: typeCombo(), grid: gridCombo(), urgency: urgency(), found: h("p.desk-found", { role: "status" }), same: h("div.desk-duplicates", { role: "status", hidden: true }), error: h("p.desk-error", { role: "alert", hidden: true }) };
    const body = h("form.desk-form", {
      "aria-label": desk.text("form.title"), onsubmit: (event) => event.preventDefault(),
      onkeydown: (event) => {
        if (event.isComposing || event.key !== "Enter") return;
        if (event.ctrlKey) { event.preventDefault(); submit(); }
        else if (event.target.matches("[role=radio]")) { event.preventDefault(); setUrgency(event.target.dataset.value); following(event.target); }
        else if (event.target.matches("input, select")) { event.preventDefault(); following(event.target); }
      },
    },
      h("div.desk-form-head", {}, h("h2", {}, desk.text("form.title")),
        h("button.desk-button.quiet", { type: "button", onclick: form.hide, "aria-label": desk.text("form.hide") }, h("kbd", {}, "Esc"), desk.text("form.hide"))),
      h("div.desk-form-body", {},
        h("div.desk-pair", {}, field("caller", desk.text("form.caller"), input("caller", { maxlength: "40" })), field("phone", desk.text("form.phone"), input("phone", { inputmode: "tel", maxlength: "40" }))),
        h("p.desk-hint", {}, desk.text("form.privacy")),
        h("div.desk-pair", {}, field("channel", desk.text("form.channel"), channel()), field("type", desk.text("form.type"), parts.type.element)),
        field("urgency", desk.text("form.urgency"), parts.urgency),
        h("div.desk-pair", {}, field("address", desk.text("form.address"), input("address")), field("grid", desk.text("form.grid"), parts.grid.element)),
        parts.found, parts.same,
        field("title", desk.text("form.matter"), input("title", { maxlength: "80", placeholder: desk.text("form.matter_hint") })),
        field("text", desk.text("form.text"), input("text", { rows: "4", maxlength: "4000" }))),
      h("div.desk-form-foot", {}, parts.error,
        h("div.desk-line", {},
          h("button.desk-button.primary", { type: "button", id: "desk-form-send", onclick: submit }, h("kbd", {}, "Ctrl+Enter"), desk.text("form.send")),
          h("button.desk-button.quiet", { type: "button", onclick: discard }, desk.text("form.discard")))));
    desk.byId("desk-form").replaceChildren(body);
    showPlace();
  };
  // Enter goes on to the next field, as on the forms operators know; Ctrl+Enter sends from anywhere.
  const following = (element) => {
    const fields = [...desk.byId("desk-form").querySelectorAll("input, select, textarea, [role=radio][tabindex='0'], #desk-form-send")];
    fields[fields.indexOf(element) + 1]?.focus();
  };

  // ---- opening, sending ------------------------------------------------------------------------------------------
  form.show = () => {
    if (!desk.can("register")) return desk.say(desk.text("denied", { role: desk.text(`role.${desk.facts.me.role}`) }), { bad: true });
    if (!form.open) {
      form.open = true;
      if (!Object.keys(draft).some((name) => TYPED.includes(name) && draft[name])) draft = { ...fresh() }; // the call begins now
      desk.byId("desk-side").dataset.form = "true";
      build();
      desk.map?.pick((at) => point(at), true);
      if (draft.lon !== undefined) { desk.map?.pin({ lng: draft.lon, lat: draft.lat }); if (!found) point({ lng: draft.lon, lat: draft.lat }); }
    }
    desk.reach(desk.byId("desk-side"));
    return desk.byId("desk-form-caller").focus({ preventScroll: true });
  };
  form.hide = () => {
    if (!form.open) return;
    form.open = false;
    delete desk.byId("desk-side").dataset.form;
    desk.byId("desk-form").replaceChildren();
    desk.map?.pick(null);
    desk.byId("desk-rows").focus();
  };
  const clear = () => {
    draft = fresh();
    found = null;
    sessionStorage.removeItem(MEMORY);
  };
  const discard = () => {
    clear();
    desk.map?.pin(null);
    build();
    desk.byId("desk-form-caller").focus();
  };
  const wrong = (text, name) => {
    parts.error.textContent = text;
    parts.error.hidden = !text;
    if (name) desk.byId(`desk-form-${name}`).focus();
  };
  const lacking = () => {
    if (!draft.type) return "type";
    if (!draft.title?.trim() && !draft.text?.trim()) return "title";
    return "";
  };

  let sending = false;
  const submit = async () => {
    const lacks = lacking();
    if (lacks) return wrong(desk.text(`form.lacks_${lacks}`), lacks);
    if (sending) return undefined;
    sending = true;
    wrong("");
    desk.byId("desk-side").dataset.sending = "true";
    const answer = await desk.send({ ...draft, urgency: draft.urgency || "routine" }, "desk-register");
    sending = false;
    delete desk.byId("desk-side").dataset.sending;
    if (!answer.ok) return wrong(answer.text, answer.field);
    clear();
    form.hide();
    desk.map?.pin(null);
    desk.say(answer.text);
    return expect(answer.report); // last: its row may be here already, and what is said of it must stay
  };

  // ---- the journal answers -----------------------------------------------------------------------------------------
  const expect = (report) => {
    expected = { report, timer: setTimeout(() => desk.say(desk.text("form.waiting"), { bad: true }), WAIT) };
    seen([...desk.queue.rows.keys()]);
  };
  const seen = (ids) => {
    if (!expected) return;
    for (const id of ids) {
      const row = desk.queue.get(id);
      if (row?.source !== "desk" || row.report_id !== expected.report) continue;
      clearTimeout(expected.timer);
      expected = null;
      desk.say(desk.text("form.registered", { number: row.number || "", place: desk.queue.where(row) }));
      if (!form.open && desk.mode() !== "action") desk.open(id);
      return;
    }
  };

  desk.onStart("desk", () => {
    draft = load();
    desk.queue.watch(seen);
    desk.key("KeyN", form.show, () => ["queue", "drawer"].includes(desk.mode()));
    desk.byId("desk-new").addEventListener("click", form.show);
    if (Object.keys(draft).some((name) => TYPED.includes(name))) desk.say(desk.text("form.draft"));
  });
})();

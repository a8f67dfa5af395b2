// The order composer: everything proposed, one picker for recipients, sent with one key. It stands over the map, so queue,
// incident and receipts stay in sight. What is typed is kept per incident, through live updates, conflicts and a reload.
(() => {
  const desk = window.gridwall?.desk;
  if (!desk) return;
  const h = desk.h;
  const MEMORY = "gridwall.desk.composed";
  const KEPT = 10; // drafts
  const KINDS = ["order", "joint", "whistle"];
  const CLOCKS = ["sign", "arrive", "close"];
  const FREE = ""; // the draft of an order without an incident

  const compose = (desk.compose = { open: false, about: FREE });
  const drafts = new Map(); // incident id -> draft
  let draft = null;
  let parts = {};
  let sending = false;

  const ask = (deed, more = {}) => desk.send({ deed, ...more }, "desk-compose");
  const save = () => {
    drafts.delete(compose.about);
    drafts.set(compose.about, draft);
    while (drafts.size > KEPT) drafts.delete(drafts.keys().next().value);
    store();
  };
  const store = () => sessionStorage.setItem(MEMORY, JSON.stringify([...drafts]));
  const load = () => {
    try {
      for (const [about, one] of JSON.parse(sessionStorage.getItem(MEMORY) || "[]")) drafts.set(about, one);
    } catch { /* what cannot be read is not kept */ }
  };
  const change = (some) => { Object.assign(draft, some, { touched: true }); save(); };

  // ---- recipients --------------------------------------------------------------------------------------------------
  const same = (a, b) => a.kind === b.kind && a.id === b.id;
  const add = (one) => {
    if (!draft.to.some((other) => same(one, other))) {
      change({ to: [...draft.to, { ...one, role: draft.to.some((other) => other.role === "lead") ? "support" : "lead" }] });
    }
    chips();
  };
  const remove = (index) => {
    change({ to: draft.to.filter((_, at) => at !== index) });
    chips();
    (parts.chips.children[Math.min(index, draft.to.length - 1)] || parts.pick).focus();
  };
  const lead = (index) => {
    change({ to: draft.to.map((one, at) => ({ ...one, role: at === index && one.role !== "lead" ? "lead" : "support" })) });
    chips();
    parts.chips.children[index].focus();
  };
  const chip = (one, index) =>
    h("button.desk-addressee", {
      type: "button", role: "option", tabindex: "-1", "data-role": one.role, "aria-selected": "false",
      title: `${desk.text("compose.make_lead")} · ${desk.text("compose.remove")} (Del)`,
      onclick: () => lead(index),
      onkeydown: (event) => {
        const to = { ArrowLeft: index - 1, ArrowRight: index + 1 }[event.key];
        if (to !== undefined) (parts.chips.children[Math.max(to, 0)] || parts.pick).focus();
        else if (event.key === "Delete" || event.key === "Backspace") remove(index);
        else if (event.key === " ") lead(index);
        else return;
        event.preventDefault();
        event.stopPropagation();
      },
    }, h("i", {}, one.role === "lead" ? `★ ${desk.text("compose.lead")}` : desk.text("compose.support")), one.shown || one.name,
      one.why && h("small", {}, one.why),
      h("span.desk-addressee-x", { "aria-hidden": "true", onclick: (event) => { event.stopPropagation(); remove(index); } }, "×"));
  /** Whose team or person somebody is. */
  const unit = (one) => [one.post, one.kind !== "department" && !one.shown?.includes(one.department_name) && one.department_name].filter(Boolean).join(" · ");
  /** Those who are proposed, but not picked. */
  const offered = () => draft.offered.filter((one) => !draft.to.some((other) => same(one, other)));
  const chips = () => {
    draft.to.sort((a, b) => (a.role === "lead" ? 0 : 1) - (b.role === "lead" ? 0 : 1));
    parts.chips.replaceChildren(...draft.to.map(chip));
    const more = offered();
    parts.offered.replaceChildren(h("span", {}, desk.text("compose.offered")), ...more.map((one) =>
      h("button.desk-addressee.offered", { type: "button", title: unit(one) || null, onclick: () => { add(one); parts.pick.focus(); } },
        h("i", { "aria-hidden": "true" }, "＋"), one.shown, h("small", {}, one.why))));
    parts.offered.hidden = !more.length;
    parts.send.querySelector("b").textContent = draft.to.length || "";
  };

  // ---- the picker --------------------------------------------------------------------------------------------------
  let found = [];
  let at = -1;
  let asking = false;
  const hide = () => { parts.list.hidden = true; found = []; at = -1; };
  const look = async () => {
    const typed = parts.pick.value.trim();
    if (!typed) return hide();
    if (asking) return undefined; // asked again below, for what stands there then
    asking = true;
    const answer = await ask("find", { typed });
    asking = false;
    if (!compose.open || !draft) return undefined;
    if (parts.pick.value.trim() !== typed) return look();
    list((answer.found || []).filter((one) => !draft.to.some((other) => same(one, other))));
    return undefined;
  };
  const list = (some) => {
    found = some;
    at = found.length ? 0 : -1;
    show();
  };
  const show = () => {
    parts.list.replaceChildren(...found.map((one, index) =>
      h("li", { role: "option", "aria-selected": String(index === at), onmousedown: (event) => { event.preventDefault(); take(index); } },
        h("span", {}, one.shown || one.name), h("small", {}, [unit(one), one.why].filter(Boolean).join(" · ")))));
    if (!found.length) parts.list.append(h("li.none", {}, desk.text("compose.none")));
    parts.list.hidden = false;
  };
  const take = (index) => {
    add(found[index]);
    parts.pick.value = "";
    hide();
    parts.pick.focus();
  };
  const picking = (event) => {
    if (event.isComposing || event.ctrlKey) return;
    const typed = parts.pick.value.trim();
    if ((event.key === "ArrowDown" || event.key === "ArrowUp") && found.length) {
      at = (at + (event.key === "ArrowDown" ? 1 : -1) + found.length) % found.length;
      show();
    } else if (event.key === "ArrowDown" && !typed && offered().length) list(offered());
    else if (event.key === "Enter" && (typed || at >= 0)) {
      if (at >= 0) take(at);
    } else if (event.key === "Enter") submit();
    else if (event.key === "Escape" && !parts.list.hidden) { parts.pick.value = ""; hide(); }
    else if (event.key === "Backspace" && !parts.pick.value && draft.to.length) remove(draft.to.length - 1), parts.pick.focus();
    else if (event.key === "ArrowLeft" && !parts.pick.value && draft.to.length) parts.chips.lastElementChild.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  // ---- the other fields --------------------------------------------------------------------------------------------
  const radios = (label, options, chosen, run) => {
    const group = h("div.desk-choices", { role: "radiogroup", "aria-label": label }, options.map(([value, text]) =>
      h("button.desk-choice", {
        type: "button", role: "radio", "data-value": value, "aria-checked": String(chosen === value), tabindex: chosen === value ? "0" : "-1",
        onclick: () => pickRadio(group, value, run),
        onkeydown: (event) => {
          const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
          if (!by) return;
          event.preventDefault();
          event.stopPropagation();
          const now = options.findIndex(([one]) => one === value);
          pickRadio(group, options[(now + by + options.length) % options.length][0], run);
        },
      }, text)));
    if (!group.querySelector("[tabindex='0']")) group.firstElementChild.tabIndex = 0;
    return group;
  };
  const pickRadio = (group, value, run) => {
    for (const button of group.children) {
      const chosen = button.dataset.value === value;
      button.setAttribute("aria-checked", String(chosen));
      button.tabIndex = chosen ? 0 : -1;
      if (chosen) button.focus();
    }
    run(value);
  };
  const template = (name) => {
    const found = draft.texts.find((one) => one.name === name);
    if (found) { change({ template: name, text: found.text }); parts.text.value = draft.text; }
    else { change({ template: "own" }); parts.text.focus(); }
  };
  const templates = () => {
    if (!draft.texts.length) return null;
    const options = [...draft.texts.map((one) => [one.name, one.label]), ["own", desk.text("compose.own")]];
    return radios(desk.text("compose.template"), options, draft.template, template);
  };
  const minutes = (name) => {
    const field = h("input.desk-input", { id: `desk-compose-${name}`, inputmode: "numeric", maxlength: "6", autocomplete: "off",
      oninput: () => change({ minutes: { ...draft.minutes, [name]: Number.parseInt(field.value, 10) || 0 } }) });
    field.value = draft.minutes[name] || 0;
    return h("label.desk-minutes", {}, h("span", {}, desk.text(`compose.${name}`)), field);
  };
  const heading = () => desk.text("compose.heading", { kind: desk.text(`compose.kind.${draft.kind}`) });
  const about = () => {
    const one = draft.incident && desk.queue.get(draft.incident);
    return one ? `${one.number ?? ""} ${one.title || desk.type(one.type)}` : draft.label || desk.text("compose.free");
  };

  const build = () => {
    const box = desk.byId("desk-composer");
    parts = { chips: h("div.desk-addressees", { role: "listbox", "aria-label": desk.text("compose.to") }) };
    parts.offered = h("div.desk-addressees.offered", { role: "group", "aria-label": desk.text("compose.offered"), hidden: true });
    parts.list = h("ul.desk-combo-list", { role: "listbox", hidden: true });
    parts.pick = h("input.desk-input", { id: "desk-compose-pick", type: "text", role: "combobox", autocomplete: "off", spellcheck: "false",
      placeholder: desk.text("compose.pick"), "aria-label": desk.text("compose.pick"), oninput: look, onkeydown: picking, onblur: hide });
    parts.title = h("input.desk-input", { id: "desk-compose-title", maxlength: "80", autocomplete: "off", oninput: () => change({ title: parts.title.value }) });
    parts.title.value = draft.title;
    parts.text = h("textarea.desk-input", { id: "desk-compose-text", rows: "3", maxlength: "2000", oninput: () => change({ text: parts.text.value, template: "own" }) });
    parts.text.value = draft.text;
    parts.error = h("p.desk-error", { role: "alert", hidden: true });
    parts.head = h("h2", {}, heading());
    parts.send = h("button.desk-button.primary", { type: "button", id: "desk-compose-send", onclick: () => submit() }, h("kbd", {}, "Enter"), desk.text("compose.send"), " ", h("b", {}, ""));
    box.replaceChildren(h("form.desk-compose", { "aria-label": desk.text("compose.title"), onsubmit: (event) => event.preventDefault(), onkeydown: sendKey },
      h("div.desk-bench-head", {}, desk.shape(draft.urgency), parts.head, h("span.cut", {}, about()),
        h("button.desk-button.quiet", { type: "button", onclick: () => compose.hide() }, h("kbd", {}, "Esc"))),
      h("div.desk-bench-body", {},
        parts.chips, parts.offered, h("div.desk-combo", {}, parts.pick, parts.list), h("p.desk-hint", {}, desk.text("compose.keys")),
        h("div.desk-compose-line", {},
          radios(desk.text("compose.kind_label"), KINDS.map((one) => [one, desk.text(`compose.kind.${one}`)]), draft.kind, (kind) => { change({ kind }); parts.head.textContent = heading(); }),
          h("div.desk-deadlines", { role: "group", "aria-label": desk.text("compose.deadlines"), title: desk.text("compose.deadlines") }, CLOCKS.map(minutes))),
        h("label.desk-field", {}, h("span", {}, desk.text("compose.matter")), parts.title),
        h("div.desk-field", {}, templates(), h("label.desk-field", {}, h("span", {}, desk.text("compose.body")), parts.text))),
      h("div.desk-bench-foot", {}, parts.error,
        h("div.desk-line", {}, parts.send, h("button.desk-button.quiet", { type: "button", onclick: restart }, desk.text("compose.discard"))))));
    chips();
    desk.reach(desk.byId("desk-bench"));
    parts.pick.focus({ preventScroll: true });
  };
  const sendKey = (event) => {
    if (event.key === "Enter" && event.ctrlKey && !event.isComposing) { event.preventDefault(); submit(); }
    else if (event.key === "Enter" && event.target.matches("input") && !event.isComposing && !event.defaultPrevented) { event.preventDefault(); submit(); }
  };

  // ---- opening, sending --------------------------------------------------------------------------------------------
  const fresh = (proposal, incident, label) => {
    const [first] = proposal.texts;
    return { incident, label, key: crypto.randomUUID(), ...proposal, template: first?.name || "own", text: first?.text || "" };
  };
  const begin = async (incident) => {
    compose.open = true;
    compose.about = incident;
    draft = drafts.get(incident) || null;
    desk.bench("compose");
    if (draft) return build();
    desk.byId("desk-composer").replaceChildren(h("p.desk-empty", {}, desk.text("compose.loading")));
    const answer = await ask("propose", { incident });
    if (!compose.open || compose.about !== incident) return undefined;
    if (!answer.ok) { compose.hide(); return desk.say(answer.text, { bad: true }); }
    const one = desk.queue.get(incident);
    draft = fresh(answer.proposal, incident, one ? `${one.number ?? ""} ${one.title || ""}` : "");
    return build();
  };
  /** Open the composer for an incident, "" for an order that stands free. */
  compose.show = (incident) => {
    if (!desk.can("order")) return desk.say(desk.text("denied", { role: desk.text(`role.${desk.facts.me.role}`) }), { bad: true });
    return begin(incident);
  };
  compose.hide = () => {
    compose.open = false;
    if (draft?.touched) desk.say(desk.text("compose.kept"));
    draft = null;
    desk.byId("desk-composer").replaceChildren();
    desk.bench("");
    desk.byId("desk-rows").focus();
  };
  const restart = () => {
    drafts.delete(compose.about);
    store();
    draft = null;
    begin(compose.about);
  };
  const wrong = (text, field = null) => {
    parts.error.textContent = text;
    parts.error.hidden = !text;
    field?.focus();
  };
  const submit = async () => {
    if (sending) return desk.hint(desk.text("compose.pending"));
    if (!draft.to.length) return wrong(desk.text("compose.lacks_to"), parts.pick);
    if (!draft.title.trim()) return wrong(desk.text("compose.lacks_title"), parts.title);
    wrong("");
    sending = true;
    parts.send.setAttribute("aria-disabled", "true");
    const { incident, kind, urgency, title, text, to, key, minutes: limits } = draft;
    const about = compose.about;
    save(); // with its key: after a reload it is still the same order
    const answer = await ask("send", { incident, kind, urgency, title, text, key, to, ...limits });
    sending = false;
    parts.send.removeAttribute("aria-disabled");
    if (!answer.ok) return compose.about === about && compose.open ? wrong(answer.text) : desk.say(answer.text, { bad: true });
    drafts.delete(about);
    store();
    if (compose.open && compose.about === about) { draft = null; compose.hide(); }
    desk.orders.choose(answer.id);
    return desk.say(answer.text, { again: desk.order && (() => desk.order.cancel(answer.id)) });
  };

  /** What stands over the map: "compose", "order", or "" for the map itself. An order waits under the composer. */
  desk.bench = (name) => {
    const shown = name || (desk.order.open ? "order" : "");
    desk.byId("desk-bench").hidden = shown !== "compose";
    desk.byId("desk-order").hidden = shown !== "order";
  };

  desk.onStart("desk", () => {
    load();
    const mode = desk.mode;
    desk.mode = () => (compose.open && mode() !== "help" ? "compose" : mode());
    const free = () => ["queue", "drawer", "order", "orders"].includes(desk.mode());
    desk.key("KeyL", () => {
      const id = desk.opened || desk.queue.selected;
      return id ? compose.show(id) : desk.say(desk.text("why.none"), { bad: true });
    }, free);
    desk.key("Shift+KeyL", () => compose.show(FREE), free);
    desk.key("Escape", compose.hide, () => desk.mode() === "compose");
  });
})();

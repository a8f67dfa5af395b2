// The editor of a field mapping 字段对照: drawn from the store "mapping-facts"; what it holds goes to "mapping-draft".
(() => {
  if (document.documentElement.dataset.page !== "sources") return;
  const h = (...all) => window.gridwall.desk.h(...all); // the desk's ground is loaded after this file
  const PAUSE = 400; // ms after the last change before the preview is made anew
  const ANY_OTHER = "*";

  let facts = null;
  let draft = null; // {fields, time, numbers, types, urgency, revision, presence}
  let name = "";
  let revision = 0;
  let timer = 0;

  const text = (key, params = {}) => (facts.words[key] ?? key).replace(/{(\w+)}/g, (_, one) => params[one] ?? "");
  const root = () => document.getElementById("mapping-editor");
  const column = (key) => facts.columns.find((one) => one.key === key);
  const paths = (value) => (value === undefined || value === "" ? [] : [].concat(value));

  const tell = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      const mapping = clean();
      const { upload } = facts;
      window.dash_clientside.set_props("mapping-draft", { data: { mapping, name, revision, upload } });
    }, PAUSE);
  };

  // What is written down: no empty field, no table that says nothing.
  const clean = () => {
    const fields = {};
    for (const [ours] of facts.fields) {
      const found = paths(draft.fields[ours]).filter(Boolean);
      if (found.length) fields[ours] = found.length === 1 ? found[0] : found;
    }
    const mapping = { fields, time: draft.time, numbers: draft.numbers };
    for (const table of ["types", "urgency"]) {
      const words = Object.fromEntries(Object.entries(draft[table]).filter(([, code]) => code));
      if (Object.keys(words).length) mapping[table] = words;
    }
    if (draft.revision.fields.length) mapping.revision = draft.revision;
    if (draft.presence.field) mapping.presence = draft.presence;
    return mapping;
  };

  const whole = (given) => ({
    fields: flat(given.fields || {}),
    time: { formats: given.time?.formats || ["iso"] },
    numbers: { strings: given.numbers?.strings ?? true },
    types: { ...given.types },
    urgency: { ...given.urgency },
    revision: { rule: given.revision?.rule || "fields", fields: paths(given.revision?.fields) },
    presence: { field: paths(given.presence?.field)[0] || "", gone: given.presence?.gone || [] },
  });

  // TOML lets one write [fields.place] lon = "x" for "place.lon".
  const flat = (fields) => Object.fromEntries(Object.entries(fields).flatMap(([key, value]) =>
    value && typeof value === "object" && !Array.isArray(value) ? Object.entries(value).map(([inner, path]) => [`${key}.${inner}`, path]) : [[key, value]]));

  const option = (value, label, chosen) => h("option", { value, selected: value === chosen }, label);

  const columns = (chosen, label, change) => {
    const known = facts.columns.map((one) => option(one.key, one.name, chosen));
    const stranger = chosen && !column(chosen) ? [option(chosen, facts.columns.length ? text("not_here", { name: chosen }) : chosen, chosen)] : [];
    const select = h("select.desk-input", { "aria-label": label, onchange: () => change(select.value) },
      option("", "—", chosen || ""), ...stranger, ...known);
    return select;
  };

  const samples = (chosen) => chosen.map((key) => column(key)?.samples.join(" · ") || "").filter(Boolean).join(" + ");

  // Another column of times: the forms its samples are written in are chosen too.
  const reform = () => {
    const found = paths(draft.fields.occurred_at).flatMap((key) => column(key)?.forms || []);
    draft.time.formats = [...new Set([...draft.time.formats, ...found])];
  };

  const fieldRow = ([ours, label]) => {
    const chosen = paths(draft.fields[ours]);
    const change = (index) => (value) => {
      const now = paths(draft.fields[ours]);
      now[index] = value;
      draft.fields[ours] = now.filter(Boolean);
      if (ours === "occurred_at") reform();
      draw();
      tell();
    };
    const selects = (chosen.length ? chosen : [""]).map((key, index) => columns(key, label, change(index)));
    const more = chosen.length && facts.columns.length
      ? h("button.desk-button.quiet", { type: "button", title: text("join_hint"), onclick: () => { draft.fields[ours] = [...chosen, facts.columns[0].key]; draw(); tell(); } }, text("join"))
      : null;
    const needed = { id: "needed", title: "needed_title" }[ours];
    const mark = needed ? h("b.mapping-needed", {}, text(needed)) : null;
    return h("tr", { "data-field": ours }, h("th", { scope: "row" }, label, mark), h("td", {}, h("div.mapping-selects", {}, selects, more)), h("td.mapping-samples", {}, samples(chosen)));
  };

  const words = (table, ours, choices) => {
    const chosen = paths(draft.fields[ours]);
    const found = chosen.length === 1 ? column(chosen[0])?.words || [] : [];
    const seen = found.map(([word]) => word);
    const all = [...found, ...Object.keys(draft[table]).filter((word) => word !== ANY_OTHER && !seen.includes(word)).map((word) => [word, 0])];
    if (!chosen.length || (!all.length && !draft[table][ANY_OTHER])) return null;
    const line = (word, label, count) => {
      const select = h("select.desk-input", { "aria-label": label, onchange: () => { draft[table][word] = select.value; tell(); } },
        option("", text("as_it_is"), draft[table][word] || ""), ...choices.map(([code, said]) => option(code, said, draft[table][word])));
      return h("tr", {}, h("th", { scope: "row" }, label), h("td.mapping-count", {}, count || ""), h("td", {}, select));
    };
    const body = [...all.map(([word, count]) => line(word, word, count)), line(ANY_OTHER, text("any_other"), "")];
    return [h("h3", {}, text(`words_${table}`)), h("div.admin-scroll", {}, h("table.admin-table.mapping-words", {}, h("tbody", {}, body)))];
  };

  const times = () => {
    if (!paths(draft.fields.occurred_at).length) return null;
    const offered = [...facts.formats, ...draft.time.formats.filter((one) => !facts.formats.some(([known]) => known === one)).map((one) => [one, one])];
    const box = ([form, label]) => {
      const input = h("input", { type: "checkbox", checked: draft.time.formats.includes(form), onchange: () => {
        draft.time.formats = offered.map(([one]) => one).filter((one) => (one === form ? input.checked : draft.time.formats.includes(one)));
        if (!draft.time.formats.length) draft.time.formats = ["iso"];
        tell();
      } });
      return h("label.mapping-form", {}, input, " ", label);
    };
    return h("details", {}, h("summary", {}, text("times", { forms: draft.time.formats.length })), h("div.mapping-forms", {}, offered.map(box)));
  };

  const revisions = () => {
    const rule = !draft.revision.fields.length ? "none" : draft.revision.rule;
    const first = () => draft.revision.fields[0] || facts.columns[0]?.key || "";
    const radio = (value) => h("label.mapping-form", {}, h("input", { type: "radio", name: "mapping-rule", checked: rule === value, onchange: () => {
      draft.revision = value === "none" ? { rule: "fields", fields: [] } : { rule: value, fields: [first()].filter(Boolean) };
      draw();
      tell();
    } }), " ", text(`rule_${value}`));
    const select = rule === "none" ? null : h("label.admin-field", {}, h("span.admin-label", {}, text("rule_column")),
      columns(draft.revision.fields[0], text("rule_column"), (value) => { draft.revision.fields = value ? [value] : []; draw(); tell(); }));
    return [h("h3", {}, text("revisions")), h("div.mapping-rules", {}, ["none", "content", "fields"].map(radio), select)];
  };

  const presence = () => {
    const gone = h("input.desk-input", { type: "text", value: draft.presence.gone.join(", "), placeholder: text("gone_hint"), onchange: () => {
      draft.presence.gone = gone.value.split(/[,，]/).map((one) => one.trim()).filter(Boolean);
      tell();
    } });
    const select = columns(draft.presence.field, text("gone_column"), (value) => { draft.presence.field = value; draw(); tell(); });
    return h("details", { open: Boolean(draft.presence.field) }, h("summary", {}, text("gone")), h("div.mapping-rules", {}, select, draft.presence.field ? gone : null));
  };

  const start = () => {
    const copies = h("select.desk-input", { id: "mapping-copies", "aria-label": text("copy"), onchange: () => {
      if (copies.value) window.dash_clientside.set_props("mapping-copy", { data: { name: copies.value, serial: Date.now() } });
    } }, option("", text("copy"), ""), facts.columns.length ? option(facts.proposed, text("propose"), "") : null, ...facts.copies.map((one) => option(one, one, "")));
    const input = h("input.desk-input", { id: "mapping-name", type: "text", value: name, pattern: "[a-z0-9][a-z0-9_\\-]*", maxlength: 40, onchange: () => { name = input.value.trim(); revision = name === facts.name ? facts.revision : 0; tell(); } });
    const sample = facts.columns.length ? text("sample_columns", { count: facts.columns.length }) : text("no_sample");
    return h("div.admin-line", {}, h("label.admin-field", {}, h("span.admin-label", {}, text("name")), input), h("label.admin-field", {}, h("span.admin-label", {}, text("copy_label")), copies), h("span.desk-hint", {}, sample));
  };

  const draw = () => {
    const at = root();
    if (!at) return;
    const opened = [...at.querySelectorAll("details")].map((one) => one.open);
    const head = h("tr", {}, ["head_ours", "head_theirs", "head_samples"].map((key) => h("th", { scope: "col" }, text(key))));
    at.replaceChildren(...[
      start(),
      h("table.admin-table.mapping-fields", {}, h("thead", {}, head), h("tbody", {}, facts.fields.map(fieldRow))),
      times(),
      ...(words("types", "type", facts.types) || []),
      ...(words("urgency", "urgency", facts.urgencies) || []),
      ...revisions(),
      presence(),
    ].filter(Boolean));
    [...at.querySelectorAll("details")].forEach((one, index) => { if (opened[index]) one.open = true; });
  };

  // A button of a notice that leads to another tab: <button data-open-tab="NAME">.
  document.addEventListener("click", ({ target }) => {
    const button = target instanceof Element ? target.closest("[data-open-tab]") : null;
    if (button) window.gridwallTabs.open(button.dataset.openTab);
  });

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.mapping = {
    begin: (given) => {
      if (!given) return "";
      if (given.trouble) { root()?.replaceChildren(h("div.admin-notice.wrong", { role: "alert" }, given.trouble)); return ""; }
      facts = given;
      draft = whole(given.draft || {});
      ({ name, revision } = given);
      draw();
      tell();
      return "";
    },
    saved: (given) => {
      if (given && facts) { ({ name, revision } = given); facts.name = name; facts.revision = revision; tell(); }
      return "";
    },
  };
})();

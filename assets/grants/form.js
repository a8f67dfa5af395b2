// Asking for video access (调阅申请): purpose, incident, the fewest cameras that cover the place, window; or break-glass.
(() => {
  const access = window.gridwall?.access;
  if (!access) return;
  const desk = window.gridwall.desk;
  const { h } = desk;
  const { say, button, field, select } = access;
  const MODES = ["live", "playback", "snapshot", "export"];
  const URGENCIES = ["routine", "urgent", "critical"];
  const AXES = ["grid", "civil", "group"];
  const RADII = [50, 100, 150, 300, 600, 1000];

  let form = null;
  let cameras = new Map(); // id → camera that is known here
  let incidents = [];
  let place = null;
  let metres = 100;
  let proposal = null;
  let searched = [];
  let draft = "";
  let box = null;
  let axis = AXES[0];
  let opened = new Map(); // key of a branch of the tree that is open → {branches, cameras} below it; "": the top
  let browsing = false;
  let city = null; // the city's map, once somebody wanted it
  let mapping = false;
  let looking = 0; // which look around a place is the last: answers to earlier ones are too late

  const empty = () => ({ purpose: "incident", basis: access.facts.bases[0].code, text: "", urgency: "urgent", incident: "", cameras: [], needed: [], modes: ["live"], minutes: access.facts.limits.live_minutes, order: "", walls: [] });
  const purpose = () => access.facts.purposes.find((one) => one.code === form.purpose);
  const most = () => (form.urgency === "routine" ? purpose().cameras : Math.min(purpose().cameras, access.facts.limits.cameras));

  const toggle = (id) => {
    form.cameras = form.cameras.includes(id) ? form.cameras.filter((one) => one !== id) : [...form.cameras, id];
    draw();
  };

  /** Choose a camera of which only the map knows, or no longer. */
  async function fromMap(id) {
    if (!cameras.has(id)) {
      const answer = await access.ask({ do: "named", ids: [id] });
      if (!answer.ok) return void desk.say(answer.text, { bad: true });
      for (const one of answer.cameras) cameras.set(one.id, one);
    }
    if (cameras.has(id)) toggle(id);
    return undefined;
  }

  const cityMap = () => h("details.access-new", { open: mapping, ontoggle: (event) => {
    if (mapping === event.target.open) return;
    mapping = event.target.open;
    draw();
    if (mapping) city.cameras.ask();
  } }, h("summary", {}, say("ask.map")),
    mapping && (city ||= new access.CityMap({ pick: fromMap, chosen: (id) => form?.cameras.includes(id), words: access.mapWords })).whole);

  /** Look for cameras around the place; whether there is a proposal for it now. */
  async function around() {
    const look = (looking += 1);
    if (!place || place.lon === null || place.lon === undefined) return false;
    const answer = await access.ask({ do: "around", lon: place.lon, lat: place.lat, metres, most: most() });
    if (look !== looking) return false;
    if (!answer.ok) { desk.say(answer.text, { bad: true }); return false; }
    for (const one of answer.cameras) cameras.set(one.id, one);
    proposal = answer.proposal;
    draw();
    return true;
  }

  const propose = () => {
    if (!proposal) return;
    form.cameras = proposal.ids.slice(0, most());
    form.needed = [...form.cameras];
    draw();
  };

  async function chosen(id) {
    form.incident = id;
    place = incidents.find((one) => one.id === id) || null;
    proposal = null;
    metres = RADII[1];
    draw();
    let found = await around();
    for (const wider of RADII.filter((one) => one > metres)) {
      if (!found || proposal.ids.length) break;
      metres = wider;
      found = await around();
    }
    if (found && proposal.ids.length && !form.cameras.length) propose();
  }

  async function find(value) {
    const answer = await access.ask({ do: "find", text: value });
    searched = answer.ok ? answer.cameras : [];
    for (const one of searched) cameras.set(one.id, one);
    draw();
  }

  async function branch(key) {
    if (key && opened.has(key)) { opened.delete(key); return void draw(); }
    const along = axis;
    const answer = await access.ask({ do: "branch", axis, key });
    if (along !== axis) return undefined;
    if (!answer.ok) return void desk.say(answer.text, { bad: true });
    for (const one of answer.cameras) cameras.set(one.id, one);
    opened.set(key, answer);
    return void draw();
  }

  const below = (key) => h("ul.access-tree", { role: key ? "group" : "tree" }, (opened.get(key)?.branches || []).map((one) => h("li", { role: "treeitem", "aria-expanded": String(opened.has(one.key)) },
    h("button.access-twig", { type: "button", "data-pick": `branch-${one.key}`, onclick: () => branch(one.key) }, h("span", { "aria-hidden": "true" }, opened.has(one.key) ? "▾" : "▸"), one.name, h("small", {}, String(one.total))),
    opened.has(one.key) && below(one.key))), h("ul.access-cameras", {}, (opened.get(key)?.cameras || []).map(line)));

  const tree = () => h("details.access-new", { open: browsing, ontoggle: (event) => { if (browsing === event.target.open) return; browsing = event.target.open; if (browsing && !opened.has("")) branch(""); } },
    h("summary", {}, say("ask.tree")),
    access.field("ask.axis", select("axis", AXES.map((one) => [one, say(`axis.${one}`)]), axis, (event) => { axis = event.target.value; opened = new Map(); branch(""); })),
    browsing && below(""));

  async function send(as) {
    const whole = { ...form, minutes: Number(form.minutes) || 0 };
    const keeping = { do: "draft", form: whole, ...(draft && { id: draft }) };
    if (as !== "draft" && draft) {
      const kept = await access.ask(keeping);
      if (!kept.ok) return void desk.say(kept.text, { bad: true });
    }
    const sending = draft ? { do: "send_draft", id: draft } : { do: "send", form: whole };
    const answer = await access.do(as === "draft" ? keeping : sending);
    if (!answer.ok) return;
    looking += 1;
    form = null; cameras = new Map(); proposal = null; searched = []; draft = ""; place = null;
    access.show("mine", answer.id);
  }

  async function breakGlass() {
    const text = await access.question(say("break.title"), { wanted: true, about: say("break.about", { n: access.facts.limits.breakglass_minutes, h: access.facts.limits.ratify_hours }), go: "break.go" });
    if (text === null) return;
    const answer = await access.do({ do: "break", cameras: form.cameras, incident: form.incident, text });
    if (answer.ok) access.show("grants");
  }

  const line = (one) => h("li", { class: form.cameras.includes(one.id) ? "chosen" : "" }, h("label.access-choice", {},
    h("input", { type: "checkbox", checked: form.cameras.includes(one.id), onchange: () => toggle(one.id), "data-pick": one.id }),
    h("b", {}, one.name || one.code), h("span", {}, one.owner), one.restricted && h("em", {}, say("restricted"))));

  function surplus() {
    if (!proposal?.ids.length || !form.cameras.length) return null;
    const more = form.cameras.filter((id) => !proposal.ids.includes(id)).length;
    if (form.cameras.length <= proposal.ids.length + access.facts.limits.surplus - 1 || !more) return null;
    return h("p.admin-notice.note", { role: "status" }, say("ask.surplus", { n: form.cameras.length, m: proposal.ids.length }));
  }

  function draw() {
    if (!box || !form) return;
    const typed = box.querySelector("[name=search]")?.value || "";
    const there = box.querySelector("[role=tree]");
    const [within, scrolled] = [there?.contains(document.activeElement) ? "[role=tree] " : "", there?.scrollTop || 0];
    const held = city?.whole.contains(document.activeElement) && document.activeElement;
    const focused = document.activeElement?.getAttribute?.("name") || document.activeElement?.dataset?.pick;
    const wanted = purpose();
    form.modes = form.modes.filter((one) => wanted.modes.includes(one));
    if (!form.modes.length) form.modes = [wanted.modes[0]];
    const picked = form.cameras.map((id) => cameras.get(id)).filter(Boolean);
    const shown = searched.length ? searched : [...cameras.values()].slice(0, 40);
    const critical = place?.urgency === "critical" && place?.open;
    box.replaceChildren(h("div.access-form", {},
      h("div.access-columns", {},
        h("div.access-column", {},
          field("ask.purpose", select("purpose", access.facts.purposes.map((one) => [one.code, one.name]), form.purpose, (event) => { form.purpose = event.target.value; draw(); })),
          field("ask.basis", select("basis", access.facts.bases.map((one) => [one.code, one.name]), form.basis, (event) => { form.basis = event.target.value; })),
          field("ask.incident", select("incident", [["", say(wanted.incident ? "ask.incident_choose" : "ask.incident_none")], ...incidents.map((one) => [one.id, one.text])], form.incident, (event) => chosen(event.target.value))),
          field("ask.text", h("textarea.desk-input", { name: "text", rows: 3, maxlength: 300, oninput: (event) => { form.text = event.target.value; } }, form.text)),
          h("fieldset.access-field", {}, h("legend", {}, say("ask.modes")), MODES.map((one) => h("label.access-choice", {},
            h("input", { type: "checkbox", name: `mode-${one}`, checked: form.modes.includes(one), disabled: !wanted.modes.includes(one), onchange: (event) => { form.modes = MODES.filter((each) => (each === one ? event.target.checked : form.modes.includes(each))); draw(); } }), say(`mode.${one}`))),
            ["playback", "export"].filter((one) => form.modes.includes(one)).map((one) => h("small.desk-hint", {}, say(`ask.about_${one}`)))),
          access.facts.walls.length > 0 && h("fieldset.access-field", {}, h("legend", {}, say("ask.walls")), access.facts.walls.map((one) => h("label.access-choice", {},
            h("input", { type: "checkbox", name: `wall-${one.id}`, checked: form.walls.includes(one.id), onchange: (event) => { form.walls = event.target.checked ? [...form.walls, one.id] : form.walls.filter((each) => each !== one.id); } }), one.name))),
          field("ask.urgency", select("urgency", URGENCIES.map((one) => [one, say(`urgency.${one}`)]), form.urgency, (event) => { form.urgency = event.target.value; draw(); })),
          field("ask.minutes", h("input.desk-input", { type: "number", name: "minutes", min: 1, max: wanted.minutes, value: Math.min(form.minutes, wanted.minutes), oninput: (event) => { form.minutes = Number(event.target.value); } }), say("ask.minutes_most", { n: wanted.minutes }))),
        h("div.access-column.wide", {},
          h("div.access-line", {}, h("b", {}, say("ask.cameras", { n: form.cameras.length, most: most() })),
            place && select("metres", RADII.map((one) => [String(one), say("ask.radius", { n: one })]), String(metres), (event) => { metres = Number(event.target.value); around(); }),
            proposal?.ids.length > 0 && button("ask.propose", propose, ".primary", { name: "propose" })),
          proposal && !proposal.ids.length && h("p.admin-notice.note", { role: "status" }, say("ask.nothing", { n: metres })),
          proposal?.ids.length > 0 && h("p.desk-hint", {}, say(proposal.exact ? "ask.proposal" : "ask.proposal_near", { n: proposal.ids.length, share: Math.round(proposal.share * 100) }), " ", say("ask.unsure_all"), proposal.unsure.length > 0 && say("ask.unsure", { n: proposal.unsure.length })),
          surplus(),
          access.drawn([...cameras.values()], { place, metres: place ? metres : 0, chosen: new Set(form.cameras), pick: toggle }),
          picked.length > 0 && h("ul.access-cameras", {}, picked.map(line)),
          field("ask.search", h("input.desk-input", { type: "search", name: "search", value: typed, onchange: (event) => find(event.target.value) })),
          cityMap(),
          tree(),
          searched.length > 0 && h("ul.access-cameras", {}, shown.filter((one) => !form.cameras.includes(one.id)).map(line)))),
      h("footer.access-buttons", {},
        access.facts.breaks && critical && button("break.open", breakGlass, ".danger", { disabled: !form.cameras.length }),
        button("ask.draft", () => send("draft")),
        button("ask.send", () => send(""), ".primary", { name: "send", disabled: !form.cameras.length }))));
    if (mapping) city.show(place, metres);
    held?.focus?.({ preventScroll: true });
    if (scrolled) box.querySelector("[role=tree]")?.scrollTo(0, scrolled);
    if (focused && !held) (box.querySelector(`[name="${CSS.escape(focused)}"]`) || box.querySelector(`${within}[data-pick="${CSS.escape(focused)}"]`))?.focus();
  }

  /** Show the form in `element`; `from`: a draft or a copy to go on with, or {incident, cameras} of a link. */
  access.asking = async (element, from) => {
    box = element;
    if (from) {
      form = { ...empty(), ...from.form };
      form.walls = form.walls.filter((id) => access.facts.walls.some((one) => one.id === id));
      draft = from.draft || "";
      if (form.cameras.length) {
        const answer = await access.ask({ do: "named", ids: form.cameras });
        for (const one of answer.cameras || []) cameras.set(one.id, one);
        for (const one of from.cameras || []) cameras.set(one.id, one);
      }
    }
    form = form || empty();
    draw();
    const answer = await access.ask({ do: "incidents", incident: form.incident, order: form.order });
    incidents = answer.incidents || [];
    form.incident = form.incident || answer.wanted || "";
    if (form.incident) await chosen(form.incident);
    else draw();
  };
})();

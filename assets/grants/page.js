// The page of video access (视频调阅): what waits, one request on one screen, grants with the time they have left, rules.
(() => {
  const access = window.gridwall?.access;
  if (!access) return;
  const desk = window.gridwall.desk;
  const { h } = desk;
  const { say, button } = access;
  const TABS = ["inbox", "ask", "mine", "grants", "standing", "ledger", "rules"];
  const TONE = [[880, 0, 0.14], [1175, 0.2, 0.22]];
  const REFRESH = 400; // ms in which several changes are one

  let box = null;
  let tab = "";
  let lists = { inbox: [], mine: [], past: [], grants: [], ended: [], loud: [], median: null };
  let open = null; // {request, seat} that is shown
  let going = 0; // how often somebody went elsewhere: what was asked for before that is not shown any more
  let kept = new Set(); // cameras that the decider lets through
  let minutes = 0;
  let timer = 0;
  let from = null;
  let audio = null;
  let [drawn, tabsDrawn] = ["", ""]; // what stands there now
  const known = new Set();

  const tabs = () => TABS.filter((one) => ({ inbox: access.facts.can.decide, ask: access.facts.can.ask, mine: access.facts.can.ask, standing: access.facts.can.authorise, ledger: access.facts.reads }[one] ?? true));
  const FED = { inbox: ["loud", "inbox", "past"], mine: ["mine"], grants: ["grants", "ended", "loud"] };
  const fed = () => JSON.stringify([open, (FED[tab] || []).map((name) => lists[name])]);
  const count = (one) => ({ inbox: lists.inbox.length + lists.loud.filter((each) => each.may || !each.mine).length, grants: lists.grants.length, mine: lists.mine.filter((each) => ["waiting", "asked"].includes(each.state)).length }[one] || 0);

  const leave = () => { going += 1; open = null; };

  access.show = async (name, id = "") => {
    tab = name;
    leave();
    await refresh();
    if (id) await look(id);
    draw();
  };

  async function refresh() {
    const answer = await access.ask({ do: "list" });
    if (!answer.ok) return void desk.say(answer.text || desk.text("error.no_answer"), { bad: true });
    lists = answer;
    const fresh = lists.inbox.filter((one) => !known.has(one.id));
    for (const one of lists.inbox) known.add(one.id);
    if (fresh.length && box.dataset.ready) tone();
    box.dataset.ready = "1";
    document.title = `${lists.inbox.length ? `(${lists.inbox.length}) ` : ""}${say("title")}`;
    if (open) await look(open.request.id, true);
    if (fed() !== drawn) draw(); // what is not new stays as it is, under whoever is about to press it
    else drawTabs();
  }

  const beaten = () => { clearTimeout(timer); timer = setTimeout(() => access.facts && refresh(), REFRESH); };
  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.access = { beaten: (digest) => { if (digest) beaten(); return window.dash_clientside.no_update; } };

  function tone() {
    navigator.vibrate?.([200, 100, 200]);
    if (audio?.state !== "running") return;
    for (const [pitch, after, length] of TONE) {
      const [one, gain, at] = [audio.createOscillator(), audio.createGain(), audio.currentTime + after];
      one.frequency.value = pitch;
      gain.gain.setValueAtTime(0.25, at);
      gain.gain.linearRampToValueAtTime(0, at + length);
      one.connect(gain).connect(audio.destination);
      one.start(at);
      one.stop(at + length);
    }
  }

  async function look(id, quietly = false) {
    const turn = quietly ? going : (going += 1);
    const answer = await access.ask({ do: "open", id });
    if (turn !== going) return;
    if (!answer.ok) { if (!quietly) desk.say(answer.text, { bad: true }); open = null; return; }
    const same = open?.request.id === id && open?.seat === answer.seat;
    open = { request: answer.request, seat: answer.seat };
    if (same) {
      const left = new Set(answer.request.seats.find((one) => one.key === answer.seat)?.cameras || []);
      kept = new Set([...kept].filter((id) => left.has(id)));
    } else {
      const seat = answer.request.seats.find((one) => one.key === answer.seat);
      kept = new Set(seat?.cameras || []);
      minutes = answer.request.minutes;
    }
    if (!quietly) draw();
  }

  async function decide(what) {
    const { request, seat } = open;
    const asked = { do: what, id: request.id, seat };
    if (what === "approve") {
      const all = request.seats.find((one) => one.key === seat).cameras;
      asked.cameras = all.filter((id) => kept.has(id));
      if (minutes < request.minutes) asked.minutes = Number(minutes);
    } else {
      const text = await access.question(say(`decide.${what}_why`), { wanted: true, go: `decide.${what}` });
      if (text === null) return;
      asked.text = text;
    }
    const answer = await access.do(asked);
    if (answer.ok) {
      if (open?.request.id === request.id) leave();
      await refresh();
    }
  }

  // ---- one request on one screen ---------------------------------------------------------------------------------------
  const fact = (key, value) => value && h("div.access-fact", {}, h("dt", {}, say(key)), h("dd", {}, value));

  function detail() {
    const { request, seat } = open;
    const mine = request.seats.find((one) => one.key === seat);
    const chosen = seat ? kept : new Set(request.list.map((one) => one.id));
    const pick = seat && ((id) => { if (!mine.cameras.includes(id)) return; if (kept.has(id)) kept.delete(id); else kept.add(id); draw(); });
    const camera = (one) => {
      const seats = request.seats.filter((each) => each.cameras.includes(one.id));
      const let_ = seats.length > 0 && seats.every((each) => each.approved.includes(one.id));
      const barred = seats.some((each) => (each.state === "refused" || (each.state === "approved" && !each.approved.includes(one.id))));
      return h("li", { class: barred ? "barred" : "" }, h("label.access-choice", {},
        seat && h("input", { type: "checkbox", checked: kept.has(one.id), disabled: !mine.cameras.includes(one.id), onchange: () => pick(one.id), "data-pick": one.id }),
        h("b", {}, one.name || one.code), h("span", {}, one.owner), one.restricted && h("em", {}, say("restricted")),
        barred ? h("em", {}, say("seat.barred")) : let_ && h("span.access-good", {}, say("seat.let"))));
    };
    return h("article.access-request", {},
      h("header.access-line", {}, h("button.desk-button.quiet", { type: "button", onclick: () => { leave(); draw(); } }, say("back")),
        desk.shape(request.urgency), h("h2", {}, `${request.number || say("state.draft")} · ${request.unit} ${request.applicant}`), h("span.access-state", { "data-state": request.state }, say(`state.${request.state}`))),
      h("div.access-columns", {},
        h("div.access-column", {},
          h("dl.access-facts", {},
            fact("ask.purpose", request.purpose), fact("ask.basis", request.basis), fact("ask.text", request.text),
            fact("ask.incident", request.incident && h("a", { href: `/desk?incident=${request.incident}` }, `${request.incident_number} ${request.place?.title || ""}`)),
            fact("ask.modes", request.modes.join(" · ")), fact("ask.walls", request.walls.join(" · ")), fact("decide.window", `${access.moment(request.from_at)} – ${access.moment(request.until_at)} (${request.minutes} ${say("minutes")})`),
            fact("decide.used", request.used && say("decide.used_text", { asked: request.used.asked, granted: request.used.granted, unused: request.used.unused, minutes: Math.round(request.used.watched_s / 60) })),
            fact("decide.asked", request.asked)),
          request.surplus.length > 0 && h("p.admin-notice.note", {}, say("decide.surplus", { n: request.surplus.length })),
          h("ol.access-seats", {}, request.seats.map((one) => h("li", { "data-state": one.state }, h("b", {}, one.where), h("span", {}, one.said), one.by && h("span", {}, `${one.by} ${access.moment(one.at)}`), one.level > 0 && h("em", {}, say("decide.level", { n: one.level })), one.text && h("q", {}, one.text))))),
        h("div.access-column.wide", {},
          access.drawn(request.list, { place: request.place, chosen, pick }),
          h("ul.access-cameras", {}, request.list.map(camera)))),
      seat ? h("footer.access-buttons.access-decide", {},
        h("label.access-choice", {}, say("decide.minutes"), h("input.desk-input", { type: "number", min: 1, max: request.minutes, value: minutes, name: "decide-minutes", oninput: (event) => { minutes = Number(event.target.value); } })),
        button("decide.ask_back", () => decide("ask_back")), button("decide.refuse", () => decide("refuse"), ".danger"),
        h("button.desk-button.primary", { type: "button", name: "approve", disabled: !kept.size, onclick: () => decide("approve") }, kept.size < mine.cameras.length ? say("decide.narrow", { n: kept.size }) : say("decide.approve")))
        : own(request));
  }

  function own(request) {
    const act = (what) => async () => { const answer = await access.do({ do: what, id: request.id }); if (answer.ok) access.show("mine", answer.id || request.id); };
    const answerIt = async () => { const text = await access.question(say("mine.answer"), { wanted: true, about: request.asked }); if (text !== null && (await access.do({ do: "answer", id: request.id, text })).ok) access.show("mine", request.id); };
    if (!lists.mine.some((one) => one.id === request.id)) return null;
    return h("footer.access-buttons", {},
      request.state === "asked" && button("mine.answer", answerIt, ".primary"),
      request.state === "draft" && button("mine.edit", () => { from = { form: request.form, cameras: request.list, draft: request.id }; tab = "ask"; leave(); draw(); }),
      request.state === "draft" && button("ask.send", act("send_draft"), ".primary"),
      ["draft", "waiting", "asked"].includes(request.state) && button("mine.withdraw", act("withdraw")),
      button("mine.copy", act("copy")));
  }

  // ---- lists -----------------------------------------------------------------------------------------------------------
  const row = (one) => h("li", {}, h("button.access-row", { type: "button", onclick: () => look(one.id), "data-id": one.id },
    desk.shape(one.urgency), h("b", {}, `${one.number || say("state.draft")} ${one.purpose}`), h("span", {}, `${one.unit} ${one.applicant}`.trim()),
    h("span", {}, say("row.cameras", { n: one.cameras })), h("span", {}, one.incident_number),
    h("span.access-state", { "data-state": one.state }, one.state === "decided" ? say("row.let", { n: one.let, of: one.cameras }) : [say(`state.${one.state}`), one.turns.length > 0 && ` · ${one.turns.join(" · ")}`]),
    one.due_at && h("time", { "data-until": one.due_at }, access.left(one.due_at) || say("row.late"))));
  const rows = (found, none) => (found.length ? h("ul.access-list", {}, found.map(row)) : h("p.desk-empty", {}, say(none)));

  async function end(one) {
    const text = await access.question(say("grant.revoke_why"), { wanted: !one.mine, about: say("grant.revoke_about"), go: "grant.revoke" });
    if (text !== null) { await access.do({ do: "revoke", id: one.id, text }); refresh(); }
  }
  async function judged(one, right) {
    const text = right ? "" : await access.question(say("grant.reject_why"), { wanted: true, go: "grant.reject" });
    if (text !== null) { await access.do({ do: "ratify", id: one.id, right, text }); refresh(); }
  }
  async function goOn(one) {
    const text = await access.question(say("grant.more_why"), { wanted: true, about: say("grant.more_about"), go: "grant.more" });
    if (text !== null) { await access.do({ do: "extend", id: one.id, minutes: 60, text }); refresh(); }
  }
  const grant = (one) => h("li.access-grant", { "data-kind": one.kind, "data-loud": String(one.loud), "data-number": one.number },
    h("div.access-line", {}, h("b", {}, one.number), h("span.access-kind", {}, say(`kind.${one.kind}`)), h("span", {}, `${one.unit} ${one.who}`.trim()), h("span", {}, `${one.owner || say("unowned")} · ${one.purpose} ${one.incident_number}`),
      one.ended_at ? h("span", {}, `${access.moment(one.ended_at)} ${one.how}`) : h("time.access-left", { "data-until": one.until_at }, access.left(one.until_at))),
    h("div.access-names", {}, one.cameras.map((each) => each.name).join(" · "), one.given_by.length > 0 && h("small", {}, say("grant.by", { names: one.given_by.join(" · ") })), one.walls.length > 0 && h("small", {}, say("grant.walls", { names: one.walls.join(" · ") })), one.text && h("q", {}, one.text)),
    one.warned && h("p.admin-notice.note", {}, say("grant.warned")),
    one.loud && h("p.admin-notice.wrong", {}, say(one.late ? "grant.late" : "grant.unratified", { at: access.moment(one.ratify_by) })),
    h("div.access-buttons", {},
      one.mine && !one.ended_at && h("a.desk-button.primary", { href: `/pictures?${new URLSearchParams([...one.cameras.map((each) => ["camera", each.id]), one.incident ? ["incident", one.incident] : ["why", "request"]])}` }, say("grant.look")),
      one.loud && one.may && button("grant.ratify", () => judged(one, true), ".primary"), one.loud && !one.mine && one.may && button("grant.reject", () => judged(one, false), ".danger"),
      one.may && !one.mine && button("grant.prolong", async () => { await access.do({ do: "prolong", id: one.id, minutes: 30 }); refresh(); }, "", { "data-key": one.kind === "breakglass" ? "" : "prolong", "data-ends": one.until_at }),
      one.mine && !one.ended_at && one.kind === "request" && button("grant.more", () => goOn(one)),
      !one.ended_at && (one.may || one.mine) && button(one.mine ? "grant.return" : "grant.revoke", () => end(one), one.mine ? "" : ".danger", { "data-revoke": one.number })));

  function standing() {
    const place = h("div", {});
    const shown = (found) => {
      const line = (one) => h("li.access-grant", { "data-over": String(one.over) }, h("div.access-line", {}, h("b", {}, one.owner), "→", h("b", {}, `${one.unit} ${one.role}`), h("span", {}, one.purposes.join(" / ")), h("span", {}, one.urgencies.join(" / ")), h("span", {}, say("standing.class_list", { list: one.classes.join(" / ") })), h("span", {}, say("standing.minutes", { n: one.minutes }))),
        h("small", {}, say("standing.signed", { who: one.signed_by, from: access.moment(one.signed_at), to: access.moment(one.until_at) }), one.over && ` · ${say("standing.over")}`),
        h("div.access-buttons", {}, button("standing.again", () => act({ do: "sign", id: one.id, terms: one.terms })), !one.over && button("standing.end", () => act({ do: "unsign", id: one.id }), ".danger")));
      place.replaceChildren(h("p.desk-hint", {}, say("standing.about")), blank(), found.length ? h("ul.access-list", {}, found.map(line)) : h("p.desk-empty", {}, say("standing.none")));
    };
    const act = async (asked) => { const answer = await access.do(asked); if (answer.ok) shown(answer.standings); };
    const blank = () => {
      const terms = { role: "operator", unit: "", purposes: ["incident"], urgencies: ["urgent", "critical"], classes: [1, 2, 3], minutes: access.facts.limits.standing_minutes };
      const many = (name, options) => h("fieldset.access-field", {}, h("legend", {}, say(`standing.${name}`)), options.map(([code, text]) => h("label.access-choice", {}, h("input", { type: "checkbox", checked: terms[name].includes(code), onchange: (event) => { terms[name] = event.target.checked ? [...terms[name], code] : terms[name].filter((one) => one !== code); } }), text)));
      return h("details.access-new", {}, h("summary", {}, say("standing.new")),
        access.field("standing.role", access.select("role", ["operator", "duty_commander", "leader", "wall"].map((one) => [one, say(`role.${one}`)]), terms.role, (event) => { terms.role = event.target.value; })),
        many("purposes", access.facts.purposes.filter((one) => one.standing).map((one) => [one.code, one.name])), many("urgencies", ["routine", "urgent", "critical"].map((one) => [one, say(`urgency.${one}`)])), many("classes", [0, 1, 2, 3].map((one) => [one, String(one)])),
        button("standing.sign", () => act({ do: "sign", terms }), ".primary"));
    };
    access.ask({ do: "standings" }).then((answer) => answer.ok && shown(answer.standings));
    return place;
  }

  function standingIn() {
    const place = h("section", {});
    const show = (told) => {
      const taker = access.select("taker", told.colleagues.map((one) => [one.id, one.name]), told.colleagues[0]?.id, () => {});
      const days = h("input.desk-input", { type: "number", name: "days", min: 1, max: 31, value: 1 });
      const act = async (asked) => { const answer = await access.do(asked); if (answer.ok) show(answer); };
      place.replaceChildren(h("h2", {}, say("delegate.title")), h("p.desk-hint", {}, say("delegate.about")),
        h("ul.access-list", {}, told.delegates.map((one) => h("li.access-line", {}, say(one.mine ? "delegate.mine" : "delegate.theirs", { name: one.mine ? one.taker_name : one.giver_name, to: access.moment(one.until_at) }), one.mine && button("delegate.end", () => act({ do: "undelegate", id: one.id }))))),
        told.colleagues.length ? h("div.access-line.low", {}, access.field("delegate.taker", taker), access.field("delegate.days", days), button("delegate.give", () => act({ do: "delegate", taker: taker.value, days: Number(days.value) }))) : h("p.desk-empty", {}, say("delegate.none")));
    };
    access.ask({ do: "delegates" }).then((told) => told.ok && show(told));
    return place;
  }

  function rules() {
    const place = h("div", {});
    access.ask({ do: "rules" }).then((told) => told.ok && place.replaceChildren(
      h("h2", {}, say("rules.who")), h("table.admin-table", {}, h("thead", {}, h("tr", {}, ["rules.if", "rules.then"].map((one) => h("th", {}, say(one))))), h("tbody", {}, told.rules.map((one) => h("tr", {}, h("td", {}, one.if.join(" · ")), h("td", {}, one.then.join(" + ")))))),
      h("h2", {}, say("rules.purposes")), h("table.admin-table", {}, h("tbody", {}, access.facts.purposes.map((one) => h("tr", {}, h("td", {}, one.name), h("td", {}, one.modes.map((mode) => say(`mode.${mode}`)).join(" / ")), h("td", {}, say("ask.minutes_most", { n: one.minutes })), h("td", {}, say("rules.cameras", { n: one.cameras })), h("td", {}, one.standing ? say("rules.standing") : ""))))),
      h("h2", {}, say("rules.forbidden")), h("p", {}, told.forbidden.map((one) => [...one.words, ...one.positions].join(" · ")).join(" · ")),
      h("h2", {}, say("rules.breakglass")), h("p", {}, `${told.breakglass.roles.join(" / ")} · ${told.breakglass.urgencies.join(" / ")} · ${say("rules.break_minutes", { n: access.facts.limits.breakglass_minutes, h: access.facts.limits.ratify_hours })}`)));
    return place;
  }

  const parts = {
    inbox: () => [lists.loud.length > 0 && h("ul.access-list", {}, lists.loud.map(grant)), rows(lists.inbox, "inbox.none"), h("h2", {}, say("inbox.past")), rows(lists.past, "inbox.past_none"), standingIn()],
    mine: () => [rows(lists.mine, "mine.none")],
    grants: () => [!access.facts.can.decide && lists.loud.length > 0 && h("ul.access-list", {}, lists.loud.map(grant)), h("p.desk-hint", {}, say("grant.deterrent")), lists.grants.length ? h("ul.access-list", {}, lists.grants.map(grant)) : h("p.desk-empty", {}, say("grant.none")), h("h2", {}, say("grant.past")), lists.ended.length ? h("ul.access-list.past", {}, lists.ended.map(grant)) : h("p.desk-empty", {}, say("grant.past_none"))],
    standing: () => [standing()],
    ledger: () => [access.ledger()],
    rules: () => [rules()],
  };

  function drawTabs() {
    const shown = tabs();
    if (!shown.includes(tab)) [tab] = shown;
    const key = JSON.stringify([tab, shown.map(count), lists.median]);
    if (tabsDrawn === key) return;
    tabsDrawn = key;
    const bar = h("div.admin-tabs", { role: "tablist", "aria-label": say("title") }, shown.map((one) => h("button.admin-tab", { role: "tab", type: "button", "aria-selected": String(one === tab), "data-tab": one, onclick: () => { tab = one; leave(); draw(); } }, say(`tab.${one}`), count(one) > 0 && h("span.access-count", {}, String(count(one))))));
    const median = lists.median !== null && h("span.desk-hint", {}, say("median", { minutes: (lists.median / 60).toFixed(1) }));
    box.querySelector(".access-top").replaceChildren(bar, ...(median ? [median] : []));
  }

  function draw() {
    drawTabs();
    const typing = document.activeElement?.closest?.(".access-form, .access-new");
    const body = box.querySelector(".access-body");
    if (typing && body.dataset.tab === tab) return;
    if (tab === "ask" && body.dataset.tab === "ask" && !from) return;
    body.dataset.tab = tab;
    drawn = fed();
    if (open) return void body.replaceChildren(detail());
    if (tab === "ask") { body.replaceChildren(); access.asking(body, from); from = null; return; }
    body.replaceChildren(...parts[tab]().flat(3).filter(Boolean));
  }

  const tick = () => {
    for (const one of box.querySelectorAll("time[data-until]")) {
      const left = access.left(Number(one.dataset.until));
      if (one.textContent !== left) one.textContent = left || say("row.late");
    }
  };

  desk.onStart("access", async () => {
    box = desk.byId("access-body");
    access.words = JSON.parse(box.dataset.words);
    access.mapWords = JSON.parse(box.dataset.mapWords);
    box.replaceChildren(h("div.access-top", {}), h("div.access-body", {}));
    const facts = await access.ask({ do: "begin" });
    if (!facts.ok) return void desk.say(facts.text || desk.text("error.no_answer"), { bad: true });
    access.facts = facts;
    const given = new URLSearchParams(location.search);
    tab = given.get("tab") || "";
    if (["incident", "order", "cameras"].some((one) => given.get(one))) {
      tab = "ask";
      from = { form: { incident: given.get("incident") || "", order: given.get("order") || "", cameras: (given.get("cameras") || "").split(",").filter(Boolean) } };
    }
    await refresh();
    if (given.get("id")) await look(given.get("id"));
    draw();
    for (const name of ["pointerdown", "keydown"]) window.addEventListener(name, () => { audio = audio || new AudioContext(); audio.resume(); }, { once: true });
    document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
    window.addEventListener("online", refresh);
    desk.key("Escape", () => { leave(); draw(); }, () => Boolean(open));
    desk.key("KeyA", () => decide("approve"), () => Boolean(open?.seat && kept.size));
    desk.key("KeyE", () => [...box.querySelectorAll("[data-key=prolong]")].sort((one, other) => one.dataset.ends - other.dataset.ends)[0]?.click(), () => tab === "grants" && !open);
    setInterval(tick, 1000);
  });
})();

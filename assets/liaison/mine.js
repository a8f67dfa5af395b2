// My orders: a list, what waits first; one order; one tap to sign. What was typed and what could not be sent is kept.
(() => {
  const desk = window.gridwall?.desk;
  if (!desk || document.documentElement.dataset.page !== "orders") return;
  const { h } = desk;
  const KEPT = "gridwall.mine"; // of this tab: what is typed, what was not sent
  const REFRESH_EACH = 1000; // ms between two requests for the list
  const WAITING = ["sent", "delivered", "seen"];
  const DUES = { sign: "due.sign", arrive: "due.arrive", close: "due.close" };
  const SHAPES = { new: "critical", over: "critical", near: "urgent" };
  const TONE = [[880, 0, 0.14], [1175, 0.2, 0.22]]; // Hz, from and for how many seconds
  const LOUDNESS = 0.25;

  let words = {};
  let box = null;
  let rows = new Map(); // "order/recipient" -> card
  let loaded = false;
  let chosen = ""; // the key of the order that is open
  let story = null; // what the server said of it
  let form = ""; // the deed whose form is open
  let refreshing = 0;
  let askedAt = 0;
  let audio = null;
  const known = new Set(); // keys that were there before
  const kept = { typed: {}, unsent: {}, ...JSON.parse(sessionStorage.getItem(KEPT) || "{}") };

  const say = (key, params = {}) => (words[key] ?? key).replace(/{(\w+)}/g, (_, name) => params[name] ?? "");
  const keep = () => sessionStorage.setItem(KEPT, JSON.stringify(kept));
  const keyOf = (row) => `${row.id}/${row.recipient}`;
  const now = () => window.gridwall.clock() * 1000;
  const fresh = () => Array.from(crypto.getRandomValues(new Uint8Array(12)), (one) => one.toString(16).padStart(2, "0")).join("");

  // ---- what waits first: unsigned, then in hand, then ended; in each the one that runs out first -------------------
  const group = (row) => (row.order !== "open" || !row.deeds.length ? 2 : WAITING.includes(row.state) ? 0 : 1);
  const rank = (row) => [group(row), row.unread ? 0 : 1, group(row) === 2 ? -row.changed : (row.due?.at ?? 2 ** 53), row.sent_at];
  const before = (a, b) => {
    const [one, other] = [rank(a), rank(b)];
    const at = one.findIndex((value, index) => value !== other[index]);
    return at < 0 ? 0 : one[at] - other[at];
  };
  const ordered = () => [...rows.values()].sort(before);
  const waiting = () => [...rows.values()].filter((row) => group(row) === 0).length;

  // ---- asking ------------------------------------------------------------------------------------------------------
  const ask = (asked) => (navigator.onLine ? desk.send(asked, "mine-asked") : Promise.resolve({ ok: false, code: "no_answer" }));

  const take = (found, whole) => {
    if (whole) rows = new Map();
    for (const row of found) rows.set(keyOf(row), row);
    announce();
  };

  async function refresh() {
    clearTimeout(refreshing);
    const wait = askedAt + REFRESH_EACH - performance.now();
    if (wait > 0) { refreshing = setTimeout(refresh, wait); return; }
    askedAt = performance.now();
    const answer = await ask({ action: "list" });
    if (!answer.ok) return void (loaded || desk.say(answer.text || desk.text("error.no_answer"), { bad: true }));
    take(answer.rows, true);
    loaded = true;
    if (chosen) await open(chosen, true);
    draw();
  }

  async function open(key, quietly = false) {
    const [id, recipient] = [key.slice(0, key.indexOf("/")), key.slice(key.indexOf("/") + 1)];
    if (!quietly) { chosen = key; story = null; form = ""; draw(); scrollTo(0, 0); }
    const answer = await ask({ action: "open", id, recipient });
    if (chosen !== key) return;
    if (answer.ok) { take(answer.rows); story = answer; } else if (!quietly) desk.say(answer.text || desk.text("error.no_answer"), { bad: true });
    if (!quietly) draw();
  }

  const close = () => { chosen = ""; story = null; form = ""; draw(); };

  /** Send a receipt; what could not be sent waits for the person, under the same key. */
  async function write(key, deed, more = {}) {
    const asked = kept.unsent[`${key}/${deed}`] || { action: deed, id: rows.get(key).id, recipient: rows.get(key).recipient, key: fresh(), ...more };
    Object.assign(asked, more);
    kept.unsent[`${key}/${deed}`] = asked;
    keep();
    form = "";
    draw();
    const answer = await ask(asked);
    if (answer.ok || answer.code !== "no_answer") delete kept.unsent[`${key}/${deed}`];
    if (answer.ok) { delete kept.typed[`${key}/${deed}`]; take(answer.rows); }
    keep();
    if (answer.code === "no_answer") desk.say(say("not_sent", { what: say(verb(deed)) }), { bad: true });
    else desk.say(answer.text, { bad: !answer.ok, again: answer.back && (() => takeBack(key)) });
    if (!answer.ok) form = answer.code === "no_answer" ? "" : form;
    if (chosen === key) await open(key, true);
    draw();
  }

  /** Take back a receipt that was a slip of the thumb; the server says whether nothing followed yet. */
  async function takeBack(key) {
    const answer = await ask({ action: "take_back", id: rows.get(key).id, recipient: rows.get(key).recipient });
    if (answer.ok) take(answer.rows);
    desk.say(answer.text || desk.text("error.no_answer"), { bad: !answer.ok });
    if (chosen === key) await open(key, true);
    draw();
  }

  const verb = (deed) => ({ signed: "sign", refused: "refuse", arrived: "arrive" })[deed] || deed;

  // ---- sound, vibration, the tab's title -----------------------------------------------------------------------------
  function tone() {
    navigator.vibrate?.([200, 100, 200]);
    if (audio?.state !== "running") return;
    for (const [pitch, after, length] of TONE) {
      const [one, gain, from] = [audio.createOscillator(), audio.createGain(), audio.currentTime + after];
      one.frequency.value = pitch;
      gain.gain.setValueAtTime(LOUDNESS, from);
      gain.gain.linearRampToValueAtTime(0, from + length);
      one.connect(gain).connect(audio.destination);
      one.start(from);
      one.stop(from + length);
    }
  }

  function announce() {
    const came = [...rows.values()].filter((row) => group(row) === 0 && !known.has(keyOf(row)));
    for (const key of rows.keys()) known.add(key);
    if (loaded && came.length) { tone(); desk.say(say("new_order", { title: came[0].title })); }
    const n = waiting();
    document.title = n ? say("badge", { n }) : say("title");
  }

  const unlock = () => {
    audio ||= window.AudioContext ? new AudioContext() : null;
    if (audio?.state === "suspended") audio.resume();
  };

  // ---- looks ---------------------------------------------------------------------------------------------------------
  const level = (row) => {
    if (group(row) === 2) return "";
    if (row.due && now() >= row.due.at) return "over";
    return group(row) === 0 ? "new" : row.due && now() >= row.due.near ? "near" : "";
  };

  const dueText = (row) => {
    if (!row.due || group(row) === 2) return null;
    const late = now() >= row.due.at;
    const time = desk.ago(late ? row.due.at : 2 * now() - row.due.at);
    return h(`span.mine-due${late ? ".late" : ""}`, {}, `${late ? "▲ " : ""}${say(DUES[row.due.name] || row.due.name)} · ${say(late ? "over" : "left", { time })}`);
  };

  const stateText = (row) => {
    if (row.order === "cancelled" || row.state === "withdrawn") return say("cancelled");
    if (row.state === "refused") return say("refused_for", { reason: row.reason });
    if (row.order !== "open" && !["done", "reviewed"].includes(row.state)) return say("finished");
    if (row.reply === "sent") return say("in_review");
    return WAITING.includes(row.state) ? say("waiting") : say(`state.${row.state}`);
  };

  const stateMark = (row) => h(`b.mine-state`, { "data-level": level(row) },
    SHAPES[level(row)] ? desk.shape(SHAPES[level(row)]) : h("i", { "aria-hidden": "true" }, group(row) === 2 ? "■" : "●"), stateText(row));

  const tags = (row) => [
    row.urgency !== "routine" && h("span.mine-tag.strong", {}, desk.shape(row.urgency), say(`urgency.${row.urgency}`)),
    h("span.mine-tag", {}, say(`role.${row.role}`)),
    row.amended > 0 && h("span.mine-tag.strong", {}, say(row.unread ? "amended_new" : "amended")),
    row.reminders > 0 && h("span.mine-tag.strong", {}, say("reminded", { n: row.reminders })),
  ];

  const button = (key, looks, run, more = {}) => h(`button.mine-button${looks}`, { type: "button", onclick: run, ...more }, say(key));

  const unsent = (key) => Object.entries(kept.unsent).filter(([name]) => name.startsWith(`${key}/`)).map(([name, asked]) =>
    h("div.mine-unsent", { role: "alert" }, h("span", {}, `▲ ${say("not_sent", { what: say(verb(asked.action)) })}`),
      button("again", ".primary", () => write(key, asked.action)),
      button("drop", "", () => { delete kept.unsent[name]; keep(); draw(); })));

  function cardOf(row) {
    const key = keyOf(row);
    return h("li.mine-card", { "data-key": key, "data-level": level(row), "data-group": String(group(row)), "data-chosen": String(key === chosen) },
      h("button.mine-open", { type: "button", onclick: () => open(key) },
        h("span.mine-line", {}, stateMark(row), h("time.mine-age", { "data-at": row.sent_at })),
        h("span.mine-title", {}, row.title || row.type || row.kind),
        h("span.mine-line", {}, dueText(row), tags(row)),
        h("span.mine-where", {}, [row.to, row.number, row.incident && `${say("incident")} ${row.incident}`, row.address].filter(Boolean).join(" · "))),
      unsent(key),
      row.deeds.includes("signed") && !kept.unsent[`${key}/signed`] && button("sign", ".primary", () => write(key, "signed")));
  }

  function list() {
    if (!loaded) return h("p.mine-empty", { role: "status" }, say("loading"));
    if (!rows.size) return h("p.mine-empty", {}, say("none"));
    return ["waiting", "working", "ended"].map((name, number) => {
      const found = ordered().filter((row) => group(row) === number);
      if (!found.length && number) return null;
      return [h("h2.mine-head", {}, say(name), h("small", {}, found.length ? say("count", { n: found.length }) : say("none_waiting"))),
        h("ul.mine-list", {}, found.map(cardOf))];
    });
  }

  const fileWords = () => Object.fromEntries(Object.entries(words).filter(([key]) => key.startsWith("attachments.")).map(([key, text]) => [key.slice(12), text]));

  const fact = (name, value) => (value ? [h("dt", {}, say(name)), h("dd", {}, value)] : []);

  function detail() {
    const row = rows.get(chosen);
    if (!row) return h("p.mine-empty.mine-wide", {}, say("pick"));
    const point = row.lon === null || row.lon === undefined ? "" : say("open_map", { lon: row.lon.toFixed(5), lat: row.lat.toFixed(5) });
    return [
      h("div.mine-top", {}, button("back", ".quiet.mine-phone", close), stateMark(row), dueText(row)),
      h("div.mine-scroll", {},
        h("h2.mine-title", {}, row.title || row.type || row.kind),
        h("p.mine-line", {}, tags(row)),
        unsent(chosen),
        h("p.mine-where", {}, `${row.kind} ${row.number} · ${say("from", { from: row.from, sender: row.sender })} · `, h("time", { "data-at": row.sent_at })),
        story && h("section.mine-part", {}, h("h3", {}, say("text")), h("p.mine-text", {}, story.told || (story.gone ? say("text_gone") : ""))),
        story?.difference.length > 0 && h("section.mine-part", {}, h("h3", {}, say("amended_how")),
          h("p.mine-text", {}, story.difference.map(([sign, part]) => (sign ? h(sign === "-" ? "del" : "ins", {}, part) : part)))),
        h("section.mine-part", {}, h("dl.mine-facts", {}, fact("incident", row.incident), row.incident && [h("dt", {}, ""), h("dd", {}, h("a", { href: `/access?order=${row.id}` }, say("access")))], fact("type", row.type), fact("address", [row.place, row.address, point].filter(Boolean).join(" · ")), row.lead && [h("dt", {}, say("role.lead")), h("dd", {}, row.lead)])),
        story && story.recipients.length > 1 && h("section.mine-part", {}, h("h3", {}, say("others")), h("ul.mine-others", {}, story.recipients.map((one) =>
          h("li", {}, h("b", {}, one.name), h("span", {}, `${say(`role.${one.role}`)} · ${say(`state.${one.state}`)}`), one.at > 0 && h("time", { "data-at": one.at }))))),
        story && h("section.mine-part", {}, h("h3", {}, say("attachments.title")), desk.attachments(`order/${row.id}`, story.attachments || [], fileWords(), row.order === "open" && !form)),
        story && h("section.mine-part", {}, h("h3", {}, say("history")), h("ol.mine-history", {}, story.history.map((one) =>
          h("li", {}, h("time", {}, one.at), h("span", {}, [one.who, one.what, one.for].filter(Boolean).join(" · ")), one.more && h("p", {}, one.more)))))),
      foot(row),
    ];
  }

  const ACTS = { signed: "sign", arrived: "arrive", progress: "progress", done: "done", reply: "reply", refused: "refuse" };

  function foot(row) {
    if (form && row.deeds.includes(form)) return h("form.mine-foot.mine-form", { onsubmit: (event) => event.preventDefault() }, FORMS[form](row));
    const left = WAITING.includes(row.state) ? ["signed", "refused"] : ["arrived", "progress", "done", "reply", "refused"];
    const acts = left.filter((deed) => row.deeds.includes(deed) && !kept.unsent[`${chosen}/${deed}`]);
    if (!acts.length) return null;
    const first = acts.includes("signed") ? "signed" : acts.includes("arrived") ? "arrived" : acts.includes("reply") ? "reply" : "done";
    return h("div.mine-foot", { role: "toolbar" }, acts.map((deed) => {
      return button(ACTS[deed], deed === first ? ".primary" : deed === "refused" ? ".quiet" : "", () => {
        if (deed === "signed") write(chosen, deed);
        else { form = deed; draw(); box.querySelector(".mine-form textarea, .mine-form input")?.focus({ preventScroll: false }); }
      }, { "data-deed": deed });
    }));
  }

  const field = (deed, label) => {
    const name = `${chosen}/${deed}`;
    const typed = h("textarea.desk-input", { rows: 3, maxlength: 2000, oninput: () => { kept.typed[name] = typed.value; keep(); } });
    typed.value = kept.typed[name] || "";
    return [h("label.mine-label", {}, say(label), typed), () => typed.value.trim()];
  };
  const cancel = () => button("cancel", ".quiet", () => { form = ""; draw(); });
  const wanting = (deed, value, more = {}) => (value() ? write(chosen, deed, { text: value(), ...more }) : desk.say(say("text_missing"), { bad: true }));

  const FORMS = {
    refused: () => {
      const [label, value] = field("refused", "note");
      const reasons = Object.keys(words).filter((key) => key.startsWith("reason.")).map((key) =>
        h("label.mine-choice", {}, h("input", { type: "radio", name: "mine-reason", value: key.slice(7) }), say(key)));
      const send = () => {
        const reason = box.querySelector("[name=mine-reason]:checked")?.value;
        if (reason) write(chosen, "refused", { reason, text: value() });
        else desk.say(say("reason_missing"), { bad: true });
      };
      return [h("b", {}, say("refuse_title")), h("p.desk-hint", {}, say("refuse_hint")), h("div.mine-choices", {}, reasons), label,
        h("div.mine-buttons", {}, cancel(), button("refuse", ".primary", send, { "data-send": "" }))];
    },
    arrived: () => {
      const [label, value] = field("arrived", "arrive_where");
      const told = h("p.desk-hint", { role: "status" });
      const here = () => {
        told.textContent = say("arrive_asking");
        navigator.geolocation.getCurrentPosition(
          ({ coords }) => write(chosen, "arrived", { text: value(), lon: coords.longitude, lat: coords.latitude }),
          () => { told.textContent = say("arrive_denied"); },
          { enableHighAccuracy: true, timeout: 10000, maximumAge: 30000 },
        );
      };
      return [h("b", {}, say("arrive_title")), label, told,
        h("div.mine-buttons", {}, cancel(), button("arrive_plain", "", () => write(chosen, "arrived", { text: value() }), { "data-send": "" }),
          navigator.geolocation && isSecureContext && button("arrive_here", ".primary", here))];
    },
    progress: () => {
      const [label, value] = field("progress", "progress_text");
      const files = desk.attachments(`order/${rows.get(chosen).id}`, [], fileWords(), true).slice(-1);
      return [h("b", {}, say("progress_title")), label, files, h("div.mine-buttons", {}, cancel(), button("send", ".primary", () => wanting("progress", value), { "data-send": "" }))];
    },
    done: () => {
      const [label, value] = field("done", "done_text");
      return [h("b", {}, say("done_title")), label, h("div.mine-buttons", {}, cancel(), button("done", ".primary", () => wanting("done", value), { "data-send": "" }))];
    },
    reply: () => {
      const [label, value] = field("reply", "reply_text");
      const missing = h("input", { type: "checkbox", name: "mine-missing" });
      const others = (story?.recipients || []).filter((one) => one.role !== "lead" && !one.settled).map((one) => one.name);
      return [h("b", {}, say("reply_title")), label, others.length > 0 && h("label.mine-choice", {}, missing, say("reply_missing", { names: others.join("、") })),
        h("div.mine-buttons", {}, cancel(), button("reply", ".primary", () => wanting("reply", value, { missing: missing.checked }), { "data-send": "" }))].filter(Boolean);
    },
  };

  // ---- drawing: all anew, but never under somebody's hands -------------------------------------------------------------
  function draw() {
    const typing = box.querySelector(".mine-form")?.contains(document.activeElement) && form;
    const place = box.querySelector(".mine-scroll")?.scrollTop;
    const reason = box.querySelector("[name=mine-reason]:checked")?.value;
    box.dataset.open = String(Boolean(chosen));
    if (typing) {
      box.querySelector(".mine-side").replaceChildren(...[list()].flat(3).filter(Boolean));
      return;
    }
    const parts = (found) => [found].flat(3).filter(Boolean);
    box.replaceChildren(h("div.mine-side", {}, parts(list())), h("div.mine-detail", {}, parts(detail())));
    const scroll = box.querySelector(".mine-scroll");
    if (scroll && place) scroll.scrollTop = place;
    if (reason) box.querySelector(`[name=mine-reason][value="${reason}"]`)?.click();
  }

  const tick = () => {
    for (const row of rows.values()) {
      const card = box.querySelector(`[data-key="${CSS.escape(keyOf(row))}"]`);
      if (!card) continue;
      if (card.dataset.level !== level(row)) { draw(); return; }
      const [said, due] = [card.querySelector(".mine-due"), dueText(row)];
      if (said && due && said.textContent !== due.textContent) said.textContent = due.textContent;
    }
  };

  desk.onStart("orders", () => {
    box = desk.byId("mine-body");
    words = JSON.parse(box.dataset.words);
    draw();
    refresh();
    window.gridwall.on("orders", () => refresh());
    document.addEventListener("gridwall:link", () => { if (document.documentElement.dataset.link === "live") refresh(); });
    document.addEventListener("gridwall:attached", async () => { if (chosen) { await open(chosen, true); draw(); } });
    window.addEventListener("online", refresh);
    document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
    for (const name of ["pointerdown", "keydown"]) window.addEventListener(name, unlock);
    desk.key("Escape", () => (form ? ((form = ""), draw()) : close()), () => Boolean(chosen));
    setInterval(tick, 1000);
  });
})();

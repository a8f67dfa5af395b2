// The desk's ground: words, DOM, keys, commands. Knows no panel; each panel file adds itself to `gridwall.desk`.
(() => {
  const PAGE = document.documentElement.dataset.page;
  if (PAGE === "wall") return;
  const gridwall = (window.gridwall = window.gridwall || {});
  const desk = (gridwall.desk = {});
  const ANSWER_LIMIT = 10000; // ms a command may stay unanswered before we say so
  const TOAST = 8000; // ms a message stays; an undo stays until the next command
  const SWITCH = "gridwall.desk.keys";

  // ---- words and DOM -------------------------------------------------------------------------------------------
  desk.facts = { words: {}, lang: "zh", types: {}, departments: {}, grids: {}, me: { can: [] } };

  /** Whether the desk stands on a phone: parts one under another, no keys. */
  desk.handheld = () => matchMedia("(max-width: 899px)").matches;

  /** The text under `key` of desk.toml with `{name}` filled, on a phone that under `touch.key` if there is one; a missing
      key is shown as the key and logged. */
  desk.text = (key, params = {}) => {
    const { words } = desk.facts;
    const template = (desk.handheld() && words[`touch.${key}`]) || words[key];
    if (template === undefined) console.error("missing text", key);
    return (template ?? key).replace(/{(\w+)}/g, (_, name) => params[name] ?? "");
  };

  /** Make an element: h("div.row", {role: "option", onclick: f}, child, "text", ...). */
  desk.h = (what, props = {}, ...children) => {
    const [tag, ...classes] = what.split(".");
    const element = document.createElement(tag || "div");
    if (classes.length) element.className = classes.join(" ");
    for (const [name, value] of Object.entries(props)) {
      if (value === null || value === undefined || value === false) continue;
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else element.setAttribute(name, value === true ? "" : value);
    }
    element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
    return element;
  };
  const h = desk.h;

  desk.byId = (id) => document.getElementById(id);
  desk.can = (permission) => desk.facts.me.can.includes(permission);

  // ---- names ---------------------------------------------------------------------------------------------------
  desk.type = (code) => desk.facts.types[code] || desk.text("queue.type_unknown", { code });
  desk.department = (code) => desk.facts.departments[code] || code || "";
  desk.grid = (code) => desk.facts.grids[code] || code;
  /** "东湖街道 · 湖滨社区 12 网格": the town and the smallest grid of a chain; with `all`, every name in it. */
  desk.chain = (chain, all = false) => {
    const codes = chain || [];
    const shown = all || codes.length < 3 ? codes : [codes.at(-3), codes.at(-1)];
    return shown.map(desk.grid).join(" · ");
  };
  desk.urgency = (code) => desk.text(`urgency.${code}`);

  const spans = JSON.parse(document.getElementById("gridwall-words")?.textContent || "{}");
  /** How long ago `at` (µs) was, as live.js goes on saying it each second. */
  desk.ago = (at) => {
    const seconds = Math.max(0, (gridwall.clock() - at / 1000) / 1000);
    const [unit, size] = [["days", 86400], ["hours", 3600], ["minutes", 60], ["seconds", 1]].find(([, one]) => seconds >= one) || ["seconds", 1];
    return (spans[unit] || "{n}").replace("{n}", Math.floor(seconds / size));
  };

  const SHAPES = { critical: "M10 1 19 10 10 19 1 10Z", urgent: "M10 2 19 18 1 18Z", routine: "M10 4a6 6 0 1 0 .01 0Z" };
  /** The shape of an urgency (diamond, triangle, circle); the word stands beside it or in the label. */
  desk.shape = (urgency) => {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 20 20");
    svg.setAttribute("class", `desk-shape desk-shape-${urgency}`);
    svg.setAttribute("aria-hidden", "true");
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", SHAPES[urgency] || SHAPES.routine);
    svg.append(path);
    return svg;
  };

  // ---- keys ----------------------------------------------------------------------------------------------------
  const keys = []; // [{code, shift, run, when}], first that applies wins
  desk.key = (combination, run, when = () => true) => {
    const shift = combination.startsWith("Shift+");
    keys.push({ code: combination.replace("Shift+", ""), shift, run, when });
  };
  desk.letters = () => localStorage.getItem(SWITCH) !== "off";
  desk.switchLetters = (on) => localStorage.setItem(SWITCH, on ? "on" : "off");

  const typing = (element) =>
    element.isContentEditable || /^(TEXTAREA|SELECT)$/.test(element.tagName) ||
    (element.tagName === "INPUT" && !/^(button|checkbox|radio|submit)$/.test(element.type));

  const pressed = (event) => {
    if (event.isComposing || event.keyCode === 229 || event.defaultPrevented) return; // an input method is at work
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const inField = typing(event.target);
    if (inField && event.key !== "Escape") return;
    const single = /^(Key|Digit|Slash)/.test(event.code);
    if (single && !desk.letters() && event.key !== "?") return;
    for (const key of keys) {
      if (key.code !== event.code && key.code !== event.key) continue;
      if (key.shift !== event.shiftKey && key.code !== event.key) continue;
      if (!key.when(event)) continue;
      event.preventDefault();
      key.run(event);
      return;
    }
  };

  // ---- messages ------------------------------------------------------------------------------------------------
  let toastTimer = 0;
  let undo = null;
  /** Say something; with `again` an undo is offered under the key Z until the next message. */
  desk.say = (text, { bad = false, again = null } = {}) => {
    const box = desk.byId("desk-toast");
    clearTimeout(toastTimer);
    undo = again;
    box.className = `desk-toast shown${bad ? " bad" : ""}`;
    box.replaceChildren(h("span", {}, text));
    if (again) box.append(h("button.desk-button", { type: "button", onclick: desk.undo }, h("kbd", {}, "Z"), desk.text("undo")));
    if (!bad && !again) toastTimer = setTimeout(desk.hush, TOAST);
    else box.append(h("button.desk-button", { type: "button", onclick: desk.hush }, desk.text("dismiss")));
  };
  /** Say something beside what may be undone: the undo stays offered. */
  desk.hint = (text) => desk.say(text, { again: undo });
  desk.hush = () => {
    undo = null;
    desk.byId("desk-toast").className = "desk-toast";
    desk.byId("desk-toast").replaceChildren();
  };
  desk.undo = () => {
    const run = undo;
    desk.hush();
    if (run) run();
  };

  // ---- commands: one at a time, because Dash drops the answer of an older call to the same callback ---------------
  const waiting = [];
  let current = null;
  let serial = 0;

  const next = () => {
    if (current || !waiting.length) return;
    current = waiting.shift();
    current.timer = setTimeout(() => settle({ ok: false, code: "no_answer", text: desk.text("error.no_answer") }), ANSWER_LIMIT);
    dash_clientside.set_props(current.store, { data: current.data });
  };
  const settle = (answer) => {
    const done = current;
    current = null;
    clearTimeout(done.timer);
    done.resolve(answer);
    next();
  };

  /** Send {action, ...} through the Dash store `store`; resolves to {ok, code, text, ...}, never rejects. */
  desk.send = (data, store = "desk-command") =>
    new Promise((resolve) => {
      serial += 1;
      waiting.push({ store, data: { ...data, serial }, resolve });
      next();
    });

  /** An answer came back from the server (a Dash callback hands it over); an answer we gave up on is ignored. */
  desk.answered = (answer) => {
    if (answer && current && answer.serial === current.data.serial) settle(answer);
  };

  // ---- start: Dash hands over the facts once the page stands ------------------------------------------------------
  const starts = [];
  let started = false;
  /** Run once the facts are there, on `page` or on every page ("*"). */
  desk.onStart = (page, run) => starts.push({ page, run });

  desk.start = (facts) => {
    if (!facts || started) return;
    started = true;
    Object.assign(desk.facts, facts, { leaves: new Set(facts.leaves) });
    document.addEventListener("keydown", pressed);
    desk.key("KeyZ", desk.undo, () => undo !== null);
    for (const { page, run } of starts) if (page === PAGE || page === "*") run();
  };

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.desk = {
    start: (facts) => { desk.start(facts); return window.dash_clientside.no_update; },
    answered: (answer) => { desk.answered(answer); return window.dash_clientside.no_update; },
    detailed: (children) => { if (children) requestAnimationFrame(() => desk.detailed?.()); return window.dash_clientside.no_update; },
  };
})();

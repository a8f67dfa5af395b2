/* The live channel in the browser (实时通道): applies frames, acknowledges what was painted, comes back for ever.
   Pages use window.gridwall: on(name, fn), look(lens), clock(), paints. docs/live.md describes the messages. */
(() => {
  "use strict";

  const root = document.documentElement;
  const page = root.dataset.page;
  if (!page) return;

  const LOST_AFTER = 3900; // ms without a word from the server; it beats every 2 s and we look each second
  const RETRY_FIRST = 250;
  const RETRY_MOST = 5000;
  const ACKNOWLEDGE_EACH = 100;
  const PAINTS_KEPT = 2000;
  const SLOW_FROM = 8; // frames merged into one before the screen counts as slow
  const NOTICE_FOR = 20000;
  const BACKLOG_AFTER = 10000; // ms a report waits for the workers before people are told
  const PAINT_MOST = 1000; // ms; a paint that takes longer is not waited for
  const LENS = { heat: "24h", type: "all", urgency: "all" }; // the default, which an address need not name
  const WISH_EACH = 60000; // ms between tries for the lens of the address while there is no room for it
  const ENDED = { 4401: "ended", 4403: "changed" }; // codes with which the server takes a page's right to be seen
  const READ_FOR = 1500; // ms a page that went dark says why, before it loads again or goes to the sign-in
  const REFUSED = { 4422: "wrong", 4429: "crowded" }; // codes with which the server refuses a lens

  const words = JSON.parse(document.getElementById("gridwall-words")?.textContent || "{}");
  const say = (key, values = {}) =>
    (words[key] || key).replace(/{(\w+)}/g, (_, name) => (name in values ? values[name] : ""));

  const handlers = new Map(); // name -> [fn]
  const wholes = new Map(); // name -> Map of all rows
  const pending = new Map(); // component id -> props whose component is not there yet
  const paints = [];
  let socket = null;
  let heardAt = 0;
  let everHeard = false;
  let lostAt = 0;
  let engineAwayAt = 0;
  let retries = 0;
  let retryTimer = 0;
  let offset = 0; // ms the server's clock is ahead of ours
  let n = 0;
  let epoch = "";
  let version = "";
  let rights = ""; // a digest of what this screen may see
  let dark = false;
  let asOf = 0;
  let toAcknowledge = 0;
  let acknowledgeTimer = 0;
  let acknowledgedAt = 0;
  let skipped = 0; // frames merged while somebody could see them; forgotten NOTICE_FOR after the last
  let skippedAt = 0;
  let unseen = false; // nobody could see what came last
  let next = null; // what came while a frame was being painted
  let painting = 0; // since when
  let turn = 0; // counts the channels this screen was on: a number `n` means something only within one
  let trial = null; // the connection that asks for another lens, beside the one that goes on
  let lens = lensOf(location);
  let wish = null; // the lens of the address, while there is no room for it
  let wishTimer = 0;
  let refused = ""; // why the lens asked for last is not the one shown

  const serverNow = () => Date.now() + offset;

  const gridwall = {
    on(name, fn) {
      handlers.set(name, [...(handlers.get(name) || []), fn]);
      const whole = wholes.get(name);
      if (whole) fn(Object.fromEntries(whole), [], whole);
    },
    clock: serverNow,
    paints,
    look,
    lens: () => ({ ...lens, refused }),
    state: () => ({ n, epoch, asOf, skipped, offset, link: root.dataset.link }),
  };
  window.gridwall = gridwall;

  // One name for this screen for as long as the browser keeps it: the server tells stuck walls by it.
  function screenName() {
    try {
      const kept = localStorage.getItem("gridwall.screen");
      if (kept) return kept;
      const made = Array.from(crypto.getRandomValues(new Uint8Array(6)), (b) => b.toString(16).padStart(2, "0")).join("");
      localStorage.setItem("gridwall.screen", made);
      return made;
    } catch {
      return "";
    }
  }

  // ---- link state ----------------------------------------------------------------------------------------------

  function setLink(link) {
    if (root.dataset.link === link) return;
    root.dataset.link = link;
    if (link === "lost" && everHeard && !lostAt) lostAt = serverNow() - (performance.now() - heardAt);
    document.dispatchEvent(new CustomEvent("gridwall:link", { detail: link }));
  }

  function bar() {
    let element = document.getElementById("live-bar");
    if (!element) {
      element = document.createElement("output");
      element.id = "live-bar";
      element.className = "live-bar";
      element.setAttribute("role", "status");
      document.body.append(element);
    }
    return element;
  }

  let noticeUntil = 0;
  function notice(text) {
    noticeUntil = Date.now() + NOTICE_FOR;
    show(text, "notice");
  }

  function show(text, kind) {
    const element = bar();
    if (element.textContent !== text) element.textContent = text;
    element.dataset.kind = kind;
    element.hidden = !text;
  }

  function showLink() {
    if (root.dataset.link === "lost") {
      show(lostAt ? say("lost_for", { time: since(lostAt) }) : say("connecting"), "lost");
    } else if (Date.now() > noticeUntil) {
      if (Date.now() - skippedAt > NOTICE_FOR) skipped = 0;
      show(skipped ? say("slow", { n: skipped }) : "", "slow");
    }
  }

  // ---- ages ----------------------------------------------------------------------------------------------------

  function span(seconds) {
    if (seconds < 60) return say("seconds", { n: Math.floor(seconds) });
    if (seconds < 3600) return say("minutes", { n: Math.floor(seconds / 60) });
    if (seconds < 86400) return say("hours", { n: Math.floor(seconds / 3600) });
    return say("days", { n: Math.floor(seconds / 86400) });
  }
  const since = (ms) => span(Math.max(0, (serverNow() - ms) / 1000));

  function age(element) {
    const at = Number(element.dataset.at) / 1000;
    if (!at) return;
    if (element.dataset.way === "due") return due(element, at);
    const text = since(at);
    if (element.textContent !== text) element.textContent = text;
    if (element.dataset.limit) {
      element.classList.toggle("stale", serverNow() - at > Number(element.dataset.limit) * 1000);
    }
  }

  // What is left of a clock, or how much it is over.
  function due(element, at) {
    const left = (at - serverNow()) / 1000;
    const text = say(left >= 0 ? "left" : "over", { time: span(Math.abs(left)) });
    if (element.textContent !== text) element.textContent = text;
    element.classList.toggle("over", left < 0);
  }

  // The moment the picture stands for, and why it is old: no reports can come in, or they wait for the workers.
  function showMoments() {
    const gauges = wholes.get("gauges");
    for (const element of document.querySelectorAll("[data-moment]")) {
      const at = String(gauges?.get(element.dataset.moment) || 0);
      if (element.dataset.at !== at) element.dataset.at = at;
    }
    const oldest = (gauges?.get("oldest_at") || 0) / 1000;
    const waits = oldest && serverNow() - oldest > BACKLOG_AFTER;
    const pending = gauges?.get("pending")?.value;
    const away = (gauges?.get("engine_away") || 0) / 1000;
    if (engineAwayAt && !away) notice(say("engine_back", { time: since(engineAwayAt) }));
    engineAwayAt = away;
    for (const element of document.querySelectorAll("[data-backlog]")) {
      const said = { n: pending?.toLocaleString("en"), time: since(oldest) };
      const behind = waits ? say(pending ? "backlog" : "backlog_scoped", said) : "";
      const text = away ? say("engine_away", { time: since(away) }) : behind;
      if (element.textContent !== text) element.textContent = text;
    }
  }

  // What Dash draws anew has no age yet: it gets one before the browser paints.
  const drawn = new MutationObserver((changes) => {
    for (const change of changes) {
      if (change.type === "attributes") age(change.target);
      for (const node of change.addedNodes) {
        if (node.nodeType !== Node.ELEMENT_NODE) continue;
        if (node.dataset?.at) age(node);
        for (const element of node.querySelectorAll("[data-at]")) age(element);
      }
    }
  });
  drawn.observe(root, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-at"] });

  function tick() {
    if (dark) return;
    showMoments();
    for (const element of document.querySelectorAll("[data-at]")) age(element);
    const silence = performance.now() - heardAt;
    if (!heardAt || silence > LOST_AFTER) {
      setLink("lost");
      if (socket && socket.readyState === WebSocket.OPEN && silence > LOST_AFTER) drop();
    }
    showLink();
  }

  // ---- frames --------------------------------------------------------------------------------------------------

  function hasComponent(id) {
    const api = window.dash_component_api;
    if (!window.dash_clientside?.set_props || !api?.getLayout) return false;
    try {
      return Boolean(api.getLayout(id));
    } catch {
      return false; // Dash is there but has no layout yet
    }
  }

  function applyProps(id, props) {
    if (!hasComponent(id) || !give(id, props)) pending.set(id, { ...(pending.get(id) || {}), ...props });
  }

  function give(id, props) {
    const element = page === "wall" && document.getElementById(id);
    if (element && window.gridwallDom.show(element, props)) return true;
    try {
      window.dash_clientside.set_props(id, props);
      return true;
    } catch {
      return false; // Dash has a layout but no way to its components yet
    }
  }

  function applyPending() {
    for (const [id, props] of [...pending]) {
      if (hasComponent(id) && give(id, props)) pending.delete(id);
    }
  }

  function applyRows(name, change, snapshot) {
    let whole = wholes.get(name);
    if (!whole) wholes.set(name, (whole = new Map()));
    const set = change.set || {};
    let gone = change.del || [];
    if (snapshot) gone = [...whole.keys()].filter((key) => !(key in set));
    for (const key of gone) whole.delete(key);
    for (const key of Object.keys(set)) whole.set(key, set[key]);
    for (const fn of handlers.get(name) || []) fn(set, gone, whole);
  }

  // One frame at a time is on its way to the glass: what comes meanwhile is merged, the newest value winning, so a
  // browser that draws slowly shows fewer frames and never old ones.
  function take(frame) {
    next = next && !frame.snapshot ? merged(next, frame) : frame;
    if (!painting || performance.now() - painting > PAINT_MOST) applyNext();
  }

  function applyNext() {
    if (dark) return;
    painting = 0;
    const frame = next;
    next = null;
    if (frame) applyFrame(frame);
  }

  function merged(first, later) {
    for (const [id, props] of Object.entries(later.props)) first.props[id] = { ...first.props[id], ...props };
    for (const [name, { set = {}, del = [] }] of Object.entries(later.keyed)) {
      const rows = (first.keyed[name] ||= { set: {}, del: [] });
      for (const key of del) delete rows.set[key];
      Object.assign(rows.set, set);
      rows.del = [...new Set([...rows.del, ...del])].filter((key) => !(key in rows.set));
    }
    Object.assign(first.gauges, later.gauges);
    return Object.assign(first, { n: later.n, as_of: later.as_of });
  }

  function applyFrame(frame) {
    applyPending();
    for (const [id, props] of Object.entries(frame.props)) {
      const earlier = pending.get(id);
      pending.delete(id);
      applyProps(id, earlier ? { ...earlier, ...props } : props);
    }
    const names = new Set(Object.keys(frame.keyed));
    if (frame.snapshot) for (const name of wholes.keys()) names.add(name);
    for (const name of names) applyRows(name, frame.keyed[name] || {}, frame.snapshot);
    if (frame.snapshot || Object.keys(frame.gauges).length) {
      applyRows("gauges", { set: frame.gauges }, frame.snapshot);
    }
    showMoments();
    n = frame.n;
    asOf = frame.as_of;
    root.dataset.n = String(n);
    root.dataset.asOf = String(asOf);
    painted(frame.n);
  }

  function returned(said) {
    if (!lostAt) return;
    const time = since(lostAt);
    lostAt = 0;
    notice(said.changed ? say("back_changed", { time, n: said.changed }) : say("back", { time }));
  }

  // ---- painted -------------------------------------------------------------------------------------------------

  function painted(number) {
    if (document.visibilityState === "hidden") {
      unseen = true;
      send({ hidden: true });
      return;
    }
    painting = performance.now();
    const during = turn;
    requestAnimationFrame(() =>
      requestAnimationFrame(() => {
        if (during === turn) {
          paints.push([number, Date.now()]);
          if (paints.length > PAINTS_KEPT) paints.splice(0, paints.length - PAINTS_KEPT);
          if (number > toAcknowledge) toAcknowledge = number;
          acknowledge();
        }
        applyNext();
      }),
    );
  }

  function acknowledge() {
    const wait = acknowledgedAt + ACKNOWLEDGE_EACH - performance.now();
    if (wait > 0) {
      acknowledgeTimer ||= setTimeout(() => {
        acknowledgeTimer = 0;
        acknowledge();
      }, wait);
      return;
    }
    acknowledgedAt = performance.now();
    send({ painted: toAcknowledge, at: Math.round(serverNow()) });
  }

  function send(message) {
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
  }

  // ---- connection ----------------------------------------------------------------------------------------------

  const pixels = () => [innerWidth, innerHeight].map((one) => Math.round(one * devicePixelRatio)).join("x");

  function address(through, from) {
    const url = new URL("/live", location.href);
    url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    const told = { version: root.dataset.version || "", size: pixels() };
    const said = { page, lang: root.dataset.lang || "zh", n: from, epoch, rights, at: asOf, screen, ...told, ...through };
    url.search = new URLSearchParams(said).toString();
    return url;
  }

  function connect() {
    clearTimeout(retryTimer);
    retryTimer = 0;
    if (socket || dark) return;
    const opened = new WebSocket(address(lens, n));
    const slow = setTimeout(() => opened.close(), RETRY_MOST);
    opened.onopen = () => clearTimeout(slow);
    serve(opened, slow);
  }

  // Make this connection the one whose frames are shown.
  function serve(opened, slow) {
    let first = true;
    socket = opened;
    opened.onmessage = (event) => {
      if (socket !== opened) return;
      const message = JSON.parse(event.data);
      heard();
      if (message.hello) hello(message.hello);
      else if ("beat" in message) beat(message);
      else {
        if (!first) countSkipped(message.missed);
        first = false;
        take(message);
      }
    };
    opened.onclose = (event) => {
      clearTimeout(slow);
      if (socket === opened) closed(event.code);
    };
  }

  // A hidden tab paints nothing, and the frame that comes after it was shown again makes up for that.
  function countSkipped(missed) {
    const hidden = document.visibilityState === "hidden";
    if (missed > SLOW_FROM && !hidden && !unseen) {
      skipped += missed - 1;
      skippedAt = Date.now();
    }
    unseen = hidden;
  }

  // ---- lens: what the heat is counted of -------------------------------------------------------------------------

  function lensOf({ search }) {
    const asked = new URLSearchParams(search);
    return Object.fromEntries(Object.entries(LENS).map(([name, usual]) => [name, asked.get(name) || usual]));
  }

  const same = (one, other) => Object.keys(LENS).every((name) => one[name] === other[name]);

  // The page's address names the lens, so it survives a reload and can be set up by hand.
  function remember() {
    const url = new URL(location.href);
    for (const [name, usual] of Object.entries(LENS)) {
      if (lens[name] === usual) url.searchParams.delete(name);
      else url.searchParams.set(name, lens[name]);
    }
    history.replaceState(history.state, "", url);
  }

  function told(why) {
    refused = why;
    document.dispatchEvent(new CustomEvent("gridwall:lens", { detail: gridwall.lens() }));
  }

  // Look through another lens. A second connection is opened beside the first and takes its place with its first frame,
  // a snapshot: the picture is live all the while and rows of two lenses never meet. A refusal changes nothing.
  function look(wanted) {
    if (dark) return;
    dismiss();
    if (wish && !same(wanted, wish)) wish = null;
    if (same(wanted, lens)) return told("");
    const opened = new WebSocket(address(wanted, 0));
    const slow = setTimeout(() => opened.close(), RETRY_MOST);
    let greeting = null;
    trial = opened;
    opened.onmessage = (event) => {
      const message = JSON.parse(event.data);
      if (message.hello) greeting = message.hello;
      if (!("n" in message)) return;
      clearTimeout(slow);
      trial = null;
      adopt(opened, wanted);
      heard();
      hello(greeting);
      take(message);
      told("");
    };
    opened.onclose = (event) => {
      clearTimeout(slow);
      if (trial !== opened) return;
      trial = null;
      told(REFUSED[event.code] || "away");
      hope();
    };
  }

  function hope() {
    clearTimeout(wishTimer);
    if (wish) wishTimer = setTimeout(() => wish && look(wish), WISH_EACH);
  }

  function dismiss() {
    const old = trial;
    trial = null;
    old?.close();
  }

  function adopt(opened, wanted) {
    clearTimeout(retryTimer);
    const old = socket;
    lens = wanted;
    wish = null;
    restart();
    serve(opened, 0);
    old?.close();
    remember();
  }

  // Count anew: the next frame is another channel's first.
  function restart() {
    turn += 1;
    n = 0;
    toAcknowledge = 0;
    next = null;
  }

  // There is no such lens, or no room for it, and no picture to keep: show the default rather than nothing.
  function fallBack(why) {
    wish = why === "crowded" ? lens : null;
    lens = { ...LENS };
    if (!wish) remember();
    restart();
    told(why);
    hope();
    connect();
  }

  // ---- life of the connection ------------------------------------------------------------------------------------

  function heard() {
    heardAt = performance.now();
    everHeard = true;
    retries = 0;
  }

  function hello(said) {
    const journal = (text) => text.split(".")[0];
    offset = said.now / 1000 - Date.now();
    const other = (version && version !== said.version) || (epoch && journal(epoch) !== journal(said.epoch));
    if (rights && rights !== said.rights) return goDark("changed"); // while it was away
    rights = said.rights;
    root.dataset.wall = said.wall || ""; // which paired wall this is
    if (epoch !== said.epoch) {
      n = 0;
      toAcknowledge = 0;
    }
    version = said.version;
    epoch = said.epoch;
    if (other) {
      location.reload(); // the page's state is in its address
      return;
    }
    setLink("live");
    returned(said);
  }

  function beat(message) {
    const now = message.beat / 1000 - Date.now();
    if (Math.abs(now - offset) > 1000) offset = now;
    setLink("live");
    applyPending();
    if (next && performance.now() - painting > PAINT_MOST) applyNext();
    send(document.visibilityState === "hidden" ? { hidden: true } : { painted: toAcknowledge, at: Math.round(serverNow()) });
  }

  function drop() {
    const old = socket;
    socket = null;
    old.close();
    closed(0);
  }

  function closed(code) {
    socket = null;
    if (root.dataset.link === "live") setLink("stale");
    if (ENDED[code]) return goDark(ENDED[code]);
    if (REFUSED[code] && !same(lens, LENS)) return fallBack(REFUSED[code]);
    const wait = Math.min(RETRY_MOST, RETRY_FIRST * 2 ** Math.min(retries, 6)) * (0.5 + Math.random() / 2);
    retries += 1;
    if (retries % 4 === 1) probeSession();
    retryTimer = setTimeout(connect, wait);
  }

  // A refused handshake looks like a dead server to a browser; the page itself tells which it is.
  async function probeSession() {
    const status = await asked();
    if (status === "elsewhere") goDark("ended");
    if (status === 403) goDark("changed");
  }

  // How the server answers to this page's address now: a status, "elsewhere" (the sign-in), or 0: it is away.
  async function asked() {
    try {
      const answer = await fetch(location.href, { redirect: "manual", cache: "no-store" });
      return answer.type === "opaqueredirect" ? "elsewhere" : answer.status;
    } catch {
      return 0;
    }
  }

  // Nothing of what was shown stays, not even behind the words that say why; then whatever the server says comes.
  function goDark(why) {
    if (dark) return;
    dark = true;
    dismiss();
    clearTimeout(retryTimer);
    clearTimeout(wishTimer);
    const old = socket;
    socket = null;
    next = null;
    old?.close();
    for (const name of [...wholes.keys()]) empty(name); // the sound stops, the map empties
    for (const element of [...document.body.children]) element.remove();
    root.dataset.link = "dark";
    const said = document.createElement("p");
    said.className = "dark";
    said.setAttribute("role", "alert");
    said.textContent = say(`dark_${why}`);
    document.body.append(said);
    setTimeout(leave, READ_FOR);
  }

  function empty(name) {
    try {
      applyRows(name, {}, true);
    } catch (error) {
      console.error(error); // whatever one part of the page makes of it, the others go dark too
    }
  }

  async function leave() {
    const status = await asked();
    if (status === 0 || status >= 500) setTimeout(leave, RETRY_MOST);
    else location.reload(); // to the sign-in, to the page with other rights, or to the refusal that names them
  }

  function probe() {
    if (dark) return;
    if (socket && performance.now() - heardAt > LOST_AFTER) drop();
    if (!socket) connect();
    else if (document.visibilityState === "visible" && n) painted(n);
  }

  const screen = screenName();
  root.dataset.link = "stale";
  addEventListener("online", probe);
  addEventListener("focus", probe);
  addEventListener("pageshow", probe);
  document.addEventListener("resume", probe);
  document.addEventListener("visibilitychange", probe);
  let ticked = Date.now();
  setInterval(() => {
    const now = Date.now();
    if (Math.abs(now - ticked - 1000) > 3000) probe(); // slept, or the clock jumped
    ticked = now;
    tick();
  }, 1000);
  heardAt = performance.now();
  connect();
})();

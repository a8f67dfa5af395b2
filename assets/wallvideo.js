/* The wall's live pictures (大屏现场画面): asks which are to be shown when what may be followed changes, when its stay is over,
   and when a camera stays dark here; shows them as tiles (video/tile.js); plays no more than this machine can.
   dashboard/wallpictures.py answers. `?video=0|4|9` of the address goes before the setting. */
(() => {
  "use strict";
  const root = document.documentElement;
  if (root.dataset.page !== "wall") return;

  const RETRY = 5000; // ms after an answer that did not come
  const SETTLE = 300; // ms in which several changes are one
  const LOOK = 1000;
  const DARK = 15000; // ms a tile is dark beside others that are not, before another camera takes its place
  const ALL_DARK = 60000; // the same where all are: then it is hardly the cameras
  const LOST_FOR = 180000; // ms a camera that was dark here waits for its turn
  const SAMPLES = 6; // looks judged together
  const DROPPED = 0.15; // share of frames dropped: this machine is at its end
  const LAG = 1.5; // s between the newest frame and the shown one
  const WELL = 600000; // ms without trouble before it is tried with more again
  const SIZES = [9, 4, 2, 1];

  const make = (tag, name, text) => Object.assign(document.createElement(tag), { className: name || "", textContent: text || "" });
  const lost = new Map(); // camera → until when it waits for its turn
  const dark = new Map(); // camera → since when its tile is dark
  let shown = { incident: "", since: 0, cameras: [], said: "" };
  let asking = null;
  let dueTimer = 0;
  let againTimer = 0;
  let samples = [];
  let strained = { small: false, most: 9, at: 0 };

  const section = () => document.getElementById("wall-video");
  const place = () => document.getElementById("wall-video-tiles");
  const asked = () => {
    const given = new URLSearchParams(location.search).get("video");
    return ["0", "4", "9"].includes(given) ? Number(given) : Number(place()?.dataset.most || 0);
  };
  const visible = () => !["trend", "unplaced"].includes(document.getElementById("page")?.dataset.pinned);

  const ask = (after = SETTLE) => {
    clearTimeout(dueTimer);
    dueTimer = setTimeout(choose, after);
  };
  async function choose() {
    if (!place() || !root.dataset.lang) return;
    if (!asked() || !visible()) return show({ state: "none" });
    asking?.abort();
    const mine = (asking = new AbortController());
    const now = Date.now();
    for (const [camera, until] of lost) if (until < now) lost.delete(camera);
    const most = Math.min(asked(), strained.most);
    const wish = new URLSearchParams({
      page: "wall", lang: root.dataset.lang, most, incident: shown.incident, since: shown.since,
      shown: shown.cameras.map((one) => one.id), lost: [...lost.keys()],
    });
    let answer;
    try {
      answer = await fetch(`/video/wall?${wish}`, { cache: "no-store", signal: mine.signal });
      if ([401, 403].includes(answer.status)) return show({ state: "none" });
      if (!answer.ok) return ask(RETRY);
      answer = await answer.json();
    } catch {
      if (!mine.signal.aborted) ask(RETRY); // what is shown stays, and says itself how old it is
      return;
    }
    show(answer);
    clearTimeout(againTimer);
    if (answer.again) againTimer = setTimeout(choose, answer.again + SETTLE);
  }

  function show(answer) {
    if (!place()) return; // the page went dark while the answer was on its way
    const cameras = answer.cameras || [];
    shown = { incident: answer.incident || "", since: answer.since || 0, cameras, said: (cameras.length && answer.said) || "" };
    const tiles = place();
    section().dataset.state = answer.state;
    tiles.dataset.size = String(asked());
    const title = document.getElementById("wall-video-note");
    title.replaceChildren();
    if (answer.urgency) title.append(make("span", `mark mark-${answer.urgency}`));
    const empty = answer.state === "empty" ? document.getElementById("wall-video-empty").textContent : "";
    title.append(make("span", "cut", [answer.title, !cameras.length && answer.said, empty].filter(Boolean).join(" · ")));
    const held = new Map([...tiles.children].map((one) => [one.dataset.key, one]));
    const wanted = cameras.map((one) => {
      const key = `${shown.incident} ${one.id}`;
      const tile = held.get(key) || figure(key, one);
      tile.querySelector(".video-about").textContent = one.about;
      return tile;
    });
    for (const one of held.values()) if (!wanted.includes(one)) one.remove();
    wanted.forEach((one, at) => tiles.children[at] !== one && tiles.insertBefore(one, tiles.children[at] || null));
    for (const camera of dark.keys()) if (!cameras.some((one) => one.id === camera)) dark.delete(camera);
    samples = [];
    budgeted();
  }

  function figure(key, one) {
    const whole = make("figure", "video-tile");
    whole.dataset.key = key;
    const picture = make("div", "video-picture");
    picture.dataset.words = place().dataset.states;
    picture.dataset.why = shown.incident ? "incident" : "wall";
    picture.dataset.incident = shown.incident;
    picture.dataset.camera = one.id;
    const caption = make("figcaption", "");
    caption.append(make("b", "cut", one.name), make("span", "video-about", one.about));
    whole.append(picture, caption);
    return whole;
  }

  const tiles = () => [...(place()?.querySelectorAll("[data-camera]") || [])]
    .map((element) => ({ element, tile: window.gridwall.tile?.(element) })).filter((one) => one.tile);

  /** A camera that stays dark here gives its place to the next one for a while. */
  function replace(now, found) {
    const live = found.filter(({ element }) => ["live", "connecting"].includes(element.dataset.state));
    for (const { element } of found) {
      const { camera, state } = element.dataset;
      if (state === "live") dark.delete(camera);
      else if (!dark.has(camera)) dark.set(camera, now);
    }
    const patience = live.length ? DARK : ALL_DARK;
    const over = [...dark].filter(([, since]) => now - since > patience).map(([camera]) => camera);
    for (const camera of over) {
      lost.set(camera, now + LOST_FOR);
      dark.delete(camera);
    }
    if (over.length) ask();
  }

  /** What samples of all tiles say: whether this machine cannot play them. */
  function overloaded(window) {
    const [first, last] = [window[0], window.at(-1)];
    const bad = [...last.keys()].filter((element) => {
      const [was, is] = [first.get(element), last.get(element)];
      if (!was || was.stream !== is.stream || is.frames < was.frames) return false;
      const frames = is.frames - was.frames;
      return is.lag > LAG || (frames >= 20 && (is.dropped - was.dropped) / frames > DROPPED);
    });
    return last.size > 0 && bad.length * 3 >= last.size;
  }

  function relieve(now) {
    strained.at = now;
    const here = tiles().length;
    if (!strained.small) strained.small = true;
    else strained.most = SIZES.find((size) => size < here) || 1;
    samples = [];
    budgeted();
    ask();
  }

  function budgeted() {
    const said = JSON.parse(place().dataset.slow || "{}");
    const fewer = strained.most < asked() ? said.fewer?.replace("{n}", String(strained.most)) : "";
    section().dataset.notes = [shown.said, fewer || (strained.small ? said.sub : "")].filter(Boolean).join(" · ");
    for (const { tile } of tiles()) tile.keepSmall(strained.small);
  }

  function look() {
    const found = tiles();
    if (document.hidden || !found.length) return void (samples = []);
    const now = Date.now();
    replace(now, found);
    samples.push(new Map(found.map(({ element, tile }) => [element, tile.vitals()])));
    if (samples.length <= SAMPLES) return;
    samples.shift();
    if (overloaded(samples)) relieve(now);
    else if (strained.at && now - strained.at > WELL) {
      strained = { small: false, most: 9, at: 0 };
      budgeted();
      ask();
    }
  }

  new MutationObserver(() => ask()).observe(root, { subtree: true, attributes: true, attributeFilter: ["data-follow", "data-pinned"] });
  let cameras;
  window.gridwall?.on("gauges", (set, gone, whole) => {
    const key = whole.get("cameras");
    if (key === cameras) return;
    const first = cameras === undefined;
    cameras = key;
    if (!first) ask(1000 + Math.random() * 4000); // not all walls at once
  });
  setInterval(look, LOOK);
  ask();
})();

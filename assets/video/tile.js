/* Live pictures (实时画面): every element with data-camera is a tile. It asks a ticket, takes fragments by WebSocket,
   plays them by MSE (mse.js), the one with data-quick by WebCodecs where that is to be had (codec.js), and says at every
   moment how old they are: a frozen frame never looks live.
   Attributes: data-camera (id), data-why, data-incident, data-stream (main, sub, or nothing: by the tile's size),
   data-quick, data-words (JSON: a word for each state, and others where more is known: live_masked, stalled_masked,
   lost_limited, lost_unmasked, lost_barred, lost_unheard, refused_forbidden_place, refused_no_consent, and why a grant
   lets nobody look: refused_none, refused_viewers, refused_time, refused_revoked, refused_returned, refused_incident, refused_post, refused_unratified,
   refused_replaced, refused_idle; refused_ask: the link that asks for access). The state stands in
   data-state, the age in data-age (seconds), what it plays in data-plays ("main mse", "sub masked": pictures of key
   frames in which the server has masked what nobody may see), for the styles and for whoever looks;
   `gridwall.tile(element)` is the tile.
   streams/video/wire.py describes the messages. */
(() => {
  "use strict";

  const PAGE = document.documentElement.dataset.page === "wall" ? "?page=wall" : ""; // who looks is the wall then
  const HEAD = 24;
  const BEGINNING = 0, KEY = 2, JPEG = 4;
  const STALE_AFTER = 2.5; // s without a frame on the glass; people are told within 3
  const MASKED_STALE_AFTER = 5; // s: masked pictures are made of key frames alone, one a second at most
  const EARLY_MOST = 64; // frames that wait until it is known what plays them
  const RETRY_FIRST = 500, RETRY_MOST = 10000;
  const ASK_EACH = 2000; // ms between two questions, which are answered also while no picture comes
  const SMALL = 720; // a tile not as wide as this takes the small stream
  const FINAL = { 4401: "refused", 4403: "refused" };
  const DARK = new Set(["limited", "barred", "unmasked"]); // what stands on the glass may show what nobody may see now
  const SMALLER_FOR = 60000; // ms on the small stream after the large one was too much

  const GRANTABLE = new Set(["none", "time", "revoked", "returned", "post", "incident", "unratified", "replaced"]);
  const FULL_EACH = 30000; // ms between two tries where as many look as may
  const GRANTED_EACH = 30000; // ms between two questions after grants of which a page is not told, those beyond its place
  const GRANTED_WITHIN = 400; // ms in which a page asks after grants have changed, not all pages at once
  const ASKABLE = new Set(["none", "time", "returned", "post", "incident", "viewers"]);
  const MARK_EACH = 7000; // ms the watermark stays in one place
  const MARK_PLACES = 6;
  const PATIENCE = 5000; // ms without a word of the server before a picture that needs a grant goes dark
  const HELD_UP = 2000; // ms between two looks of a page that was busy itself: what came meanwhile is still to be taken

  const gridwall = (window.gridwall = window.gridwall || {});

  /** Why the server refuses, as a word of its answer. */
  const refusal = async (answer) => {
    try {
      return ((await answer.json()).code || "").replace(/^.*\./, "");
    } catch {
      return "";
    }
  };

  let touchedAt = 0; // when somebody last touched this page: pictures that nobody minds end
  for (const name of ["pointerdown", "pointermove", "keydown", "wheel"]) {
    addEventListener(name, () => { touchedAt = performance.now(); }, { passive: true, capture: true });
  }

  class Tile {
    constructor(element) {
      this.element = element;
      this.words = JSON.parse(element.dataset.words || "{}");
      this.video = document.createElement("video");
      Object.assign(this.video, { muted: true, autoplay: true, playsInline: true, disablePictureInPicture: true });
      this.said = document.createElement("p");
      this.said.setAttribute("role", "status");
      this.canvas = document.createElement("canvas");
      this.canvas.hidden = true;
      this.mark = document.createElement("div");
      this.mark.className = "tile-mark";
      this.mark.setAttribute("aria-hidden", "true");
      this.asker = document.createElement("a"); // the way to ask for what one may not see
      this.asker.className = "tile-ask";
      this.asker.textContent = this.words.refused_ask || "";
      this.asker.hidden = true;
      element.replaceChildren(this.video, this.canvas, this.mark, this.said, this.asker);
      this.errors = 0;
      this.toldTouch = 0;
      this.retry = RETRY_FIRST;
      this.offset = null; // ms to add to this browser's clock to have the server's
      this.gone = false;
      this.smallerUntil = 0;
      this.undo();
      this.timer = setInterval(() => this.look(), 250);
      this.open();
    }

    destroy() {
      this.gone = true;
      clearInterval(this.timer);
      clearTimeout(this.again);
      this.dark();
      this.element.replaceChildren();
    }

    stream() {
      if (performance.now() < this.smallerUntil) return "sub";
      const pixels = this.element.clientWidth * devicePixelRatio;
      return this.element.dataset.stream || (pixels < SMALL ? "sub" : "main");
    }

    /** Whether it is to be as quick as it can: by WebCodecs. */
    quick() {
      return this.element.dataset.quick === "true" && Boolean(window.VideoDecoder) && !this.unquick;
    }

    wish() {
      return `${this.stream()} ${this.quick()}`;
    }

    /** Take the small stream from now on, whatever the size; or again the one for its size. */
    keepSmall(on = true) {
      this.smallerUntil = on ? Infinity : 0;
    }

    /** How it plays: frames and dropped ones since it began, seconds it lags, errors, and which stream. */
    vitals() {
      const counted = this.player?.vitals() || { frames: 0, dropped: 0 };
      return { ...counted, lag: this.lag || 0, errors: this.errors, stream: this.taken, state: this.element.dataset.state };
    }

    async open() {
      clearTimeout(this.again);
      const turn = (this.turn = {}); // a later one takes the place of this
      this.state("connecting");
      const { camera, why, incident } = this.element.dataset;
      let answer;
      try {
        answer = await fetch("/video/tickets" + PAGE, {
          method: "POST",
          signal: AbortSignal.timeout(RETRY_MOST),
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ camera, why: why || "patrol", incident: incident || "" }),
        });
        if (this.gone || turn !== this.turn) return;
        if (answer.status === 423) this.again = setTimeout(() => this.open(), RETRY_MOST); // the desk stood idle
        if ([401, 403, 404, 409, 422, 423].includes(answer.status)) return this.refused(await refusal(answer));
        if (!answer.ok) return this.lost("");
        var { ticket } = await answer.json();
      } catch {
        return turn === this.turn && this.lost("");
      }
      if (this.gone || turn !== this.turn) return;
      const address = new URL(`/video/${encodeURIComponent(camera)}`, location.href);
      address.protocol = address.protocol.replace("http", "ws");
      this.taken = this.stream();
      this.wished = this.wish();
      address.search = new URLSearchParams({ ...(PAGE && { page: "wall" }), ticket, stream: this.taken });
      const socket = (this.socket = new WebSocket(address));
      socket.binaryType = "arraybuffer";
      socket.onmessage = (event) => socket === this.socket && this.take(event.data);
      socket.onclose = (event) => {
        if (socket !== this.socket) return;
        this.socket = null;
        if (FINAL[event.code]) this.refused(this.code);
        else this.lost(this.code || "");
      };
      socket.onopen = () => this.ask();
    }

    ask() {
      if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(String(performance.now()));
      this.asked = performance.now();
    }

    take(data) {
      this.heardAt = performance.now();
      if (typeof data === "string") return this.told(JSON.parse(data));
      const head = new DataView(data, 0, HEAD);
      const kind = head.getUint8(0);
      const boxes = new Uint8Array(data, HEAD);
      if (kind === JPEG) return this.masked(boxes, Number(head.getBigUint64(16)) / 1000);
      if (kind === BEGINNING) return this.begin(boxes);
      this.code = "";
      this.retry = RETRY_FIRST;
      this.times.push([Number(head.getBigUint64(8)) / 90000, Number(head.getBigUint64(16)) / 1000]);
      if (this.times.length > 600) this.times.splice(0, 300);
      const frame = [boxes, kind === KEY, this.times.at(-1)[0]];
      if (this.player) this.player.push(...frame);
      else if (this.early?.length < EARLY_MOST) this.early.push(frame);
    }

    told(word) {
      if ("pong" in word) {
        const now = performance.now();
        const way = now - word.pong;
        if (way >= 0 && (this.way === undefined || way <= this.way * 1.5)) {
          this.way = way;
          this.offset = word.now / 1000 - (word.pong + way / 2);
        }
      } else if ("until" in word) {
        this.granted(word);
      } else if (word.state === "ended") {
        if (word.code === "unheard") this.unheard();
        else this.over(word.code);
      } else if (DARK.has(word.code) && !(this.masks && word.code === "unmasked")) {
        this.dark();
        this.lost(word.code);
      } else if ("codec" in word) {
        this.codec = word.codec;
      } else if (word.state === "behind") {
        if (word.smaller) this.smaller();
      } else if (word.state === "lost" || word.state === "stalled" || word.state === "connecting") {
        this.code = word.code || "";
        this.relayed = word.state;
      } else {
        this.relayed = word.state;
      }
    }

    /** By whose leave it plays: for the mark that moves over it, and for a clock of its own. */
    granted({ grant = this.element.dataset.grant, who = this.who, until, now, how }) {
      this.element.dataset.grant = grant;
      this.who = who;
      this.how = how;
      this.ends = until ? performance.now() + (until - now) / 1000 : Infinity;
    }

    /** Who looks, when and by which grant, over the picture, in another place every few seconds: it deters. */
    watermark(now) {
      const at = new Date(now + (this.offset ?? Date.now() - now));
      const place = Math.floor(at / MARK_EACH) % MARK_PLACES;
      const time = at.toLocaleString("sv-SE", { timeZone: document.querySelector("[data-zone]")?.dataset.zone });
      const text = [this.who, this.element.dataset.grant, time].filter(Boolean).join(" · ");
      if (this.mark.textContent !== text) this.mark.textContent = text;
      if (this.mark.dataset.place !== String(place)) this.mark.dataset.place = place;
    }

    /** Its grant is over: dark at once, and why. */
    over(why) {
      this.code = why;
      this.refused(why);
    }

    smaller() {
      this.smallerUntil = performance.now() + SMALLER_FOR;
      this.rebuild();
    }

    async begin(boxes) {
      this.undo();
      this.masks = false;
      const early = (this.early = []);
      const { codec } = this;
      const quick = this.quick() && (await gridwall.Codec.can(codec, boxes));
      if (early !== this.early) return; // it has begun again meanwhile
      if (!quick && !gridwall.Mse.can(codec)) {
        if (this.taken === "main") return this.smaller();
        this.socket?.close();
        this.socket = null;
        return this.state("unplayable");
      }
      const told = { painted: (seconds) => this.painted(seconds, quick), broken: () => this.broken(quick) };
      this.player = quick ? new gridwall.Codec(this.canvas, codec, boxes, told) : new gridwall.Mse(this.video, codec, boxes, told);
      this.element.dataset.plays = `${this.taken} ${quick ? "webcodecs" : "mse"}`;
      if (!quick) this.surface(false);
      this.early = null;
      for (const frame of early) this.player?.push(...frame);
    }

    /** A whole picture in which the server has masked what nobody may see: it stands until the next one. */
    async masked(jpeg, at) {
      const { socket } = this;
      let image;
      try {
        image = await createImageBitmap(new Blob([jpeg], { type: "image/jpeg" }));
      } catch {
        this.errors += 1;
        return;
      }
      if (!socket || socket !== this.socket) return; // it has ended meanwhile
      if (!this.masks) this.undo();
      this.masks = true;
      this.code = this.relayed = "";
      this.retry = RETRY_FIRST;
      Object.assign(this.canvas, { width: image.width, height: image.height });
      this.canvas.getContext("2d").drawImage(image, 0, 0);
      image.close();
      this.surface(true);
      this.element.dataset.plays = `${this.taken} masked`;
      this.shown = at;
      this.paintedAt = performance.now();
      this.look();
    }

    surface(quick) {
      this.canvas.hidden = !quick;
      this.video.hidden = quick;
    }

    painted(seconds, quick) {
      if (quick && this.canvas.hidden) this.surface(true); // until then the old picture stands
      const found = this.times.findLast(([at]) => at <= seconds + 0.002);
      if (found) this.shown = found[1];
      this.paintedAt = performance.now();
    }

    broken(quick) {
      this.errors += 1;
      if (quick) this.unquick = true; // MSE may play what this decoder does not
      this.rebuild();
    }

    look() {
      const now = performance.now();
      if (now - (this.asked || 0) > ASK_EACH) this.ask();
      if (this.shown && now >= (this.ends ?? Infinity)) return this.over(this.how);
      const busy = now - this.lookedAt > HELD_UP;
      this.lookedAt = now;
      if (this.shown && this.element.dataset.grant && now - this.heardAt > PATIENCE && !busy) return this.unheard();
      if (touchedAt > this.toldTouch && this.socket?.readyState === WebSocket.OPEN) {
        this.toldTouch = now;
        this.socket.send("touched");
      }
      if (!this.shown || this.element.dataset.state === "refused") return;
      this.watermark(now);
      this.lag = this.player?.edge() || 0;
      this.fit();
      const wall = this.offset === null ? null : now + this.offset;
      const age = Math.max(0, wall === null ? (now - this.paintedAt) / 1000 : (wall - this.shown) / 1000);
      const bound = this.masks ? MASKED_STALE_AFTER : STALE_AFTER;
      const fresh = (now - this.paintedAt) / 1000 < bound && age < bound;
      this.element.dataset.age = age.toFixed(2);
      if (fresh) this.state("live", age);
      else if (!this.socket || this.relayed === "lost") this.state("lost", age);
      else this.state("stalled", age);
    }

    /** Open again when its size or somebody wants another stream, and goes on wanting it. */
    fit() {
      const wish = this.wish();
      if (this.socket && wish !== this.wished && wish === this.lately) this.reopen();
      this.lately = wish;
    }

    state(state, age) {
      this.asker.hidden = !(state === "refused" && this.words.refused_ask && ASKABLE.has(this.code));
      if (!this.asker.hidden) {
        const { camera, incident } = this.element.dataset;
        this.asker.href = `/access?${new URLSearchParams({ cameras: camera, ...(incident && { incident }) })}`;
      }
      if (state === "connecting" && this.shown) return; // the old picture stands, greyed, with its age
      this.element.dataset.state = state;
      const said = (why) => why && this.words[`${state}_${why}`];
      const word = said(this.code) || said(this.masks && "masked") || this.words[state] || state;
      const seconds = age === undefined ? "" : age < 10 ? age.toFixed(1) : String(Math.round(age));
      const text = word.replace("{age}", seconds);
      if (this.said.textContent !== text) this.said.textContent = text;
    }

    refused(code = "") {
      this.code = code;
      this.dark();
      this.state("refused");
      if (code === "viewers" || (PAGE && code === "time")) { // a place may be free soon; a wall's short grants are renewed
        clearTimeout(this.again);
        this.again = setTimeout(() => this.open(), code === "time" ? RETRY_FIRST : FULL_EACH);
      } else if (this.waits() && code !== "none") gridwall.granted?.(); // another grant may be in force
    }

    /** Whether it plays nothing for want of a grant. */
    waits() {
      return this.element.dataset.state === "refused" && GRANTABLE.has(this.code);
    }

    /** Nobody answers, so nobody knows whether the grant still holds: dark, and it goes on asking. */
    unheard() {
      this.dark();
      this.code = "unheard";
      this.state("lost");
      this.lost("unheard");
    }

    lost(code) {
      this.code = code || this.code || "";
      this.relayed = "lost";
      if (!this.shown) this.state("lost");
      if (this.gone) return;
      clearTimeout(this.again);
      this.again = setTimeout(() => this.open(), this.retry);
      this.retry = Math.min(this.retry * 2, RETRY_MOST);
    }

    rebuild() {
      this.reopen(true);
    }

    /** Begin again with another ticket, at once or after a pause; the old picture stands until the new one comes. */
    reopen(later = false) {
      const socket = this.socket;
      this.socket = null;
      socket?.close();
      this.undo();
      if (later) this.lost("");
      else this.open();
    }

    undo() {
      this.player?.close();
      this.player = this.early = null;
      this.times = [];
    }

    dark() {
      this.masks = false;
      const socket = this.socket;
      this.socket = null;
      socket?.close();
      this.undo();
      this.shown = 0;
      delete this.element.dataset.age;
      delete this.element.dataset.plays;
      delete this.element.dataset.grant;
      this.canvas.width = this.canvas.height = 0;
      this.video.removeAttribute("src");
      this.video.load();
    }
  }

  const tiles = new Map();
  gridwall.tile = (element) => tiles.get(element)?.tile;
  const settle = () => {
    for (const [element, held] of tiles) {
      if (!element.isConnected || element.dataset.camera !== held.camera) {
        held.tile.destroy();
        tiles.delete(element);
      }
    }
    for (const element of document.querySelectorAll("[data-camera]")) {
      const { camera } = element.dataset;
      if (camera && !tiles.has(element)) tiles.set(element, { camera, tile: new Tile(element) });
    }
  };
  new MutationObserver(settle).observe(document.documentElement, {
    childList: true, subtree: true, attributes: true, attributeFilter: ["data-camera"],
  });

  let soon = 0;
  /** Grants have changed: open the pictures that wait for one and have it now. */
  const granted = async () => {
    soon = 0;
    const waiting = [...tiles.values()].filter(({ tile }) => tile.waits());
    if (!waiting.length) return;
    const about = new URLSearchParams([...(PAGE && [["page", "wall"]]), ...waiting.map(({ camera }) => ["camera", camera])]);
    const answer = await fetch(`/video/granted?${about}`).catch(() => null);
    if (!answer) return void setTimeout(gridwall.granted, RETRY_MOST);
    const now = answer.ok ? (await answer.json()).granted : [];
    for (const { tile, camera } of waiting) if (now.includes(camera) && !tile.gone && tile.waits()) tile.open();
  };
  gridwall.granted = () => { soon = soon || setTimeout(granted, Math.random() * GRANTED_WITHIN); };
  new MutationObserver(gridwall.granted).observe(document.documentElement, {
    subtree: true, attributes: true, attributeFilter: ["data-granted"],
  });
  setInterval(gridwall.granted, GRANTED_EACH); // asks nothing while no picture waits
  settle();
})();

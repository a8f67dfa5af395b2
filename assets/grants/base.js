// Video access (视频调阅): the page's ground: words, asking, tabs, and the drawn place with cameras and what they look at.
(() => {
  const desk = window.gridwall?.desk;
  if (!desk || document.documentElement.dataset.page !== "access") return;
  const { h } = desk;
  const access = (window.gridwall.access = {});
  const METRES = 111320;
  const SVG = "http://www.w3.org/2000/svg";

  access.words = {};
  access.facts = null; // purposes, bases, limits, what one may do
  access.say = (key, params = {}) => (access.words[key] ?? key).replace(/{(\w+)}/g, (_, name) => params[name] ?? "");
  access.ask = (asked) => desk.send(asked, "access-asked");
  const { say } = access;

  /** Ask for a deed and say what came of it; returns the answer. */
  access.do = async (asked) => {
    const answer = await access.ask(asked);
    desk.say(answer.text || desk.text("error.no_answer"), { bad: !answer.ok });
    return answer;
  };

  const two = (n) => String(n).padStart(2, "0");
  /** "11-23 14:05", by the city's clock. */
  access.moment = (at) => {
    if (!at) return "";
    const timeZone = document.querySelector("[data-zone]")?.dataset.zone;
    const parts = new Intl.DateTimeFormat("en-GB", { timeZone, month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hour12: false }).formatToParts(new Date(at / 1000));
    const part = (name) => parts.find((one) => one.type === name).value;
    return `${part("month")}-${part("day")} ${part("hour")}:${part("minute")}`;
  };
  /** How long until `at`, as "12:05" or "1:02:03"; "" once it is over. */
  access.left = (at) => {
    const seconds = Math.floor(at / 1e6 - window.gridwall.clock() / 1000);
    if (seconds < 0) return "";
    const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
    return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
  };
  access.button = (key, run, more = "", props = {}) =>
    h(`button.desk-button${more}`, { type: "button", onclick: run, ...props }, say(key));
  access.field = (key, control, hint = "") => h("label.access-field", {}, h("span", {}, say(key)), control, hint && h("small", {}, hint));
  access.select = (name, options, value, onchange) => {
    const made = h("select.desk-input", { name, onchange });
    made.append(...options.map(([code, text]) => h("option", { value: code, selected: code === value }, text)));
    return made;
  };
  /** A question with a text; resolves to the text, or null when it was left. */
  access.question = (title, { wanted = false, value = "", about = "", go = "go", bare = false } = {}) =>
    new Promise((resolve) => {
      const field = h("textarea.desk-input", { rows: 3, maxlength: 300, "aria-label": title }, value);
      let answer = null;
      const form = h("form", { method: "dialog", onsubmit: (event) => {
        if (wanted && field.value.trim().length < 2) { event.preventDefault(); field.focus(); return; }
        answer = field.value.trim();
      } }, h("h2", {}, title), about && h("p", {}, about), !bare && field, h("footer.access-buttons", {},
        h("button.desk-button", { type: "button", onclick: () => dialog.close() }, say("cancel")),
        h("button.desk-button.primary", { type: "submit" }, say(go))));
      const dialog = h("dialog.desk-help.access-question", { onclose: () => { dialog.remove(); resolve(answer); } }, form);
      document.body.append(dialog);
      dialog.showModal();
      if (!bare) field.focus();
    });

  // ---- the drawn place: no tiles are needed, and a phone shows the same ------------------------------------------------
  const shape = (tag, attributes, title) => {
    const made = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    if (title) made.append(Object.assign(document.createElementNS(SVG, "title"), { textContent: title }));
    return made;
  };
  /** Cameras (with lon, lat, direction, angle, metres) around a place; `chosen`: ids; `pick(id)`: what a press does. */
  access.drawn = (cameras, { place, metres = 0, chosen = new Set(), pick } = {}) => {
    const there = cameras.filter((one) => one.lon !== null && one.lon !== undefined);
    const middle = place?.lon !== null && place?.lon !== undefined ? place : there[0];
    if (!middle) return h("p.desk-hint", {}, say(place ? "map.none" : "map.choose"));
    const wide = METRES * Math.cos((middle.lat * Math.PI) / 180);
    const at = (one) => [(one.lon - middle.lon) * wide, (middle.lat - one.lat) * METRES];
    const far = Math.max(metres + 30, 60, ...there.filter((one) => chosen.has(one.id)).map((one) => Math.hypot(...at(one)) + 30));
    const svg = shape("svg", { viewBox: `${-far} ${-far} ${far * 2} ${far * 2}`, class: "access-map", role: "group", "aria-label": say("map.label") });
    if (metres) svg.append(shape("circle", { r: metres, class: "access-around" }));
    for (const one of there) {
      const [x, y] = at(one);
      if (Math.hypot(x, y) > far * 1.5) continue;
      const on = chosen.has(one.id);
      const group = shape("g", { class: `access-camera${on ? " chosen" : ""}`, transform: `translate(${x} ${y})`, "data-id": one.id }, `${one.name || one.code} · ${one.owner}`);
      const reach = Math.min(one.metres || 100, far);
      if (one.direction !== null && one.direction !== undefined) {
        const half = (Math.min(one.angle || 90, 359) / 2) * (Math.PI / 180), to = one.direction * (Math.PI / 180);
        const corner = (turn) => `${Math.sin(to + turn) * reach} ${-Math.cos(to + turn) * reach}`;
        group.append(shape("path", { d: `M0 0L${corner(-half)}A${reach} ${reach} 0 ${half > Math.PI / 2 ? 1 : 0} 1 ${corner(half)}Z`, class: "access-sector" }));
      } else group.append(shape("circle", { r: Math.min(reach, 40), class: "access-sector unsure" }));
      group.append(shape("circle", { r: far / 32, class: "access-dot" }));
      if (pick) {
        group.setAttribute("tabindex", "0");
        group.setAttribute("role", "checkbox");
        group.setAttribute("aria-checked", String(on));
        group.setAttribute("aria-label", one.name || one.code);
        group.addEventListener("click", () => pick(one.id));
        group.addEventListener("keydown", (event) => { if ([" ", "Enter"].includes(event.key)) { event.preventDefault(); pick(one.id); } });
      }
      svg.append(group);
    }
    if (place?.lon !== undefined && place?.lon !== null) {
      const size = far / 22;
      svg.append(shape("path", { d: `M0 ${-size}L${size} 0L0 ${size}L${-size} 0Z`, class: "access-spot" }, place.title || ""));
    }
    return h("figure.access-drawn", {}, svg, h("figcaption.desk-hint", {}, say("map.about", { n: Math.round(far) })));
  };
})();

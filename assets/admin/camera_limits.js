// Masks of a camera's view limit, drawn on its card. The field of numbers is what counts: the picture shows what stands
// in it, and clicks write into it. A mask is ended by its first corner, a double click or Enter; Backspace takes back.
(() => {
  if (document.documentElement.dataset.page !== "cameras") return;
  const SVG = "http://www.w3.org/2000/svg";
  const [WIDE, HIGH] = [160, 90];
  const NEAR = 0.03; // of the picture: so near to the first corner a click ends the mask
  const LEAST = 3;
  const AREAS = ".limit-area";

  let corners = []; // of the mask that is being drawn

  const field = () => document.getElementById("camera-card-limit-masks");
  const read = (text) =>
    text
      .split("\n")
      .map((line) => line.trim().split(/\s+/).map((pair) => pair.split(/[,，]/).map(Number)))
      .filter((mask) => mask.length >= LEAST && mask.every((pair) => pair.length === 2 && pair.every(Number.isFinite)));
  const place = ([x, y]) => `${x * WIDE},${y * HIGH}`;

  const shape = (name, given) => {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(given)) made.setAttribute(key, value);
    return made;
  };

  const draw = (area) => {
    const drawing = area.classList.contains("drawing");
    const masks = drawing ? read(field()?.value || "") : JSON.parse(area.dataset.masks);
    const svg = shape("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, preserveAspectRatio: "none", "aria-hidden": "true" });
    for (const mask of masks) svg.append(shape("polygon", { points: mask.map(place).join(" ") }));
    if (drawing && corners.length) {
      svg.append(shape("polyline", { points: corners.map(place).join(" ") }));
      for (const [x, y] of corners) svg.append(shape("circle", { cx: x * WIDE, cy: y * HIGH, r: 1.5 }));
    }
    area.replaceChildren(svg);
  };
  const redraw = () => document.querySelectorAll(AREAS).forEach(draw);

  /** Write into the field as if it had been typed, so that the page knows of it. */
  const write = (text) => {
    const box = field();
    Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value").set.call(box, text);
    box.dispatchEvent(new Event("input", { bubbles: true }));
  };

  const finish = () => {
    if (corners.length < LEAST) return;
    const line = corners.map(([x, y]) => `${x},${y}`).join(" ");
    corners = [];
    write([field().value.trimEnd(), line].filter(Boolean).join("\n"));
    redraw();
  };

  const back = () => {
    if (corners.length) corners.pop();
    else write(field().value.trimEnd().split("\n").slice(0, -1).join("\n"));
    redraw();
  };

  const drawn = (event) => (event.target instanceof Element ? event.target.closest(`${AREAS}.drawing`) : null);

  document.addEventListener("click", (event) => {
    const area = drawn(event);
    if (!area || event.detail > 1) return; // the second of a double click is no corner of its own
    const box = area.firstChild.getBoundingClientRect();
    const at = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    const corner = at.map((one) => Math.round(Math.min(1, Math.max(0, one)) * 1000) / 1000);
    const first = corners[0];
    if (corners.length >= LEAST && Math.hypot(corner[0] - first[0], corner[1] - first[1]) < NEAR) return finish();
    corners.push(corner);
    redraw();
  });
  document.addEventListener("dblclick", (event) => {
    if (drawn(event)) finish();
  });
  document.addEventListener("keydown", (event) => {
    if (!drawn(event) || !["Enter", "Backspace"].includes(event.key)) return;
    event.preventDefault();
    if (event.key === "Enter") finish();
    else back();
  });
  document.addEventListener("input", (event) => {
    if (event.target === field()) redraw();
  });
  new MutationObserver(() => {
    const fresh = [...document.querySelectorAll(AREAS)].filter((area) => !area.firstChild);
    if (!fresh.length) return;
    if (fresh.some((area) => area.classList.contains("drawing"))) corners = []; // another card, or another limit
    fresh.forEach(draw);
  }).observe(document.documentElement, { childList: true, subtree: true });
})();

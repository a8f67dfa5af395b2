/* What a desk has this wall show: its banner over the map, where the map goes, and the panel that is pinned. Knows this wall by the id that
   the live channel's greeting gives it; of other walls' it shows nothing. */
(() => {
  "use strict";
  const root = document.documentElement;
  if (root.dataset.page !== "wall") return;

  const make = (tag, name, text) => {
    const element = document.createElement(tag);
    if (name) element.className = name;
    if (text) element.textContent = text;
    return element;
  };
  const show = () => {
    const place = document.getElementById("wall-driven");
    if (!place) return;
    const said = JSON.parse(place.dataset.walls || "{}")[root.dataset.wall || ""];
    document.getElementById("page")?.setAttribute("data-pinned", said?.pinned || "");
    document.getElementById("page")?.toggleAttribute("data-focused", Boolean(said?.focus));
    window.gridwallMap?.focus?.(said?.focus || null);
    place.toggleAttribute("data-shown", Boolean(said));
    if (!said) return place.replaceChildren();
    const lines = [make("p", "driven-by", said.by)];
    if (said.title) {
      const line = make("p", "driven-title");
      line.append(make("span", `mark mark-${said.urgency}`), make("b", "cut", said.title));
      lines.push(line, make("p", "driven-place cut", said.place));
    }
    if (said.order) {
      const line = make("p", "driven-order");
      line.append(make("b", "", said.order), ...said.receipts.map((one) => make("span", `receipt receipt-${one.look}`, one.text)));
      lines.push(line);
    }
    return place.replaceChildren(...lines);
  };
  new MutationObserver(show).observe(root, { subtree: true, attributes: true, attributeFilter: ["data-walls", "data-wall"] });
})();

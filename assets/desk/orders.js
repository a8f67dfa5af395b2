// The receipt matrix: each open order with its recipients, refused and overdue first, aged here. Only what entries touched
// comes and is drawn again; a clock that runs out changes looks here, without a frame.
(() => {
  const desk = window.gridwall?.desk;
  if (!desk) return;
  const h = desk.h;
  const CELLS = 12; // recipients shown of an order that is not chosen
  const TICK = 2000; // ms between looks at the clocks
  const MARKS = { refused: "✕", overdue: "!", waiting: "○", signed: "✓", arrived: "●", working: "◐", done: "✓✓", withdrawn: "–" };
  const LOOKS = { sent: "waiting", delivered: "waiting", seen: "waiting", reviewed: "done" };
  const RANK = { refused: 0, overdue: 1, waiting: 2, signed: 3, working: 3, arrived: 3, done: 4, withdrawn: 4 };

  const orders = (desk.orders = { rows: new Map(), chosen: null, recipient: null });
  const drawn = new Map(); // id -> {element, text}
  let parts = {};
  let order = []; // ids as they stand
  let pending = 0;
  let mine = null; // a filter of orders, or null
  const watchers = [];
  orders.watch = (run) => watchers.push(run);

  /** How a recipient looks: refused, overdue, waiting, signed, working, arrived, done, withdrawn. */
  const look = (one, now) => {
    const plain = LOOKS[one.state] || one.state;
    if (one.due && now > one.due && RANK[plain] > 1 && RANK[plain] < 4) return "overdue";
    return plain;
  };
  orders.look = look;
  const clock = () => window.gridwall.clock() * 1000;
  /** What a look is called: the state's word, of one that is overdue what has not come. */
  const word = (one, shown) => (shown === "overdue" ? desk.text(`orders.missing.${one.clock}`) : desk.text(`order.state.${one.state}`));
  orders.word = word;
  orders.short = (one) => (one.kind === "department" ? desk.facts.shorts[one.department] : "") || one.name || desk.department(one.department);

  let ordered = null; // numbers of the incidents I sent an order for, until rows change
  orders.mine = () => {
    ordered ??= new Set([...orders.rows.values()].filter((row) => row.sender === desk.facts.me.name).map((row) => row.incident_number));
    return ordered;
  };

  const first = (row, now) => Math.min(4, ...row.to.map((one) => RANK[look(one, now)]));
  const place = (id, row, now) => [row.state === "open" ? 0 : 1, first(row, now), desk.facts.urgencies.indexOf(row.urgency), -row.sent_at, id];
  const before = (a, b) => {
    for (let index = 0; index < a.length; index += 1) if (a[index] !== b[index]) return a[index] < b[index] ? -1 : 1;
    return 0;
  };

  // ---- one order ---------------------------------------------------------------------------------------------------
  /** What became of the last message by each way out. */
  const ways = (one) => Object.entries(one.ways || {}).map(([name, state]) => ` · ${name} ${desk.text(`order.way.${state}`)}`).join("");
  const sent = (one) => one.ways && (Object.values(one.ways).every((state) => state === "dead") ? " ✉✕" : " ✉");
  const cell = (id, one, now) => {
    const shown = look(one, now);
    const at = shown === "overdue" ? one.due : one.at;
    return h("button.desk-receipt", {
      type: "button", tabindex: "-1", "data-look": shown, "data-recipient": one.id,
      title: `${one.name || ""} · ${word(one, shown)}${one.reason ? ` · ${desk.text(`order.reason.${one.reason}`)}` : ""}${one.by ? ` · ${one.by}` : ""}${ways(one)}`,
      onclick: () => { orders.choose(id, one.id); open(); },
    }, h("span.desk-receipt-who", {}, one.role === "lead" && "★", orders.short(one), sent(one)),
      h("span.desk-receipt-what", {}, h("i", { "aria-hidden": "true" }, MARKS[shown]), h("b", {}, word(one, shown))),
      h("span.desk-receipt-age", { "data-at": at }, desk.ago(at)));
  };
  const cells = (id, row, now) => {
    const sorted = [...row.to].sort((a, b) => RANK[look(a, now)] - RANK[look(b, now)] || (a.role === "lead" ? -1 : 0) - (b.role === "lead" ? -1 : 0));
    const shown = orders.chosen === id ? sorted : sorted.slice(0, CELLS);
    const rest = sorted.length - shown.length + (row.rest || 0);
    return h("div.desk-receipts", {}, shown.map((one) => cell(id, one, now)), rest > 0 && h("span.desk-receipt-rest", {}, desk.text("orders.rest", { n: rest })));
  };
  const build = (id, row, now) =>
    h("article.desk-order-row", { id: `desk-order-${id}`, "data-id": id, "data-urgency": row.urgency, "data-state": row.state },
      h("button.desk-order-head", { type: "button", tabindex: "-1", onclick: () => { orders.choose(id); open(); } },
        desk.shape(row.urgency), h("b.cut", {}, row.title || desk.type(row.type || "")), h("span.desk-hint", {}, row.number),
        row.state !== "open" && h("span.desk-step", {}, desk.text(`orders.ended.${row.state}`)),
        h("time", { "data-at": row.sent_at }, desk.ago(row.sent_at))),
      cells(id, row, now));
  /** What of an order depends on the clock, as text: it is drawn again only when this changes. */
  const signature = (id, row, now) => `${JSON.stringify(row)}${row.to.map((one) => look(one, now)[0]).join("")}${orders.chosen === id}`;

  // ---- all of them -------------------------------------------------------------------------------------------------
  const draw = () => {
    pending = 0;
    if (!parts.list) return;
    const now = clock();
    const keys = new Map();
    for (const [id, row] of orders.rows) if (!mine || mine(row, id)) keys.set(id, place(id, row, now));
    const wanted = [...keys.keys()].sort((a, b) => before(keys.get(a), keys.get(b)));
    order = held(wanted);
    for (const [id, one] of drawn) if (!keys.has(id)) { one.element.remove(); drawn.delete(id); }
    const focused = parts.list.contains(document.activeElement) ? document.activeElement.dataset.recipient || "" : null;
    order.forEach((id, index) => {
      const row = orders.rows.get(id);
      const text = signature(id, row, now);
      let one = drawn.get(id);
      if (one?.text !== text) {
        const element = build(id, row, now);
        one?.element.replaceWith(element);
        one = { element, text };
        drawn.set(id, one);
      }
      one.element.classList.toggle("chosen", id === orders.chosen);
      one.element.classList.toggle("of-opened", Boolean(row.incident) && row.incident === desk.opened);
      if (parts.list.children[index] !== one.element) parts.list.insertBefore(one.element, parts.list.children[index] || null);
    });
    if (focused !== null && !parts.list.contains(document.activeElement)) focus(focused);
    status(now);
  };
  /** The chosen order keeps its place while somebody is at it. */
  const held = (wanted) => {
    const at = order.indexOf(orders.chosen);
    const now = wanted.indexOf(orders.chosen);
    if (desk.mode() !== "orders" || at < 0 || now < 0 || at === now) return wanted;
    wanted.splice(now, 1);
    wanted.splice(Math.min(at, wanted.length), 0, orders.chosen);
    return wanted;
  };
  const status = (now) => {
    const count = { waiting: 0, refused: 0, overdue: 0 };
    let open = 0;
    for (const row of orders.rows.values()) {
      if (row.state !== "open") continue;
      open += 1;
      for (const one of row.to) {
        const shown = look(one, now);
        if (["sent", "delivered", "seen"].includes(one.state)) count.waiting += 1;
        if (shown in count && shown !== "waiting") count[shown] += 1;
      }
    }
    const all = Math.max(Number(parts.box.dataset.open || 0), open);
    const said = [h("b", {}, desk.text("orders.count", { n: all }))];
    if (count.refused) said.push(h("b.bad", {}, desk.text("orders.refused", { n: count.refused })));
    if (count.overdue) said.push(h("b.late", {}, desk.text("orders.overdue", { n: count.overdue })));
    if (count.waiting) said.push(h("span", {}, desk.text("orders.unsigned", { n: count.waiting })));
    if (all > open) said.push(h("span.late", {}, desk.text("orders.held", { n: all - open })));
    parts.count.replaceChildren(...said.flatMap((one, index) => (index ? [" · ", one] : [one])));
    parts.empty.hidden = order.length > 0;
    parts.box.dataset.empty = String(!order.length);
  };
  orders.refresh = () => { pending = pending || requestAnimationFrame(draw); };
  orders.filter = (run) => { mine = run; orders.refresh(); };

  // ---- choosing, by keys too -----------------------------------------------------------------------------------------
  /** Choose an order, and one of its recipients. */
  orders.choose = (id, recipient = null) => {
    orders.chosen = id;
    orders.recipient = recipient;
    orders.refresh();
  };
  const open = () => desk.order?.show(orders.chosen, orders.recipient);
  const element = () => drawn.get(orders.chosen)?.element;
  const focus = (recipient) => {
    const one = element();
    if (!one) return;
    const target = (recipient && one.querySelector(`[data-recipient="${CSS.escape(recipient)}"]`)) || one.querySelector(".desk-order-head");
    target.focus({ preventScroll: true });
    one.scrollIntoView({ block: "nearest" });
  };
  const move = (by) => {
    const at = order.indexOf(orders.chosen);
    const id = order[at < 0 ? 0 : Math.min(Math.max(at + by, 0), order.length - 1)];
    if (!id) return;
    orders.choose(id);
    draw();
    focus("");
  };
  const across = (by) => {
    const stops = [...(element()?.querySelectorAll(".desk-order-head, .desk-receipt") || [])];
    const next = stops[stops.indexOf(document.activeElement) + by];
    if (!next) return;
    orders.recipient = next.dataset.recipient || null;
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  };
  const pressed = (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const run = {
      ArrowDown: () => move(1), ArrowUp: () => move(-1), KeyJ: () => move(1), KeyK: () => move(-1),
      ArrowRight: () => across(1), ArrowLeft: () => across(-1), Enter: open,
      Escape: () => desk.byId("desk-rows").focus(),
    }[event.code];
    if (!run) return;
    event.preventDefault();
    event.stopPropagation();
    run();
  };

  desk.onStart("desk", () => {
    parts.box = desk.byId("desk-orders");
    parts.count = h("span.desk-orders-count", { role: "status" });
    parts.list = h("div.desk-orders-list", { tabindex: "-1", onkeydown: pressed });
    parts.empty = h("p.desk-empty", {}, desk.text("orders.empty"));
    parts.box.replaceChildren(
      h("header.desk-orders-head", {}, h("h2", {}, desk.text("orders.title")), parts.count, h("kbd", {}, "P")), parts.list, parts.empty);
    const mode = desk.mode;
    desk.mode = () => (parts.list.contains(document.activeElement) && ["queue", "drawer", "order"].includes(mode()) ? "orders" : mode());
    window.gridwall.on("orders", (set, del, whole) => {
      orders.rows = whole;
      ordered = null;
      desk.queue.refresh();
      orders.refresh();
      for (const run of watchers) run([...Object.keys(set || {}), ...(del || [])]);
    });
    new MutationObserver(orders.refresh).observe(parts.box, { attributeFilter: ["data-open"] });
    setInterval(orders.refresh, TICK);
    const free = () => ["queue", "drawer", "order"].includes(desk.mode());
    desk.key("KeyP", () => {
      if (!order.length) return desk.say(desk.text("orders.empty"));
      if (!order.includes(orders.chosen)) orders.choose(order[0]);
      draw();
      return focus("");
    }, free);
  });
})();

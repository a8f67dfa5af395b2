// The queue: thousands of rows drawn as a window of some twenty, ordered and filtered here, never moving under the hand.
(() => {
  const desk = window.gridwall?.desk;
  if (!desk) return;
  const h = desk.h;
  const HEIGHT = 68; // px of one row; the same number as --desk-row in panels/desk.css
  const SPARE = 6; // rows drawn beyond each edge
  const MEMORY = "gridwall.desk.filter";
  const NONE = { text: "", urgency: [], type: "", step: "open", department: "", grid: "", unplaced: false, mine: false, newest: false };

  const queue = (desk.queue = { rows: new Map(), order: [], selected: null });
  let filter = { ...NONE };
  let parts = {}; // the DOM: box, view, space, status, chips, selects
  let frozen = null; // {id, key}: the selected row keeps its place in the order while it is selected
  let fresh = new Set(); // ids that arrived out of sight
  const known = new Set(); // ids of all rows (live.js changes the map of rows before it tells us)
  let live = new Map(); // the rows the server keeps here; queue.rows has those beyond it too
  let doubles = new Map(); // id -> how many others may be the same event
  let totals = new Map(); // what is open in all, held here or not
  let working = null; // {id, row}: the selected one as it was last
  let loaded = false;
  let drawn = new Map(); // id -> {element, text}
  let pending = 0;
  const watchers = [];

  /** Where an incident lies: its grid, marked when that is all that is known; or unplaced, with the nearest grid. */
  queue.where = (row) => where(row);
  /** Be told after each change of rows: f(changed ids). */
  desk.queue.watch = (run) => watchers.push(run);
  queue.get = (id) => queue.rows.get(id);

  // ---- which and in what order -----------------------------------------------------------------------------------
  const open = (row) => row.step !== "closed";
  const STEPS = {
    open,
    waiting: (row) => open(row) && !row.acknowledged_at,
    acknowledged: (row) => open(row) && Boolean(row.acknowledged_at),
    closed: (row) => !open(row),
    all: () => true,
  };
  const haystack = (row) =>
    [row.number, row.title, row.address, row.report_id, desk.type(row.type), desk.chain(row.chain, true)].join("\n").toLowerCase();

  /** My queue: what I acknowledged, and what I sent an order for, with what came back of it. */
  const isMine = (id, row) => row.acknowledged_by === desk.facts.me.name || desk.orders.mine().has(row.number) || Boolean(desk.waiting.about(id));
  const fits = (id, row) =>
    (!filter.urgency.length || filter.urgency.includes(row.urgency)) &&
    (STEPS[filter.step] || ((one) => one.step === filter.step))(row) &&
    (!filter.type || row.type?.startsWith(filter.type)) &&
    (!filter.department || row.department === filter.department) &&
    (!filter.grid || row.chain?.includes(filter.grid)) &&
    (!filter.unplaced || !row.grid) &&
    (!filter.mine || isMine(id, row)) &&
    (!filter.text || haystack(row).includes(filter.text.toLowerCase()));

  // Closed last; then what nobody has acknowledged, the gravest first, and in each group who has waited longest.
  const place = (id, row) => {
    const at = row.opened_at || row.received_at || 0;
    const wanted = filter.mine ? desk.waiting.rank(id) : 0; // mine: what waits for me first
    if (filter.newest) return [wanted, 0, 0, 0, -at, id];
    return [wanted, open(row) ? 0 : 1, row.acknowledged_at ? 1 : 0, desk.facts.urgencies.indexOf(row.urgency), open(row) ? at : -at, id];
  };
  const compare = (a, b) => {
    for (let index = 0; index < a.key.length; index += 1) {
      if (a.key[index] < b.key[index]) return -1;
      if (a.key[index] > b.key[index]) return 1;
    }
    return 0;
  };

  const arrange = () => {
    const found = [];
    for (const [id, row] of queue.rows) {
      if (id !== queue.selected && !fits(id, row)) continue;
      found.push({ id, key: frozen?.id === id ? frozen.key : place(id, row) });
    }
    queue.order = found.sort(compare).map((one) => one.id);
    queue.at = new Map(queue.order.map((id, index) => [id, index]));
  };

  // ---- drawing ---------------------------------------------------------------------------------------------------
  const where = (row) => {
    if (row.grid) return [desk.chain(row.chain), row.lon === undefined && desk.text("queue.grid_only")].filter(Boolean).join(" · ");
    if (row.nearest) return desk.text("queue.unplaced_near", { grid: desk.grid(row.nearest), metres: Math.round(row.distance_m || 0) });
    return desk.text("queue.unplaced");
  };
  const state = (row) => {
    if (!open(row)) return desk.text("queue.closed");
    if (!row.acknowledged_at) return desk.text("queue.waiting");
    return desk.text(row.step === "register" ? "queue.acknowledged" : `step.${row.step}`);
  };
  const label = (row) => [desk.urgency(row.urgency), row.title, where(row), state(row)].join(", ");

  /** The clock that is due first, once it is near due or over: the name and what is left, counted on by live.js. */
  const pressing = (clock) => {
    if (!clock || !["near", "overdue"].includes(clock[2])) return null;
    return h("i.desk-row-clock", { "data-state": clock[2] }, desk.text(`clock.name.${clock[0]}`), " ",
      h("time", { "data-at": clock[1], "data-way": "due" }));
  };

  const waitingSince = (row) => row.opened_at || row.received_at;

  const build = (id, row) =>
    h("div.desk-row", {
      id: `desk-row-${id}`, role: "option", "aria-label": label(row), "data-id": id,
      "data-urgency": row.urgency, "data-waiting": String(!row.acknowledged_at && open(row)), "data-closed": String(!open(row)),
    },
      h("span.desk-row-mark", {}, desk.shape(row.urgency), h("b", {}, desk.urgency(row.urgency))),
      h("span.desk-row-title", {}, row.title || desk.type(row.type)),
      h("span.desk-row-age", { "data-at": waitingSince(row) }, desk.ago(waitingSince(row))),
      h("span.desk-row-where", {}, [row.number, where(row), row.address].filter(Boolean).join(" · ")),
      h("span.desk-row-state", {},
        doubles.has(id) && h("i.desk-double", {}, desk.text("queue.double", { n: doubles.get(id) + 1 })),
        row.reports > 1 && !doubles.has(id) && h("i", {}, desk.text("queue.reports", { n: row.reports })),
        row.gone && h("i", {}, desk.text("queue.gone")),
        row.card && h("i.desk-card", { "data-card": row.card }, desk.text(`clock.card.${row.card}`)),
        row.supervised_at && h("i.desk-supervised", {}, desk.text("clock.supervised")),
        desk.waiting.mark(desk.waiting.about(id)),
        pressing(row.clock),
        state(row)));

  const draw = () => {
    const { view, space } = parts;
    const first = Math.max(0, Math.floor(view.scrollTop / HEIGHT) - SPARE);
    const last = Math.min(queue.order.length, Math.ceil((view.scrollTop + view.clientHeight) / HEIGHT) + SPARE);
    space.style.setProperty("height", `${queue.order.length * HEIGHT}px`);
    const kept = new Map();
    for (let index = first; index < last; index += 1) {
      const id = queue.order[index];
      const row = queue.rows.get(id);
      const text = `${JSON.stringify(row)}${doubles.get(id) ?? ""}${desk.waiting.about(id)}`;
      let one = drawn.get(id);
      if (!one || one.text !== text) {
        const element = build(id, row);
        if (one) one.element.replaceWith(element);
        else space.append(element);
        one = { element, text };
      }
      one.element.style.setProperty("transform", `translateY(${index * HEIGHT}px)`);
      one.element.setAttribute("aria-posinset", index + 1);
      one.element.setAttribute("aria-setsize", queue.order.length);
      one.element.setAttribute("aria-selected", String(id === queue.selected));
      one.element.classList.toggle("opened", id === desk.opened);
      kept.set(id, one);
      if (index * HEIGHT >= view.scrollTop - HEIGHT / 2 && index * HEIGHT < view.scrollTop + view.clientHeight - HEIGHT / 2) fresh.delete(id);
    }
    for (const [id, one] of drawn) if (!kept.has(id)) one.element.remove();
    drawn = kept;
    if (queue.selected && kept.has(queue.selected)) view.setAttribute("aria-activedescendant", `desk-row-${queue.selected}`);
    else view.removeAttribute("aria-activedescendant");
    parts.fresh.hidden = !fresh.size;
    parts.fresh.textContent = desk.text("queue.fresh", { n: fresh.size });
  };

  /** How many open incidents are not here. */
  const rest = () => {
    let held = 0;
    for (const row of queue.rows.values()) if (open(row)) held += 1;
    return Math.max((totals.get("open") || 0) - held, 0);
  };

  const status = () => {
    const total = (name) => totals.get(name) || 0;
    for (const urgency of desk.facts.urgencies) {
      parts.chips[urgency].querySelector("b").textContent = total(urgency);
      parts.chips[urgency].setAttribute("aria-pressed", String(filter.urgency.includes(urgency)));
    }
    parts.chips.unplaced.querySelector("b").textContent = total("unplaced");
    parts.chips.unplaced.setAttribute("aria-pressed", String(filter.unplaced));
    parts.chips.mine.querySelector("b").textContent = [...queue.rows].filter(([id, row]) => open(row) && isMine(id, row)).length;
    parts.chips.mine.setAttribute("aria-pressed", String(filter.mine));
    const wanted = desk.waiting.count();
    parts.wanted.textContent = wanted ? desk.text("waiting.count", { n: wanted }) : "";
    parts.loose.replaceChildren(...(filter.mine ? desk.waiting.loose() : []).filter(Boolean));
    parts.loose.hidden = !parts.loose.childElementCount;
    const unheld = rest();
    parts.count.textContent = desk.text("queue.count", { shown: queue.order.length, all: queue.rows.size + unheld, waiting: total("waiting") });
    parts.rest.hidden = !unheld;
    parts.rest.textContent = desk.text("queue.rest", { open: total("open").toLocaleString("en"), n: unheld.toLocaleString("en") });
    parts.clear.hidden = JSON.stringify({ ...filter, newest: false }) === JSON.stringify({ ...NONE, newest: false });
    parts.sort.replaceChildren(h("kbd", {}, "S"), desk.text(filter.newest ? "queue.newest_first" : "queue.gravest_first"));
    parts.empty.hidden = queue.order.length > 0;
    const awaited = !loaded && totals.get("open") !== 0; // of a city without incidents no row ever comes
    parts.empty.textContent = desk.text(awaited ? "queue.loading" : queue.rows.size ? "queue.none_fit" : "queue.empty");
    const none = parts.box.dataset.none; // of a scope
    if (none && !awaited && !queue.rows.size) parts.empty.textContent = none;
  };

  /** Order again and draw; the selected row, else the first one in sight, stays where it is on the screen. */
  const refresh = () => {
    pending = 0;
    if (!parts.view) return;
    hold();
    merge();
    const { view } = parts;
    const seen = queue.at?.get(queue.selected);
    const inSight = (index) => index !== undefined && index * HEIGHT > view.scrollTop - HEIGHT && index * HEIGHT < view.scrollTop + view.clientHeight;
    let anchor = inSight(seen) ? queue.selected : null;
    if (!anchor && view.scrollTop > 0) anchor = queue.order[Math.floor(view.scrollTop / HEIGHT)];
    const before = anchor ? queue.at.get(anchor) : undefined;
    arrange();
    parts.space.style.setProperty("height", `${queue.order.length * HEIGHT}px`);
    const after = queue.at.get(anchor);
    if (before !== undefined && after !== undefined) view.scrollTop += (after - before) * HEIGHT;
    draw();
    status();
  };
  queue.refresh = () => { pending = pending || requestAnimationFrame(refresh); };

  // ---- selecting -------------------------------------------------------------------------------------------------
  const reveal = (index) => {
    const { view } = parts;
    const top = index * HEIGHT;
    if (top < view.scrollTop) view.scrollTop = top;
    else if (top + HEIGHT > view.scrollTop + view.clientHeight) view.scrollTop = top + HEIGHT - view.clientHeight;
  };
  /** Whether the selected row stands where it would stand if it were not selected. */
  const inPlace = (id) => {
    const row = id && queue.rows.get(id);
    return !row || (fits(id, row) && (!frozen || compare(frozen, { key: place(id, row) }) === 0));
  };
  /** Select a row by id; with `show` it is scrolled into sight. */
  queue.select = (id, show = true) => {
    const moved = !inPlace(queue.selected) || !queue.at?.has(id);
    queue.selected = queue.rows.has(id) ? id : null;
    frozen = queue.selected ? { id, key: place(id, queue.rows.get(id)) } : null;
    working = queue.selected ? { id, row: queue.rows.get(id) } : null;
    if (moved) {
      arrange();
      status();
    }
    const index = queue.at.get(id);
    if (show && index !== undefined) reveal(index);
    draw();
    queue.refresh(); // what was kept only for being selected goes
    desk.map?.highlight(queue.selected);
  };
  const step = (by) => {
    if (!queue.order.length) return;
    const now = queue.at.get(queue.selected);
    const top = Math.ceil(parts.view.scrollTop / HEIGHT);
    const index = now === undefined ? top : Math.min(Math.max(now + by, 0), queue.order.length - 1);
    const id = queue.order[index];
    queue.select(id);
    if (desk.opened && desk.opened !== id && desk.mode() === "drawer") desk.open(id, false);
  };
  /** Go from the search to what it found: the selected row, if it fits, else the first that does. */
  const found = () => {
    const fitting = (id) => fits(id, queue.rows.get(id));
    const id = queue.selected && fitting(queue.selected) ? queue.selected : queue.order.find(fitting);
    if (id) queue.select(id);
  };
  const page = () => Math.max(1, Math.floor(parts.view.clientHeight / HEIGHT) - 1);

  // ---- filters ---------------------------------------------------------------------------------------------------
  const change = (some) => {
    filter = { ...filter, ...some };
    sessionStorage.setItem(MEMORY, JSON.stringify(filter));
    look();
    frozen = null;
    fresh = new Set();
    arrange();
    const index = queue.at.get(queue.selected);
    if (index === undefined) parts.view.scrollTop = 0;
    else reveal(index);
    draw();
    status();
  };
  const toggle = (urgency) =>
    change({ urgency: filter.urgency.includes(urgency) ? filter.urgency.filter((one) => one !== urgency) : [...filter.urgency, urgency] });
  /** What the queue shows now, and showing what a saved view says. */
  queue.filter = () => ({ ...filter });
  queue.show = (some) => {
    change({ ...NONE, ...some });
    for (const name of ["type", "step", "department"]) parts[name].value = filter[name];
    parts.text.value = filter.text;
    parts.grid.set(filter.grid);
  };
  queue.clear = () => queue.show({ newest: filter.newest });

  const chip = (key, text, run, urgency = null) =>
    h("button.desk-chip", { type: "button", "aria-pressed": "false", "aria-keyshortcuts": key, onclick: run },
      h("kbd", {}, key), urgency && desk.shape(urgency), text, h("b", {}, "0"));
  const choice = (name, label, options) => {
    const select = h("select.desk-input", { "aria-label": label, onchange: () => change({ [name]: select.value }) },
      options.map(([value, text]) => h("option", { value, selected: filter[name] === value }, text)));
    parts[name] = select;
    return select;
  };
  const chips = () => {
    parts.chips = {
      critical: chip("1", desk.urgency("critical"), () => toggle("critical"), "critical"),
      urgent: chip("2", desk.urgency("urgent"), () => toggle("urgent"), "urgent"),
      routine: chip("3", desk.urgency("routine"), () => toggle("routine"), "routine"),
      mine: chip("Q", desk.text("queue.mine"), () => change({ mine: !filter.mine })),
      unplaced: chip("X", desk.text("queue.unplaced"), () => change({ unplaced: !filter.unplaced })),
    };
    parts.wanted = h("i.desk-need", { "data-need": "refused" });
    parts.chips.mine.append(parts.wanted);
    return h("div.desk-chips", {}, ...Object.values(parts.chips));
  };
  const selects = () => {
    const types = Object.entries(desk.facts.types).map(([code, name]) => [code, code.length > 2 ? `　${name}` : name]);
    parts.grid = desk.combo({
      label: desk.text("queue.filter.grid"), hint: desk.text("queue.filter.grid"),
      options: () => Object.entries(desk.facts.grids), taken: (grid) => change({ grid }),
    });
    parts.grid.set(filter.grid);
    return h("div.desk-selects", {},
      choice("step", desk.text("queue.filter.step"), ["open", "waiting", "acknowledged", "closed", "all"].map((one) => [one, desk.text(`queue.step.${one}`)])),
      choice("type", desk.text("queue.filter.type"), [["", desk.text("queue.filter.type_all")], ...types]),
      choice("department", desk.text("queue.filter.department"), [["", desk.text("queue.filter.department_all")], ...Object.entries(desk.facts.departments)]),
      parts.grid.element);
  };

  const buildAll = () => {
    parts.box = desk.byId("desk-queue");
    parts.text = h("input.desk-input.desk-search", {
      type: "search", id: "desk-search", placeholder: desk.text("queue.search"), "aria-label": desk.text("queue.search"), autocomplete: "off",
      oninput: () => change({ text: parts.text.value.trim() }),
      onkeydown: (event) => {
        if (event.isComposing) return;
        if (event.key === "Enter" || event.key === "ArrowDown") { event.preventDefault(); parts.view.focus(); found(); }
      },
    });
    parts.text.value = filter.text;
    parts.sort = h("button.desk-button.quiet", { type: "button", "aria-keyshortcuts": "S", onclick: () => change({ newest: !filter.newest }) });
    parts.fold = h("button.desk-button.quiet.desk-fold", {
      type: "button", "aria-expanded": "false", "aria-controls": "desk-filter",
      onclick: () => parts.fold.setAttribute("aria-expanded", String(parts.fold.getAttribute("aria-expanded") !== "true")),
    }, desk.text("queue.fold"));
    parts.count = h("span", { role: "status" });
    parts.rest = h("p.desk-rest", { hidden: true, role: "status" });
    parts.loose = h("div.desk-loose", { role: "group", "aria-label": desk.text("queue.mine"), hidden: true });
    parts.fresh = h("button.desk-button.fresh", { type: "button", hidden: true, onclick: () => { parts.view.scrollTop = 0; draw(); } });
    parts.clear = h("button.desk-button.quiet", { type: "button", hidden: true, onclick: queue.clear }, h("kbd", {}, "0"), desk.text("queue.clear"));
    parts.space = h("div.desk-space");
    parts.view = h("div.desk-rows", {
      id: "desk-rows", role: "listbox", tabindex: "0", "aria-label": desk.text("queue.title"), onscroll: () => draw(),
      onclick: (event) => {
        const row = event.target.closest(".desk-row");
        if (row) { queue.select(row.dataset.id, false); desk.open(row.dataset.id); }
      },
    }, parts.space);
    parts.empty = h("p.desk-empty", {});
    parts.box.replaceChildren(
      h("div.desk-filter", { id: "desk-filter" }, h("div.desk-line", {}, parts.text, parts.sort, parts.fold), chips(), selects(), desk.can("views") && desk.viewLine(),
        h("div.desk-line.desk-count", {}, parts.count, parts.clear, parts.fresh), parts.rest, parts.loose),
      parts.view, parts.empty);
    new ResizeObserver(() => draw()).observe(parts.view);
    new MutationObserver(() => status()).observe(parts.box, { attributeFilter: ["data-none"] });
  };

  // ---- live ------------------------------------------------------------------------------------------------------
  const merge = () => {
    const beyond = desk.beyond.rows();
    queue.rows = beyond.size ? new Map([...beyond, ...live]) : live;
  };
  /** With more open than is held here, the filter asks the server too. */
  const crowded = () => (totals.get("open") || 0) > [...live.values()].filter(open).length;
  const look = () => {
    desk.beyond.ask(crowded() ? filter : null);
    merge();
  };
  const counted = (set, del, whole) => {
    const before = crowded();
    totals = whole;
    if (crowded() !== before) look();
    queue.refresh();
  };
  /** What somebody works on stays when graver ones push it out of the queue. */
  const hold = () => {
    if (working && live.has(working.id)) working.row = live.get(working.id);
    const pushed = working && working.id === queue.selected && !live.has(working.id) && crowded();
    desk.beyond.keep(pushed ? working.id : null, working?.row);
  };
  const arrived = (set, del, whole) => {
    const changed = Object.keys(set || {});
    for (const id of changed) {
      if (loaded && !known.has(id)) fresh.add(id);
      known.add(id);
    }
    for (const id of del || []) known.delete(id);
    loaded = true;
    live = whole;
    hold();
    merge();
    if (queue.selected && !queue.rows.has(queue.selected)) { queue.selected = null; frozen = null; }
    for (const id of fresh) if (!whole.has(id) || !fits(id, whole.get(id))) fresh.delete(id);
    queue.refresh();
    for (const run of watchers) run([...changed, ...(del || [])]);
  };

  desk.onStart("desk", () => {
    try { filter = { ...NONE, ...JSON.parse(sessionStorage.getItem(MEMORY) || "{}") }; } catch { filter = { ...NONE }; }
    buildAll();
    draw();
    status();
    desk.beyond.watch((ids) => {
      merge();
      queue.refresh();
      for (const run of watchers) run(ids);
    });
    window.gridwall.on("queue", arrived);
    window.gridwall.on("totals", counted);
    window.gridwall.on("doubles", (set, del, whole) => {
      doubles = whole;
      queue.refresh();
      desk.doubled?.([...Object.keys(set || {}), ...(del || [])]);
    });
    const free = () => ["queue", "drawer"].includes(desk.mode());
    desk.key("KeyJ", () => step(1), free);
    desk.key("KeyK", () => step(-1), free);
    desk.key("ArrowDown", () => step(1), free);
    desk.key("ArrowUp", () => step(-1), free);
    desk.key("PageDown", () => step(page()), free);
    desk.key("PageUp", () => step(-page()), free);
    desk.key("Home", () => step(-queue.order.length), free);
    desk.key("End", () => step(queue.order.length), free);
    desk.key("Enter", () => desk.open(queue.selected), (event) => free() && queue.selected && !event.target.closest("button, a, summary"));
    desk.key("Slash", () => { parts.text.focus(); parts.text.select(); }, (event) => free() && event.key !== "?");
    desk.key("Digit1", () => toggle("critical"), free);
    desk.key("Digit2", () => toggle("urgent"), free);
    desk.key("Digit3", () => toggle("routine"), free);
    desk.key("Digit0", queue.clear, free);
    desk.key("KeyX", () => change({ unplaced: !filter.unplaced }), free);
    desk.key("KeyQ", () => change({ mine: !filter.mine }), free);
    desk.key("KeyS", () => change({ newest: !filter.newest }), free);
    parts.view.focus({ preventScroll: true });
  });
})();

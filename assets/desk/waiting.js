// What orders want of me: those that were refused back, those I rule on, those I review. It leads my queue (Q), and the
// opened incident says which of its orders keep it where it is.
(() => {
  const desk = window.gridwall?.desk;
  if (!desk) return;
  const h = desk.h;
  const NEEDS = ["refused", "ruling", "review"]; // what presses most first, as `needs` of an order's row has them
  const MARKS = { refused: "✕", ruling: "§", review: "◇" };
  const LOOSE = 4; // orders without a row in the queue, shown beside it

  const waiting = (desk.waiting = {});
  let known = null; // incident -> what its orders want of me, until rows change

  /** What an order wants of me: "" where it waits for somebody else. */
  const of = (row) => {
    if (!row.needs || row.state !== "open") return "";
    if (row.needs === "ruling" && desk.can("rule")) return row.needs;
    return row.sender === desk.facts.me.name ? row.needs : "";
  };
  const rank = (needs) => (needs ? NEEDS.indexOf(needs) : NEEDS.length);
  const mine = () => [...desk.orders.rows].filter(([, row]) => of(row)).sort(([, a], [, b]) => rank(of(a)) - rank(of(b)) || a.sent_at - b.sent_at);
  /** What the orders of an incident want of me, the most pressing of it. */
  waiting.about = (incident) => {
    known ??= new Map(mine().reverse().map(([, row]) => [row.incident || "", of(row)]));
    return known.get(incident) || "";
  };
  waiting.rank = (incident) => rank(waiting.about(incident));
  waiting.mark = (needs) => needs && h("i.desk-need", { "data-need": needs }, h("span", { "aria-hidden": "true" }, MARKS[needs]), " ", desk.text(`waiting.${needs}`));
  waiting.count = () => mine().length;

  const line = ([id, row]) =>
    h("button.desk-button", { type: "button", "data-order": id, onclick: () => desk.order.show(id) },
      waiting.mark(of(row)) || desk.text(`waiting.others.${row.needs || "work"}`), " ", row.number, " ", row.title || desk.type(row.type || ""));
  /** My orders that the queue has no row for: those that stand free, or whose incident is not here. */
  waiting.loose = () => {
    const found = mine().filter(([, row]) => !desk.queue.get(row.incident));
    if (!found.length) return [];
    const rest = found.length - LOOSE;
    return [...found.slice(0, LOOSE).map(line), rest > 0 && h("span", {}, desk.text("waiting.rest", { n: rest }))];
  };

  const open = (incident) =>
    [...desk.orders.rows].filter(([, row]) => incident && row.incident === incident && row.state === "open")
      .sort(([, a], [, b]) => rank(of(a)) - rank(of(b)) || rank(a.needs) - rank(b.needs) || a.sent_at - b.sent_at);
  /** What an opened incident's head says of its orders: why it stays in review, or what they want of me. */
  waiting.head = (one) => {
    const orders = open(desk.opened);
    const held = one.step === "review";
    const shown = held ? orders : orders.filter(([, row]) => of(row));
    if (!shown.length) return "";
    return h("div.desk-holding", { role: "note" },
      h("p", {}, h("kbd", {}, "Shift+P"), " ", desk.text(held ? "waiting.holds" : "waiting.wants", { n: shown.length })), shown.slice(0, LOOSE).map(line));
  };

  desk.onStart("desk", () => {
    desk.orders.watch(() => { known = null; });
    desk.key("Shift+KeyP", () => {
      const [first] = open(desk.opened || desk.queue.selected);
      return first ? desk.order.show(first[0]) : desk.say(desk.text("waiting.none"));
    }, () => ["queue", "drawer", "order"].includes(desk.mode()));
  });
})();

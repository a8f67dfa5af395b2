// The card of a grid: opened by its place in the drawer, by a click on the map beside the marks, or by the key I.
(() => {
  const desk = window.gridwall?.desk;
  if (!desk) return;
  let asked = 0;
  const sheet = () => desk.byId("desk-gridcard");

  desk.gridCard = (code) => {
    if (!code || !sheet()) return;
    asked += 1;
    dash_clientside.set_props("desk-gridcard-asked", { data: { code, n: asked } });
    if (!sheet().open) sheet().showModal();
  };

  desk.onStart("desk", () => {
    desk.byId("desk-gridcard-close").addEventListener("click", () => sheet().close());
    document.addEventListener("click", (event) => {
      const link = event.target instanceof Element ? event.target.closest("[data-gridcard]") : null;
      if (link) desk.gridCard(link.dataset.gridcard);
    });
    const mode = desk.mode;
    desk.mode = () => (sheet().open ? "gridcard" : mode());
    const chosen = () => desk.queue.get(desk.opened || desk.queue.selected)?.grid;
    desk.key("KeyI", () => desk.gridCard(chosen()), () => ["queue", "drawer"].includes(desk.mode()) && Boolean(chosen()));
  });
})();

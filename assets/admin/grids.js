// The page of grids hears from the live channel which grids are in force and says so to its lists.
(() => {
  if (document.documentElement.dataset.page !== "grids") return;
  let known;
  const wait = () => {
    if (!window.gridwall?.on || !window.dash_clientside?.set_props || !document.getElementById("versions-list")) return void setTimeout(wait, 100);
    window.gridwall.on("gauges", (set, gone, whole) => {
      const key = whole.get("grids");
      if (key === undefined || key === known) return;
      known = key;
      window.dash_clientside.set_props("grids-in-force", { data: key });
    });
  };
  wait();
})();

// The page of walls is read anew every 3 seconds while somebody can see it.
(() => {
  if (document.documentElement.dataset.page !== "walls") return;
  const EACH = 3000; // ms
  setInterval(() => {
    if (document.visibilityState === "visible" && window.dash_clientside?.set_props && document.getElementById("wall-list")) {
      window.dash_clientside.set_props("wall-pulse", { data: Date.now() });
    }
  }, EACH);
})();

// The search box: Ctrl+K opens it, arrows walk the results, Enter opens one, Escape closes it.
(() => {
  const desk = window.gridwall?.desk;
  if (!desk) return;
  let back = null; // what had the keyboard before

  const box = () => document.getElementById("search-box");
  const hits = () => [...document.querySelectorAll("#search-found .search-hit")];

  const show = () => {
    back = document.activeElement;
    box().hidden = false;
    const typed = document.getElementById("search-typed");
    typed.focus();
    typed.select();
  };
  const hide = () => {
    box().hidden = true;
    back?.focus?.();
  };

  /** Put a word into the queue's own search: the incidents of a grid; an order is chosen in the list of orders. */
  const filter = (word, order) => {
    if (order) { desk.orders?.choose(order); return; }
    const typed = document.getElementById("desk-search");
    if (!typed) return;
    typed.value = word;
    typed.dispatchEvent(new Event("input", { bubbles: true }));
    typed.focus();
  };

  const open = (hit) => {
    const { incident, grid, order, href } = hit.dataset;
    hide();
    if (incident) desk.open(incident, true);
    else if (grid || order) filter(hit.querySelector("code")?.textContent || "", order);
    else if (href) location.assign(href);
  };

  const walk = (step) => {
    const all = hits();
    if (!all.length) return;
    const at = all.indexOf(document.activeElement);
    const to = at + step;
    if (to < 0) document.getElementById("search-typed").focus();
    else all[Math.min(to, all.length - 1)].focus();
  };

  document.addEventListener("keydown", (event) => {
    if (!box()) return;
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      if (box().hidden) show();
      else hide();
      return;
    }
    if (box().hidden) return;
    if (event.target.id !== "search-typed") event.stopPropagation(); // the desk's single keys are not for the box
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) { event.preventDefault(); walk(step); }
    else if (event.key === "Escape") { event.preventDefault(); hide(); }
    else if (event.key === "Enter" && event.target.id === "search-typed") { event.preventDefault(); const [first] = hits(); if (first) open(first); }
  }, true);
  document.addEventListener("click", (event) => {
    const hit = event.target instanceof Element ? event.target.closest(".search-hit") : null;
    if (hit) open(hit);
    else if (event.target === box()) hide();
  });
})();

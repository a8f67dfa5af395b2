// The page of cameras by keys: / to the search, arrows through list and tree, Enter opens a card, Esc goes back.
(() => {
  if (document.documentElement.dataset.page !== "cameras") return;
  const closest = (event, what) => (event.target instanceof Element ? event.target.closest(what) : null);
  const rows = () => [...document.querySelectorAll(".camera-row")];
  const twigs = () => [...document.querySelectorAll(".camera-branch")].filter((one) => one.offsetParent);
  const go = (all, from, step) => {
    const next = all[Math.max(0, Math.min(all.length - 1, all.indexOf(from) + step))];
    next?.focus();
    next?.scrollIntoView({ block: "nearest" });
  };
  const find = () => document.querySelector(".camera-find input, input.camera-find");

  const inList = (event, row) => {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -1e6, End: 1e6 }[event.key];
    if (step && event.key === "ArrowUp" && rows()[0] === row) return find().focus();
    if (step) return go(rows(), row, step);
    if (event.key === "Enter" || event.key === " ") return row.click();
    return event.key === "Escape" ? find().focus() : true;
  };
  const inTree = (event, branch) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) return go(twigs(), branch, step);
    const sign = branch.parentElement.querySelector(":scope > .camera-twig");
    const wanted = { ArrowRight: "false", ArrowLeft: "true" }[event.key];
    if (!wanted || !sign || sign.disabled) return true;
    if (sign.getAttribute("aria-expanded") === wanted) sign.click();
    return undefined;
  };

  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
    const row = closest(event, ".camera-row"), branch = closest(event, ".camera-branch");
    let passed = true;
    if (row) passed = inList(event, row);
    else if (branch) passed = inTree(event, branch);
    else if (closest(event, ".camera-find") && event.key === "ArrowDown") { rows()[0]?.focus(); passed = undefined; }
    else if (event.key === "/" && !closest(event, "input, textarea, select")) { find()?.focus(); passed = undefined; }
    if (passed === undefined) { event.preventDefault(); event.stopPropagation(); }
  });
  document.addEventListener("click", (event) => {
    const row = closest(event, ".camera-row");
    if (!row) return;
    for (const one of rows()) one.setAttribute("aria-selected", String(one === row));
  });
})();

// Tabs of the administrator's pages: a button [role=tab][data-tab=NAME] shows the section [data-section=NAME].
(() => {
  const open = (name) => {
    for (const tab of document.querySelectorAll("[role=tab][data-tab]")) {
      const chosen = tab.dataset.tab === name;
      tab.setAttribute("aria-selected", String(chosen));
      tab.tabIndex = chosen ? 0 : -1;
    }
    for (const section of document.querySelectorAll("[data-section]")) section.hidden = section.dataset.section !== name;
  };

  const neighbour = (tab, step) => {
    const all = [...document.querySelectorAll("[role=tab][data-tab]")].filter((one) => !one.hidden);
    return all[(all.indexOf(tab) + step + all.length) % all.length];
  };

  document.addEventListener("click", (event) => {
    const tab = event.target instanceof Element ? event.target.closest("[role=tab][data-tab]") : null;
    if (tab) open(tab.dataset.tab);
  });
  document.addEventListener("keydown", (event) => {
    const tab = event.target instanceof Element ? event.target.closest("[role=tab][data-tab]") : null;
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!tab || !step) return;
    const next = neighbour(tab, step);
    next.click(); // as by the mouse: a section that asks the server only when it is opened hears of it
    next.focus();
  });
  window.gridwallTabs = { open };

  // `/cameras#coverage`: the tab that a link of another page means, as soon as it is there.
  const wanted = location.hash.slice(1);
  const meant = wanted && new MutationObserver(() => {
    const tab = document.querySelector(`[role=tab][data-tab="${CSS.escape(wanted)}"]`);
    if (!tab) return;
    meant.disconnect();
    setTimeout(() => tab.click());
  });
  if (meant) meant.observe(document, { childList: true, subtree: true });
})();

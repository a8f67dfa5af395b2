// The page of accounts: the map of jurisdictions begins with the first grid once its tab is open, for it needs its size;
// a grid that is used for a form leads back to that form.
(() => {
  document.addEventListener("click", ({ target }) => {
    if (!(target instanceof Element)) return;
    const tab = target.closest("[role=tab][data-tab=jurisdictions]");
    if (tab && !document.querySelector("#area-map .area-map")) document.querySelector("#area-tree button")?.click();
    if (target.closest("#area-card [data-open-tab]")) window.gridwallTabs.open("accounts");
  });
})();

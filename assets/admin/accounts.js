// The page of accounts: the map of jurisdictions begins with the first grid once its tab is open, for it needs its size.
(() => {
  document.addEventListener("click", ({ target }) => {
    const tab = target instanceof Element ? target.closest("[role=tab][data-tab=jurisdictions]") : null;
    if (tab && !document.querySelector("#area-map .area-map")) document.querySelector("#area-tree button")?.click();
  });
})();

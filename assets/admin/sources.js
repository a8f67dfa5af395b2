// The page of sources: opening the form, copying what is shown once.
(() => {
  const AGAIN = 2000; // ms until a copy button says its own text again
  const REFRESH = 10000; // ms between two looks at a source's health

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.sources = {
    opened: () => {
      window.gridwallTabs.open("settings");
      return window.dash_clientside.no_update;
    },
    origin: () => location.origin,
  };

  const copied = (button) => {
    const text = button.textContent;
    button.textContent = button.dataset.copied;
    setTimeout(() => { button.textContent = text; }, AGAIN);
  };

  // Without HTTPS the browser has no clipboard for pages: the text is selected, so that one key copies it.
  const select = (element) => {
    const range = document.createRange();
    range.selectNodeContents(element);
    const selection = getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
    return document.execCommand("copy");
  };

  // While somebody looks at the health of a source, its figures are asked for again.
  setInterval(() => {
    const again = document.getElementById("health-again");
    if (again?.offsetParent && !document.hidden) again.click();
  }, REFRESH);

  // Whoever leaves with something written and not saved is asked first by the browser.
  let unsaved = false;
  const FORMS = "#form-body, #mapping-editor";
  document.addEventListener("input", ({ target }) => { unsaved ||= Boolean(target.closest?.(FORMS)); });
  document.addEventListener("click", ({ target }) => { if (target.closest?.("#form-save, #mapping-save")) unsaved = false; });
  addEventListener("beforeunload", (event) => {
    if (unsaved && document.querySelector("#form-save, #mapping-editor select")) event.preventDefault();
  });

  // The settings of the chosen source are there at once, unless a form is open already.
  document.addEventListener("click", ({ target }) => {
    const tab = target instanceof Element ? target.closest("[role=tab][data-tab=settings]") : null;
    if (tab && !document.getElementById("form-save")) document.querySelector(`[id='{"act":"edit"}']:enabled`)?.click();
  });

  document.addEventListener("click", async (event) => {
    const button = event.target instanceof Element ? event.target.closest("[data-copy]") : null;
    const source = button && document.getElementById(button.dataset.copy);
    if (!source) return;
    try {
      await navigator.clipboard.writeText(source.textContent);
      copied(button);
    } catch {
      if (select(source)) copied(button);
    }
  });
})();

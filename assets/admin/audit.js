// The auditor's page: from a line to its subject or actor, and asking how a verification stands while it is under way.
(() => {
  const AGAIN = 700; // ms between two questions

  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("[data-audit-subject]") : null;
    if (!button) return;
    window.dash_clientside.set_props("audit-subject-ask", { data: { subject: button.dataset.auditSubject, at: Date.now() } });
    window.gridwallTabs.open("subject");
    document.querySelector("[data-section=subject]").scrollTop = 0;
  });

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.audit = {
    again: (state) => {
      if (state?.running) setTimeout(() => window.dash_clientside.set_props("verify-again", { data: Date.now() }), AGAIN);
      return "";
    },
  };
})();

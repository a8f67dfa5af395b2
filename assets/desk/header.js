// The header and the help sheet of the desk's pages.
(() => {
  const desk = window.gridwall?.desk;
  if (!desk) return;

  const letters = () => {
    const button = desk.byId("desk-letters");
    button.setAttribute("aria-checked", String(desk.letters()));
  };

  // The server's clock in the city's time zone.
  const tick = () => {
    const now = window.gridwall.clock();
    for (const element of document.querySelectorAll(".desk-clock")) {
      element.textContent = new Date(now).toLocaleTimeString("en-GB", { timeZone: element.dataset.zone, hour12: false });
    }
    setTimeout(tick, 1000 - (now % 1000));
  };

  desk.onStart("*", () => {
    tick();
    const { me } = desk.facts;
    desk.byId("desk-me").textContent = `${desk.text(`role.${me.role}`)} ${me.name}`;
    for (const link of document.querySelectorAll(".desk-nav a")) {
      link.hidden = !me.pages.includes(link.dataset.to);
      if (link.dataset.to === document.documentElement.dataset.page) link.setAttribute("aria-current", "page");
    }
    document.documentElement.dataset.manages = String(me.pages.includes("sources") && desk.can("sources"));
    const sheet = desk.byId("desk-help");
    const show = () => { if (!sheet.open) sheet.showModal(); };
    desk.byId("desk-help-open").addEventListener("click", show);
    desk.byId("desk-help-close").addEventListener("click", () => sheet.close());
    desk.byId("desk-letters").addEventListener("click", () => { desk.switchLetters(!desk.letters()); letters(); });
    desk.key("?", () => (sheet.open ? sheet.close() : show()));
    letters();
    const fresh = desk.byId("desk-new");
    if (!desk.can("register")) {
      fresh.setAttribute("aria-disabled", "true");
      fresh.title = desk.text("denied", { role: desk.text(`role.${me.role}`) });
    }
  });
})();

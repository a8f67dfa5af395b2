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

  // Ways that find no room in the bar go into the menu, the last first; the page one is on stays in sight.
  const fit = () => {
    const bar = desk.byId("desk-nav-bar"), menu = desk.byId("desk-more"), list = desk.byId("desk-more-list");
    if (!bar) return; // the page has gone dark
    bar.append(...list.children);
    menu.hidden = true;
    if (getComputedStyle(bar).overflowX === "auto") return; // a phone scrolls them
    const links = [...bar.children].filter((link) => !link.hidden && !link.hasAttribute("aria-current"));
    while (bar.scrollWidth > bar.clientWidth + 1 && links.length) {
      menu.hidden = false;
      list.prepend(links.pop());
    }
  };

  desk.onStart("*", () => {
    tick();
    const { me } = desk.facts;
    desk.byId("desk-me").textContent = `${desk.text(`role.${me.role}`)} ${me.name}`;
    for (const link of document.querySelectorAll(".desk-nav a")) {
      link.hidden = !me.pages.includes(link.dataset.to);
      if (link.dataset.to === document.documentElement.dataset.page) link.setAttribute("aria-current", "page");
    }
    const menu = desk.byId("desk-more");
    document.addEventListener("click", (event) => { if (!menu.contains(event.target)) menu.open = false; });
    menu.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !menu.open) return;
      event.stopPropagation();
      menu.open = false;
      menu.querySelector("summary").focus();
    });
    new ResizeObserver(() => requestAnimationFrame(fit)).observe(desk.byId("desk-header"));
    new ResizeObserver(() => requestAnimationFrame(fit)).observe(desk.byId("desk-nav-bar"));
    document.documentElement.dataset.manages = String(me.pages.includes("sources") && desk.can("sources"));
    document.documentElement.dataset.looks = String(desk.can("looks"));
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

// The sheet of warnings at the desk: the button and the key W open it, a click on a warning asks for all of it.
(() => {
  const desk = window.gridwall?.desk;
  if (!desk) return;
  let serial = 0;

  const open = (id) => {
    serial += 1;
    dash_clientside.set_props("desk-warning-open", { data: { id, serial } });
    for (const one of document.querySelectorAll("[data-open-warning]")) {
      one.setAttribute("aria-current", String(one.dataset.openWarning === id));
    }
  };

  desk.onStart("desk", () => {
    const sheet = desk.byId("desk-warnings");
    const show = () => {
      if (sheet.open) return void sheet.close();
      sheet.showModal();
      const first = sheet.querySelector("[data-open-warning]");
      if (first) open(first.dataset.openWarning);
    };
    desk.byId("desk-warnings-open").addEventListener("click", show);
    desk.byId("desk-warnings-close").addEventListener("click", () => sheet.close());
    sheet.addEventListener("click", (event) => {
      const chosen = event.target.closest("[data-open-warning]");
      if (chosen) open(chosen.dataset.openWarning);
    });
    const mode = desk.mode;
    desk.mode = () => (sheet.open ? "warnings" : mode());
    desk.key("KeyW", show, () => ["queue", "drawer", "warnings"].includes(desk.mode()));
  });
})();

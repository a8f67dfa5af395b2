// Why somebody looks: said once for a session of looking, shown all the time. Leaving the page ends every look.
(() => {
  const desk = window.gridwall?.desk;
  if (!desk?.pictures) return;
  const { pictures } = desk;
  const h = desk.h;
  const WHYS = ["incident", "patrol", "request", "maintenance"];
  const HIDDEN_MOST = 60000; // ms the page may be hidden before every look ends
  let dialog = null;
  let last = { why: "patrol", incident: "" };
  let timer = 0;

  const chosen = () => dialog.querySelector("input[name=why]:checked")?.value || "patrol";
  const toggle = () => { dialog.querySelector(".pictures-which").hidden = chosen() !== "incident"; };
  const settle = () => {
    const why = chosen();
    const which = dialog.querySelector("select");
    if (why === "incident" && !which.value) return which.focus();
    const text = why === "incident" ? which.selectedOptions[0].textContent : pictures.text(`why_${why}`);
    last = { why, incident: why === "incident" ? which.value : "", text };
    dialog.close();
    return pictures.looks(last);
  };
  const option = (one) => h("label.desk-choice", {},
    h("input", { type: "radio", name: "why", value: one, checked: one === last.why, onchange: toggle }), pictures.text(`why_${one}`));
  const incidents = (found, none = "why_none") => h("select.desk-input", { "aria-label": pictures.text("why_which") },
    found.length ? found.map((one) => h("option", { value: one.id, selected: one.id === last.incident }, one.text))
      : h("option", { value: "" }, pictures.text(none)));

  /** Ask why, if nobody is asked already; `note`: what is said before. */
  pictures.askWhy = async (note = "") => {
    if (dialog.open) return;
    const which = h("label.pictures-which", { hidden: last.why !== "incident" }, pictures.text("why_which"), incidents([], "why_loading"));
    dialog.replaceChildren(h("form", { method: "dialog", onsubmit: (event) => { event.preventDefault(); settle(); } },
      h("h2", {}, pictures.text("why_title")), note ? h("p.pictures-note", { role: "alert" }, note) : null, h("p", {}, pictures.text("why_about")),
      h("div.desk-choices", { role: "radiogroup", "aria-label": pictures.text("why_title") }, WHYS.map(option)), which,
      h("footer", {}, h("button.desk-button.primary", { type: "submit" }, h("kbd", {}, "Enter"), pictures.text("why_go")),
        h("button.desk-button.quiet", { type: "button", onclick: () => dialog.close() }, h("kbd", {}, "Esc"), desk.text("close")))));
    dialog.showModal();
    dialog.querySelector("input:checked")?.focus();
    const answer = await pictures.ask({ do: "whys" });
    if (dialog.open) which.querySelector("select").replaceWith(incidents(answer.incidents || []));
  };

  /** The place in the bar where the reason stands. */
  pictures.reason = () => {
    const shown = h("b");
    const line = h("span.pictures-reason", {}, pictures.text("why"), shown,
      h("button.desk-button.quiet", { type: "button", onclick: () => pictures.askWhy() }, h("kbd", {}, "R"), pictures.text("why_change")));
    pictures.onChange(() => { shown.textContent = pictures.why()?.text || "—"; });
    return line;
  };

  const seen = () => {
    clearTimeout(timer);
    if (document.hidden) timer = setTimeout(() => pictures.why() && pictures.looks(null), HIDDEN_MOST);
    else if (!pictures.why() && last.text) pictures.askWhy(pictures.text("hidden", { n: HIDDEN_MOST / 1000 }));
  };
  const given = async () => {
    const asked = new URLSearchParams(location.search);
    const incident = asked.get("incident");
    if (!incident && asked.get("why") === "request") {
      last = { why: "request", incident: "", text: pictures.text("why_request") };
      pictures.looks(last);
    }
    if (!incident) return;
    const answer = await pictures.ask({ do: "whys", incident });
    const known = (answer.incidents || []).find((one) => one.id === incident);
    if (known) { last = { why: "incident", incident, text: known.text }; dialog.close(); pictures.looks(last); }
  };
  pictures.reasons = () => {
    dialog = desk.byId("pictures-why");
    dialog.setAttribute("aria-label", pictures.text("why_title"));
    document.addEventListener("visibilitychange", seen);
    return given();
  };
})();

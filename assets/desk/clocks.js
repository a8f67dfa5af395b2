// Clocks in the drawer: supervision 督办, cards, and why something was late. The server draws the buttons; the forms stand
// in the place of the actions, where nothing that is drawn anew takes away what somebody writes.
(() => {
  const desk = window.gridwall?.desk;
  if (!desk) return;
  const h = desk.h;
  const CARDS = ["yellow", "red", "none"];

  const send = async (id, name, fields) => {
    const answer = await desk.send({ action: name, id, ...fields });
    if (answer.ok) desk.unask();
    desk.say(answer.text, { bad: !answer.ok });
  };
  const frame = (title, parts, label, submit) => {
    const go = h("button.desk-button.primary", { type: "button", onclick: submit }, h("kbd", {}, "Ctrl+Enter"), label);
    return h("form.desk-panel", {
      "aria-label": title, onsubmit: (event) => event.preventDefault(),
      onkeydown: (event) => {
        if (event.key === "Enter" && event.ctrlKey && !event.isComposing) { event.preventDefault(); submit(); }
      },
    }, h("h3", {}, title), parts, h("div.desk-line", {}, go,
      h("button.desk-button.quiet", { type: "button", onclick: desk.unask }, h("kbd", {}, "Esc"), desk.text("clock.late.later"))));
  };
  const area = (fields, label) => {
    const field = h("textarea.desk-input", { rows: "3", maxlength: "2000", oninput: () => { fields.text = field.value; } });
    return h("label.desk-field", {}, h("span", {}, label), field);
  };

  const act = (id, name) => {
    const fields = { text: "" };
    const needed = name !== "unsupervise";
    const submit = () => {
      if (needed && fields.text.trim().length < 2) return desk.say(desk.text("clock.act.missing"), { bad: true });
      return CARDS.includes(name) ? send(id, "card", { card: name, ...fields }) : send(id, name, fields);
    };
    const label = desk.text(`clock.act.${name}`);
    const form = frame(label, [area(fields, desk.text(needed ? "clock.act.reason" : "clock.act.reason_optional"))], label, submit);
    desk.ask(id, "supervise", fields, form);
  };

  /** Ask why a clock of an incident is late. */
  desk.askLate = (id, clock) => {
    const fields = { text: "", code: "" };
    const choices = desk.facts.late_reasons.map((code, index) => h("button.desk-choice", {
      type: "button", role: "radio", "aria-checked": "false", "data-value": code,
      onclick: (event) => {
        fields.code = code;
        for (const one of choices) one.setAttribute("aria-checked", String(one === event.currentTarget));
      },
    }, h("kbd", {}, String(index + 1)), desk.text(`clock.reason.${code}`)));
    const submit = () => {
      if (!fields.code || (fields.code === "other" && fields.text.trim().length < 2)) return desk.say(desk.text("clock.late.missing"), { bad: true });
      return send(id, "explain", { clock, ...fields });
    };
    const title = desk.text("clock.late.asked", { clock: desk.text(`clock.name.${clock}`) });
    const parts = [h("div.desk-choices", { role: "radiogroup", "aria-label": title }, choices), area(fields, desk.text("clock.late.text"))];
    desk.ask(id, "explain", fields, frame(title, parts, desk.text("clock.late.send"), submit));
  };

  desk.onStart("desk", () => {
    desk.byId("desk-drawer-body")?.addEventListener("click", (event) => {
      const button = event.target.closest("[data-clock-act], [data-clock-late]");
      if (!button || !desk.opened || desk.byId("desk-details")?.dataset.id !== desk.opened) return;
      if (button.dataset.clockLate) desk.askLate(desk.opened, button.dataset.clockLate);
      else act(desk.opened, button.dataset.clockAct);
    });
  });
})();

// The loop in the drawer: what can be done with an incident by its flow, as buttons, and the form of what it needs. The
// server says what there is (`data-choices`, for whoever asks); it asks again when it is done.
(() => {
  const desk = window.gridwall?.desk;
  if (!desk) return;
  const h = desk.h;
  const loop = (desk.loop = {});
  const GRADES = ["general", "large", "major", "special"];

  const box = () => desk.byId("desk-loop");
  const read = (name) => { try { return JSON.parse(box()?.dataset[name] || "[]"); } catch { return []; } };
  /** What can be done with the opened incident now. */
  loop.choices = () => (desk.byId("desk-details")?.dataset.id === desk.opened ? read("choices") : []);
  const key = (choice) => choice.code || choice.action;
  loop.chosen = (fields) => loop.choices().find((one) => key(one) === fields.choice);

  /** The name of the step an incident stands at. */
  loop.step = (row) => (row.stage && desk.facts.stages[`${row.flow}/${row.stage}`]) || desk.text(`step.${row.step}`);

  const named = (codes, prefix) => codes.map((one) => [one, desk.text(`${prefix}${one}`)]);
  const OPTIONS = {
    result: () => named(desk.facts.results, "result."),
    department: () => Object.entries(desk.facts.departments),
    follow_up: () => named(["reached", "unreachable", "waived"], "loop."),
    satisfaction: () => [5, 4, 3, 2, 1].map((one) => [String(one), String(one)]),
    grade: () => [...named(GRADES, "loop."), ["", desk.text("loop.grade_none")]],
    flow: () => read("flows"),
  };
  const select = (name, fields) => {
    const choose = name === "grade" ? [] : [["", desk.text("loop.choose")]];
    const element = h("select.desk-input", { id: `desk-loop-${name}`, onchange: () => { fields[name] = element.value; loop.redraw(); } },
      [...choose, ...OPTIONS[name]()].map(([value, text]) => h("option", { value, selected: (fields[name] ?? "") === value }, text)));
    if (name === "grade" && fields.grade === undefined) { element.value = "general"; fields.grade = "general"; }
    return h("label.desk-field", {}, h("span", {}, desk.text(`loop.${name}`)), element);
  };
  const hours = (fields) => {
    const element = h("input.desk-input", { type: "number", min: "1", max: "2160", id: "desk-loop-hours", oninput: () => { fields.hours = element.value; } });
    element.value = fields.hours || "";
    return h("label.desk-field", {}, h("span", {}, desk.text("loop.hours")), element);
  };

  /** The fields a choice wants, with what depends on what is in them. */
  loop.wanted = (choice, fields) => {
    const needs = choice.needs.filter((one) => one !== "items" && one !== "text");
    return needs.includes("follow_up") && fields.follow_up === "reached" ? [...needs, "satisfaction"] : needs;
  };
  const needsText = (choice, fields) =>
    choice.needs.includes("text") || fields.follow_up === "waived" || (choice.needs.includes("result") && fields.result && fields.result !== "resolved");
  loop.parts = (fields, area) => {
    const choice = loop.chosen(fields);
    if (!choice) return [];
    const needed = needsText(choice, fields);
    return [
      ...loop.wanted(choice, fields).map((name) => (name === "hours" ? hours(fields) : select(name, fields))),
      choice.action === "flow" ? null : area("text", desk.text(needed ? "loop.text_needed" : "loop.text"), needed),
    ];
  };
  /** What a choice still lacks, in words; "" when nothing. */
  loop.lacks = (fields) => {
    const choice = loop.chosen(fields);
    if (!choice) return desk.text("missing.flow");
    const lacking = loop.wanted(choice, fields).find((name) => name !== "grade" && !fields[name]);
    const name = lacking || (needsText(choice, fields) && !fields.text?.trim() ? "text" : "");
    return name ? desk.text("loop.missing", { field: desk.text(`loop.${name}`) }) : "";
  };
  /** The command of a filled form. */
  loop.command = (fields) => {
    const choice = loop.chosen(fields);
    const sent = { text: fields.text || "" };
    for (const name of loop.wanted(choice, fields)) sent[name] = name === "hours" || name === "satisfaction" ? Number(fields[name]) : fields[name] ?? "";
    if (choice.code) sent.code = choice.code;
    return { name: choice.action, fields: sent };
  };
  /** What takes a command of the loop back, null where nothing does. */
  loop.inverse = (name, before, fields) => {
    if (name === "move") return fields.result ? null : { name: "unmove", fields: {} };
    if (name === "suspend") return { name: "resume", fields: { text: "" } };
    if (name === "grade") return { name, fields: { grade: before.grade || "", text: "" } };
    if (name === "strike") return { name, fields: { item: fields.item, back: !fields.back } };
    if (name === "transfer") return { name, fields: { department: before.department, text: desk.text("undo") } };
    return null;
  };

  /** Paint the buttons when the details have come: those that go on first. */
  loop.painted = () => {
    const place = desk.byId("loop-buttons");
    if (!place) return;
    place.replaceChildren(...loop.choices().map((one, index) =>
      h("button.desk-button", { type: "button", "data-way": one.way || null, "data-choice": key(one), onclick: () => loop.pick(key(one)) },
        index < 9 ? h("kbd", {}, `F ${index + 1}`) : null, one.label)));
  };
})();

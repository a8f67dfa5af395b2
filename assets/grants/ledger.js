// The ledger of video access (调阅台账): a month by owner, what was denied, what was taken along, and the signed package.
(() => {
  const access = window.gridwall?.access;
  if (!access) return;
  const { h } = window.gridwall.desk;
  const { say, button } = access;
  const COLUMNS = ["owner", "requests", "refused", "surplus", "grants", "broken", "unused", "looks", "hours", "denied"];

  const now = () => {
    const at = new Date(window.gridwall.clock());
    return `${at.getFullYear()}-${String(at.getMonth() + 1).padStart(2, "0")}`;
  };
  const lasted = (seconds) => Object.entries(seconds).map(([mode, spent]) => `${say(`mode.${mode}`)} ${Math.floor(spent / 3600)}:${String(Math.floor(spent / 60) % 60).padStart(2, "0")}`).join(" ");
  const cell = (one, name) => {
    if (name === "owner") return one.owner || say("unowned");
    if (name === "hours") return lasted(one.seconds);
    if (name === "broken") return one.broken ? `${one.broken} (${one.unratified})` : "0";
    return String(one[name] ?? 0);
  };
  const table = (heads, rows, none) => (rows.length
    ? h("div.access-wide", {}, h("table.admin-table", {}, h("thead", {}, h("tr", {}, heads.map((one) => h("th", {}, one)))), h("tbody", {}, rows.map((row) => h("tr", {}, row.map((one) => h("td", {}, one)))))))
    : h("p.desk-empty", {}, say(none)));

  access.ledger = () => {
    const place = h("div", {});
    const month = h("input.desk-input", { type: "month", value: now(), max: now(), onchange: () => show(), "aria-label": say("ledger.month") });
    const save = async () => {
      const answer = await access.ask({ do: "package", month: month.value });
      if (!answer.ok) return window.gridwall.desk.say(answer.text, { bad: true });
      const bytes = Uint8Array.from(atob(answer.content), (one) => one.charCodeAt(0));
      const link = h("a", { href: URL.createObjectURL(new Blob([bytes], { type: "application/zip" })), download: answer.name });
      link.click();
      return setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    };
    const act = async (asked) => { if ((await access.do(asked)).ok) show(); };
    const settle = async (one, state) => {
      if ((await access.question(say(`ledger.${state}`), { about: say("ledger.sure"), go: `ledger.${state}`, bare: true })) !== null) act({ do: "settle", id: one.id, state });
    };
    const publish = async (one) => {
      const text = await access.question(say("ledger.published_go"), { wanted: true, about: say("ledger.published_about"), go: "ledger.published_go" });
      if (text !== null) act({ do: "publish", id: one.id, text });
    };
    const deeds = (one) => h("span.access-line", {},
      one.state === "held" && !one.published_at && button("ledger.published_go", () => publish(one)),
      one.state === "held" && button("ledger.returned", () => settle(one, "returned")), one.state === "held" && !one.kept && button("ledger.destroyed", () => settle(one, "destroyed"), ".danger"),
      access.facts.holds && one.state !== "destroyed" && button(one.kept ? "ledger.release" : "ledger.hold", () => act({ do: "hold", id: one.id, kept: !one.kept })));
    const show = async () => {
      const told = await access.ask({ do: "ledger", month: month.value });
      if (!told.ok) return window.gridwall.desk.say(told.text, { bad: true });
      return place.replaceChildren(
        h("p.desk-hint", {}, say("ledger.about"), h("code", {}, told.fingerprint.match(/.{8}/g).join(" "))),
        h("div.access-line", {}, month, button("ledger.package", save, ".primary", { name: "package" })),
        table(COLUMNS.map((one) => say(`ledger.${one}`)), told.months.map((one) => COLUMNS.map((name) => cell(one, name))), "ledger.none"),
        h("h2", {}, say("ledger.denied_title")), table([], told.denied.map((one) => [access.moment(one.at), one.who, one.camera, one.mode, one.why]), "ledger.denied_none"),
        h("h2", {}, say("ledger.kept_title")), table([], told.kept.map((one) => [access.moment(one.at), one.kind, one.who, `${one.name} ${one.owner}`, one.grant, h("code", { title: one.sha256 }, one.sha256.slice(0, 12)), [one.said, one.kept && say("ledger.kept"), one.published_at && say("ledger.published", { at: access.moment(one.published_at) })].filter(Boolean).join(" · "), deeds(one)]), "ledger.kept_none"));
    };
    show();
    return place;
  };
})();

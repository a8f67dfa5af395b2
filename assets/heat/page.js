// The heat page: asks /api/v1/heat/areas for what its form says, and shows the answer as a map and a ranking.
(() => {
  const desk = window.gridwall?.desk;
  if (!desk) return;
  const part = (window.gridwallHeat = window.gridwallHeat || {});
  const h = desk.h;
  const URL = "/api/v1/heat/areas";
  const USUAL = { window: "24h", type: "all", urgency: "all", unit: "count", level: "2", first: "", last: "" };
  const EACH = 60000; // ms after which what slides is counted again
  const SELDOM = 600000; // the same for a week, whose past is much to count
  const ROWS = 100; // rows listed before somebody asks for more
  const LEAST_WEEKS = 4;

  let page, words, chart, controls, answer, loadedAt, turn = 0, listed = ROWS;
  const say = (key, values = {}) => (words[key] ?? key).replace(/{(\w+)}/g, (_, name) => values[name] ?? "");
  const find = (name) => page.querySelector(`.${name}`);
  const number = (value) => part.told(value);
  const moment = (at) => {
    const told = new Date(at / 1000).toLocaleString("sv", { timeZone: page.dataset.zone });
    return told.slice(0, 16);
  };

  // ---- what is asked --------------------------------------------------------------------------------------------
  const wish = () => Object.fromEntries(Object.entries(controls).map(([name, one]) => [name, one.value]));
  const query = () => {
    const asked = Object.entries(wish()).filter(([name, value]) => value && (controls.window.value === "dates" || !["first", "last"].includes(name)));
    return new URLSearchParams(asked).toString();
  };
  const fromAddress = () => {
    const given = new URLSearchParams(location.search);
    for (const [name, one] of Object.entries(controls)) {
      const value = given.get(name) ?? USUAL[name];
      if (name === "level") one.append(new Option(value, value));
      one.value = value;
      if (one.value !== value) one.value = USUAL[name];
    }
  };
  const changed = () => {
    listed = ROWS;
    const dates = controls.window.value === "dates";
    for (const one of page.querySelectorAll(".heat-dates")) one.hidden = !dates;
    history.replaceState(null, "", `${location.pathname}?${query()}`);
    find("heat-csv").href = `${URL}.csv?${query()}&lang=${desk.facts.lang}`;
    if (!dates || (controls.first.value && controls.last.value)) load();
  };

  const notice = (text, kind = "") => {
    find("heat-said").textContent = text;
    find("heat-said").dataset.kind = kind;
  };

  const load = async () => {
    const mine = ++turn;
    loadedAt = performance.now();
    if (!answer) notice(say("loading"));
    page.setAttribute("aria-busy", "true");
    try {
      const told = await ask();
      if (mine !== turn) return;
      if (told.code) return void refused(told);
      const found = await part.shapes(told.level);
      if (mine !== turn) return;
      answer = told;
      show(found);
    } catch (error) {
      if (mine === turn) notice(say("broken", { why: error.message }), "wrong");
    } finally {
      if (mine === turn) page.removeAttribute("aria-busy");
    }
  };
  // What the API says: the ranking, or {code, text} of why there is none.
  const ask = async () => {
    try {
      return await (await fetch(`${URL}?${query()}`, { signal: AbortSignal.timeout(20000) })).json();
    } catch {
      return { code: "away" };
    }
  };
  const refused = (told) => {
    const { level } = controls;
    const deepest = String(told.params?.deepest ?? "");
    if (told.code === "operations.no_level" && deepest !== level.value) { // these grids have other levels
      level.replaceChildren(new Option(deepest, deepest));
      return void changed();
    }
    const why = told.code === "away" ? say("away") : told.text?.[desk.facts.lang] || told.code;
    notice(told.code === "operations.no_grids" ? say("none") : say("failed", { why }), "wrong");
  };

  // ---- what is shown --------------------------------------------------------------------------------------------
  const levelName = (at) => words[`level_name.${at}`] && answer.levels.length === 4 ? say(`level_name.${at}`) : say("level", { n: at });
  const compared = () => {
    if (answer.window === "open") return say("past_open");
    if (!answer.weeks) return say("past_none") + (answer.earliest ? `${say("stop")}${say("past_from", { time: moment(answer.earliest) })}` : "");
    const short = answer.weeks < LEAST_WEEKS ? ` ${say("past_short", { n: answer.weeks })}` : "";
    return say("past_mean", { n: answer.weeks, days: answer.step_days }) + short;
  };
  const facts = () => {
    const since = answer.since ? ` ${moment(answer.since)} – ${moment(answer.until)}` : "";
    const names = ["type", "urgency", "unit"].map((name) => controls[name].selectedOptions[0]?.textContent);
    const scope = [answer.scope_grid && desk.grid(answer.scope_grid), answer.scope_department && desk.department(answer.scope_department)].filter(Boolean).join(" · ");
    return {
      what: [`${say(`window.${answer.window}`)}${since}`, ...names, levelName(answer.level)].join(" · "),
      total: [say("total", { total: number(answer.total), unplaced: number(answer.unplaced), earlier: number(answer.earlier), elsewhere: number(answer.elsewhere) }), compared()].join(" · "),
      foot: [
        say("as_of", { time: moment(answer.as_of) }), say("grids", { n: answer.grids }), scope ? say("scope_only", { scope }) : say("scope", { scope: say("whole") }),
        ...(answer.unit === "people" ? [say("small_rule", { n: number(answer.minimum_population) })] : []),
      ].join(" · "),
    };
  };
  const denominator = (row) => {
    if (answer.unit === "km2") return `${number(row.km2)} ${say("basis.km2")}`;
    return row.population === null ? say("why.no_population") : `${number(row.population)} ${say("basis.people")}`;
  };
  const change = (row) => {
    if (row.change === null) return row.why ? say(`why.${row.why}`) : "—";
    const sign = row.change > 0 ? "▲ +" : row.change < 0 ? "▼ −" : "＝ ";
    const share = row.share === null ? "" : ` (${row.share > 0 ? "+" : row.share < 0 ? "−" : ""}${Math.abs(Math.round(row.share * 100))}%)`;
    return `${sign}${number(Math.abs(row.change))}${share}`;
  };

  const show = (found) => {
    const { value } = controls.level;
    controls.level.replaceChildren(...answer.levels.map((at) => new Option(levelName(at), at)));
    controls.level.value = answer.levels.includes(Number(value)) ? value : String(answer.level);
    const { what, total, foot } = facts();
    notice("");
    find("heat-said").replaceChildren(h("p.heat-what", {}, what), h("p", {}, total), h("p", {}, foot), ...(answer.total ? [] : [h("p.heat-nothing", {}, say(answer.scope_grid || answer.scope_department ? "nothing_within" : "nothing"))]));
    const steps = part.steps(answer.areas.map((row) => row.value).filter((one) => one !== null), answer.unit === "count");
    part.shown = new Map(answer.areas.map((row) => [row.code, part.step(row.value, steps)]));
    chart.show(found, part.shown);
    legend(steps);
    table();
  };
  const keys = (steps) => {
    const told = [[0, "0"], ...steps.map((from, at) => [at + 1, at === 5 ? `≥ ${number(from)}` : at ? number(from) : "> 0"])];
    const unsaid = answer.areas.find((row) => row.why);
    return unsaid ? [...told, [part.UNSAID, say(`why.${unsaid.why}`)]] : told;
  };
  const legend = (steps) => {
    part.legend = keys(steps);
    find("heat-legend").replaceChildren(...part.legend.map(([step, text]) => h(`li.legend-step.legend-step-${step}`, {}, text)));
  };
  const table = () => {
    const heads = ["rank", "name", "value", "count", "basis", "past_short", "change"];
    const title = (name) => (name === "rank" ? say("rank") : say(`column.${name}`));
    const lines = answer.areas.slice(0, listed).map((row, at) =>
      h("tr", { "data-code": row.code, "aria-selected": String(row.code === chart.chosen) },
        h("td.number", {}, String(at + 1)),
        h("th", { scope: "row" }, h("button.heat-name", { type: "button", onclick: () => choose(row.code), title: row.code }, row.name || row.code)),
        h("td.number.heat-value", {}, row.value === null ? say(`why.${row.why}`) : number(row.value)),
        h("td.number", {}, number(row.count)),
        h("td.number", {}, denominator(row)),
        h("td.number", {}, row.past === null ? "—" : number(row.past)),
        h("td.number.heat-change", { "data-way": row.change > 0 ? "up" : row.change < 0 ? "down" : "" }, change(row))));
    const rest = answer.areas.length - listed;
    find("heat-table").replaceChildren(
      h("table.admin-table", {}, h("thead", {}, h("tr", {}, ...heads.map((name) => h(["rank", "name"].includes(name) ? "th" : "th.number", { scope: "col" }, title(name))))), h("tbody", {}, ...lines)),
      h("p.heat-more", {}, say("shown", { shown: number(Math.min(listed, answer.areas.length)), n: number(answer.areas.length) }), " ",
        rest > 0 ? h("button.desk-button.quiet", { type: "button", onclick: () => { listed += ROWS; table(); } }, say("more", { n: Math.min(rest, ROWS) })) : ""));
  };
  const choose = (code) => {
    chart.choose(code);
    const at = answer.areas.findIndex((row) => row.code === code);
    if (at >= listed) { listed = at + 1; table(); }
    for (const line of page.querySelectorAll("tr[data-code]")) {
      line.setAttribute("aria-selected", String(line.dataset.code === code));
      if (line.dataset.code === code) line.scrollIntoView({ block: "nearest" });
    }
  };
  const tip = (event) => {
    const code = chart.at(event.offsetX, event.offsetY);
    const row = code && answer?.areas.find((one) => one.code === code);
    const box = find("heat-tip");
    box.hidden = !row;
    if (row) box.textContent = [row.name, row.value === null ? say(`why.${row.why}`) : number(row.value), denominator(row), change(row)].join(" · ");
  };

  part.draw = () => {
    const { what, total, foot } = facts();
    const rows = answer.areas.map((row) => ({
      name: row.name || row.code,
      value: row.value === null ? "—" : number(row.value),
      about: [`${number(row.count)} ${say("basis.count")}`, denominator(row), change(row)].join(" · "),
    }));
    return part.picture(chart, { title: `${page.dataset.city} ${say("title")}`, lines: [what, total], legend: part.legend, rows, foot });
  };

  desk.onStart("heat", () => {
    page = desk.byId("heat-page");
    words = JSON.parse(page.dataset.words);
    chart = new part.Chart(find("heat-map"));
    controls = Object.fromEntries([...page.querySelectorAll(".heat-choice")].map((one) => [one.dataset.name, one]));
    for (const name of ["first", "last"]) {
      const one = (controls[name] = desk.byId(`heat-${name}`));
      one.type = "date";
    }
    find("heat-form").addEventListener("submit", (event) => event.preventDefault());
    fromAddress();
    for (const one of Object.values(controls)) one.addEventListener("change", changed);
    find("heat-refresh").addEventListener("click", load);
    find("heat-png").addEventListener("click", async () => {
      if (!answer) return;
      await part.save(part.draw(), `heat-${moment(answer.as_of).replace(/[ :]/g, "-")}.png`);
      window.dash_clientside.set_props("heat-taken", { data: Date.now() }); // the server writes down that it was taken
    });
    find("heat-map").addEventListener("mousemove", tip);
    find("heat-map").addEventListener("mouseleave", () => { find("heat-tip").hidden = true; });
    find("heat-map").addEventListener("click", (event) => choose(chart.at(event.offsetX, event.offsetY)));
    setInterval(() => {
      const { value } = controls.window;
      const due = value === "7d" ? performance.now() - loadedAt >= SELDOM : value !== "dates";
      if ((due || !answer) && !document.hidden) load(); // without an answer: grids may have come
    }, EACH);
    changed();
  });
})();

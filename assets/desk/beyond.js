// Incidents beyond the live queue, which holds only so many: those a filter asks the server for, and the one somebody is
// working on. They are asked for again as long as they are wanted; commands carry the revision seen, as everywhere.
(() => {
  const desk = window.gridwall?.desk;
  if (!desk) return;
  const EACH = 10000; // ms between two looks for a filter
  const KEEP_EACH = 3000; // ms between two looks at the one somebody is working on
  const MOST = 500; // rows, as many as the server gives at once
  const ASKABLE = ["urgency", "type", "department", "grid"];
  const NOTHING = (value) => value === null || value === "" || value === false || (Array.isArray(value) && !value.length);

  let found = new Map(); // id -> row, of the filter
  let kept = null; // {id, row} somebody is working on
  let asked = 0; // counts the filters asked for: an answer to an older one is late
  let timer = 0;
  let keeping = 0;
  let changed = () => {};

  const row = (incident) => Object.fromEntries(Object.entries(incident).filter(([, value]) => !NOTHING(value)));

  async function fetched(path) {
    try {
      const answer = await fetch(path);
      return answer.ok ? await answer.json() : answer.status === 404 ? null : undefined;
    } catch {
      return undefined; // the server is away: what is there stays
    }
  }

  function address(filter) {
    const query = new URLSearchParams({ limit: MOST, state: ["closed", "all"].includes(filter.step) ? filter.step : "open" });
    if (filter.urgency.length === 1) query.set("urgency", filter.urgency[0]);
    for (const name of ["type", "department", "grid"]) if (filter[name]) query.set(name, filter[name]);
    return `/api/v1/incidents?${query}`;
  }

  async function again(filter, turn) {
    const page = await fetched(address(filter));
    if (turn !== asked) return;
    if (page) {
      found = new Map(page.incidents.map((one) => [one.id, row(one)]));
      changed([...found.keys()]);
    }
    timer = setTimeout(() => again(filter, turn), EACH);
  }

  async function keepAgain(id) {
    const detail = await fetched(`/api/v1/incidents/${id}`);
    if (kept?.id !== id) return;
    if (detail !== undefined) {
      kept = detail && { id, row: row(detail.incident) };
      changed([id]);
    }
    if (kept) keeping = setTimeout(() => keepAgain(id), KEEP_EACH);
  }

  desk.beyond = {
    /** Be told of changed rows: f(ids). */
    watch: (run) => { changed = run; },
    /** The rows there are. */
    rows: () => (kept ? new Map([...found, [kept.id, kept.row]]) : found),
    /** Look for what fits a filter; null looks for nothing. */
    ask: (filter) => {
      asked += 1;
      clearTimeout(timer);
      if (filter && ASKABLE.some((name) => filter[name].length)) return void again(filter, asked);
      found = new Map();
    },
    /** Keep a row although the queue no longer holds it, unless the server no longer has it; null lets it go. */
    keep: (id, last) => {
      if (id === (kept?.id ?? null)) return;
      clearTimeout(keeping);
      kept = id && { id, row: last };
      if (id) keepAgain(id);
    },
  };
})();

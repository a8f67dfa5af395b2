// A desk that stands idle: tells the server when somebody touches it, and shows the lock once the server has locked it.
// The page, its frames, alerts and sound go on below. Walls never lock.
(() => {
  const { page, lang } = document.documentElement.dataset;
  if (!page || page === "wall") return;
  const TELL = 60000; // ms between two tellings, at least
  const LOOK = 5000; // ms between two looks at the clock
  const TOUCHES = ["keydown", "pointerdown", "pointermove", "wheel", "touchstart"];
  const state = { idle: 0, touched: Date.now(), told: 0, dirty: false, known: false, lockedAtLoad: false };
  let words = {};
  let lock = null;

  const h = (tag, props, ...children) => {
    const element = Object.assign(document.createElement(tag), props);
    element.append(...children);
    return element;
  };

  const stand = async () => {
    const answer = await fetch(`/session?lang=${lang}`).catch(() => null);
    return answer?.ok ? answer.json() : null; // an ended session is the live channel's to tell
  };

  // ---- the lock ----------------------------------------------------------------------------------------------------
  const onward = () => encodeURIComponent(location.pathname + location.search);

  const byPassword = (said, told) => {
    const password = h("input", { type: "password", name: "password", required: true, maxLength: 1000, autocomplete: "current-password" });
    const user = h("input", { name: "name", value: told.name, hidden: true, autocomplete: "username" });
    const button = h("button", { type: "submit", className: "desk-button primary" }, words.submit);
    const form = h("form", { className: "lock-form" }, user, h("label", {}, words.password.replace("{name}", told.name), password), button);
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      button.disabled = true;
      const answer = await fetch(`/session/unlock?lang=${lang}`, { method: "POST", body: new FormData(form) }).catch(() => null);
      button.disabled = false;
      password.value = "";
      password.focus();
      if (answer?.status === 204) return open();
      const problem = answer ? await answer.json().catch(() => ({})) : {};
      said.textContent = typeof problem.text === "string" ? problem.text : problem.text?.[lang] || words.failed;
    });
    return form;
  };

  const leaving = (text) =>
    h("form", { method: "post", action: `/signout?next=${onward()}`, className: "lock-leave" }, h("button", { type: "submit", className: "desk-button" }, text));

  const close = (told) => {
    if (lock) return;
    const said = h("p", { className: "lock-said", role: "alert" });
    const again = told.how !== "password";
    const title = h("h2", { id: "lock-title" }, again ? words.title_again : words.title);
    const ways = again ? [leaving(words.again)] : [byPassword(said, told), leaving(words.signout)];
    lock = h("dialog", { className: "lock", id: "lock" }, title, h("p", {}, words.about), said, ...ways);
    lock.setAttribute("aria-labelledby", "lock-title");
    lock.addEventListener("cancel", (event) => event.preventDefault());
    document.body.append(lock);
    lock.showModal();
  };

  const open = () => {
    if (state.lockedAtLoad) return location.reload(); // what was hidden then is asked for anew
    lock?.remove();
    lock = null;
    state.touched = state.told = Date.now();
  };

  // ---- touches -----------------------------------------------------------------------------------------------------
  const tell = async () => {
    const now = Date.now();
    state.dirty = false;
    state.told = now;
    const ago = Math.round((now - state.touched) / 1000);
    const answer = await fetch(`/session/active?ago=${ago}`, { method: "POST" }).catch(() => null);
    if (answer?.status === 423) look(await stand());
  };

  const touch = (event) => {
    if (lock) {
      if (event.type === "keydown" && !lock.contains(event.target)) {
        event.stopImmediatePropagation(); // the page's own keys rest
        event.preventDefault();
      }
      return;
    }
    if (!event.isTrusted) return;
    state.touched = Date.now();
    state.dirty = true;
    if (state.known && state.touched - state.told >= TELL) tell(); // a press that leaves the page at once tells nothing
  };

  const look = (told) => {
    if (!told) return;
    Object.assign(state, { idle: told.idle * 1000, touched: Math.max(state.touched, Date.now() - told.seen * 1000) });
    words = told.words;
    if (told.locked) close(told);
    else if (lock) open(); // another tab of this session was unlocked
  };

  const tick = async () => {
    const now = Date.now();
    if (state.dirty && now - state.told >= TELL) await tell();
    if (state.idle && (lock || now - state.touched >= state.idle)) look(await stand());
  };

  for (const kind of TOUCHES) addEventListener(kind, touch, { capture: true, passive: kind !== "keydown" });
  stand().then((told) => {
    state.known = true;
    if (!told?.idle) return;
    state.touched = Date.now() - told.seen * 1000;
    state.told = state.touched;
    state.lockedAtLoad = told.locked;
    look(told);
    setInterval(tick, LOOK);
  });
})();

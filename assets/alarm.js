// The wall's voice, its clock, and the look of panels that failed. New 紧急: one short tone. 特急: a tone that repeats until somebody acknowledges it, faster once
// the duty commander is called. Tones are made here, no sound file is loaded. A browser that blocks sound is shown as such.
(function () {
  "use strict";
  if (document.documentElement.dataset.page !== "wall") return;

  const NEW = 15e6; // µs an alarm counts as new
  const REPEAT = 4000; // ms between tones of an unanswered 特急
  const REPEAT_CALLED = 2500; // once the duty commander is called
  const SHORTEST = 1500; // ms between two short tones: a burst is one sound, not fifty
  const TONES = {
    urgent: [[660, 0, 0.14], [880, 0.18, 0.18]],
    critical: [[1040, 0, 0.16], [780, 0.22, 0.16], [1040, 0.44, 0.28]],
    warning: [[587, 0, 0.3], [440, 0.36, 0.44]],
    called: [[1175, 0, 0.12], [1175, 0.18, 0.12], [1175, 0.36, 0.12], [880, 0.56, 0.3]],
  };
  const LOUDNESS = 0.25;

  const root = document.documentElement;
  const alarms = new Map();
  const heard = []; // what was played, for tests: [kind, ms]
  let context = null;
  let repeating = 0;
  let shortAt = 0;

  function now() {
    return window.gridwall?.clock ? window.gridwall.clock() : Date.now();
  }

  // ---- sound ----

  function blocked() {
    return !context || context.state !== "running";
  }

  function showState() {
    root.dataset.sound = context ? (blocked() ? "blocked" : "on") : "none";
    const button = document.getElementById("wall-sound");
    if (button) button.hidden = !blocked();
  }

  function open() {
    const Context = window.AudioContext || window.webkitAudioContext;
    if (Context && !context) {
      context = new Context();
      context.onstatechange = showState;
    }
    showState();
  }

  function unlock() {
    if (context && blocked()) context.resume().then(showState, showState);
  }

  function play(kind) {
    heard.push([kind, Date.now()]);
    if (heard.length > 100) heard.shift();
    showState();
    if (blocked()) return;
    for (const [pitch, after, length] of TONES[kind]) {
      const from = context.currentTime + after;
      const tone = context.createOscillator();
      const gain = context.createGain();
      tone.type = "triangle";
      tone.frequency.value = pitch;
      gain.gain.setValueAtTime(0, from);
      gain.gain.linearRampToValueAtTime(LOUDNESS, from + 0.01);
      gain.gain.setValueAtTime(LOUDNESS, from + length - 0.03);
      gain.gain.linearRampToValueAtTime(0, from + length);
      tone.connect(gain).connect(context.destination);
      tone.start(from);
      tone.stop(from + length);
    }
  }

  // ---- alarms ----

  function critical() {
    return [...alarms.values()].filter((one) => one.urgency === "critical");
  }

  function repeat() {
    clearTimeout(repeating);
    repeating = 0;
    const waiting = critical();
    root.dataset.alarm = waiting.some((one) => one.escalated) ? "called" : waiting.length ? "critical" : "";
    if (!waiting.length) return;
    const called = waiting.some((one) => one.escalated);
    play(called ? "called" : "critical");
    repeating = setTimeout(repeat, called ? REPEAT_CALLED : REPEAT);
  }

  function update(set, gone, whole) {
    const before = critical().length;
    const fresh = Object.entries(set).filter(([id, one]) => !alarms.has(id) && now() * 1000 - one.at < NEW);
    alarms.clear();
    for (const [id, one] of whole) alarms.set(id, one);
    const after = critical();
    const called = after.some((one) => one.escalated);
    if (after.length !== before || (called && root.dataset.alarm !== "called")) repeat();
    else if (fresh.some(([, one]) => one.urgency === "urgent") && !after.length && Date.now() - shortAt > SHORTEST) {
      shortAt = Date.now();
      play("urgent");
    }
  }

  // ---- warnings: a new red or orange one is heard once; where a 特急 sounds, that goes on alone ----

  const known = new Set(); // ids that were heard, or were no longer new

  function hear() {
    const fresh = [...document.querySelectorAll("[data-warning]")].filter((one) => !known.has(one.dataset.warning));
    for (const one of fresh) known.add(one.dataset.warning);
    if (!critical().length && fresh.some((one) => now() * 1000 - Number(one.dataset.heard) < NEW)) play("warning");
  }

  function hearWarnings() {
    const place = document.getElementById("wall-warnings");
    if (!place) return void setTimeout(hearWarnings, 50);
    const rates = document.getElementById("wall-camera-kpi"); // where broken glass is told
    for (const one of [place, rates].filter(Boolean)) {
      new MutationObserver(hear).observe(one, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-warning"] });
    }
    hear();
  }

  // ---- panels the server could not draw ----

  function showFailed(set, gone, whole) {
    const failed = whole.get("failed_panels") || [];
    for (const panel of document.querySelectorAll(".panel")) {
      panel.dataset.failed = String(failed.includes(panel.id.replace("wall-", "")));
    }
  }

  // ---- clock ----

  function tick() {
    const at = new Date(now());
    for (const element of document.querySelectorAll("[data-clock]")) {
      const timeZone = element.dataset.zone;
      const lang = root.dataset.lang === "en" ? "en-GB" : "zh-CN";
      const text =
        element.dataset.clock === "time"
          ? at.toLocaleTimeString("en-GB", { timeZone, hour12: false })
          : at.toLocaleDateString(lang, { timeZone, month: lang === "en-GB" ? "short" : "long", day: "numeric", weekday: "short" });
      if (element.textContent !== text) element.textContent = text;
    }
    showState();
    setTimeout(tick, 1000 - (now() % 1000));
  }

  window.gridwallSound = { heard, blocked };
  for (const name of ["pointerdown", "keydown"]) window.addEventListener(name, unlock);
  open();
  tick();
  hearWarnings();
  (function listen() {
    if (window.gridwall?.on) {
      window.gridwall.on("alarms", update);
      window.gridwall.on("gauges", showFailed);
    } else setTimeout(listen, 50);
  })();
})();

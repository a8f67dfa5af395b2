// The page of a screen that waits to be paired 配对: asks every second how it stands, counts down, and goes on by itself.
(() => {
  "use strict";

  const body = document.body;
  if (!body.classList.contains("pair")) return;

  const ASK_EACH = 1000; // ms
  const state = document.querySelector(".pair-state");
  const ends = performance.now() + Number(body.dataset.expires) * 1000;
  const size = [innerWidth, innerHeight].map((one) => Math.round(one * devicePixelRatio)).join("x");
  const waits = Boolean(document.querySelector(".pair-code"));
  let away = false;
  let told = false;

  function again() {
    const address = new URL(location.href);
    if (body.dataset.ended === "revoked") address.searchParams.set("ended", "revoked");
    location.replace(address);
  }

  function onward() {
    const search = new URLSearchParams(location.search);
    search.delete("ended");
    location.replace(`/wall${search.size ? `?${search}` : ""}`);
  }

  function show() {
    const left = Math.max(0, Math.ceil((ends - performance.now()) / 1000));
    const time = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    state.textContent = away ? body.dataset.away : body.dataset.left.replace("{time}", time);
    body.classList.toggle("away", away);
    return left;
  }

  async function ask() {
    if (!waits) return "waiting";
    const answer = await fetch(`/pair/state${told ? "" : `?size=${size}`}`, { cache: "no-store", signal: AbortSignal.timeout(5000) });
    if (!answer.ok) throw new Error(String(answer.status));
    told = true;
    return (await answer.json()).state;
  }

  async function look() {
    try {
      const found = await ask();
      away = false;
      if (found === "paired") return onward();
      if (found === "over") return again();
    } catch {
      away = true;
    }
    if (show() === 0 && !away) return again();
    setTimeout(look, ASK_EACH);
  }

  look();
})();

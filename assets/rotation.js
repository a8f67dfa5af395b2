// A paired wall asks for its next secret: once when it is loaded, then as often as the server says. docs/wall.md
(() => {
  "use strict";

  if (document.documentElement.dataset.page !== "wall") return;
  if (!/(^|; )gridwall_device=1/.test(document.cookie)) return; // a person's window

  const RETRY = 300000; // ms

  async function rotate() {
    let wait = RETRY;
    try {
      const answer = await fetch("/wall/rotate", { method: "POST", cache: "no-store" });
      if (answer.ok) wait = (await answer.json()).again_s * 1000;
    } catch {
      // the server is away: the secret of now goes on
    }
    setTimeout(rotate, wait);
  }

  rotate();
})();

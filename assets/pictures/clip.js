// A clip of the chosen tile (导出调取): recorded, marked and signed by the server, kept as a file, never shown inline.
(() => {
  const desk = window.gridwall?.desk;
  if (!desk?.pictures) return;
  const { pictures } = desk;
  const h = desk.h;
  const LENGTHS = [10, 20, 30]; // s
  let going = false;

  /** How long; null when it was left. */
  const length = (name) => new Promise((resolve) => {
    const choose = (seconds) => { resolve(seconds); dialog.close(); };
    const dialog = h("dialog.desk-help.pictures-clip", { onclose: () => { dialog.remove(); resolve(null); } },
      h("h2", {}, pictures.text("clip_title", { name })), h("p", {}, pictures.text("clip_about")),
      h("footer.desk-choices", {}, LENGTHS.map((one) => h("button.desk-button", { type: "button", "data-seconds": String(one), onclick: () => choose(one) }, pictures.text("clip_seconds", { n: one }))),
        h("button.desk-button.quiet", { type: "button", onclick: () => dialog.close() }, h("kbd", {}, "Esc"), desk.text("close"))));
    document.body.append(dialog);
    dialog.showModal();
  });

  const record = async (camera, seconds) => {
    const { why, incident } = pictures.why();
    const until = performance.now() + seconds * 1000;
    const tell = () => {
      const left = Math.ceil((until - performance.now()) / 1000);
      desk.say(left > 0 ? pictures.text("clip_going", { n: left }) : pictures.text("clip_making"));
    };
    tell();
    const timer = setInterval(tell, 1000);
    try {
      const body = JSON.stringify({ camera: camera.id, why, incident, seconds });
      const answer = await fetch("/video/clips", { method: "POST", headers: { "content-type": "application/json" }, body });
      clearInterval(timer);
      await pictures.taken(answer, "clip_done");
    } finally {
      clearInterval(timer);
    }
  };

  pictures.clip = async () => {
    const { camera } = pictures.selected();
    if (!desk.can("snapshot")) return desk.say(desk.text("denied", { role: desk.text(`role.${desk.facts.me.role}`) }), { bad: true });
    if (!camera || camera.gone || !pictures.why()) return desk.say(pictures.text("snap_none"), { bad: true });
    if (going) return desk.say(pictures.text("clip_one"), { bad: true });
    going = true;
    try {
      const seconds = await length(camera.name);
      if (seconds) await record(camera, seconds);
    } catch {
      desk.say(desk.text("error.no_answer"), { bad: true });
    } finally {
      going = false;
    }
    return undefined;
  };
  pictures.clipButton = () => h("button.desk-button.quiet", { type: "button", onclick: pictures.clip, "aria-disabled": desk.can("snapshot") ? null : "true" },
    h("kbd", {}, "X"), pictures.text("clip"));
})();

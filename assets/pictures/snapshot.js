// A snapshot of the chosen tile: drawn, journaled and signed by the server, kept as a file, never shown inline.
(() => {
  const desk = window.gridwall?.desk;
  if (!desk?.pictures) return;
  const { pictures } = desk;
  const h = desk.h;
  let going = false;

  const save = (blob, name) => {
    const link = h("a", { href: URL.createObjectURL(blob), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  };
  /** Keep what the server answered as a file and say so, or why there is none. */
  pictures.taken = async (answer, said) => {
    if (!answer.ok) {
      const problem = await answer.json().catch(() => ({}));
      const text = problem.text?.[desk.facts.lang] || problem.text || desk.text("error.no_answer");
      return desk.say(text, { bad: true });
    }
    const name = /filename="([^"]+)"/.exec(answer.headers.get("content-disposition") || "")?.[1] || "camera.zip";
    save(await answer.blob(), name);
    return desk.say(pictures.text(said, { name, sha: (answer.headers.get("x-content-sha256") || "").slice(0, 12) }));
  };

  pictures.snap = async () => {
    const { camera } = pictures.selected();
    if (!desk.can("snapshot")) return desk.say(desk.text("denied", { role: desk.text(`role.${desk.facts.me.role}`) }), { bad: true });
    if (!camera || camera.gone || !pictures.why()) return desk.say(pictures.text("snap_none"), { bad: true });
    if (going) return undefined;
    going = true;
    desk.say(pictures.text("snapping"));
    try {
      const { why, incident } = pictures.why();
      const body = JSON.stringify({ camera: camera.id, why, incident, signed: true });
      const answer = await fetch("/video/snapshots", { method: "POST", headers: { "content-type": "application/json" }, body });
      await pictures.taken(answer, "snapped");
    } catch {
      desk.say(desk.text("error.no_answer"), { bad: true });
    } finally {
      going = false;
    }
    return undefined;
  };
  pictures.snapButton = () => h("button.desk-button.quiet", { type: "button", onclick: pictures.snap, "aria-disabled": desk.can("snapshot") ? null : "true" },
    h("kbd", {}, "S"), pictures.text("snap"));
})();

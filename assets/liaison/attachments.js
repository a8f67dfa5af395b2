// Attachments: choose or photograph a file, send it with its progress, take one away. Wherever a button says of what:
// <button class="attach-add" data-subject="order/ID">, <button class="attach-remove" data-id="ID">; see attachment_shell.py.
(() => {
  const desk = window.gridwall?.desk;
  if (!desk) return;
  const ACCEPT = "image/jpeg,image/png,image/webp,audio/*,video/mp4,video/quicktime,video/webm,.pdf,.docx,.xlsx";
  const KINDS = { photo: "kind.photo", voice: "kind.voice", video: "kind.video", document: "kind.document" };
  const LANG = document.documentElement.dataset.lang;

  const fill = (text, values) => (text || "").replace(/{(\w+)}/g, (_, name) => values[name] ?? "");
  const changed = () => document.dispatchEvent(new CustomEvent("gridwall:attached"));

  const refusal = (request) => {
    try { return JSON.parse(request.responseText).text[LANG] || ""; } catch { return ""; }
  };

  const send = (button, file) => {
    const { subject, going, done, failed } = button.dataset;
    const note = button.parentElement.querySelector(".attach-note");
    const tell = (text, wrong) => { note.textContent = text; note.classList.toggle("wrong", Boolean(wrong)); };
    const request = new XMLHttpRequest();
    const ended = (text, wrong) => { delete button.dataset.busy; tell(text, wrong); if (!note.isConnected) desk.say(text, { bad: wrong }); };
    request.open("POST", `/attachments/${subject}?name=${encodeURIComponent(file.name)}`);
    request.setRequestHeader("content-type", "application/octet-stream");
    request.upload.onprogress = ({ loaded, total }) => tell(fill(going, { name: file.name, percent: total ? Math.round((100 * loaded) / total) : 0 }));
    request.onerror = () => ended(failed, true);
    request.onload = () => {
      if (request.status !== 200) return void ended(refusal(request) || failed, true);
      ended(fill(done, { name: JSON.parse(request.responseText).name }), false);
      changed();
    };
    button.dataset.busy = "";
    tell(fill(going, { name: file.name, percent: 0 }));
    request.send(file);
  };

  const add = (button) => {
    const input = document.createElement("input");
    input.type = "file";
    input.accept = ACCEPT;
    input.onchange = () => { if (input.files[0]) send(button, input.files[0]); };
    input.click();
  };

  const remove = async (button) => {
    const answer = await fetch(`/attachments/${button.dataset.id}`, { method: "DELETE" }).catch(() => null);
    if (answer?.status === 204) { desk.say(button.dataset.done); changed(); return; }
    const told = answer ? await answer.json().catch(() => null) : null;
    desk.say(told?.text?.[LANG] || desk.text("error.no_answer"), { bad: true });
  };

  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest(".attach-add, .attach-remove") : null;
    if (!button || "busy" in button.dataset) return;
    (button.classList.contains("attach-add") ? add : remove)(button);
  });

  /** The section's content for `subject` as page code draws it; `words`: the texts under "attachments". */
  desk.attachments = (subject, rows, words, may) => {
    const { h } = desk;
    const size = (bytes) => (bytes >= 1048576 ? `${(bytes / 1048576).toFixed(1)} MB` : `${Math.ceil(bytes / 1024)} KB`);
    const one = (row) => h("li.attach-one", {},
      row.kind === "photo" && h("img.attach-small", { src: `/attachments/${row.id}/small`, alt: row.name, loading: "lazy" }),
      h("a", { href: `/attachments/${row.id}`, download: row.name }, `${words[KINDS[row.kind]]} · ${row.name}`),
      h("span", {}, `${size(row.size)} · ${row.by}`),
      row.mine && h("button.desk-button.quiet.attach-remove", { type: "button", "data-id": row.id, "data-done": words.removed }, words.remove));
    return [
      rows.length ? h("ul.attach-list", {}, rows.map(one)) : h("p.desk-hint", {}, words.none),
      may && h("div.attach-line", {}, h("button.desk-button.attach-add", { type: "button", "data-subject": subject, "data-going": words.going, "data-done": words.done, "data-failed": words.failed }, words.add),
        h("span.attach-note", { role: "status" }, words.hint)),
    ].filter(Boolean);
  };

  // In the drawer, which Dash draws, the rows lie beside the place they go to.
  const fillPlaces = () => {
    for (const place of document.querySelectorAll(".attach-place:not([data-drawn])")) {
      place.dataset.drawn = "";
      const { subject, rows, words, may } = JSON.parse(place.dataset.told);
      place.replaceChildren(...desk.attachments(subject, rows, words, may));
    }
  };
  desk.onStart("desk", () => new MutationObserver(fillPlaces).observe(desk.byId("desk-side"), { childList: true, subtree: true }));
})();

// One file to the server, with its progress: <div class="upload" data-kind="table" data-store="STORE-ID">.
// The answer of /uploads (id, name, size) is put into the store; what is wrong is said in the element itself.
(() => {
  const HUNDRED = 100;

  const say = (root, text, wrong = false) => {
    const note = root.querySelector(".upload-note");
    note.textContent = text;
    note.classList.toggle("wrong", wrong);
  };

  const refusal = (request) => {
    try {
      const { text } = JSON.parse(request.responseText);
      return text[document.documentElement.dataset.lang] || "";
    } catch {
      return "";
    }
  };

  const send = (root, file) => {
    const { kind, store, failed, going, done } = root.dataset;
    const bar = root.querySelector("progress");
    const request = new XMLHttpRequest();
    const ended = (text, wrong) => { root.removeAttribute("data-busy"); bar.hidden = true; say(root, text, wrong); };
    request.open("POST", `/uploads/${kind}?name=${encodeURIComponent(file.name)}`);
    request.setRequestHeader("content-type", "application/octet-stream");
    request.upload.onprogress = ({ loaded, total }) => { bar.value = total ? (HUNDRED * loaded) / total : 0; };
    request.onerror = () => ended(failed, true);
    request.onload = () => {
      if (request.status !== 200) { ended(refusal(request) || failed, true); return; }
      const answer = JSON.parse(request.responseText);
      ended(`${done} ${answer.name}`, false);
      window.dash_clientside.set_props(store, { data: answer });
    };
    root.dataset.busy = "";
    bar.hidden = false;
    bar.value = 0;
    say(root, `${going} ${file.name}`);
    request.send(file);
  };

  const root = (event) => (event.target instanceof Element ? event.target.closest(".upload") : null);

  const choose = (found) => {
    const input = document.createElement("input");
    input.type = "file";
    input.accept = found.dataset.accept;
    input.onchange = () => { if (input.files[0]) send(found, input.files[0]); };
    input.click();
  };

  document.addEventListener("click", (event) => {
    const found = root(event);
    if (found && event.target.closest(".upload-area") && !("busy" in found.dataset)) choose(found);
  });
  document.addEventListener("dragover", (event) => { if (root(event)) event.preventDefault(); });
  document.addEventListener("drop", (event) => {
    const found = root(event);
    if (!found) return;
    event.preventDefault();
    const [file] = event.dataTransfer.files;
    if (file && !("busy" in found.dataset)) send(found, file);
  });
})();

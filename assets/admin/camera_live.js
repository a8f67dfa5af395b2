// The live picture on a camera's card: it begins with a reason and ends by a button, or with the card.
(() => {
  if (document.documentElement.dataset.page !== "cameras") return;
  const set = (box, playing) => {
    box.querySelector(".camera-begin").hidden = playing;
    box.querySelector(".camera-end").hidden = !playing;
    box.querySelector("select").disabled = playing;
    const place = box.querySelector(".camera-live");
    place.replaceChildren();
    if (!playing) return;
    const tile = document.createElement("div");
    Object.assign(tile.dataset, { camera: box.dataset.look, why: box.querySelector("select").value, words: box.dataset.states });
    place.append(tile);
  };
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest(".camera-begin, .camera-end") : null;
    if (button) set(button.closest(".camera-look"), button.classList.contains("camera-begin"));
  });
})();

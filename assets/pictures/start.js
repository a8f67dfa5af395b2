// The bar above the tiles, and the keys of the page.
(() => {
  const desk = window.gridwall?.desk;
  if (!desk?.pictures) return;
  const { pictures } = desk;
  const h = desk.h;
  const COUNTS = [1, 4, 9, 16];
  const ARROWS = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"];

  const full = () => {
    if (document.fullscreenElement) document.exitFullscreen();
    else desk.byId("pictures-page").requestFullscreen?.().catch(() => {});
  };
  const spreads = () => COUNTS.map((count, index) => h("button.desk-choice", {
    type: "button", role: "radio", "data-count": String(count), onclick: () => pictures.spread(count),
  }, h("kbd", {}, String(index + 1)), pictures.text(`tiles_${count}`)));

  pictures.bar = () => {
    const bar = h("div.pictures-bar", {},
      h("span.desk-choices", { role: "radiogroup", "aria-label": pictures.text("label") }, spreads()),
      pictures.viewLine(),
      pictures.budget(),
      pictures.reason(),
      pictures.snapButton(),
      pictures.clipButton(),
      h("small.pictures-deterrent", {}, pictures.text("deterrent")),
      h("button.desk-button.quiet", { type: "button", onclick: full }, h("kbd", {}, "F"), pictures.text("full")));
    pictures.onChange(() => {
      for (const one of bar.querySelectorAll("[data-count]")) one.setAttribute("aria-checked", String(Number(one.dataset.count) === pictures.count()));
    });
    return bar;
  };

  const busy = () => document.querySelector("dialog[open]") !== null;
  const inSide = (event) => event.target.closest?.("#pictures-side, .pictures-bar, header");
  const free = (event) => !busy() && !inSide(event);

  pictures.begin = () => {
    pictures.finder();
    pictures.reasons();
    pictures.views();
    COUNTS.forEach((count, index) => desk.key(`Digit${index + 1}`, () => pictures.spread(count), () => !busy()));
    for (const arrow of ARROWS) {
      desk.key(arrow, (event) => { // with Shift it takes what stands here along
        const other = pictures.beside(arrow);
        if (event.shiftKey) pictures.swap(pictures.at(), other);
        else pictures.choose(other);
      }, free);
    }
    desk.key("Enter", () => pictures.enlarge(), free);
    desk.key("Escape", () => pictures.enlarge(false), () => !busy() && pictures.large());
    desk.key("Delete", pictures.clear, free);
    desk.key("KeyS", pictures.snap, () => !busy());
    desk.key("KeyX", pictures.clip, () => !busy());
    desk.key("KeyF", full, () => !busy());
    desk.key("KeyR", () => pictures.askWhy(), () => !busy());
    for (let number = 1; number <= 9; number += 1) desk.key(`Shift+Digit${number}`, () => pictures.open(number - 1), () => !busy());
    desk.key("Shift+KeyV", pictures.chooseView, () => !busy());
    desk.key("Slash", pictures.find, () => !busy());
  };
})();

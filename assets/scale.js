// Keeps --scale, the wall's one factor as a plain number, for what does not understand CSS lengths.
(function () {
  function measure() {
    const factor = Math.min(window.innerWidth / 1920, window.innerHeight / 1080);
    document.documentElement.style.setProperty("--scale", String(factor));
  }
  window.addEventListener("resize", measure);
  measure();
})();

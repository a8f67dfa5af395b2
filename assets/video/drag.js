// Dragging cameras: whatever has draggable and data-camera-id can be dropped where cameras are taken, in any window.
(() => {
  "use strict";
  document.addEventListener("dragstart", (event) => {
    const source = event.target.closest?.("[draggable=true][data-camera-id]");
    if (!source) return;
    event.dataTransfer.setData("text/x-gridwall-camera", source.dataset.cameraId);
    event.dataTransfer.setData("text/plain", source.dataset.cameraName || source.textContent.trim());
    event.dataTransfer.effectAllowed = "copyMove";
  });
})();

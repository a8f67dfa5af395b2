// Cameras on the desk's map: Shift+M shows and hides them; a click or Enter on one opens its picture, on many goes nearer.
(() => {
  const desk = window.gridwall?.desk;
  if (!desk) return;
  const KEPT = "gridwall.desk.cameras";
  let picture = null;

  const open = (element) => {
    if (element.dataset.streams !== "true") return desk.say(desk.text("cameras.no_streams", { name: element.dataset.cameraName }));
    return desk.showCamera({ id: element.dataset.cameraId, name: element.dataset.cameraName, about: element.title, usable: true });
  };
  const turn = (on) => {
    if (on && !desk.can("cameras")) return desk.say(desk.text("denied", { role: desk.text(`role.${desk.facts.me.role}`) }), { bad: true });
    localStorage.setItem(KEPT, on ? "on" : "off");
    return picture.cameras.switch(on);
  };
  const pressed = (event) => {
    const element = event.target.closest(".camera-sign");
    if (!element || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "Enter") open(element);
    else if (!picture.cameras.travel(element, event.code)) return;
    event.preventDefault();
    event.stopPropagation();
  };

  /** A click on the map that hit no incident: whether it was for a camera. */
  desk.cameraClicked = ({ containerPoint, originalEvent }) => {
    const element = originalEvent?.target?.closest?.(".camera-sign");
    if (element) {
      open(element);
      return true;
    }
    const plate = picture?.cameras.plateAt(containerPoint);
    if (!plate || picture.locked) return Boolean(plate);
    picture.cameras.nearer(plate);
    return true;
  };

  desk.onStart("desk", () => {
    const wait = () => {
      picture = window.gridwallMap?.pictures?.[0];
      if (!picture?.cameras) return void setTimeout(wait, 100);
      picture.cameras.switched = turn;
      picture.cameras.signs.addEventListener("keydown", pressed);
      if (localStorage.getItem(KEPT) === "on" && desk.can("cameras")) picture.cameras.switch(true);
      return desk.key("Shift+KeyM", () => turn(!picture.cameras.on), () => ["queue", "drawer", "order", "orders"].includes(desk.mode()));
    };
    wait();
  });
})();

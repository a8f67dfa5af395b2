// What does not fit the canvas or cannot be read on it, in words; an empty list is a sound page.
([smallest, width, height]) => {
  const factor = Math.min(width / 1920, height / 1080);
  const told = [];
  const name = (one) => `${one.tagName}.${one.className} "${(one.textContent || "").slice(0, 30)}"`;
  if (document.documentElement.scrollHeight > height || document.documentElement.scrollWidth > width)
    told.push("the page scrolls");
  for (const one of document.querySelectorAll("#page *")) {
    const style = getComputedStyle(one);
    const box = one.getBoundingClientRect();
    if (style.visibility === "hidden" || style.display === "none" || !box.width || !box.height) continue;
    if (one.closest("[aria-hidden=true], .leaflet, .pulses")) continue;
    const text = [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!text) continue;
    const plot = one.closest(".plot-scale");
    const size = parseFloat(style.fontSize) * (plot ? factor : 1);
    if (size < smallest * factor - 0.1) told.push(`${name(one)} is ${size}px`);
    const air = 1 + size * 0.15; // a line's content area is taller than its letters
    if (box.left < -1 || box.top < -air || box.right > width + 1 || box.bottom > height + air)
      told.push(`${name(one)} leaves the canvas`);
    if (one.closest("svg")) continue;
    const cut = style.textOverflow === "ellipsis" && style.overflowX === "hidden";
    if (!cut && one.scrollWidth > one.clientWidth + 1 && style.display !== "inline") told.push(`${name(one)} is wider than its box`);
    for (let up = one.parentElement; up && up.id !== "page"; up = up.parentElement) {
      const outer = up.getBoundingClientRect();
      const clips = getComputedStyle(up);
      if (clips.overflowY === "hidden" && (box.bottom > outer.bottom + air || box.top < outer.top - air)) told.push(`${name(one)} is clipped by ${up.className}`);
      const ellipsis = clips.textOverflow === "ellipsis";
      if (clips.overflowX === "hidden" && !ellipsis && !one.closest(".cut") && box.right > outer.right + 1) told.push(`${name(one)} is cut by ${up.className}`);
    }
  }
  return told;
}

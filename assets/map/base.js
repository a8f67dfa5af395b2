// The base map: tiles below grids and marks, whose they are, and a quiet word while they are away. Nothing waits for them.
(function () {
  "use strict";
  const part = (window.gridwallMap = window.gridwallMap || {});
  const AGAIN = 20000; // ms after which tiles that did not come are asked for again

  class Base {
    // base: {matrix, datum, attribution, approval, min_zoom, max_zoom} of /api/v1/grids/about.
    constructor(map, section, base, say) {
      Object.assign(this, { section, base, say, missing: 0 });
      this.credit = section.querySelector(".legend-credit");
      this.layer = L.tileLayer("/tiles/{z}/{x}/{y}", {
        className: "base-tiles", minNativeZoom: base.min_zoom, maxNativeZoom: base.max_zoom, maxZoom: 24,
        keepBuffer: 1, updateWhenZooming: false, noWrap: true,
      });
      this.layer.on("tileload", () => this.came());
      this.layer.on("tileerror", () => this.failed());
      this.layer.addTo(map);
      this.tell();
    }

    came() {
      this.missing = 0;
      this.section.dataset.base = "on";
      this.tell();
    }

    failed() {
      this.missing += 1;
      this.later = this.later || setTimeout(() => {
        this.later = 0;
        this.layer.redraw();
      }, AGAIN);
      this.tell();
    }

    // What must be said stands there as soon as a single tile may.
    tell() {
      const whose = [this.base.attribution, this.base.approval || this.say("base_unapproved")].filter(Boolean).join(" · ");
      this.credit.textContent = this.missing ? `${whose} · ${this.say("base_away")}` : whose;
      this.credit.hidden = false;
    }
  }

  Object.assign(part, { Base });
})();

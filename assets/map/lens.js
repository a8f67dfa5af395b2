// The control of the heat (热力条件): window, type and urgency, one key each, and one step back to the default. It asks
// gridwall.look for another lens and shows the lens that is really shown. It is a view only: nothing is changed by it.
(function () {
  "use strict";
  const part = (window.gridwallMap = window.gridwallMap || {});
  const USUAL = { heat: "24h", type: "all", urgency: "all" };
  const KEYS = { KeyH: "heat", KeyT: "type", KeyE: "urgency" };
  const BACK = "KeyB";
  const LABELS = { heat: "lens.choose_window", type: "lens.choose_type", urgency: "lens.choose_urgency" };
  const SETTLE = 400; // ms after the last step before the server is asked: stepping past a choice asks for nothing

  class LensControl {
    constructor(section, say) {
      this.say = say;
      this.keys = KEYS; // code -> choice, for a page that hears keys by itself
      this.backKey = BACK;
      this.form = section.querySelector(".lens");
      this.choices = JSON.parse(section.dataset.choices);
      this.selects = {};
      this.wanted = null; // chosen by hand and not shown yet
      this.build();
      document.addEventListener("gridwall:lens", () => this.settled());
      if (document.documentElement.dataset.page === "wall") document.addEventListener("keydown", (event) => this.pressed(event));
      this.show();
    }

    build() {
      for (const [name, values] of Object.entries(this.choices)) {
        const select = document.createElement("select");
        select.append(...values.map(([value, text]) => new Option(text, value)));
        select.className = "lens-choice";
        select.title = this.say(LABELS[name]);
        select.setAttribute("aria-label", select.title);
        select.setAttribute("aria-keyshortcuts", Object.keys(KEYS).find((code) => KEYS[code] === name).slice(3));
        select.addEventListener("change", () => this.choose({ [name]: select.value }));
        this.selects[name] = select;
      }
      this.reset = document.createElement("button");
      this.reset.type = "button";
      this.reset.className = "lens-reset";
      this.reset.textContent = `↺ ${this.say("lens.reset")}`;
      this.reset.title = this.say("lens.choose_default");
      this.reset.setAttribute("aria-keyshortcuts", BACK.slice(3));
      this.reset.addEventListener("click", () => this.choose(USUAL));
      this.note = document.createElement("output");
      this.note.className = "lens-note cut";
      this.form.replaceChildren(...Object.values(this.selects), this.reset, this.note);
    }

    now() {
      return this.wanted || window.gridwall.lens();
    }

    choose(some) {
      this.wanted = { ...this.now(), ...some };
      this.show();
      clearTimeout(this.later);
      this.later = setTimeout(() => {
        const { heat, type, urgency } = this.wanted;
        window.gridwall.look({ heat, type, urgency });
      }, SETTLE);
    }

    // The next value of one choice, the one before with `by` -1.
    step(name, by = 1) {
      const values = this.choices[name].map(([value]) => value);
      this.choose({ [name]: values[(values.indexOf(this.now()[name]) + by + values.length) % values.length] });
    }

    back() {
      this.choose(USUAL);
    }

    pressed(event) {
      if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || event.target.closest("select, input")) return;
      if (event.code === BACK) this.back();
      else if (KEYS[event.code]) this.step(KEYS[event.code], event.shiftKey ? -1 : 1);
    }

    // The server has answered, for better or worse: what is shown is the choice again.
    settled() {
      clearTimeout(this.later);
      this.wanted = null;
      this.show();
    }

    show() {
      const lens = this.now();
      for (const [name, select] of Object.entries(this.selects)) {
        select.value = lens[name];
        select.dataset.set = String(lens[name] !== USUAL[name]);
      }
      this.reset.hidden = Object.keys(USUAL).every((name) => lens[name] === USUAL[name]);
      const { refused } = window.gridwall.lens();
      this.note.textContent = this.wanted ? this.say("lens.switching") : refused ? this.say(`lens.${refused}`) : "";
      this.note.dataset.refused = String(Boolean(!this.wanted && refused));
    }
  }

  Object.assign(part, { LensControl });
})();

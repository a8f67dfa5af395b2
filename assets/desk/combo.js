// A text field with a list of matches (ARIA combobox): types, grids. Arrow keys choose, Enter takes, Esc closes.
(() => {
  const desk = window.gridwall?.desk;
  if (!desk) return;
  const h = desk.h;
  const SHOWN = 8;
  let serial = 0;

  /** Matches of `text` among [code, name] pairs: the code from its start first, then the name anywhere. */
  desk.matches = (options, text, limit = SHOWN) => {
    const wanted = text.trim().toLowerCase();
    if (!wanted) return options.slice(0, limit);
    const found = [[], [], []];
    for (const option of options) {
      const [code, name] = option;
      const at = name.toLowerCase().indexOf(wanted);
      if (code.toLowerCase().startsWith(wanted) || (/^\d+$/.test(wanted) && code.endsWith(wanted))) found[0].push(option);
      else if (at === 0) found[1].push(option);
      else if (at > 0) found[2].push(option);
    }
    return found.flat().slice(0, limit);
  };

  /**
   * Make the field. `options()` returns [code, name] pairs; `taken(code)` is called when a choice is made or cleared.
   * Returns {element, input, value(), set(code)}.
   */
  desk.combo = ({ id, label, hint = "", options, taken = () => {}, describe = (code, name) => name }) => {
    serial += 1;
    const listId = `desk-combo-${serial}`;
    let code = "";
    let at = -1;
    let shown = [];
    const list = h("ul.desk-combo-list", { id: listId, role: "listbox", "aria-label": label, hidden: true });
    const input = h("input.desk-input", {
      id, type: "text", role: "combobox", autocomplete: "off", spellcheck: "false", placeholder: hint,
      "aria-label": label, "aria-expanded": "false", "aria-controls": listId, "aria-autocomplete": "list",
    });

    const hide = () => {
      list.hidden = true;
      at = -1;
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
    };
    const mark = () => {
      [...list.children].forEach((item, index) => item.setAttribute("aria-selected", String(index === at)));
      if (at >= 0) input.setAttribute("aria-activedescendant", `${listId}-${at}`);
      list.children[at]?.scrollIntoView({ block: "nearest" });
    };
    const open = () => {
      shown = desk.matches(options(), input.value);
      list.replaceChildren(...shown.map(([one, name], index) =>
        h("li", { id: `${listId}-${index}`, role: "option", onmousedown: (event) => { event.preventDefault(); take(index); } },
          h("span", {}, describe(one, name)), h("small", {}, one))));
      if (!shown.length) list.append(h("li.none", {}, desk.text("combo.none")));
      at = input.value && shown.length ? 0 : -1;
      list.hidden = false;
      input.setAttribute("aria-expanded", "true");
      mark();
    };
    const set = (one) => {
      code = one || "";
      const name = (options().find(([other]) => other === code) || [code, code])[1];
      input.value = code ? describe(code, name) : "";
      hide();
    };
    const take = (index) => {
      set(shown[index][0]);
      taken(code);
    };

    input.addEventListener("input", () => {
      if (code) { code = ""; taken(""); }
      open();
    });
    input.addEventListener("blur", () => {
      hide();
      if (!code && !input.dataset.free) input.value = "";
    });
    input.addEventListener("keydown", (event) => {
      if (event.isComposing) return;
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        if (list.hidden) return open();
        at = (at + (event.key === "ArrowDown" ? 1 : -1) + shown.length) % Math.max(shown.length, 1);
        mark();
      } else if (event.key === "Enter" && !event.ctrlKey && !list.hidden && shown.length) {
        event.preventDefault(); // and a form goes on to its next field
        take(Math.max(at, 0));
      } else if (event.key === "Escape" && !list.hidden) {
        event.preventDefault();
        event.stopPropagation();
        hide();
      }
    });
    return { element: h("div.desk-combo", {}, input, list), input, value: () => code, set };
  };
})();

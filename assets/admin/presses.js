/* Presses of buttons in lists that are drawn anew now and then. Dash forgets an answer that is on its way when the button
   that asked for it is replaced; a store that stays takes the press at once and asks in its stead. */
(() => {
  "use strict";

  let count = 0;
  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.presses = {
    taken: () => {
      const { no_update: nothing, callback_context: context } = window.dash_clientside;
      const pressed = (context.triggered || []).find((one) => one.value);
      if (!pressed) return nothing; // drawn anew, not pressed
      return { ...JSON.parse(pressed.prop_id.slice(0, pressed.prop_id.lastIndexOf("."))), press: (count += 1) };
    },
  };
})();

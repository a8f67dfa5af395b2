/* Puts what a wall's panel says straight into the page. Dash visits every component of the page for each `set_props`,
   which costs a busy wall most of its frame; on a wall nothing calls back, so plain HTML need not pass through it.
   What is no plain HTML (a plot) still goes by `set_props`. */
(() => {
  "use strict";

  const HTML = "dash_html_components";
  const NAMES = /^(children|className|hidden|title|role|key|id|(data|aria)-[\w-]+)$/;
  const given = new WeakMap(); // element -> the props it was last given

  const plainProps = (props) => Object.keys(props).every((name) => NAMES.test(name)) && plain(props.children);
  function plain(value) {
    if (value === null || typeof value !== "object") return true;
    if (Array.isArray(value)) return value.every(plain);
    return value.namespace === HTML && plainProps(value.props);
  }

  // Give an element these props; returns false when they are not plain HTML.
  function show(element, props) {
    if (!plainProps(props)) return false;
    give(element, { ...given.get(element), ...props });
    return true;
  }

  function give(element, props) {
    const before = given.get(element) || {};
    for (const name of Object.keys(before)) if (!(name in props)) set(element, name, null);
    for (const [name, value] of Object.entries(props)) if (before[name] !== value) set(element, name, value);
    given.set(element, props);
  }

  function set(element, name, value) {
    if (name === "children") fill(element, value);
    else if (name === "hidden") element.hidden = Boolean(value);
    else if (name !== "key") {
      const attribute = name === "className" ? "class" : name;
      if (value === null || value === undefined) element.removeAttribute(attribute);
      else element.setAttribute(attribute, value);
    }
  }

  // Children that carry a key keep their element, and with it their age and motion, wherever they move.
  function fill(element, children) {
    if (children === null || typeof children !== "object") {
      const text = children === null || children === undefined ? "" : String(children);
      if (element.firstElementChild || element.textContent !== text) element.textContent = text;
      return;
    }
    const wanted = (Array.isArray(children) ? children : [children]).filter((one) => one !== null);
    const old = [...element.childNodes];
    const keyed = new Map(old.filter((one) => given.get(one)?.key).map((one) => [given.get(one).key, one]));
    const free = old.filter((one) => !given.get(one)?.key);
    const now = wanted.map((one) => node(one, keyed.get(one.props?.key) || (one.props?.key ? null : free.shift())));
    for (const one of old) if (!now.includes(one)) one.remove();
    now.forEach((one, at) => {
      if (element.childNodes[at] !== one) element.insertBefore(one, element.childNodes[at] || null);
    });
  }

  function node(wanted, old) {
    if (typeof wanted !== "object") {
      if (old?.nodeType !== Node.TEXT_NODE) return document.createTextNode(String(wanted));
      if (old.data !== String(wanted)) old.data = String(wanted);
      return old;
    }
    const tag = wanted.type.toUpperCase();
    const one = old?.nodeName === tag ? old : document.createElement(tag);
    give(one, wanted.props);
    return one;
  }

  window.gridwallDom = { show };
})();

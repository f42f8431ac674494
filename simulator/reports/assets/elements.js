"use strict";
// How is the page built?  Elements whose text is text: nothing of the data is read as markup.

const SVG = "http://www.w3.org/2000/svg";

// An element with properties or attributes, and children that are elements or text.
function make(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

function draw(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

// A choice among several names; calls back with the index of the chosen one.
function choice(label, names, chosen, changed) {
  const select = make("select", { onchange: () => changed(select.selectedIndex) });
  names.forEach((name, at) => select.append(make("option", { selected: at === chosen }, name)));
  return make("label", { class: "choice" }, `${label} `, select);
}

// A button that is pressed or not.
function toggle(content, pressed, changed, attributes = {}) {
  const button = make("button", { type: "button", "aria-pressed": String(pressed), ...attributes }, ...content);
  button.addEventListener("click", () => {
    pressed = !pressed;
    button.setAttribute("aria-pressed", pressed);
    changed(pressed);
  });
  return button;
}

// Draw now, and at most once per frame when asked again; also at another width or in other colours.
function redrawn(element, paint) {
  let asked = false;
  const ask = () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => { asked = false; paint(); });
  };
  let width = 0;
  new ResizeObserver(() => {
    if (element.clientWidth !== width) ask();
    width = element.clientWidth;
  }).observe(element);
  onTheme(paint);
  paint();
  return ask;
}

const DIGITS = new Intl.NumberFormat("en", { maximumSignificantDigits: 4 });
const EXACT = new Intl.NumberFormat("en", { maximumSignificantDigits: 7 });

function written(value, format = DIGITS) {
  if (!Number.isFinite(value)) return value > 0 ? "never" : "\u2013";
  const size = Math.abs(value); // no minus sign for a negative zero
  if (size && (size < 1e-4 || size >= 1e9)) return value.toExponential(2);
  return (Number.isInteger(value) ? EXACT : format).format(size ? value : 0);
}

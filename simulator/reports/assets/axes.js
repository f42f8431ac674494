"use strict";
// Which axes does a chart have?  Scales, ticks, and how they are drawn.

// A scale from values to pixels; its inverse is `back`.
function scale(low, high, from, to, logarithmic = false) {
  if (!(high > low)) [low, high] = logarithmic ? [low / 2 || 0.5, low * 2 || 2] : [low - 0.5, low + 0.5];
  const into = logarithmic ? Math.log : (value) => value;
  const out = logarithmic ? Math.exp : (value) => value;
  const [a, b] = [into(low), into(high)];
  const map = (value) => from + ((into(value) - a) / (b - a)) * (to - from);
  map.back = (pixel) => out(a + ((pixel - from) / (to - from)) * (b - a));
  return Object.assign(map, { low, high, logarithmic });
}

// Round numbers between the ends of a scale, about as many as wanted.
function ticksOf({ low, high, logarithmic }, wanted) {
  const decades = logarithmic ? Math.log10(high / low) : 0;
  if (decades > 1) return powers(low, high, decades, wanted);
  const rough = (high - low) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].find((each) => each * power >= rough) * power;
  const ticks = [];
  for (let at = Math.ceil(low / step - 1e-9); at * step <= high * (1 + 1e-9) + 1e-300; at++)
    ticks.push(at * step);
  return ticks;
}

function powers(low, high, decades, wanted) {
  const parts = decades < 2.5 ? [1, 2, 5] : [1];
  const every = Math.max(1, Math.ceil(decades / wanted));
  const ticks = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++)
    if (power % every === 0) ticks.push(...parts.map((part) => part * 10 ** power));
  return ticks.filter((tick) => tick >= low * 0.999 && tick <= high * 1.001);
}

const MARGIN = { left: 62, right: 16, top: 12, bottom: 42 };

// The axes of a chart as a group: ticks with numbers, faint lines, and names.
function axesOf(x, y, width, height, names) {
  const [right, bottom] = [width - MARGIN.right, height - MARGIN.bottom];
  const group = draw("g", { class: "axes", "aria-hidden": "true" });
  for (const tick of ticksOf(y, height / 55)) {
    group.append(
      draw("line", { class: "grid", x1: MARGIN.left, x2: right, y1: y(tick), y2: y(tick) }),
      draw("text", { x: MARGIN.left - 7, y: y(tick) + 4, "text-anchor": "end" }, written(tick)),
    );
  }
  for (const tick of ticksOf(x, width / 110)) {
    group.append(
      draw("line", { x1: x(tick), x2: x(tick), y1: bottom, y2: bottom + 5 }),
      draw("text", { x: x(tick), y: bottom + 18, "text-anchor": "middle" }, written(tick)),
    );
  }
  const middle = (MARGIN.top + bottom) / 2;
  group.append(
    draw("line", { x1: MARGIN.left, x2: right, y1: bottom, y2: bottom }),
    draw("text", { class: "name", x: (MARGIN.left + right) / 2, y: height - 6, "text-anchor": "middle" }, names[0]),
    draw("text", { class: "name", transform: `translate(14 ${middle}) rotate(-90)`, "text-anchor": "middle" }, names[1]),
  );
  return group;
}

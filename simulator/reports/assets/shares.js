"use strict";
// Where did each worker's seconds go?  Stacked shares, a column per worker, a chart per method.

const SHARES = 150; // pixels of a chart

async function shares(place, content) {
  const columns = await unpack(content.columns);
  const kinds = content.parts.map((part) => part.name);
  const legend = make("div", { class: "controls legend" });
  for (const part of content.parts) legend.append(make("span", {}, keyOf(part.name, kinds), part.label));
  const charts = make("div", { class: "grid" });
  place.append(legend, charts);
  if (content.note) place.append(make("p", { class: "note" }, content.note));
  content.methods.forEach((method, at) => {
    const canvas = make("div", { class: "chart" });
    charts.append(make("div", {}, make("h4", {}, method), canvas));
    const parts = content.parts.map((part) => ({ ...part, values: columns[`${at}/${part.name}`] }));
    const tooltip = tooltipOf(canvas);
    redrawn(canvas, () => {
      canvas.querySelector("svg")?.remove();
      canvas.prepend(sharesOf(content.workers, parts, kinds, method, canvas, tooltip));
    });
  });
}

// A square in the colour and with the marks of a kind.
function keyOf(kind, kinds) {
  const canvas = make("canvas", { width: 28, height: 24, class: "key", "aria-hidden": "true" });
  const paint = () => {
    const pixels = canvas.getContext("2d").createImageData(28, 24);
    const [plain, marked] = coloursOf(kind, kinds);
    const marks = MARKS[lookOf(kind, kinds).marks] ?? null;
    const words = new Uint32Array(pixels.data.buffer);
    words.forEach((_, at) => { words[at] = marks && marks(at % 28, Math.floor(at / 28)) ? marked : plain; });
    canvas.getContext("2d").putImageData(pixels, 0, 0);
  };
  paint();
  onTheme(paint);
  return canvas;
}

function sharesOf(workers, parts, kinds, method, canvas, tooltip) {
  const [width, height, bottom] = [canvas.clientWidth, SHARES, SHARES - 22];
  const x = scale(0, workers.length, 44, width - 4);
  const svg = draw("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", tabindex: 0, "aria-label": `Shares of the time of each worker, ${method}. Arrows move between workers.` });
  const sums = new Float64Array(workers.length);
  for (const part of parts) {
    const before = Float64Array.from(sums);
    part.values.forEach((value, at) => { sums[at] += value; });
    svg.append(draw("path", { d: areaOf(x, before, sums, bottom), fill: lookOf(part.name, kinds).colour }));
  }
  for (const share of [0, 0.5, 1]) {
    const y = bottom - share * (bottom - 6);
    svg.append(draw("text", { x: 38, y: y + 4, "text-anchor": "end" }, `${100 * share}%`));
  }
  const every = Math.ceil(workers.length / Math.max(2, width / 60));
  workers.forEach((worker, at) => {
    if (at % every === 0) svg.append(draw("text", { x: x(at + 0.5), y: height - 6, "text-anchor": "middle" }, `${worker}`));
  });
  let chosen = -1;
  const show = (at) => {
    chosen = Math.max(0, Math.min(workers.length - 1, at));
    const lines = parts.map((part) => ({ colour: lookOf(part.name, kinds).colour, text: `${part.label}: ${(100 * part.values[chosen]).toFixed(1)}%` }));
    tooltip.show(x(chosen + 0.5), 10, [`worker ${workers[chosen]}`, ...lines]);
  };
  svg.addEventListener("pointermove", (event) => show(Math.floor(x.back(placeOf(event, svg)[0]))));
  svg.addEventListener("pointerleave", () => tooltip.hide());
  svg.addEventListener("blur", () => tooltip.hide());
  svg.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by) { event.preventDefault(); show(chosen + by); }
  });
  return svg;
}

// The area between two stacks; narrow gaps separate a few workers.
function areaOf(x, low, high, bottom) {
  const gap = low.length <= 60 ? 1 : 0;
  const y = (share) => (bottom - share * (bottom - 6)).toFixed(1);
  let path = "";
  low.forEach((share, at) => {
    if (high[at] - share < 1e-6) return;
    const [left, right] = [x(at).toFixed(1), (x(at + 1) - gap).toFixed(1)];
    path += `M${left} ${y(share)}V${y(high[at])}H${right}V${y(share)}Z`;
  });
  return path;
}

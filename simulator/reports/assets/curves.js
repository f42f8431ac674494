"use strict";
// A chart of curves: pick both axes, methods and seeds; point at it, or move a cursor, for values.

const FEW = 20; // points that are dots

async function curves(place, content) {
  const columns = await unpack(content.columns);
  const runs = runsOf(content, columns);
  const methods = [...new Set(runs.map((run) => run.method))];
  const seeds = [...new Set(runs.map((run) => run.seed))];
  const state = { x: 0, y: 0, log: {}, hidden: new Set(), without: new Set(), cursor: null };
  const canvas = make("div", { class: "chart" });
  let ask = () => {};
  place.append(controls(content, state, methods, seeds, () => ask()), canvas);
  if (content.note) place.append(make("p", { class: "note" }, content.note));
  const tooltip = tooltipOf(canvas);
  let drawn = null;
  ask = redrawn(canvas, () => {
    drawn = chartOf(content, state, runs, methods, canvas.clientWidth);
    canvas.querySelector("svg")?.remove();
    canvas.prepend(drawn.svg);
    listen(drawn, canvas, state, tooltip);
  });
}

function controls(content, state, methods, seeds, ask) {
  const { x, y, looks } = content;
  const bar = make("div", { class: "controls" });
  const pick = (key) => (at) => { state[key] = at; state.log = {}; ask(); };
  if (y.length > 1) bar.append(choice("Show", y.map((axis) => axis.label), 0, pick("y")));
  if (x.length > 1) bar.append(choice("against", x.map((axis) => axis.label), 0, pick("x")));
  const flip = (key) => () => { state.log[key] = !isLogarithmic(content, state, key); ask(); };
  bar.append(make("button", { type: "button", onclick: flip("x"), title: "Linear or logarithmic" }, "log x"));
  bar.append(make("button", { type: "button", onclick: flip("y"), title: "Linear or logarithmic" }, "log y"));
  const names = make("div", { class: "controls", role: "group", "aria-label": "Methods" });
  for (const method of methods)
    names.append(toggle([swatch(looks[method]), method], true, (on) => pickOf(state.hidden, method, on, ask)));
  const numbers = make("div", { class: "controls", role: "group", "aria-label": "Seeds" }, "Seeds ");
  for (const seed of seeds)
    numbers.append(toggle([seed], true, (on) => pickOf(state.without, seed, on, ask)));
  return make("div", {}, bar, names, seeds.length > 1 ? numbers : null);
}

function pickOf(left, name, on, ask) {
  if (on) left.delete(name);
  else left.add(name);
  ask();
}

function swatch(look) {
  const line = draw("line", { x1: 0, x2: 28, y1: 5, y2: 5, "stroke-width": 2.4, class: "themed" });
  line.setAttribute("stroke", themed(look.colour));
  line.setAttribute("stroke-dasharray", look.dashes.join(" "));
  onTheme(() => line.setAttribute("stroke", themed(look.colour)));
  return draw("svg", { width: 28, height: 10, "aria-hidden": "true" }, line);
}

function isLogarithmic(content, state, key) {
  return state.log[key] ?? content[key][state[key]].logarithmic;
}

function chartOf(content, state, runs, methods, width) {
  const [x, y] = [content.x[state.x], content.y[state.y]];
  const height = Math.round(Math.max(240, Math.min(420, width * 0.42)));
  const shown = methods.filter((method) => !state.hidden.has(method)).map((method) => {
    const own = runs.filter((run) => run.method === method && !state.without.has(run.seed));
    return { method, look: content.looks[method], band: bandOf(own, x.name, y.name, y.held, content.middle) };
  });
  const levels = content.levels.filter((level) => level.of === y.name);
  const scales = scalesOf(shown, levels, width, height, [isLogarithmic(content, state, "x"), isLogarithmic(content, state, "y")]);
  const name = `${y.label} against ${x.label}. Left and right arrows move a cursor.`;
  const svg = draw("svg", { width, height, viewBox: `0 0 ${width} ${height}`, tabindex: 0, role: "img", "aria-label": name });
  svg.append(axesOf(...scales, width, height, [x.label, y.label]));
  const lines = levels.map((level) => lineAt(level, scales[1], width));
  svg.append(...lines.map(([line]) => line));
  for (const each of shown) svg.append(...curveOf(each, scales, y.held));
  svg.append(...lines.map(([, text]) => text));
  svg.append(draw("line", { class: "cursor", y1: MARGIN.top, y2: height - MARGIN.bottom, visibility: "hidden" }));
  return { svg, shown, scales, x, y };
}

function scalesOf(shown, levels, width, height, logs) {
  const values = [[], []];
  for (const { band } of shown) {
    values[0].push(...band.x);
    values[1].push(...band.low, ...band.high, ...band.middle);
  }
  values[1].push(...levels.map((level) => level.value));
  const ends = values.map((each, axis) => endsOf(each, logs[axis]));
  if (!logs[0] && ends[0][0] > 0 && ends[0][0] < ends[0][1] / 3) ends[0][0] = 0;
  return [
    scale(...ends[0], MARGIN.left, width - MARGIN.right, logs[0]),
    scale(...padded(ends[1], logs[1]), height - MARGIN.bottom, MARGIN.top, logs[1]),
  ];
}

function endsOf(values, logarithmic) {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values)
    if (Number.isFinite(value) && (!logarithmic || value > 0)) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
  return low <= high ? [low, high] : logarithmic ? [1, 10] : [0, 1];
}

function padded([low, high], logarithmic) {
  if (logarithmic) return [low / (high / low) ** 0.04, high * (high / low) ** 0.04];
  const more = 0.04 * (high - low);
  return [low - (low >= 0 && low < more ? low : more), high + more];
}

// The line of a level, and its text, which stays legible above the curves.
function lineAt(level, y, width) {
  const at = y(level.value);
  return [
    draw("line", { class: "level", x1: MARGIN.left, x2: width - MARGIN.right, y1: at, y2: at }),
    draw("text", { class: "level", x: width - MARGIN.right, y: at - 4, "text-anchor": "end" }, level.label),
  ];
}

function curveOf({ look, band }, [x, y], held) {
  const clip = (value) => (y.logarithmic && value <= 0 ? y.low : value);
  const points = [...band.x.keys()].filter((at) => !x.logarithmic || band.x[at] > 0);
  const path = (values, order, begin) => {
    let text = "", before = null;
    for (const at of order) {
      if (!Number.isFinite(values[at])) { before = null; continue; }
      const [left, top] = [x(band.x[at]).toFixed(1), y(clip(values[at])).toFixed(1)];
      text += before === null ? `${text ? "M" : begin}${left} ${top}` : held ? `${begin === "M" ? `H${left}V${top}` : `V${top}H${left}`}` : `L${left} ${top}`;
      before = top;
    }
    return text;
  };
  const colour = themed(look.colour);
  const area = `${path(band.high, points, "M")}${path(band.low, [...points].reverse(), "L")}Z`;
  const line = path(band.middle, points, "M");
  const drawn = [draw("path", { d: line, fill: "none", stroke: colour, "stroke-width": 2, "stroke-dasharray": look.dashes.join(" ") })];
  if (points.length === 1 || (!held && points.length <= FEW))
    for (const at of points.filter((each) => Number.isFinite(band.middle[each])))
      drawn.push(draw("circle", { cx: x(band.x[at]), cy: y(clip(band.middle[at])), r: 3.5, fill: colour }));
  if (area.length > 1 && band.high.some((high, at) => high > band.low[at]))
    drawn.unshift(draw("path", { d: area, fill: colour, "fill-opacity": 0.16 }));
  return drawn;
}

// The pointer and the keyboard move a vertical line; the note has the values of all curves there.
function listen(drawn, canvas, state, tooltip) {
  const { svg, scales: [x] } = drawn;
  const [left, right] = [MARGIN.left, canvas.clientWidth - MARGIN.right];
  const show = (pixel, top) => {
    state.cursor = Math.max(left, Math.min(right, pixel));
    const line = svg.querySelector(".cursor");
    for (const end of ["x1", "x2"]) line.setAttribute(end, state.cursor);
    line.setAttribute("visibility", "visible");
    tooltip.show(state.cursor, top, valuesAt(drawn, x.back(state.cursor)));
  };
  const hide = () => { svg.querySelector(".cursor").setAttribute("visibility", "hidden"); tooltip.hide(); };
  svg.addEventListener("pointermove", (event) => show(...placeOf(event, svg)));
  svg.addEventListener("pointerleave", hide);
  svg.addEventListener("blur", hide);
  svg.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.key === "Escape") hide();
    if (!by) return;
    event.preventDefault();
    show((state.cursor ?? left) + by * (event.shiftKey ? 40 : 8), MARGIN.top);
  });
}

function valuesAt({ shown, x, y }, place) {
  const lines = shown.map(({ method, look, band }) => {
    let at = band.x.findLastIndex((each) => each <= place);
    if (!y.held && at + 1 < band.x.length && band.x[at + 1] - place < place - band.x[at]) at++;
    if (at < 0 || !Number.isFinite(band.middle[at])) return null;
    const wide = band.high[at] > band.low[at] ? ` (${written(band.low[at])} to ${written(band.high[at])})` : "";
    return { colour: themed(look.colour), value: band.middle[at], text: `${method}: ${written(band.middle[at])}${wide}` };
  });
  const known = lines.filter((line) => line).sort((a, b) => b.value - a.value);
  return [`${x.label}: ${written(place)}`, ...known];
}

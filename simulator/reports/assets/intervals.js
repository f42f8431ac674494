"use strict";
// Intervals to compare: a line per interval, its middle, and a ring per seed below it.

const [ROW, NAMES, GROUP] = [34, 170, 26]; // pixels

function intervals(place, content) {
  const canvas = make("div", { class: "chart" });
  place.append(canvas);
  redrawn(canvas, () => canvas.replaceChildren(intervalsOf(content, canvas.clientWidth)));
}

function intervalsOf(content, width) {
  const groups = [...new Set(content.bars.map((bar) => bar.group))];
  const named = groups.filter((group) => group).length;
  const bottom = MARGIN.top + ROW * content.bars.length + GROUP * named;
  const height = bottom + MARGIN.bottom;
  const x = scaleOf(content, width);
  const svg = draw("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": content.label });
  for (const tick of ticksOf(x, width / 140))
    svg.append(
      draw("line", { class: "grid", x1: x(tick), x2: x(tick), y1: MARGIN.top, y2: bottom }),
      draw("text", { x: x(tick), y: bottom + 18, "text-anchor": "middle" }, written(tick)),
    );
  if (content.reference !== null)
    svg.append(draw("line", { class: "level", x1: x(content.reference), x2: x(content.reference), y1: MARGIN.top, y2: bottom }));
  svg.append(draw("text", { class: "name", x: (NAMES + width) / 2, y: height - 6, "text-anchor": "middle" }, content.label));
  let top = MARGIN.top;
  for (const group of groups) {
    if (group) svg.append(draw("text", { class: "name", x: 0, y: (top += GROUP) - 8 }, group));
    for (const bar of content.bars.filter((each) => each.group === group)) {
      svg.append(...barOf(bar, content.looks[bar.method], x, top + ROW / 2, width));
      top += ROW;
    }
  }
  return svg;
}

function scaleOf({ bars, logarithmic, reference }, width) {
  const known = bars.flatMap((bar) => [bar.low, bar.middle, bar.high, ...bar.dots, reference]);
  const [low, high] = endsOf(known.filter((value) => value !== null), logarithmic);
  const [first, last] = logarithmic ? padded([low, high], true) : [Math.min(0, low), high * 1.04];
  return scale(first, last, NAMES, width - 110, logarithmic);
}

// No end of an interval: it reaches as far as the axis, since some seed never gets there.
function barOf(bar, look, x, y, width) {
  const colour = themed(look.colour);
  const [low, high] = [bar.low ?? bar.middle, bar.high ?? x.high];
  const line = { x1: x(low), x2: x(high), y1: y - 4, y2: y - 4, stroke: colour, "stroke-width": 4 };
  const text = `${written(bar.middle)}${bar.note ? `, ${bar.note}` : ""}`;
  return [
    draw("text", { x: NAMES - 10, y, "text-anchor": "end" }, bar.method),
    draw("line", line),
    ...(bar.high === null ? [draw("text", { x: x(high) + 2, y: y + 1, fill: colour }, "\u2192")] : []),
    draw("circle", { cx: x(bar.middle), cy: y - 4, r: 6, fill: colour, class: "middle" }),
    ...bar.dots.map((dot) => draw("circle", { cx: x(dot), cy: y + 8, r: 3, fill: "none", stroke: colour })),
    draw("text", { class: "note", x: width - 4, y, "text-anchor": "end" }, text),
  ];
}

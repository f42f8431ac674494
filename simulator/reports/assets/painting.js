"use strict";
// How is the timeline painted?  Slices as pixels, then steps, numbers, names and the selection.

function paintTimeline(surface, box, state) {
  const [ratio, { view, order }] = [density(), state];
  const rows = Math.max(LEAST, Math.min(MOST, TALLEST * order.length));
  const size = { width: box.clientWidth - GUTTER, height: order.length < LEAST / TALLEST ? TALLEST * order.length : rows };
  state.size = size;
  resize(surface, box.clientWidth, size.height + STEPS + RULER, ratio);
  const context = surface.getContext("2d");
  const image = imageOf(state, context, Math.round(size.width * ratio), Math.round(size.height * ratio));
  raster(image, state.lanes, order, state.paint, view, ratio);
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, surface.width, surface.height);
  context.putImageData(image, Math.round(GUTTER * ratio), Math.round(STEPS * ratio));
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.font = "12px system-ui, sans-serif";
  context.fillStyle = context.strokeStyle = styled("--ink");
  const x = scale(view.from, view.until, GUTTER, GUTTER + size.width);
  paintSteps(context, state, x);
  paintNumbers(context, state, x);
  paintNames(context, state, x);
  if (state.chosen >= 0) paintChosen(context, state, x);
  surface.setAttribute("aria-label", `Timeline of ${state.name}, ${written(view.from)} to ${written(view.until)} s`);
}

function resize(surface, width, height, ratio) {
  const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (surface.width === wide && surface.height === high) return;
  [surface.width, surface.height] = [wide, high];
  [surface.style.width, surface.style.height] = [`${width}px`, `${height}px`];
}

// The same array of pixels for every frame of a size.
function imageOf(state, context, width, height) {
  if (state.image?.width !== width || state.image?.height !== height)
    state.image = context.createImageData(Math.max(1, width), Math.max(1, height));
  return state.image;
}

// A mark above the rows at every server step; a few are lines through the rows.
function paintSteps(context, { lanes, view, size }, x) {
  const within = lanes.steps.filter((time) => time >= view.from && time <= view.until);
  const bottom = within.length <= size.width / 24 ? STEPS + size.height : STEPS - 2;
  let last = -1;
  context.globalAlpha = 0.75;
  for (const time of within) {
    const at = Math.round(x(time));
    if (at !== last) context.fillRect(at - 0.5, 1, 1, bottom - 1);
    last = at;
  }
  context.globalAlpha = 1;
}

function paintNumbers(context, { view, size, order, content }, x) {
  context.textAlign = "center";
  const bottom = STEPS + size.height;
  for (const tick of ticksOf({ low: view.from, high: view.until }, size.width / 110)) {
    context.fillRect(x(tick) - 0.5, bottom, 1, 5);
    context.fillText(`${written(tick, EXACT)} s`, Math.min(x(tick), GUTTER + size.width - 18), bottom + 19);
  }
  context.textAlign = "right";
  const row = size.height / view.rows;
  const every = Math.max(1, Math.ceil(15 / row));
  for (let at = Math.ceil(view.top); at < Math.min(order.length, view.top + view.rows); at += every) {
    const y = STEPS + (at - view.top + 0.5) * row;
    if (y < STEPS + size.height) context.fillText(`${content.workers[order[at]]}`, GUTTER - 8, y + 4);
  }
}

// The ticket of each computation that has room for it.
function paintNames(context, { view, size, order, lanes, content }, x) {
  const row = size.height / view.rows;
  if (row < 15) return;
  context.textAlign = "left";
  for (let place = Math.floor(view.top); place < Math.min(order.length, view.top + view.rows); place++) {
    const lane = order[place];
    for (let at = after(lanes, lane, view.from); at < lanes.first[lane + 1] && lanes.start[at] < view.until; at++) {
      const [left, right] = [Math.max(x(lanes.start[at]), GUTTER), Math.min(x(lanes.finish[at]), GUTTER + size.width)];
      const kind = content.kinds[lanes.kind[at]];
      if (right - left < LABELLED || !kind.ticket) continue;
      const text = `${content.workers[lane]}.${lanes.version[at]}.${lanes.index[at]}`;
      const y = STEPS + (place - view.top + 0.5) * row + 4;
      context.fillStyle = styled("--paper");
      context.fillRect(left + 4, y - 11, context.measureText(text).width + 6, 15);
      context.fillStyle = styled("--ink");
      context.fillText(text, left + 7, y);
    }
  }
}

function paintChosen(context, { view, size, lanes, chosen, place }, x) {
  const row = size.height / view.rows;
  const [left, right] = [x(lanes.start[chosen]), x(lanes.finish[chosen])];
  context.lineWidth = 3;
  context.strokeRect(left - 1, STEPS + (place - view.top) * row - 1, Math.max(3, right - left + 1), Math.max(3, row));
}

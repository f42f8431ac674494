"use strict";
// How does a reader move in the timeline?  With a pointer, a wheel, and keys.

function handle(surface, state, tooltip, ask) {
  const spot = (event) => {
    const [x, y] = placeOf(event, surface);
    return { x, y, ...valueOf(state, x, y) };
  };
  surface.addEventListener("pointerdown", (event) => {
    surface.setPointerCapture(event.pointerId);
    state.dragged = { ...spot(event), view: { ...state.view } };
  });
  surface.addEventListener("pointerup", () => { state.dragged = null; });
  surface.addEventListener("pointermove", (event) => {
    const at = spot(event);
    if (state.dragged && event.buttons) { pan(state, at); tooltip.hide(); ask(); return; }
    const found = sliceAt(state.lanes, state.order[at.place] ?? -1, at.time, 2 / at.scaled);
    if (found < 0 || at.x < GUTTER) tooltip.hide();
    else tooltip.show(at.x, at.y, linesOf(state, found, state.order[at.place]));
  });
  surface.addEventListener("pointerleave", () => { if (state.chosen < 0) tooltip.hide(); });
  surface.addEventListener("dblclick", (event) => { zoom(state.view, 0.5, spot(event).across); ask(); });
  surface.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey && !event.shiftKey) return; // the page scrolls
    event.preventDefault();
    const [by, at] = [event.deltaY || event.deltaX, spot(event)];
    const factor = Math.exp(Math.max(-1, Math.min(1, by / 300)));
    if (event.shiftKey) heighten(state.view, factor, at.down);
    else zoom(state.view, factor, at.across);
    ask();
  }, { passive: false });
  surface.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !pressed(event.key, state)) return;
    event.preventDefault();
    if (state.chosen >= 0) announce(state, tooltip);
    else tooltip.hide();
    ask();
  });
}

// What is at these pixels: seconds, a row, and how far across the view.
function valueOf(state, x, y) {
  const { view, size } = state;
  const [across, down] = [(x - GUTTER) / size.width, (y - STEPS) / size.height];
  const time = view.from + across * (view.until - view.from);
  return { across, down, time, place: Math.floor(view.top + down * view.rows), scaled: size.width / (view.until - view.from) };
}

function pan(state, at) {
  const { x, y, view } = state.dragged;
  const [span, { width, height }] = [view.until - view.from, state.size];
  state.view.from = view.from - ((at.x - x) / width) * span;
  state.view.until = state.view.from + span;
  state.view.top = view.top - ((at.y - y) / height) * view.rows;
}

// A key: whether it means something here.
function pressed(key, state) {
  const { view } = state;
  const span = view.until - view.from;
  const acts = {
    "+": () => zoom(view, 0.6, 0.5),
    "=": () => zoom(view, 0.6, 0.5),
    "-": () => zoom(view, 1 / 0.6, 0.5),
    PageUp: () => heighten(view, 0.6, 0.5),
    PageDown: () => heighten(view, 1 / 0.6, 0.5),
    Home: () => whole(state),
    0: () => whole(state),
    Enter: () => choose(state),
    Escape: () => { state.chosen = -1; },
    ArrowLeft: () => shift(state, -0.15 * span),
    ArrowRight: () => shift(state, 0.15 * span),
    ArrowUp: () => { view.top -= Math.max(1, 0.15 * view.rows); },
    ArrowDown: () => { view.top += Math.max(1, 0.15 * view.rows); },
  };
  if (state.chosen >= 0) {
    acts.ArrowLeft = () => next(state, -1);
    acts.ArrowRight = () => next(state, 1);
    acts.ArrowUp = () => neighbour(state, -1);
    acts.ArrowDown = () => neighbour(state, 1);
  }
  acts[key]?.();
  return key in acts;
}

function shift(state, seconds) {
  state.view.from += seconds;
  state.view.until += seconds;
}

// Select the computation in the middle of the view, or the first one of the row.
function choose(state) {
  const { view, lanes, order } = state;
  state.place = Math.floor(view.top + view.rows / 2);
  select(state, after(lanes, order[state.place], (view.from + view.until) / 2));
}

function next(state, by) {
  select(state, state.chosen + by);
}

function neighbour(state, by) {
  const time = state.lanes.start[state.chosen];
  state.place = Math.max(0, Math.min(state.order.length - 1, state.place + by));
  select(state, after(state.lanes, state.order[state.place], time));
}

// Select a slice of the row in question, and bring it into view.
function select(state, slice) {
  const { lanes, order, view } = state;
  const lane = order[state.place];
  const [first, last] = [lanes.first[lane], lanes.first[lane + 1] - 1];
  if (last < first) return;
  state.chosen = Math.max(first, Math.min(last, slice));
  const [start, finish] = [lanes.start[state.chosen], lanes.finish[state.chosen]];
  const span = view.until - view.from;
  if (start < view.from || finish > view.until) shift(state, (start + finish) / 2 - view.from - span / 2);
  if (state.place < view.top || state.place + 1 > view.top + view.rows) view.top = state.place - view.rows / 2;
}

function announce(state, tooltip) {
  bound(state);
  const { view, size, lanes, chosen, place } = state;
  const x = GUTTER + ((Math.max(lanes.start[chosen], view.from) - view.from) / (view.until - view.from)) * size.width;
  const y = STEPS + ((place + 1 - view.top) / view.rows) * size.height;
  tooltip.show(x, y, linesOf(state, chosen, state.order[place]));
}

// What is known of a slice.
function linesOf(state, at, lane) {
  const { lanes, content } = state;
  const kind = content.kinds[lanes.kind[at]];
  const worker = content.workers[lane];
  const colour = lookOf(kind.name, content.kinds.map((each) => each.name)).colour;
  const [start, finish] = [lanes.start[at], lanes.finish[at]];
  const times = `${written(start, EXACT)} to ${written(finish, EXACT)} s (${written(finish - start)} s)`;
  if (!kind.ticket) return [{ colour, text: kind.name }, named(worker), `version ${lanes.version[at]}`, times];
  return [
    { colour, text: `ticket ${worker}.${lanes.version[at]}.${lanes.index[at]}, ${kind.name}` },
    `${named(worker)}, version ${lanes.version[at]}`,
    lanes.step[at] ? `in server step ${lanes.step[at]}, delay ${lanes.step[at] - lanes.version[at] - 1}` : "in no server step",
    times,
  ];
}

function named(worker) {
  return worker === "server" ? worker : `worker ${worker}`;
}

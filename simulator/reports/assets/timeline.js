"use strict";
// The timeline of the workers: zoom, pan, point at a computation, choose runs and fates.

const GUTTER = 58, RULER = 26, STEPS = 10; // pixels for workers' numbers, seconds, and server steps
const TALLEST = 26, LEAST = 220, MOST = 620; // pixels of a row, and of all rows
const LABELLED = 64; // pixels of a slice from which on it has its name

async function timeline(place, content) {
  const state = { content, hidden: new Set(), sorted: false, chosen: -1, view: null };
  const surface = make("canvas", { class: "lanes", tabindex: 0, role: "application" });
  const box = make("div", { class: "chart" }, surface);
  const legend = make("div", { class: "controls legend", role: "group", "aria-label": "Fates" });
  const about = make("p", { class: "note" });
  let ask = () => {};
  const moved = (change) => { Object.assign(state.view, change); ask(); };
  const minimap = minimapOf(state, moved);
  const open = async (at) => {
    await opened(state, at);
    legend.replaceChildren(...legendOf(state, () => { state.paint = paintOf(content.kinds, state.counts, state.hidden); ask(); }));
    about.textContent = aboutOf(state);
    ask();
  };
  await open(0);
  place.append(controlsOf(state, open, () => ask()), legend, box, minimap.canvas, hint(), about);
  if (content.note) place.append(make("p", { class: "note cut" }, content.note));
  const tooltip = tooltipOf(box);
  const paint = () => {
    state.paint = paintOf(content.kinds, state.counts, state.hidden);
    bound(state);
    paintTimeline(surface, box, state);
    minimap.paint();
  };
  ask = redrawn(box, paint);
  handle(surface, state, tooltip, () => ask());
  place.timeline = { state, paint };
}

// Take up a run: its lanes, its order, and the whole of it in view.
async function opened(state, at) {
  const run = state.content.runs[at];
  const lanes = await lanesOf(run);
  const view = state.view && { ...state.view };
  Object.assign(state, { run, lanes, name: run.name, counts: countsOf(lanes, state.content.kinds), chosen: -1 });
  state.paint = paintOf(state.content.kinds, state.counts, state.hidden);
  state.view = view ?? { from: 0, until: lanes.end, top: 0, rows: lanes.first.length - 1 };
  sort(state);
}

function sort(state) {
  const { lanes, content } = state;
  state.order = state.sorted ? bySpeed(lanes, content.kinds) : [...Array(lanes.first.length - 1).keys()];
}

// Keep the view inside the run.
function bound(state) {
  const { view, lanes, order } = state;
  const span = Math.max(lanes.end * 1e-6, Math.min(view.until - view.from, lanes.end));
  view.rows = Math.max(Math.min(3, order.length), Math.min(view.rows, order.length));
  view.from = Math.max(0, Math.min(view.from, lanes.end - span));
  view.until = view.from + span;
  view.top = Math.max(0, Math.min(view.top, order.length - view.rows));
}

function controlsOf(state, open, ask) {
  const bar = make("div", { class: "controls" });
  const names = state.content.runs.map((run) => run.name);
  if (names.length > 1) bar.append(choice("Run", names, 0, open));
  const zoomBy = (factor) => () => { zoom(state.view, factor, 0.5); ask(); };
  const press = (text, name, onclick) => make("button", { type: "button", "aria-label": name, title: name, onclick }, text);
  bar.append(
    press("+", "Zoom in", zoomBy(0.5)),
    press("\u2212", "Zoom out", zoomBy(2)),
    press("Taller", "Fewer workers", () => { heighten(state.view, 0.5, 0.5); ask(); }),
    press("Flatter", "More workers", () => { heighten(state.view, 2, 0.5); ask(); }),
    press("All", "Show the whole run", () => { whole(state); ask(); }),
    toggle(["Fastest first"], false, (on) => { state.sorted = on; sort(state); ask(); }),
  );
  return bar;
}

function whole(state) {
  Object.assign(state.view, { from: 0, until: state.lanes.end, top: 0, rows: state.order.length });
}

// A button per kind, with its number of slices; a pressed one is shown.
function legendOf(state, changed) {
  const { kinds } = state.content;
  const names = kinds.map((kind) => kind.name);
  return kinds.map((kind, at) => toggle(
    [keyOf(kind.name, names), `${kind.name} ${written(state.counts[at])}`],
    !state.hidden.has(at),
    (on) => pickOf(state.hidden, at, on, changed),
    { disabled: !state.counts[at] },
  ));
}

function aboutOf({ lanes, run, content }) {
  const workers = content.workers.filter((worker) => worker !== "server").length;
  const size = `${written(lanes.size)} slices of ${written(workers)} workers, ${written(lanes.steps.length)} server steps`;
  const cut = run.end < run.whole ? `; cut at ${written(run.end)} of ${written(run.whole)} s` : "";
  const some = workers < content.of ? `; ${written(content.of)} workers in all` : "";
  return `${run.name}: ${size}${cut}${some}.`;
}

function hint() {
  return make("p", { class: "note screen" },
    "Drag to move; Ctrl and the wheel zoom time, Shift and the wheel workers. With the timeline in focus: arrows move, " +
    "+ and \u2212 zoom time, Page Up and Page Down zoom workers, Home shows all. Enter selects a computation, then " +
    "arrows go to the next one and to the next worker, Escape ends that.");
}

function zoom(view, factor, at) {
  const span = (view.until - view.from) * factor;
  view.from += (view.until - view.from - span) * at;
  view.until = view.from + span;
}

function heighten(view, factor, at) {
  const rows = view.rows * factor;
  view.top += (view.rows - rows) * at;
  view.rows = rows;
}

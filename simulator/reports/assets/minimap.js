"use strict";
// Where in the run is the view?  The whole run in miniature, with a frame to drag.

const MINI = 46; // pixels

function minimapOf(state, moved) {
  const canvas = make("canvas", { class: "minimap", "aria-hidden": "true", height: MINI });
  let [picture, key] = [null, ""];
  const centre = (event) => {
    const [x, y] = placeOf(event, canvas);
    const { view, lanes, order } = state;
    const [time, place] = [(x / canvas.clientWidth) * lanes.end, (y / MINI) * order.length];
    moved({ from: time - (view.until - view.from) / 2, top: place - view.rows / 2 });
  };
  canvas.addEventListener("pointerdown", (event) => { canvas.setPointerCapture(event.pointerId); centre(event); });
  canvas.addEventListener("pointermove", (event) => { if (event.buttons) centre(event); });
  // The picture is painted anew only if what it shows has changed.
  const paint = () => {
    const ratio = density();
    const [width, height] = [Math.round(canvas.parentElement.clientWidth * ratio), Math.round(MINI * ratio)];
    const now = [width, state.name, state.sorted, [...state.hidden], isDark()].join();
    const context = canvas.getContext("2d");
    if (now !== key) {
      [canvas.width, canvas.height, key] = [width, height, now];
      canvas.style.width = `${width / ratio}px`;
      picture = context.createImageData(width, height);
      const whole = { from: 0, until: state.lanes.end, top: 0, rows: state.order.length };
      raster(picture, state.lanes, state.order, state.paint, whole, ratio);
    }
    context.putImageData(picture, 0, 0);
    const { from, until, top, rows } = state.view;
    const box = [(from / state.lanes.end) * width, (top / state.order.length) * height];
    const size = [((until - from) / state.lanes.end) * width, (rows / state.order.length) * height];
    context.lineWidth = 2 * ratio;
    context.strokeStyle = styled("--ink");
    context.strokeRect(box[0] + ratio, box[1] + ratio, Math.max(2, size[0] - 2 * ratio), Math.max(2, size[1] - 2 * ratio));
  };
  return { canvas, paint };
}

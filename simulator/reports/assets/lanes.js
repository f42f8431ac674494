"use strict";
// What did the workers do?  The slices of a run in typed arrays, a lane per worker, by time.

const TICKS = 2 ** 24; // parts of the length of a timeline, as in packing.py

// The slices of lane i are those from first[i] to first[i + 1].
async function lanesOf(run) {
  const { counts, gap, length, kind, version, index, delay, steps } = await unpack(run.columns);
  const size = gap.length;
  const lanes = {
    kind, index, size,
    first: new Uint32Array(counts.length + 1),
    start: new Float64Array(size),
    finish: new Float64Array(size),
    version: summed(version),
    step: new Float64Array(size),
    steps: summed(steps).map((tick) => (tick / TICKS) * run.end),
    end: run.end,
  };
  let at = 0;
  counts.forEach((count, lane) => {
    let tick = 0;
    for (const last = at + count; at < last; at++) {
      lanes.start[at] = ((tick += gap[at]) / TICKS) * run.end;
      lanes.finish[at] = ((tick += length[at]) / TICKS) * run.end;
      lanes.step[at] = delay[at] ? lanes.version[at] + delay[at] : 0;
    }
    lanes.first[lane + 1] = at;
  });
  return lanes;
}

// The number of slices of each kind.
function countsOf(lanes, kinds) {
  const counts = new Array(kinds.length).fill(0);
  for (const kind of lanes.kind) counts[kind]++;
  return counts;
}

// The first slice of a lane that ends after a time; the lane's end if there is none.
function after(lanes, lane, time) {
  let [low, high] = [lanes.first[lane], lanes.first[lane + 1]];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (lanes.finish[middle] > time) high = middle;
    else low = middle + 1;
  }
  return low;
}

// The slice of a lane at a time, or the nearest one within some seconds; -1 if it was idle.
function sliceAt(lanes, lane, time, within) {
  if (lane < 0 || lane >= lanes.first.length - 1) return -1;
  const at = after(lanes, lane, time);
  if (at < lanes.first[lane + 1] && lanes.start[at] <= time + within) return at;
  return at > lanes.first[lane] && lanes.finish[at - 1] >= time - within ? at - 1 : -1;
}

// Lanes from the shortest mean computation to the longest; lanes without any come last.
function bySpeed(lanes, kinds) {
  const means = Array.from({ length: lanes.first.length - 1 }, (_, lane) => {
    let [sum, count] = [0, 0];
    for (let at = lanes.first[lane]; at < lanes.first[lane + 1]; at++) {
      if (!kinds[lanes.kind[at]].ticket) continue;
      sum += lanes.finish[at] - lanes.start[at];
      count++;
    }
    return count ? sum / count : Infinity;
  });
  return [...means.keys()].sort((a, b) => means[a] - means[b] || a - b);
}

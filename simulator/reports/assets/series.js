"use strict";
// How do several seeds become one curve?  Their middle and a band from 20% to 80%, place by place.

const [LOW, HIGH] = [0.2, 0.8];
const PLACES = 600; // of a curve; more could not be seen

// The rows of every run: { method, seed, columns }, as views of the joined columns.
function runsOf(content, columns) {
  let at = 0;
  return content.runs.map(([method, seed, length]) => {
    const own = {};
    for (const name in columns) own[name] = columns[name].subarray(at, at + length);
    at += length;
    return { method, seed, columns: own };
  });
}

// The band of some runs: arrays of x, low, middle and high.
function bandOf(runs, x, y, held, middle) {
  const lines = runs.map((run) => knownOf(run.columns[x], run.columns[y])).filter((line) => line.x.length);
  const places = thinned([...new Set(lines.flatMap((line) => line.x))].sort((a, b) => a - b));
  const band = { x: places, low: [], middle: [], high: [] };
  const at = lines.map(() => 0);
  for (const place of places) {
    const values = [];
    lines.forEach((line, each) => {
      while (at[each] < line.x.length && line.x[at[each]] <= place) at[each]++;
      const value = valueAt(line, at[each] - 1, place, held);
      if (!Number.isNaN(value)) values.push(value);
    });
    values.sort((a, b) => a - b);
    band.low.push(quantile(values, LOW));
    band.middle.push(middle === "mean" ? mean(values) : quantile(values, 0.5));
    band.high.push(quantile(values, HIGH));
  }
  return band;
}

function knownOf(x, y) {
  const line = { x: [], y: [] };
  for (let at = 0; at < x.length; at++) {
    if (Number.isNaN(x[at]) || Number.isNaN(y[at])) continue;
    line.x.push(x[at]);
    line.y.push(y[at]);
  }
  return line;
}

// Held: the newest value.  Otherwise between two values, and NaN past the last.
function valueAt(line, before, place, held) {
  if (before < 0) return NaN;
  if (held || line.x[before] === place) return line.y[before];
  if (before + 1 >= line.x.length) return NaN;
  const share = (place - line.x[before]) / (line.x[before + 1] - line.x[before]);
  return line.y[before] + share * (line.y[before + 1] - line.y[before]);
}

// Some of many places, for a linear and a logarithmic axis.
function thinned(places) {
  if (places.length <= PLACES) return places;
  const [chosen, last] = [new Set([0]), places.length - 1];
  for (let at = 0; at < PLACES / 2; at++) {
    const share = at / (PLACES / 2 - 1);
    chosen.add(Math.round(last * share)).add(Math.round(last ** share));
  }
  return [...chosen].sort((a, b) => a - b).map((at) => places[at]);
}

function quantile(sorted, share) {
  if (!sorted.length) return NaN;
  const at = (sorted.length - 1) * share;
  const [low, high] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  return low === high ? low : low + (high - low) * (at - Math.floor(at));
}

function mean(values) {
  return values.length ? values.reduce((sum, value) => sum + value, 0) / values.length : NaN;
}

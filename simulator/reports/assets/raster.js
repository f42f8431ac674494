"use strict";
// How are a hundred thousand slices drawn in a frame?  Into an array of pixels, each at most once.

// Which pixels of a kind have its second colour, so that kinds differ without colours?
const MARKS = {
  rising: (x, y) => (x + y) % 6 < 2,
  falling: (x, y) => (x - y + 6000) % 6 < 2,
  crossed: (x, y) => (x + y) % 6 < 1 || (x - y + 6000) % 6 < 1,
  dots: (x, y) => x % 4 < 2 && y % 4 < 2,
  level: (x, y) => y % 5 < 2,
  upright: (x) => x % 5 < 2,
};
const MARKED = 14; // pixels of the page in a row from which on it has marks
const RARE = 0.01; // share of the slices below which a kind is never too short to be seen

// The two colours of a kind as words of pixels.
function coloursOf(kind, kinds) {
  const look = lookOf(kind, kinds);
  const dark = isDark() ? "#000000" : "#FFFFFF";
  return [word(channels(look.colour)), word(channels(look.colour).map((c, at) => Math.round(0.72 * c + 0.28 * channels(dark)[at])))];
}

function word([red, green, blue]) {
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

// Paint the slices of a view onto an image: from and until are seconds, top and rows are lanes.
// A pixel of the page has `ratio` pixels of the image.
function raster(image, lanes, order, paint, view, ratio) {
  const pixels = new Uint32Array(image.data.buffer);
  pixels.fill(paint.ground);
  const { width, height } = image;
  const [row, scaled] = [height / view.rows, width / (view.until - view.from)];
  const dot = row >= MARKED * ratio ? Math.max(1, Math.round(ratio)) : 0;
  const area = { pixels, width, row, scaled, dot };
  const last = Math.min(order.length, Math.ceil(view.top + view.rows));
  for (let place = Math.max(0, Math.floor(view.top)); place < last; place++) {
    const edge = (place - view.top) * row;
    const gap = row >= 4 ? Math.max(1, Math.round(row * 0.12)) : 0;
    const top = Math.max(0, Math.round(edge));
    const bottom = Math.min(height, Math.max(top + 1, Math.round(edge + row) - gap));
    lane(area, top, bottom, lanes, order[place], paint, view);
  }
}

function lane(area, top, bottom, lanes, at, paint, view) {
  const { width, row, scaled, dot } = area;
  const { start, finish, kind } = lanes;
  const end = lanes.first[at + 1];
  for (let slice = after(lanes, at, view.from); slice < end && start[slice] < view.until; slice++) {
    const look = paint.looks[kind[slice]];
    if (look.hidden) continue;
    // A pixel belongs to the slice at its middle.
    let left = Math.max(0, Math.round((start[slice] - view.from) * scaled));
    let right = Math.min(width, Math.round((finish[slice] - view.from) * scaled));
    if (right <= left) {
      if (!look.rare) continue;
      left = Math.min(left, width - 1);
      right = left + 1;
    } else if (right - left > 4 && row >= 4) right -= dot || 1; // from the next one
    const inset = look.thin && bottom - top >= 3 ? Math.floor((bottom - top) / 3) : 0;
    box(area, left, right, top + inset, bottom - inset, look);
  }
}

// Dots of marks have so many pixels; 0: there is no room for them.
function box({ pixels, width, dot }, left, right, top, bottom, look) {
  const marks = dot && right - left > 3 * dot ? look.marks : null;
  for (let y = top; y < bottom; y++) {
    const begin = y * width;
    if (!marks) pixels.fill(look.plain, begin + left, begin + right);
    else for (let x = left; x < right; x++) pixels[begin + x] = marks(Math.floor(x / dot), Math.floor(y / dot)) ? look.marked : look.plain;
  }
}

// The colours of all kinds, for the raster.
function paintOf(kinds, counts, hidden) {
  const names = kinds.map((kind) => kind.name);
  const total = counts.reduce((sum, count) => sum + count, 0);
  const looks = kinds.map((kind, at) => {
    const [plain, marked] = coloursOf(kind.name, names);
    const marks = MARKS[lookOf(kind.name, names).marks] ?? null;
    return { plain, marked, marks, thin: kind.thin, hidden: hidden.has(at), rare: counts[at] < RARE * total };
  });
  return { looks, ground: word(channels(styled("--paper"))) };
}

"use strict";
// How do arrays get out of the page?  Base64, deflated, byte by byte of each number (packing.py).

const TYPES = { f4: Float32Array, u4: Uint32Array, u1: Uint8Array };

// The columns of a packed table, by name.
async function unpack(packed) {
  const bytes = await inflate(packed.data);
  const columns = {};
  let at = 0;
  for (const [name, type, length] of packed.fields) {
    const size = length * TYPES[type].BYTES_PER_ELEMENT;
    columns[name] = numbersOf(bytes.subarray(at, at + size), TYPES[type], length);
    at += size;
  }
  return columns;
}

async function inflate(text) {
  const packed = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// The numbers whose first bytes come first, then all second bytes, and so on.
function numbersOf(planes, Type, length) {
  const width = Type.BYTES_PER_ELEMENT;
  const bytes = new Uint8Array(planes.length);
  for (let plane = 0, from = 0; plane < width; plane++)
    for (let at = plane; from < (plane + 1) * length; at += width) bytes[at] = planes[from++];
  return new Type(bytes.buffer);
}

// Sums of differences, in place: even numbers are 0, 1, 2, ..., odd ones -1, -2, ...
function summed(differences) {
  const sums = new Float64Array(differences.length);
  for (let at = 0, sum = 0; at < sums.length; at++) {
    const each = differences[at];
    sum += each & 1 ? -((each >>> 1) + 1) : each >>> 1;
    sums[at] = sum;
  }
  return sums;
}

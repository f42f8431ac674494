"use strict";
// Which colours are there?  Light or dark as the reader's system; on paper always light.

const DARK = matchMedia("(prefers-color-scheme: dark)");
let printing = false;
const isDark = () => DARK.matches && !printing;
const SHARP = 3; // pixels of paper in a pixel of the page
const density = () => (printing ? SHARP : devicePixelRatio);

// A colour on white, one on black, and marks that tell kinds apart without colours.  Any other kind
// takes a colour of REST, so new fates need no line here.
const KINDS = {
  used: ["#3A6FB0", "#5B93D6", ""],
  useful: ["#3A6FB0", "#5B93D6", ""],
  waiting: ["#BBD3EB", "#34536F", ""],
  unfinished: ["#BBD3EB", "#34536F", "dots"],
  recalled: ["#F2A93B", "#D98E1F", "rising"],
  wasted: ["#F2A93B", "#D98E1F", "rising"],
  dropped: ["#A3243B", "#D9536B", "falling"],
  lost: ["#2B2B2B", "#EFEFEF", "crossed"],
  down: ["#E2E2E2", "#4A4A4A", "rising"],
  receiving: ["#7A7A7A", "#A0A0A0", ""],
  sending: ["#7A7A7A", "#A0A0A0", ""],
  communicating: ["#7A7A7A", "#A0A0A0", ""],
  idle: ["#FFFFFF", "#1B1D20", ""],
};
const REST = [
  ["#7B4EA3", "#B48ADA", "level"],
  ["#117733", "#4CB774", "upright"],
  ["#C0578A", "#E58BB7", "level"],
  ["#6B6B00", "#C5C05A", "upright"],
];

// The colour and the marks of a kind; that of an unknown one depends on the kinds before it.
function lookOf(kind, kinds) {
  const others = kinds.filter((each) => !(each in KINDS));
  const [light, dark, marks] = KINDS[kind] ?? REST[others.indexOf(kind) % REST.length];
  return { colour: isDark() ? dark : light, marks };
}

// A colour made for white paper, lighter where the page is dark.
function themed(colour) {
  if (!isDark()) return colour;
  return mixed(colour, "#FFFFFF", Math.max(...channels(colour)) < 100 ? 0.7 : 0.38);
}

function mixed(colour, other, share) {
  const [a, b] = [channels(colour), channels(other)];
  const mix = a.map((value, at) => Math.round(value + (b[at] - value) * share));
  return `rgb(${mix.join(",")})`;
}

function channels(colour) {
  return [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
}

// The value of a variable of the style sheet.
function styled(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

const drawings = [];

// Call this when colours change, on paper too.
function onTheme(draw) {
  drawings.push(draw);
}

// For paper, what is drawn takes the width of a sheet, whatever that of the window.
function redraw(onPaper) {
  printing = onPaper;
  document.documentElement.classList.toggle("paper", onPaper);
  for (const draw of drawings) draw();
}

DARK.addEventListener("change", () => redraw(printing));
addEventListener("beforeprint", () => redraw(true));
addEventListener("afterprint", () => redraw(false));

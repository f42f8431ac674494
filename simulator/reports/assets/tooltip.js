"use strict";
// What is under the pointer, or under the cursor of the keyboard?  A note beside it, also read aloud.

// A note inside an element; `show` takes pixels of the element and lines of text.
function tooltipOf(element) {
  const note = make("div", { class: "tooltip", role: "status", "aria-live": "polite", hidden: true });
  element.append(note);
  return {
    show(x, y, lines) {
      note.replaceChildren(...lines.map((line) => lineOf(line)));
      note.hidden = false;
      const room = element.clientWidth;
      const left = x + 14 + note.offsetWidth > room ? x - 14 - note.offsetWidth : x + 14;
      note.style.left = `${Math.max(0, Math.min(left, room - note.offsetWidth))}px`;
      note.style.top = `${y + 14}px`;
    },
    hide() { note.hidden = true; },
  };
}

// A line of text, behind a mark of a colour if it has one.
function lineOf(line) {
  if (typeof line === "string") return make("div", {}, line);
  const mark = make("span", { class: "mark" });
  mark.style.background = line.colour;
  return make("div", {}, mark, line.text);
}

// Where a pointer is inside an element.
function placeOf(event, element) {
  const box = element.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
}

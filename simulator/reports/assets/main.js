"use strict";
// Which parts of the page are alive?  Each has a kind, and its data in an element of its own.

const WIDGETS = { curves, intervals, shares, timeline };

async function begin(place) {
  const content = JSON.parse(document.getElementById(place.dataset.of).textContent);
  try {
    await WIDGETS[place.dataset.kind](place, content);
  } catch (error) {
    console.error(error);
    place.append(make("p", { class: "note" }, `This part needs a browser of 2023 or later: ${error.message}`));
  }
}

function copyable(code) {
  const button = make("button", { type: "button", class: "copy" }, "Copy");
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(code.textContent);
    button.textContent = "Copied";
  });
  code.parentElement.prepend(button);
}

for (const code of document.querySelectorAll("pre code")) copyable(code);
document.body.ready = Promise.all([...document.querySelectorAll(".widget")].map(begin));

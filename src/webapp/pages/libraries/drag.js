// Moving assets by dragging them: onto one of the libraries that appear then.

import { change } from "./bulk_changes.js";
import { indexOf } from "./grid.js";
import { isChosen } from "./selected.js";
import { choose, clear } from "./selection.js";
import { boxOf, tileOf } from "./tiles.js";

const target = /** @type {HTMLSelectElement | null} */ (document.getElementById("target"));

/** @type {HTMLElement | null} */
let libraries = null;

/** The libraries to drop on. */
function show() {
  libraries = document.createElement("div");
  libraries.className = "drop-libraries";
  libraries.setAttribute("aria-hidden", "true");
  for (const option of [...target.options].filter((option) => option.value)) {
    const place = document.createElement("div");
    place.className = "drop-library";
    place.dataset.library = option.value;
    place.textContent = option.label;
    libraries.append(place);
  }
  document.body.append(libraries);
}

document.addEventListener("dragstart", (event) => {
  const tile = tileOf(event.target);
  if (!target || !tile || !boxOf(tile)) return;
  if (!isChosen(tile.dataset.id)) {
    clear(false);
    choose(indexOf(tile), true);
  }
  event.dataTransfer.effectAllowed = "copyMove";
  // A page that appears at once would end the dragging.
  setTimeout(show);
});

/** @param {DragEvent} event */
const placeOf = (event) => event.target.closest?.(".drop-library");

document.addEventListener("dragover", (event) => {
  if (!libraries) return;
  for (const place of libraries.children) place.classList.toggle("drop-here", place === placeOf(event));
  if (!placeOf(event)) return;
  event.preventDefault();
  event.dataTransfer.dropEffect = "move";
});

document.addEventListener("drop", (event) => {
  const place = libraries && placeOf(event);
  if (!place) return;
  event.preventDefault();
  change([
    ["do", "transfer"],
    ["target", place.dataset.library],
  ]);
});

document.addEventListener("dragend", () => {
  libraries?.remove();
  libraries = null;
});

// Keys of the grid, and those that every page of a library has.

import { dialogOf } from "../../layout/dialogs.js";
import { columnCount, count, go, indexOf, position, shownTiles } from "./grid.js";
import { boxOf, gridForm, tileOf } from "./tiles.js";
import { chosenCount, isChosen } from "./selected.js";
import { choose, chooseAll, clear, hasAnchor } from "./selection.js";

const TYPING = "input:not([type=checkbox]), textarea, select";

document.addEventListener("keydown", (event) => {
  if (!document.getElementById("grid") || document.querySelector("dialog[open]")) return;
  const isTyping = event.target.matches(TYPING);
  const tile = tileOf(event.target);
  if (event.key === "Escape" && chosenCount() && !event.target.closest(".menu[open]") && !isSearching(event.target)) {
    if (event.target.closest("#selection")) go(position());
    return clear();
  }
  if (isTyping) return;
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "a" && shownTiles().some(boxOf)) {
    event.preventDefault();
    return chooseAll();
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Delete" && gridForm()) return discard(tile);
  if (tile || event.target.matches("#grid")) moveFrom(tile, event);
});

/** @param {EventTarget} target */
const isSearching = (target) => target.matches("#q") && Boolean(/** @type {HTMLInputElement} */ (target).value);

/**
 * @param {HTMLElement | undefined} tile none while it is on its way
 * @param {KeyboardEvent} event
 */
function moveFrom(tile, event) {
  const here = tile ? indexOf(tile) : position();
  const to = target(event.key, here);
  if (to === null && event.key === " " && tile && boxOf(tile) && event.target !== boxOf(tile)) {
    event.preventDefault();
    choose(here, event.shiftKey || !isChosen(tile.dataset.id), event.shiftKey);
  }
  if (to === null) return;
  event.preventDefault();
  const isEnd = event.key === "Home" || event.key === "End";
  if (event.shiftKey && to !== here && shownTiles().some(boxOf) && !(isEnd && !hasAnchor())) {
    if (!hasAnchor()) choose(here, true);
    choose(to, true, true);
  }
  go(to);
}

/**
 * Where a key leads from a position: by the rows and columns of the grid. Null for other keys.
 * @param {string} key
 * @param {number} here
 */
function target(key, here) {
  const [columns, last] = [columnCount(), count() - 1];
  const screen = Math.max(
    Math.floor(innerHeight / document.getElementById("grid").firstElementChild.clientHeight) - 1,
    1,
  );
  /** @param {number} rows */
  const across = (rows) => {
    const to = here + rows * columns;
    if (to < 0) return here % columns;
    if (to <= last) return to;
    // Down from above a short last row.
    return Math.floor(here / columns) < Math.floor(last / columns) ? last : here;
  };
  const isRightToLeft = getComputedStyle(document.getElementById("grid")).direction === "rtl";
  const forward = isRightToLeft ? -1 : 1;
  switch (key) {
    case "ArrowLeft":
      return Math.min(Math.max(here - forward, 0), last);
    case "ArrowRight":
      return Math.min(Math.max(here + forward, 0), last);
    case "ArrowUp":
      return here - columns < 0 ? here : here - columns;
    case "ArrowDown":
      return across(1);
    case "PageUp":
      return across(-screen);
    case "PageDown":
      return across(screen);
    case "Home":
      return 0;
    case "End":
      return last;
    default:
      return null;
  }
}

/**
 * The delete key means the selection, or what has the focus.
 * @param {HTMLElement | undefined} tile
 */
function discard(tile) {
  const value = gridForm().hasAttribute("data-trash") ? "purge" : "trash";
  const button = /** @type {HTMLButtonElement | null} */ (document.querySelector(`#selection button[value=${value}]`));
  if (!button) return;
  if (!chosenCount() && tile) choose(indexOf(tile), true);
  if (chosenCount()) gridForm().requestSubmit(button);
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const search = /** @type {HTMLInputElement | null} */ (document.getElementById("q"));
  if (event.key === "Escape" && event.target === search && search.value) {
    event.preventDefault();
    search.value = "";
    search.dispatchEvent(new Event("input", { bubbles: true }));
  }
  if (event.target.matches(TYPING)) return;
  if (event.key === "/" && search) {
    event.preventDefault();
    search.select();
  }
  if (event.key === "?") dialogOf("shortcuts")?.showModal();
});

// Keys of the grid, and those that every page of a library has.

import { dialogOf } from "../../layout/dialogs.js";
import { across, boxOf, go, gridForm, tileOf, tiles } from "./tiles.js";
import { choose, chooseAll, clear, hasAnchor, isSelected, selected } from "./selection.js";

const TYPING = "input:not([type=checkbox]), textarea, select";

document.addEventListener("keydown", (event) => {
  if (!document.getElementById("grid") || document.querySelector("dialog[open]")) return;
  const isTyping = event.target.matches(TYPING);
  const tile = tileOf(event.target);
  if (event.key === "Escape" && selected().length && !event.target.closest(".menu[open]")) {
    if (event.target.closest("#selection")) go(selected()[0]);
    return clear();
  }
  if (isTyping) return;
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "a" && gridForm()) {
    event.preventDefault();
    return chooseAll();
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Delete" && gridForm()) return discard(tile);
  if (tile) moveFrom(tile, event);
});

/**
 * @param {HTMLElement} tile
 * @param {KeyboardEvent} event
 */
function moveFrom(tile, event) {
  const all = tiles();
  let to;
  if (event.key === "ArrowLeft") to = all[all.indexOf(tile) - 1];
  else if (event.key === "ArrowRight") to = all[all.indexOf(tile) + 1];
  else if (event.key === "ArrowUp" || event.key === "ArrowDown") to = across(tile, event.key === "ArrowDown" ? 1 : -1);
  else if (event.key === "Home") to = all[0];
  else if (event.key === "End") to = all.at(-1);
  else if (event.key === " " && boxOf(tile) && event.target !== boxOf(tile)) {
    event.preventDefault();
    return choose(tile, event.shiftKey || !isSelected(tile), event.shiftKey);
  } else return;
  event.preventDefault();
  if (to && event.shiftKey && boxOf(to) && event.key !== "Home" && event.key !== "End") {
    if (!hasAnchor()) choose(tile, true);
    choose(to, true, true);
  }
  go(to);
}

/**
 * The delete key means the selection, or what has the focus.
 * @param {HTMLElement | undefined} tile
 */
function discard(tile) {
  if (!selected().length && tile) boxOf(tile).checked = true;
  if (!selected().length) return;
  const value = gridForm().hasAttribute("data-trash") ? "purge" : "trash";
  gridForm().requestSubmit(gridForm().querySelector(`button[value=${value}]`));
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

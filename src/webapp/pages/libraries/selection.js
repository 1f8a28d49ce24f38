// Selecting tiles, one by one or a range.

import { announce } from "../../layout/messages.js";
import { boxOf, tileOf, tiles } from "./tiles.js";

/** @param {HTMLElement} tile */
export const isSelected = (tile) => Boolean(boxOf(tile)?.checked);

export const selected = () => tiles().filter(isSelected);

/**
 * Where a range of the selection begins.
 * @type {HTMLElement | null}
 */
let anchor = null;

export const hasAnchor = () => anchor !== null;

/** Shows how much is selected, and has it read out. */
export function showCount(aloud = true) {
  const bar = document.getElementById("selection");
  if (!bar) return;
  const count = selected().length;
  bar.classList.toggle("selection-on", count > 0);
  document.getElementById("grid")?.classList.toggle("selecting", count > 0);
  document.getElementById("selection-count").textContent = `${count} selected`;
  if (aloud) announce(count === 0 ? "Nothing selected" : `${count} selected`);
}

/**
 * Selects a tile or takes it out; with `through`, all from the last one to it.
 * @param {HTMLElement} tile
 * @param {boolean} on
 */
export function choose(tile, on, through = false) {
  const all = tiles();
  const [here, from] = [all.indexOf(tile), all.indexOf(anchor)];
  const range = through && from >= 0 ? all.slice(Math.min(here, from), Math.max(here, from) + 1) : [tile];
  for (const each of range) if (boxOf(each)) boxOf(each).checked = on;
  if (!through || from < 0) anchor = tile;
  showCount();
}

export function chooseAll() {
  for (const each of tiles()) boxOf(each).checked = true;
  showCount();
}

export function clear() {
  for (const tile of selected()) boxOf(tile).checked = false;
  anchor = null;
  showCount();
}

document.addEventListener("click", (event) => {
  const tile = tileOf(event.target);
  if (event.target.closest("#selection-clear")) return clear();
  if (!tile || !boxOf(tile)) return;
  if (event.target === boxOf(tile)) return choose(tile, isSelected(tile), event.shiftKey);
  const isLink = event.target.closest(".tile-link, [data-focus]");
  const selects = event.shiftKey || selected().length > 0;
  if (!isLink || !selects || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  choose(tile, event.shiftKey || !isSelected(tile), event.shiftKey);
});

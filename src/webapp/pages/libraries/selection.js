// Selecting on the page: boxes, ranges, and the bar that says how many are selected. It is kept while the list is searched.

import { announce, say } from "../../layout/messages.js";
import { sendChange } from "../../layout/session.js";
import { count, indexOf, shownTiles, tileAt } from "./grid.js";
import { idsBetween } from "./list.js";
import {
  chosenCount,
  countText,
  empty,
  isChosen,
  isWithin,
  learn,
  set,
  someCount,
  takeWhole,
  unknown,
  wholeList,
} from "./selected.js";
import { boxOf, gridForm, tileOf } from "./tiles.js";

/** Asks the server which of the assets that were selected one by one the whole list has, too. */
async function askForBoth() {
  const [asked, ids] = [wholeList(), unknown()];
  const fields = [["do", "overlap"], ["next", asked.address], ...ids.map((id) => ["id", id])];
  try {
    const answer = await sendChange(gridForm().getAttribute("action"), new URLSearchParams(fields));
    learn(asked, ids, new Set((await answer.json()).ids));
  } catch {
    // Without an answer, the number stays the most that it can be.
  }
  if (asked === wholeList()) showCount();
}

/** The position at which a range begins; -1 without one. */
let anchor = -1;
export const hasAnchor = () => anchor >= 0;
/** @param {number} index */
export const setAnchor = (index) => (anchor = index);

/** Shows what is selected, and has it read out. */
export function showCount(aloud = true) {
  const bar = document.getElementById("selection");
  if (!bar) return;
  const chosen = chosenCount();
  bar.classList.toggle("selection-on", chosen > 0);
  document.getElementById("grid")?.classList.toggle("selecting", chosen > 0);
  document.getElementById("selection-count").textContent = countText();
  const all = document.getElementById("selection-all");
  if (all) {
    all.hidden = isWithin() || count() <= 1 || count() === someCount();
    all.textContent = `Select all ${count().toLocaleString("en")}`;
  }
  if (aloud) announce(chosen === 0 ? "Nothing selected" : countText());
}

/** Shows in the tiles what is selected. */
export function showBoxes() {
  for (const tile of shownTiles()) if (boxOf(tile)) boxOf(tile).checked = isChosen(tile.dataset.id);
}

/**
 * Selects the asset at a position or takes it out; with `through`, all from the last one to it.
 * @param {number} index
 * @param {boolean} isOn
 */
export async function choose(index, isOn, through = false) {
  if (through && anchor >= 0) {
    const [from, to] = [Math.min(anchor, index), Math.max(anchor, index)];
    if (to - from > 200) announce("Selecting");
    try {
      for (const id of await idsOf(from, to)) set(id, isOn);
    } catch {
      showBoxes();
      return say("Not everything could be selected: the server did not answer. Try again.", "problem");
    }
  } else {
    const id = tileAt(index)?.dataset.id;
    if (id) set(id, isOn);
    anchor = index;
  }
  showBoxes();
  if (!unknown().length) return showCount();
  showCount(false);
  await askForBoth();
}

/**
 * @param {number} from
 * @param {number} to
 */
async function idsOf(from, to) {
  if (document.getElementById("grid")?.dataset.total) return idsBetween(from, to);
  return shownTiles()
    .slice(from, to + 1)
    .map((tile) => tile.dataset.id);
}

/** Selects the whole list. */
export function chooseAll() {
  if (document.getElementById("grid")?.dataset.total) {
    takeWhole(count());
  } else for (const tile of shownTiles()) set(tile.dataset.id, true);
  showBoxes();
  showCount();
}

export function clear(aloud = true) {
  empty();
  anchor = -1;
  showBoxes();
  showCount(aloud);
}

document.addEventListener("click", (event) => {
  const tile = tileOf(event.target);
  if (event.target.closest("#selection-clear")) return clear();
  if (event.target.closest("#selection-all")) return chooseAll();
  if (!tile || !boxOf(tile)) return;
  const index = indexOf(tile);
  if (event.target === boxOf(tile)) return choose(index, boxOf(tile).checked, event.shiftKey);
  const isLink = event.target.closest(".tile-link, [data-focus]");
  const selects = event.shiftKey || chosenCount() > 0;
  if (!isLink || !selects || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  choose(index, event.shiftKey || !isChosen(tile.dataset.id), event.shiftKey);
});

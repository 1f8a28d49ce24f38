// What is selected: some assets, or everything that a list has except for some. It is kept while the list is searched.

import { announce, say } from "../../layout/messages.js";
import { sendChange } from "../../layout/session.js";
import { count, indexOf, shownTiles, tileAt } from "./grid.js";
import { idsBetween, listAddress } from "./list.js";
import { boxOf, gridForm, tileOf } from "./tiles.js";

/**
 * Assets that were selected one by one.
 * @type {Set<string>}
 */
const some = new Set();

/**
 * A whole list that was selected: its address, how many it had, what was taken out again, and of assets that were selected
 * one by one whether it has them, too, as far as the server was asked.
 * @typedef {{ address: string, total: number, except: Set<string>, has: Map<string, boolean> }} Whole
 */
let whole = /** @type {Whole | null} */ (null);

/** Whether the list that is shown is part of the one that is selected. */
const isWithin = () => Boolean(whole) && (whole.address === listAddress() || !whole.address.includes("?"));

/** @param {string} id */
export const isChosen = (id) => some.has(id) || (isWithin() && !whole.except.has(id));

/** How many of the whole list are selected. */
const wholeCount = () => (whole ? whole.total - whole.except.size : 0);

/** Those that were selected one by one and with the whole list, too. */
const both = () => [...some].filter((id) => whole?.has.get(id) && !whole.except.has(id));

/** How many are selected; at most so many, while the server was not asked about some of them. */
export const chosenCount = () => some.size + wholeCount() - both().length;

/** What is selected, for a request: each asset in one of both ways. */
export const chosen = () => ({
  ids: [...some],
  whole: whole && {
    address: whole.address,
    except: [...new Set([...whole.except, ...some])],
    total: wholeCount() - both().length,
  },
});

/**
 * @param {string} id
 * @param {boolean} isOn
 */
function set(id, isOn) {
  if (isWithin()) {
    if (isOn) whole.except.delete(id);
    else whole.except.add(id);
    some.delete(id);
  } else if (isOn) some.add(id);
  else {
    if (whole?.has.get(id)) whole.except.add(id);
    some.delete(id);
  }
}

/** What the server was not asked about yet: whether the whole list has it, too. */
const unknown = () => (whole ? [...some].filter((id) => !whole.has.has(id)) : []);

/** Asks the server which of the assets that were selected one by one the whole list has, too. */
async function askForBoth() {
  const [asked, ids] = [whole, unknown()];
  const fields = [["do", "overlap"], ["next", asked.address], ...ids.map((id) => ["id", id])];
  try {
    const answer = await sendChange(gridForm().getAttribute("action"), new URLSearchParams(fields));
    const known = new Set((await answer.json()).ids);
    for (const id of ids) asked.has.set(id, known.has(id));
  } catch {
    // Without an answer, the number stays the most that it can be.
  }
  if (asked === whole) showCount();
}

/** The position at which a range begins; -1 without one. */
let anchor = -1;
export const hasAnchor = () => anchor >= 0;
/** @param {number} index */
export const setAnchor = (index) => (anchor = index);

/** How many are selected; of a whole list that is not shown now, the tiles don’t tell. */
function countText() {
  const atMost = unknown().length ? "Up to " : "";
  const chosen = `${atMost}${chosenCount().toLocaleString("en")} selected`;
  if (!whole || isWithin()) return chosen;
  if (chosenCount() === wholeCount()) return `${chosen} with other filters`;
  return `${chosen}, ${wholeCount().toLocaleString("en")} of them with other filters`;
}

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
    all.hidden = isWithin() || count() <= 1 || count() === some.size;
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
    some.clear();
    whole = { address: listAddress(), total: count(), except: new Set(), has: new Map() };
  } else for (const tile of shownTiles()) some.add(tile.dataset.id);
  showBoxes();
  showCount();
}

export function clear(aloud = true) {
  some.clear();
  whole = null;
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

// Which assets are selected: some, or everything that a list has except for some. Knows nothing of the page.

import { listAddress } from "./list.js";

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
export const isWithin = () => Boolean(whole) && (whole.address === listAddress() || !whole.address.includes("?"));

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
 * Selects an asset, or takes it out.
 * @param {string} id
 * @param {boolean} isOn
 */
export function set(id, isOn) {
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
export const unknown = () => (whole ? [...some].filter((id) => !whole.has.has(id)) : []);

/**
 * Takes over what the server said about a whole list.
 * @param {Whole} asked
 * @param {string[]} ids that were asked about
 * @param {Set<string>} known those that it has, too
 */
export function learn(asked, ids, known) {
  for (const id of ids) asked.has.set(id, known.has(id));
}

/** The whole list that is selected, if any. */
export const wholeList = () => whole;

/** How many were selected one by one. */
export const someCount = () => some.size;

/**
 * Selects everything that the list has.
 * @param {number} total
 */
export function takeWhole(total) {
  some.clear();
  whole = { address: listAddress(), total, except: new Set(), has: new Map() };
}

/** Selects nothing. */
export function empty() {
  some.clear();
  whole = null;
}

/** How many are selected; of a whole list that is not shown now, the tiles don’t tell. */
export function countText() {
  const atMost = unknown().length ? "Up to " : "";
  const chosen = `${atMost}${chosenCount().toLocaleString("en")} selected`;
  if (!whole || isWithin()) return chosen;
  if (chosenCount() === wholeCount()) return `${chosen} with other filters`;
  return `${chosen}, ${wholeCount().toLocaleString("en")} of them with other filters`;
}

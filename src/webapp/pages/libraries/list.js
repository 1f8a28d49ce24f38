// The list that the grid shows, as far as it is known: parts of it, asked for when they are near the screen. A server that
// fails is not asked again at once.

import { RequestProblem, askPart } from "../../layout/fetch.js";
import { imageAddress } from "./tile_images.js";

// How many requests for parts are under way at once.
const MAX_CONCURRENT = 2;
// How many parts are kept.
const KEPT = 24;
// After a jump, parts are asked for once the list rests, in milliseconds.
const REST = 90;
// How long a failing server is left alone, in milliseconds: twice as long each time.
const FIRST_PAUSE = 2000;
const LONGEST_PAUSE = 60_000;

/** The address of the list. */
let address = "";
let partSize = 1;
/** How many assets the list had when a part of it came last. */
let total = 0;
/** Who shows the list: called with its length when a part of it came. */
let partsCame = (/** @type {number} */ _length) => {};
/** @type {Map<number, HTMLElement>} */
const items = new Map();
/**
 * The parts that are known, the one last seen at the end.
 * @type {Set<number>}
 */
const known = new Set();
/** @type {Map<number, AbortController>} */
const asked = new Map();
/**
 * Parts that are needed wherever the list is scrolled.
 * @type {Set<number>}
 */
const held = new Set();
/** @type {number[]} */
let wanted = [];
let failures = 0;
/** Until when the server is left alone; 0 if it is not. */
let pausedUntil = 0;
let resting = 0;
let pausing = 0;

/**
 * Begins with another list, of which some tiles are known.
 * @param {string} list
 * @param {number} size of a part
 * @param {HTMLElement[]} tiles from its start
 * @param {(length: number) => void} whenPartsCame called with the length of the list
 */
export function reset(list, size, tiles, whenPartsCame) {
  address = list;
  partsCame = whenPartsCame;
  partSize = size || 1;
  items.clear();
  forget();
  wanted = [];
  tiles.forEach((tile, index) => items.set(index, tile));
  if (tiles.length) known.add(0);
  recovered();
}

/** What is known may be old: it is asked for again, and shown until then. */
export function forget() {
  known.clear();
  for (const controller of asked.values()) controller.abort();
  asked.clear();
}

/**
 * Shows tiles of an earlier visit until they come again.
 * @param {number} first
 * @param {HTMLElement[]} tiles
 */
export function seed(first, tiles) {
  tiles.forEach((tile, offset) => items.has(first + offset) || items.set(first + offset, tile));
}

export const listAddress = () => address;
/** @param {number} index */
export const itemAt = (index) => items.get(index);
/** @param {number} index */
const partOf = (index) => Math.floor(index / partSize);

/**
 * These positions are near the screen.
 * @param {number} begin
 * @param {number} end
 * @param {boolean} isJump whether the list moves so fast that it may be elsewhere soon
 */
export function want(begin, end, isJump) {
  wanted = [];
  for (let part = partOf(begin); part <= partOf(Math.max(end - 1, begin)); part += 1) {
    if (known.delete(part)) known.add(part);
    else if (end > begin) wanted.push(part);
  }
  for (const [part, controller] of asked)
    if (!wanted.includes(part) && !held.has(part)) (controller.abort(), asked.delete(part));
  if (!wanted.length) return;
  if (isJump || resting) {
    clearTimeout(resting);
    resting = window.setTimeout(() => ((resting = 0), next()), REST);
  } else next();
}

function next() {
  if (pausedUntil) return;
  for (const part of wanted) {
    if (asked.size >= MAX_CONCURRENT) return;
    if (!known.has(part) && !asked.has(part)) fetchOne(part).catch(() => {});
  }
}

/** @param {number} part */
async function fetchOne(part) {
  const controller = new AbortController();
  asked.set(part, controller);
  const from = new URL(address, location.href);
  from.searchParams.set("start", String(part * partSize));
  try {
    const page = await askPart(from.href, controller.signal);
    if (controller.signal.aborted) return;
    take(part, page);
    recovered();
  } catch (error) {
    if (controller.signal.aborted) return;
    failed(error instanceof RequestProblem ? error : new RequestProblem("The server’s answer can’t be read."));
    throw error;
  } finally {
    if (asked.get(part) === controller) asked.delete(part);
  }
  next();
}

/**
 * @param {number} part
 * @param {Document} page
 */
function take(part, page) {
  const list = page.querySelector("ul");
  if (!list?.dataset.total) throw new RequestProblem("The server’s answer can’t be read.");
  const first = part * partSize;
  const before = new Map();
  for (let index = first; index < first + partSize; index += 1)
    before.set(items.get(index)?.dataset.id, items.get(index));
  const tiles = [...list.querySelectorAll(".tile")];
  for (let offset = 0; offset < partSize; offset += 1) {
    const tile = tiles[offset];
    // One that shows the same stays on the page, with its image and its focus, also where it moved.
    const same = before.get(tile?.dataset.id);
    if (!tile) items.delete(first + offset);
    else items.set(first + offset, isSame(same, tile) ? same : document.adoptNode(tile));
  }
  known.add(part);
  prune();
  changeTotal(Number(list.dataset.total), part);
}

/**
 * When the list has become longer, the part at its former end has a rest that is not known.
 * @param {number} now
 * @param {number} part that came just now
 */
function changeTotal(now, part) {
  if (now !== total) for (const other of known) if (other !== part && !isWhole(other)) known.delete(other);
  total = now;
  partsCame(now);
}

/** @param {number} part */
function isWhole(part) {
  for (let index = part * partSize; index < (part + 1) * partSize; index += 1) if (!items.has(index)) return false;
  return true;
}

/**
 * Whether a tile shows the same as the one that came.
 * @param {HTMLElement | undefined} before
 * @param {HTMLElement} after
 */
function isSame(before, after) {
  /** @param {HTMLElement} tile */
  const shown = (tile) => [tile.dataset.id, tile.textContent, imageAddress(tile)].join("\n");
  return Boolean(before) && shown(before) === shown(after);
}

function prune() {
  for (const part of known) {
    if (known.size <= KEPT) return;
    if (wanted.includes(part)) continue;
    known.delete(part);
    for (let offset = 0; offset < partSize; offset += 1) items.delete(part * partSize + offset);
  }
}

/** @param {RequestProblem} problem */
function failed(problem) {
  failures += 1;
  const pause = Math.max(Math.min(FIRST_PAUSE * 2 ** (failures - 1), LONGEST_PAUSE), problem.retryAfter);
  pausedUntil = Date.now() + pause;
  clearTimeout(pausing);
  pausing = window.setTimeout(goOn, pause);
  const notice = document.getElementById("list-problem");
  if (!notice) return;
  const seconds = Math.ceil(pause / 1000);
  const when = seconds === 1 ? "in a second" : `in ${seconds} seconds`;
  notice.querySelector("[role=alert]").textContent =
    `${problem.message} The rest of the list is missing. It is tried again ${when}.`;
  // Who asks for time gets it.
  const button = /** @type {HTMLButtonElement} */ (notice.querySelector("button"));
  button.disabled = problem.retryAfter > 0;
  notice.hidden = false;
}

function recovered() {
  failures = 0;
  pausedUntil = 0;
  clearTimeout(pausing);
  const notice = document.getElementById("list-problem");
  if (notice) notice.hidden = true;
}

function goOn() {
  pausedUntil = 0;
  next();
}

document.addEventListener("click", (event) => {
  if (event.target.closest("#list-problem button")) goOn();
});

/**
 * The ids of the assets from one position to another, both included. What is not known yet is asked for.
 * @param {number} from
 * @param {number} to
 * @returns {Promise<string[]>}
 */
export async function idsBetween(from, to) {
  for (let part = partOf(from); part <= partOf(to); part += 1) {
    const first = Math.max(from, part * partSize);
    const last = Math.min(to, (part + 1) * partSize - 1);
    let isMissing = false;
    for (let index = first; index <= last; index += 1) isMissing ||= !items.has(index);
    if (isMissing) {
      held.add(part);
      await fetchOne(part).finally(() => held.delete(part));
      if (!known.has(part)) throw new RequestProblem("The list was replaced by another one.");
    }
    for (let index = first; index <= last; index += 1) idsSeen.set(index, items.get(index)?.dataset.id);
  }
  const ids = [];
  for (let index = from; index <= to; index += 1) if (idsSeen.get(index)) ids.push(idsSeen.get(index));
  idsSeen.clear();
  return ids;
}

/**
 * Ids of a range, since its first parts may be forgotten before its last ones come.
 * @type {Map<number, string | undefined>}
 */
const idsSeen = new Map();

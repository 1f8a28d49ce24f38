// The place in a list, for the way back to it: the same rows at the same height of the screen, shown at once.

import {
  columnCount,
  position,
  putBack,
  renderSoon,
  scrollToRow,
  setPosition,
  snapshot,
  tileAt,
  topRow,
} from "./grid.js";
import { focusOf, tileOf } from "./tiles.js";

const PREFIX = "place ";
// How many places are kept; the browser has room for a few megabytes.
const MOST = 8;

/** The name of the entry in the history. */
function entry() {
  if (!history.state?.place) history.replaceState({ ...history.state, place: crypto.randomUUID() }, "");
  return PREFIX + history.state.place;
}

const isList = () => Boolean(document.querySelector("#grid[data-total]"));

/** Keeps the place in the list that is shown. */
export function keepPlace() {
  if (!isList()) return;
  const place = { y: scrollY, row: topRow(), columns: columnCount(), width: innerWidth, at: position(), ...snapshot() };
  const name = entry();
  try {
    for (const old of Object.keys(sessionStorage)
      .filter((key) => key.startsWith(PREFIX) && key !== name)
      .slice(0, -MOST)) {
      sessionStorage.removeItem(old);
    }
    sessionStorage.setItem(name, JSON.stringify(place));
    sessionStorage.setItem(`last ${location.pathname}${location.search}`, name);
  } catch {
    // Without room, the list is shown from its start.
  }
}

/** The list that is shown now is a new one, whose place nobody knows. */
export function forgetPlace() {
  history.replaceState({ ...history.state, place: crypto.randomUUID() }, "");
}

/** Goes to the place where the list of this entry was left. */
export function restorePlace() {
  const kept = isList() && sessionStorage.getItem(history.state?.place ? PREFIX + history.state.place : lastName());
  const place = kept && JSON.parse(kept);
  if (place) scrollToPlace(place);
  // The list may be seen now; see `coming_back.js`.
  document.documentElement.classList.remove("coming-back");
  if (place?.at > 0) focusOn(place.at);
}

/** @param {any} place */
function scrollToPlace(place) {
  putBack(place);
  const isSame = place.columns === columnCount() && place.width === innerWidth;
  if (place.row > 0) scrollToRow(isSame ? place.row : (Math.floor(place.row) * place.columns) / columnCount());
  else scrollTo({ top: place.y, behavior: "instant" });
  renderSoon();
}

/** @param {number} index */
function focusOn(index) {
  const focus = () => focusOf(tileAt(index))?.focus({ preventScroll: true });
  if (tileAt(index)) focus();
  else requestAnimationFrame(focus);
}

/** The place of this list before, for who comes from one of its assets by a link. */
function lastName() {
  const from = document.referrer && new URL(document.referrer);
  const isFromAsset = from && from.origin === location.origin && from.pathname.startsWith(`${location.pathname}/`);
  const name = sessionStorage.getItem(`last ${location.pathname}${location.search}`);
  return (isFromAsset && name) || "none";
}

if (document.getElementById("results")) {
  history.scrollRestoration = "manual";
  // A page that is being left can’t name its entry any more.
  addEventListener("load", entry);
  addEventListener("pagehide", keepPlace);
  document.addEventListener("click", (event) => {
    const tile = tileOf(event.target);
    if (!tile || event.defaultPrevented) return;
    setPosition(Number(tile.dataset.index));
    keepPlace();
  });
}

// From an asset’s page, the way to the list that one came from leads back in the history: the list is there once.
const navigation = /** @type {any} */ (window).navigation;
if (navigation && document.getElementById("viewer")) {
  navigation.addEventListener("navigate", (/** @type {any} */ event) => {
    if (event.navigationType !== "push" || !event.cancelable || event.formData || event.downloadRequest !== null)
      return;
    const before = navigation.entries().slice(0, navigation.currentEntry.index);
    const list = before.findLast((/** @type {any} */ entry) => entry.url === event.destination.url);
    if (!list) return;
    event.preventDefault();
    navigation.traverseTo(list.key);
  });
}

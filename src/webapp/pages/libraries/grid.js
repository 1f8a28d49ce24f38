// The grid: only the tiles near the screen are on the page, however many the list has. All rows are equally high, so the
// grid is as high as the whole list from the start, and any place is reached with one request.

import { announce } from "../../layout/messages.js";
import { forget, itemAt, reset, seed, want } from "./list.js";
import { drawPlaceholders } from "./blurhash.js";
import { pauseImage, resumeImage } from "./tile_images.js";
import { boxOf, focusOf, tileOf } from "./tiles.js";
import { isChosen } from "./selected.js";
import { setHeading } from "./timeline.js";

// Rows that are on the page above and below the screen.
const AHEAD = 2;
// Browsers can’t lay out pages of any height: beyond this the grid shows a stretch of the list at a time.
const TALLEST = 12_000_000;

/** @type {HTMLElement | null} */
let element = null;
let total = 0;
let isWindowed = false;
let columns = 1;
let cell = 1;
let gap = 0;
/** The first row of the stretch of a list that is too long for a page. */
let base = 0;
/** The index of the tile that the tab key reaches. */
let current = 0;

/** How many assets the list has. */
export const count = () => total;
export const columnCount = () => columns;
const rowHeight = () => cell + gap;
const rows = () => Math.ceil(total / columns);
const rowsShown = () => Math.min(rows() - base, Math.floor(TALLEST / rowHeight()));

/**
 * The position of a tile in the list.
 * @param {HTMLElement} tile
 */
export const indexOf = (tile) => Number(tile.dataset.index);

/**
 * The tile at a position, if it is on the page.
 * @param {number} index
 * @returns {HTMLElement | null}
 */
export const tileAt = (index) => document.querySelector(`#grid .tile[data-index="${index}"]`);

/** The tiles that are on the page. */
export const shownTiles = () => [...document.querySelectorAll("#grid .tile[data-id]")];

/**
 * Takes over the grid that is on the page.
 * @param {string} address of the list
 */
export function setUp(address) {
  element = document.getElementById("grid");
  current = 0;
  base = 0;
  const tiles = shownTiles();
  isWindowed = Boolean(element?.dataset.total);
  total = isWindowed ? Number(element.dataset.total) : tiles.length;
  reset(address, Number(element?.dataset.part ?? 0), isWindowed ? tiles : [], partsCame);
  tiles.forEach((tile, index) => prepareTile(tile, index));
  if (!element) return;
  sizes.observe(element);
  measure();
  render();
}

/** @param {HTMLElement} tile */
function prepareTile(tile, /** @type {number} */ index) {
  const link = focusOf(tile);
  // What has the focus may have moved in the list.
  if (link && link === document.activeElement && indexOf(tile) === current) current = index;
  tile.dataset.index = String(index);
  setHeading(tile, index);
  if (isWindowed) {
    tile.setAttribute("aria-setsize", String(total));
    tile.setAttribute("aria-posinset", String(index + 1));
  }
  if (tile.dataset.tint) tile.style.backgroundColor = tile.dataset.tint;
  resumeImage(tile);
  if (link) link.tabIndex = index === current ? 0 : -1;
  const box = boxOf(tile);
  if (box) {
    box.tabIndex = -1;
    box.checked = isChosen(tile.dataset.id);
  }
}

/** Says on the tiles that are on the page where a month begins. */
export function showHeadings() {
  for (const tile of shownTiles()) setHeading(tile, indexOf(tile));
}

/** How many columns there are, and how large a cell is. */
function measure() {
  const style = getComputedStyle(element);
  gap = parseFloat(style.rowGap) || 0;
  const widths = style.gridTemplateColumns.split(" ");
  columns = widths.length;
  cell = parseFloat(widths[0]) || 1;
}

/** Where the grid begins, from the top of the page. */
const gridTop = () => element.getBoundingClientRect().top + scrollY;

/** How much of the top of the screen is covered by what stays there. */
export function covered() {
  const bar = document.getElementById("toolbar");
  if (!bar || getComputedStyle(bar).position !== "sticky") return 0;
  return bar.offsetHeight + parseFloat(getComputedStyle(bar).top);
}

/** The position in the list, in rows with a fraction, that is at the top of what can be seen. */
export const topRow = () => base + (scrollY + covered() - gridTop()) / rowHeight();

/**
 * Scrolls so that a row is at the top of what can be seen.
 * @param {number} row with a fraction
 */
export function scrollToRow(row) {
  const most = Math.floor(TALLEST / rowHeight());
  const inner = row - base;
  const isFar = inner < 0 || inner > most - innerHeight / rowHeight();
  if (rows() > most && isFar) base = Math.round(Math.min(Math.max(row - most / 2, 0), rows() - most));
  fit();
  scrollTo({ top: gridTop() - covered() + (row - base) * rowHeight(), behavior: "instant" });
  render();
}

/** Makes the grid as high as its list. */
function fit() {
  if (!isWindowed) return;
  element.style.gridAutoRows = `${cell}px`;
  element.style.height = `${Math.max(rowsShown() * rowHeight() - gap, 0)}px`;
}

/** At the edge of a stretch of a very long list, the stretch moves on. */
function moveStretch() {
  const most = Math.floor(TALLEST / rowHeight());
  if (rows() <= most) return;
  const row = topRow();
  const screens = (2 * innerHeight) / rowHeight();
  const isAtStart = base > 0 && row - base < screens;
  const isAtEnd = base + most < rows() && row - base > most - 2 * screens;
  if (isAtStart || isAtEnd) {
    base = Math.round(Math.min(Math.max(row - most / 2, 0), rows() - most));
    fit();
    scrollTo({ top: gridTop() - covered() + (row - base) * rowHeight(), behavior: "instant" });
  }
}

let scheduledFrame = 0;
let lastTop = 0;
/** Puts the tiles on the page that are near the screen, in the next frame. */
export function renderSoon() {
  scheduledFrame ||= requestAnimationFrame(() => {
    scheduledFrame = 0;
    render();
  });
}

/** The positions that belong on the page. */
function range() {
  const top = -element.getBoundingClientRect().top;
  const first = Math.max(Math.floor(top / rowHeight()) - AHEAD, 0);
  const last = Math.min(Math.ceil((top + innerHeight) / rowHeight()) + AHEAD, rowsShown());
  const begin = Math.min((base + first) * columns, Math.max(total - 1, 0));
  return { first, begin, end: Math.max(Math.min((base + last) * columns, total), begin) };
}

/** Puts the tiles on the page that are near the screen. */
export function render() {
  if (!isWindowed || !element?.isConnected) return;
  if (seen.width !== innerWidth) return keepRow();
  moveStretch();
  seen.row = topRow();
  const { first, begin, end } = range();
  const isJump = Math.abs(scrollY - lastTop) > 1.5 * innerHeight;
  lastTop = scrollY;
  /** @type {HTMLElement[]} */
  const wanted = [];
  for (let index = begin; index < end; index += 1) wanted.push(ready(index));
  const kept = keptTile(begin, end);
  const hadFocus = element.contains(document.activeElement);
  show(wanted, kept);
  if (hadFocus && !element.contains(document.activeElement)) focusHere();
  fit();
  element.style.paddingTop = `${first * rowHeight()}px`;
  want(begin, end, isJump);
  drawPlaceholders();
}

/** @type {Map<number, HTMLElement>} */
const blanks = new Map();

/**
 * The tile of a position, or a blank one until it is there.
 * @param {number} index
 */
function ready(index) {
  const tile = itemAt(index);
  if (tile) {
    blanks.delete(index);
    if (tile.dataset.index !== String(index) || !tile.isConnected) prepareTile(tile, index);
    return tile;
  }
  let blank = blanks.get(index);
  if (!blank) {
    blank = document.createElement("li");
    blank.className = "tile tile-waiting";
    blank.setAttribute("aria-hidden", "true");
    blanks.set(index, blank);
  }
  return blank;
}

/**
 * The tile with the focus where it is no longer near the screen: it stays, in its place.
 * @param {number} begin
 * @param {number} end
 */
function keptTile(begin, end) {
  const tile = tileOf(document.activeElement);
  if (!tile || !tile.dataset.id) return null;
  const index = indexOf(tile);
  return index < begin || index >= end ? tile : null;
}

/**
 * @param {HTMLElement[]} wanted
 * @param {HTMLElement | null} kept
 */
function show(wanted, kept) {
  const belongs = new Set(wanted);
  for (const child of [...element.children]) {
    const tile = /** @type {HTMLElement} */ (child);
    if (belongs.has(tile) || tile === kept) continue;
    tile.remove();
    pauseImage(tile);
  }
  if (blanks.size > 2 * wanted.length) blanks.clear();
  let next = element.firstElementChild;
  for (const tile of wanted) {
    if (tile === next || (next === kept && kept && tile === next.nextElementSibling)) {
      next = tile.nextElementSibling;
      unpin(tile);
      continue;
    }
    element.insertBefore(tile, next);
    unpin(tile);
  }
  if (kept) pin(kept);
}

/** @param {HTMLElement} tile */
function pin(tile) {
  const index = indexOf(tile);
  tile.classList.add("tile-pinned");
  tile.style.top = `${(Math.floor(index / columns) - base) * rowHeight()}px`;
  tile.style.insetInlineStart = `${(index % columns) * rowHeight()}px`;
  tile.style.width = tile.style.height = `${cell}px`;
}

/** @param {HTMLElement} tile */
function unpin(tile) {
  if (!tile.classList.contains("tile-pinned")) return;
  tile.classList.remove("tile-pinned");
  for (const property of ["top", "inset-inline-start", "width", "height"]) tile.style.removeProperty(property);
}

/** The place of the list that is shown stays when the window changes its size. */
const sizes = new ResizeObserver(keepRow);
/** The row at the top of the screen while the window had this width: some browsers scroll when it changes. */
let seen = { row: 0, width: innerWidth };

function keepRow() {
  if (!isWindowed || !element?.isConnected) return;
  const [row, before, size] = [seen.width === innerWidth ? topRow() : seen.row, columns, cell];
  seen.width = innerWidth;
  measure();
  if (columns === before && cell === size) return;
  fit();
  const isAtTop = row <= 0;
  if (!isAtTop && columns !== before) scrollToRow((Math.floor(row) * before) / columns + (row % 1));
  else if (!isAtTop) scrollToRow(row);
  render();
}

addEventListener("scroll", renderSoon, { passive: true });
addEventListener("resize", () => {
  keepRow();
  renderSoon();
});

/**
 * Parts of the list came.
 * @param {number} length of the list now
 */
export function partsCame(length) {
  if (!element?.isConnected) return;
  if (length !== total) {
    total = length;
    element.dataset.total = String(total);
    for (const tile of shownTiles()) tile.setAttribute("aria-setsize", String(total));
  }
  waiting?.();
  renderSoon();
}

/** @type {(() => void) | null} */
let waiting = null;

/**
 * Moves the focus to a position of the list, wherever that is.
 * @param {number} index
 */
export async function go(index) {
  if (!total) return;
  const to = Math.min(Math.max(index, 0), total - 1);
  const before = tileAt(current);
  current = to;
  if (before && focusOf(before)) focusOf(before).tabIndex = -1;
  if (isWindowed) bringIntoView(to);
  const focus = () => {
    const tile = tileAt(to);
    if (!tile || to !== current) return Boolean(tile);
    for (const other of shownTiles()) if (focusOf(other)) focusOf(other).tabIndex = other === tile ? 0 : -1;
    focusOf(tile).focus({ preventScroll: isWindowed });
    if (!isWindowed) tile.scrollIntoView({ block: "nearest" });
    return true;
  };
  if (focus()) return;
  // The tile is on its way. Until it comes, the list itself has the focus.
  element.tabIndex = -1;
  element.focus({ preventScroll: true });
  announce("Loading");
  waiting = () => {
    render();
    if (tileAt(to) || to !== current) waiting = null;
    if (document.activeElement === element || document.activeElement === document.body) focus();
  };
}

/** Gives the focus back to the list after what had it is gone, without scrolling. */
export function focusHere() {
  if (!element?.isConnected) return;
  current = Math.max(Math.min(current, total - 1), 0);
  const tile = tileAt(current);
  if (tile) return focusOf(tile).focus({ preventScroll: true });
  element.tabIndex = -1;
  element.focus({ preventScroll: true });
}

/** @param {number} index */
function bringIntoView(index) {
  const row = Math.floor(index / columns);
  const top = topRow();
  const seen = (innerHeight - covered()) / rowHeight();
  if (row < top) scrollToRow(row - gap / rowHeight());
  else if (row + 1 > top + seen) scrollToRow(row + 1 - seen + gap / rowHeight());
  else render();
}

/** The position that the tab key reaches. */
export const position = () => current;
/** @param {number} index */
export const setPosition = (index) => (current = index);

document.addEventListener("focusin", (event) => {
  const tile = tileOf(event.target);
  if (!tile?.dataset.index || !event.target.matches(".tile-link, [data-focus]")) return;
  current = indexOf(tile);
  for (const other of shownTiles()) if (focusOf(other)) focusOf(other).tabIndex = other === tile ? 0 : -1;
});

/**
 * What is on the page now, to be there at once when the person comes back.
 * @returns {{ first: number, html: string }}
 */
export function snapshot() {
  const tiles = shownTiles().filter((tile) => !tile.classList.contains("tile-pinned"));
  // Copies in the document of the page would load their images once more, in other sizes. A text may not set styles.
  const texts = tiles.map((tile) => tile.outerHTML.replaceAll(/ style="[^"]*"/g, ""));
  const html = `<ul>${texts.join("")}</ul>`;
  const list = new DOMParser().parseFromString(html, "text/html").querySelector("ul");
  for (const canvas of list.querySelectorAll("canvas")) canvas.remove();
  return { first: tiles[0] ? indexOf(tiles[0]) : 0, html: list.innerHTML };
}

/**
 * Puts a [`snapshot`] back, until its parts come again.
 * @param {{ first: number, html: string }} kept
 */
export function putBack({ first, html }) {
  const page = new DOMParser().parseFromString(`<ul>${html}</ul>`, "text/html");
  seed(first, [...page.querySelectorAll(".tile")]);
}

/** Reads the whole list again; what is on the page stays until then. */
export function reload() {
  forget();
  render();
}

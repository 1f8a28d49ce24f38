// The grid of a library and of its trash: its tiles, and moving from one to another.

/**
 * @param {HTMLElement | undefined} tile
 * @returns {HTMLInputElement | null}
 */
export const boxOf = (tile) => /** @type {HTMLInputElement} */ (tile?.querySelector("input[type=checkbox]"));

/** @param {HTMLElement | undefined} tile */
const focusOf = (tile) => tile?.querySelector(".tile-link, [data-focus]");

export const tiles = () => [...document.querySelectorAll("#grid .tile")].filter(focusOf);

/**
 * The tile that something is in.
 * @param {EventTarget | null} node
 */
export const tileOf = (node) => node?.closest?.("#grid .tile");

/** The form around the grid, where the person may change something. */
export const gridForm = () => /** @type {HTMLFormElement | null} */ (document.getElementById("assets"));

/**
 * Makes a tile the one stop for the tab key; arrows move on from there.
 * @param {HTMLElement} tile
 */
export function rove(tile) {
  for (const other of tiles()) {
    focusOf(other).tabIndex = other === tile ? 0 : -1;
    if (boxOf(other)) boxOf(other).tabIndex = -1;
  }
}

/** @param {HTMLElement | undefined} tile */
export function go(tile) {
  if (!tile) return;
  rove(tile);
  focusOf(tile).focus();
  tile.scrollIntoView({ block: "nearest" });
}

/**
 * The nearest tile of the row above or below.
 * @param {HTMLElement} from
 * @param {1 | -1} step
 */
export function across(from, step) {
  const here = from.getBoundingClientRect();
  const boxes = tiles().map((tile) => ({ tile, box: tile.getBoundingClientRect() }));
  const beyond = boxes.filter(({ box }) => (step > 0 ? box.top > here.top + 4 : box.top < here.top - 4));
  if (!beyond.length) return null;
  const tops = beyond.map(({ box }) => box.top);
  const row = step > 0 ? Math.min(...tops) : Math.max(...tops);
  /** @param {DOMRect} box */
  const middle = (box) => (box.left + box.right) / 2;
  /** @param {{ box: DOMRect }} candidate */
  const distance = ({ box }) => Math.abs(middle(box) - middle(here));
  const inRow = beyond.filter(({ box }) => Math.abs(box.top - row) <= 4);
  return inRow.sort((one, other) => distance(one) - distance(other))[0].tile;
}

document.addEventListener("focusin", (event) => {
  if (event.target.matches(".tile-link, [data-focus]")) rove(tileOf(event.target));
});

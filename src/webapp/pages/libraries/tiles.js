// The tiles of the grid of a library and of its trash.

/**
 * The checkbox of a tile.
 * @param {Element | null | undefined} tile
 * @returns {HTMLInputElement | null}
 */
export const boxOf = (tile) => /** @type {HTMLInputElement} */ (tile?.querySelector("input[type=checkbox]"));

/** @param {Element | null | undefined} tile */
export const focusOf = (tile) => tile?.querySelector(".tile-link, [data-focus]");

/**
 * The tile that something is in.
 * @param {EventTarget | null} node
 */
export const tileOf = (node) => node?.closest?.("#grid .tile");

/** The form around the grid, where the person may select something. */
export const gridForm = () => /** @type {HTMLFormElement | null} */ (document.getElementById("assets"));

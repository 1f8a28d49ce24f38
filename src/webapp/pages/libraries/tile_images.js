// The images of tiles. One that still loads when its tile leaves the page is not loaded any further: on a slow line, the
// images of the place that is shown come first.

import { tileOf } from "./tiles.js";

/** @param {HTMLElement} tile */
const imageOf = (tile) => /** @type {HTMLImageElement | null} */ (tile.querySelector("img"));

/**
 * Ends the loading of the image of a tile that is no longer on the page.
 * @param {HTMLElement} tile
 */
export function pauseImage(tile) {
  const image = imageOf(tile);
  if (!image?.src || image.complete) return;
  image.dataset.src = image.getAttribute("src");
  image.dataset.srcset = image.srcset;
  for (const name of ["srcset", "src"]) image.removeAttribute(name);
}

/**
 * Loads the image of a tile that comes onto the page again.
 * @param {HTMLElement} tile
 */
export function resumeImage(tile) {
  const image = imageOf(tile);
  if (image?.complete && image.naturalWidth) markLoaded(tile);
  if (!image?.dataset.src) return;
  if (image.dataset.srcset) image.srcset = image.dataset.srcset;
  image.src = image.dataset.src;
  for (const name of ["src", "srcset"]) delete image.dataset[name];
}

/**
 * The address of the image of a tile, also while it is not loaded.
 * @param {HTMLElement} tile
 */
export function imageAddress(tile) {
  const image = imageOf(tile);
  return image?.dataset.src ?? image?.getAttribute("src");
}

/** @param {HTMLElement} tile */
function markLoaded(tile) {
  // Nothing may show through an image that is clear in places.
  if (tile.classList.contains("tile-clear")) tile.style.backgroundColor = "";
  tile.classList.add("tile-loaded");
}

document.addEventListener("load", ({ target }) => tileOf(target) && markLoaded(tileOf(target)), true);

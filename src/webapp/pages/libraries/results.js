// What a library's page shows of a list, and keeping it current after changes and uploads.

import { fetchPart } from "../../layout/fetch.js";
import { drawPlaceholders } from "./blurhash.js";
import { watch } from "./endless_list.js";
import { rove, tileOf, tiles } from "./tiles.js";
import { showCount } from "./selection.js";

/** Gives tiles that just came what they need. */
export function settle() {
  const all = tiles();
  if (all.length) rove(tileOf(document.activeElement) ?? all[0]);
  showCount(false);
  drawPlaceholders();
  watch();
}

/** How much there is and under which tags, after a change; the grid stays as it is, unless it is empty. */
export async function refresh() {
  if (!tiles().length && document.getElementById("next")) return location.reload();
  if (!tiles().length) return fill();
  const now = await fetchPart(location.href);
  for (const stale of document.querySelectorAll("[data-fresh]")) {
    const fresh = now?.querySelector(`[data-fresh="${stale.dataset.fresh}"]`);
    if (fresh) stale.replaceWith(document.adoptNode(fresh));
  }
  prepare();
}

// How often the whole list was asked for. An answer that another request has overtaken may lack the latest uploads.
let fills = 0;

async function fill() {
  const results = document.getElementById("results");
  if (!results) return location.reload();
  const turn = (fills += 1);
  const now = await fetchPart(location.href);
  if (turn !== fills) return;
  if (now) results.replaceChildren(...now.body.childNodes);
  prepare();
}

// What came in later gets what the page got when it was opened.
function prepare() {
  if (window.htmx) htmx.process(document.getElementById("results") ?? document.body);
  settle();
}

// New tiles come first where the newest come first.
window.addEventListener("uploaded", ({ detail }) => {
  const grid = document.getElementById("grid");
  if (!grid) return fill();
  if (!grid.hasAttribute("data-newest-first")) return;
  grid.prepend(...detail.filter((tile) => !grid.querySelector(`[data-id="${tile.dataset.id}"]`)));
  settle();
});
window.addEventListener("uploads-ended", refresh);

document.addEventListener("htmx:afterSwap", (event) => {
  if (/** @type {HTMLElement} */ (event.target).id === "results") settle();
});

// The rest of a long list comes when its end comes near. The address remembers how far, for the way back.

import { fetchPart } from "../../layout/fetch.js";
import { drawPlaceholders } from "./blurhash.js";
import { go, rove, tileOf, tiles } from "./tiles.js";

const near = new IntersectionObserver(
  (entries) => {
    if (entries.some((entry) => entry.isIntersecting)) more();
  },
  { rootMargin: "1200px" },
);
/** @type {Promise<void> | null} */
let underway = null;

const nextLink = () => /** @type {HTMLAnchorElement | null} */ (document.getElementById("next"));

/** Waits for the end of the list to come near. */
export function watch() {
  near.disconnect();
  const next = nextLink();
  if (next && document.getElementById("results")) near.observe(next);
}

function more() {
  underway ??= append().finally(() => {
    underway = null;
    watch();
  });
  return underway;
}

async function append() {
  const next = nextLink();
  if (!next) return;
  const later = await fetchPart(next.href);
  if (!later || !next.isConnected) return near.disconnect();
  const known = new Set(tiles().map((tile) => tile.dataset.id));
  const fresh = [...later.querySelectorAll(".tile")].filter((tile) => !known.has(tile.dataset.id));
  document.getElementById("grid").append(...fresh);
  const on = later.getElementById("next");
  if (on) next.href = on.getAttribute("href");
  else next.remove();
  rove(tileOf(document.activeElement) ?? tiles()[0]);
  drawPlaceholders();
  const parts = (history.state?.parts ?? 1) + 1;
  history.replaceState({ ...history.state, parts }, "");
}

/** Back from an asset's page: as far down as before. */
export async function comeBack() {
  const parts = history.state?.parts ?? 1;
  const id = history.state?.at;
  history.replaceState({ ...history.state, parts: 1 }, "");
  for (let count = 1; count < parts; count += 1) await more();
  if (id) go(document.querySelector(`#grid [data-id="${CSS.escape(id)}"]`));
}

document.addEventListener("click", (event) => {
  const tile = tileOf(event.target);
  if (tile && !event.defaultPrevented) history.replaceState({ ...history.state, at: tile.dataset.id }, "");
});

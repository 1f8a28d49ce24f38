// What a library's page shows of a list, and keeping it current after changes and uploads.

import { fetchPart } from "../../layout/fetch.js";
import { partsCame, position, reload, setPosition, setUp, showHeadings, shownTiles } from "./grid.js";
import { renewScrubber } from "./scrubber.js";
import { showBoxes, showCount } from "./selection.js";
import { readTimeline } from "./timeline.js";

/** The address of the list that is shown. */
export const shownAddress = () =>
  document.querySelector("#results-bar [data-address]")?.dataset.address ?? location.pathname;

/** Gives a grid that just came what it needs. */
export function settle() {
  readTimeline(document.getElementById("grid"));
  setUp(shownAddress());
  showBoxes();
  showCount(false);
  renewScrubber();
  for (const element of document.querySelectorAll("#toolbar [data-scripted]")) element.hidden = false;
}

/**
 * Shows what came for a list: the bar above the grid, and the grid.
 * @param {Document} page
 */
export function showResults(page) {
  showBar(page);
  document.getElementById("results").replaceChildren(...page.getElementById("results").childNodes);
  settle();
}

/** @param {Document} page */
function showBar(page) {
  const [bar, fresh] = [document.getElementById("results-bar"), page.getElementById("results-bar")];
  const scrolled = bar.querySelector(".chips")?.scrollLeft ?? 0;
  bar.replaceChildren(...fresh.childNodes);
  const chips = bar.querySelector(".chips");
  if (chips) chips.scrollLeft = scrolled;
  for (const element of bar.querySelectorAll("[data-scripted]")) element.hidden = false;
}

// How often the list was asked for. An answer that another request has overtaken may lack the latest changes.
let latestRequest = 0;

/** Reads everything that is shown again; the grid stays in its place, unless it was or becomes empty. */
export async function refresh() {
  if (!document.getElementById("results-bar")) return refreshTrash();
  const thisRequest = (latestRequest += 1);
  const page = await fetchPart(shownAddress());
  if (!page?.getElementById("results") || thisRequest !== latestRequest) return;
  const [before, after] = [document.getElementById("grid"), page.getElementById("grid")];
  if (!before?.dataset.total || !after?.dataset.total) return showResults(page);
  showBar(page);
  showCount(false);
  partsCame(Number(after.dataset.total));
  readTimeline(after);
  showHeadings();
  reload();
  renewScrubber();
}

/** The trash has pages, and says above them how much there is. */
async function refreshTrash() {
  if (!shownTiles().length) return location.reload();
  const now = await fetchPart(location.href);
  for (const stale of document.querySelectorAll("[data-fresh]")) {
    const fresh = now?.querySelector(`[data-fresh="${stale.dataset.fresh}"]`);
    if (fresh) stale.replaceWith(document.adoptNode(fresh));
  }
  const at = position();
  settle();
  setPosition(at);
}

// While files are uploaded, the grid and the count follow, but not with every file.
let following = 0;
window.addEventListener("uploaded", () => {
  if (!document.getElementById("grid")) return refresh();
  following ||= window.setTimeout(() => ((following = 0), refresh()), 1000);
});
window.addEventListener("uploads-ended", () => {
  clearTimeout(following);
  following = 0;
  refresh();
});

// A page that comes back as it was may be old.
addEventListener("pageshow", (event) => {
  if (event.persisted && document.getElementById("results")) refresh();
});

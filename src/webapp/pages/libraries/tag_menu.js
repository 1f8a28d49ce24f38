// The menu of all tags of a library, by their letters.

import { fetchPart } from "../../layout/fetch.js";
import { shownAddress } from "./results.js";

// How long somebody has to pause while typing, in milliseconds.
const PAUSE = 150;
let typing = 0;
let latestRequest = 0;

async function find() {
  const thisRequest = (latestRequest += 1);
  const letters = /** @type {HTMLInputElement} */ (document.getElementById("find-tag"))?.value ?? "";
  const address = new URL(shownAddress(), location.href);
  address.searchParams.set("find-tag", letters);
  const page = await fetchPart(address.href);
  const list = document.getElementById("tags-found");
  if (page && list && thisRequest === latestRequest) list.replaceChildren(...page.body.childNodes);
}

document.addEventListener(
  "toggle",
  (event) => {
    const menu = /** @type {HTMLDetailsElement} */ (event.target);
    if (!menu.matches?.("#all-tags")) return;
    if (!menu.open) return document.getElementById("tags-found").replaceChildren();
    find();
    document.getElementById("find-tag")?.focus();
  },
  true,
);

document.addEventListener("input", (event) => {
  if (!event.target.matches("#find-tag")) return;
  clearTimeout(typing);
  typing = window.setTimeout(find, PAUSE);
});

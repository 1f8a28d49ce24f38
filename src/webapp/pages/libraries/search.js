// Searching, filtering and sorting without leaving the page. Each list that somebody looked at has a place in the history.

import { RequestProblem, askPart } from "../../layout/fetch.js";
import { say } from "../../layout/messages.js";
import { forgetPlace, keepPlace, restorePlace } from "./place.js";
import { shownAddress, showResults } from "./results.js";

const form = /** @type {HTMLFormElement | null} */ (document.getElementById("search"));
// How long somebody has to pause while typing, in milliseconds.
const PAUSE = 180;

/** @type {AbortController | null} */
let openRequest = null;
let typing = 0;
/** Whether the list that is shown came from letters that are being typed: the next ones take its place in the history. */
let isTyped = false;

/**
 * Shows another list of this library.
 * @param {string} address
 * @param {"push" | "replace" | "keep"} entry what becomes of the history
 */
async function show(address, entry) {
  clearTimeout(typing);
  openRequest?.abort();
  const { signal } = (openRequest = new AbortController());
  document.getElementById("results").setAttribute("aria-busy", "true");
  try {
    const page = await askPart(address, signal);
    if (signal.aborted || !page.getElementById("results")) return;
    if (entry === "push") keepPlace();
    if (entry !== "keep" && scrollY > 0) scrollTo({ top: 0, behavior: "instant" });
    showResults(page);
    if (entry !== "keep") {
      const state = entry === "replace" ? history.state : null;
      history[entry === "push" ? "pushState" : "replaceState"](state, "", shownAddress());
      forgetPlace();
    }
    follow(entry === "keep");
  } catch (error) {
    if (signal.aborted) return;
    const reason = error instanceof RequestProblem ? error.message : "The server’s answer can’t be read.";
    say(`${reason} The list is the one from before. Try again.`, "problem");
  } finally {
    if (openRequest?.signal === signal) document.getElementById("results").removeAttribute("aria-busy");
  }
}

/**
 * The fields of the form become those of the list that is shown.
 * @param {boolean} isBack whether somebody went back to it, and is not typing its words
 */
function follow(isBack) {
  const fields = new URLSearchParams(location.search);
  const words = /** @type {HTMLInputElement} */ (document.getElementById("q"));
  if (isBack || document.activeElement !== words) words.value = fields.get("q") ?? "";
  const tags = fields.getAll("tag").map((tag) => {
    const field = document.createElement("input");
    Object.assign(field, { type: "hidden", name: "tag", value: tag });
    return field;
  });
  document.getElementById("search-tags").replaceChildren(...tags);
}

/** The address that the form asks for. */
function wanted() {
  const fields = [...new FormData(form)].filter(([, value]) => value !== "");
  const query = new URLSearchParams(/** @type {string[][]} */ (fields)).toString();
  return query ? `${form.getAttribute("action")}?${query}` : form.getAttribute("action");
}

if (form && document.getElementById("results")) {
  form.addEventListener("input", (event) => {
    if (!event.target.matches("#q")) return;
    clearTimeout(typing);
    typing = window.setTimeout(() => {
      show(wanted(), isTyped ? "replace" : "push");
      isTyped = true;
    }, PAUSE);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    show(wanted(), isTyped ? "replace" : "push");
    isTyped = false;
  });
  document.addEventListener("change", (event) => {
    const field = /** @type {HTMLInputElement} */ (event.target);
    if (field.form !== form || field.matches("#q")) return;
    isTyped = false;
    show(wanted(), "push");
  });
  document.getElementById("q").addEventListener("blur", () => (isTyped = false));

  // Links to lists of this library, such as tags.
  document.addEventListener("click", (event) => {
    const link = /** @type {HTMLAnchorElement | null} */ (
      event.target.closest("#results-bar a[href], #results .empty a[href]")
    );
    const isOther = !link || link.pathname !== location.pathname || link.hasAttribute("download");
    if (isOther || event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    isTyped = false;
    show(link.getAttribute("href"), "push");
  });

  addEventListener("popstate", async () => {
    isTyped = false;
    await show(location.pathname + location.search, "keep");
    restorePlace();
  });
}

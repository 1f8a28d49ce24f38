// The panel of uploads in the corner: a row for each file, and how far all of them are.

import { copyOf, setIcon } from "../../../layout/messages.js";
import { size } from "../file_size.js";

/** @typedef {import("./queue.js").Job} Job */
/** @typedef {import("./queue.js").State} State */

const panel = document.getElementById("uploads");
const list = document.getElementById("uploads-list");
const fold = document.getElementById("uploads-fold");
const rowTemplate = /** @type {HTMLTemplateElement} */ (document.getElementById("upload-row"));
const allProgress = /** @type {HTMLProgressElement} */ (document.getElementById("uploads-progress"));

/** @type {Record<State, string>} */
const ICONS = { waiting: "clock", sending: "upload", done: "circle-check", refused: "circle-alert", cancelled: "x" };

/**
 * Adds the row of a file.
 * @param {File} file
 * @param {string[]} folders
 * @param {{ onRetry: () => void, onCancel: () => void }} buttons
 */
export function addRow(file, folders, { onRetry, onCancel }) {
  const row = copyOf(rowTemplate);
  const progress = row.querySelector("progress");
  const name = row.querySelector("[data-name]");
  name.textContent = file.name;
  name.title = [...folders, file.name].join("/");
  row.querySelector("[data-size]").textContent = size(file.size);
  progress.setAttribute("aria-label", `Upload of ${file.name}`);
  row.querySelector("[data-retry]").setAttribute("aria-label", `Retry the upload of ${file.name}`);
  row.querySelector("[data-retry]").addEventListener("click", onRetry);
  row.querySelector("[data-cancel]").setAttribute("aria-label", `Cancel the upload of ${file.name}`);
  row.querySelector("[data-cancel]").addEventListener("click", onCancel);
  if (folders.length) document.getElementById("uploads-folders").hidden = false;
  list.append(row);
  panel.hidden = false;
  return { row, progress };
}

/**
 * Shows the state of a file, and the reason for it.
 * @param {Job} job
 * @param {string} reason
 * @param {boolean} canRetry
 */
export function showState(job, reason, canRetry) {
  const { row, state, progress } = job;
  const isOpen = state === "sending" || state === "waiting";
  const [retry, cancel] = [row.querySelector("[data-retry]"), row.querySelector("[data-cancel]")];
  const focused = document.activeElement;
  row.className = `upload upload-${state}`;
  setIcon(row, ICONS[state]);
  progress.hidden = !isOpen;
  progress.value = 0;
  retry.hidden = !canRetry || (state !== "refused" && state !== "cancelled");
  cancel.hidden = !isOpen;
  note(job, reason);
  if (state === "refused") {
    // What needs a look comes first, also in a panel that somebody folded.
    list.prepend(row);
    panel.hidden = false;
    setFolded(false);
  }
  if (focused === retry || focused === cancel) [retry, cancel, fold].find((button) => !button.hidden).focus();
}

/** @param {Job} job */
export const canBeRetried = ({ row }) => !row.querySelector("[data-retry]").hidden;

/**
 * Says something about a file that went wrong or that somebody should look at.
 * @param {Job} job
 * @param {string} text
 */
export function note({ row }, text) {
  const wrong = row.querySelector(".wrong");
  wrong.hidden = !text;
  wrong.textContent = text;
}

/**
 * Names an asset that is the same file.
 * @param {Job} job
 * @param {{ name: string, href: string }} other
 */
export function showSameFile({ row }, { name, href }) {
  const hint = row.querySelector("[data-twice]");
  hint.hidden = false;
  hint.querySelector("a").textContent = name;
  hint.querySelector("a").setAttribute("href", href);
}

/**
 * Says how far all of them are.
 * @param {Job[]} jobs
 * @param {boolean} isPaused
 */
export function showTotals(jobs, isPaused) {
  const focused = /** @type {HTMLElement | null} */ (document.activeElement);
  /** @param {State} state */
  const count = (state) => jobs.filter((job) => job.state === state).length;
  const open = count("waiting") + count("sending");
  const files = jobs.length === 1 ? "1 file" : `${jobs.length} files`;
  const uploaded = `${count("done")} of ${files} uploaded`;
  const underway = isPaused ? `Paused: ${uploaded}` : `Uploading ${files}, ${open} to go`;
  const parts = [open ? underway : uploaded];
  for (const state of /** @type {State[]} */ (["refused", "cancelled"]))
    if (count(state)) parts.push(`${count(state)} ${state}`);
  const [heading, text] = [document.getElementById("uploads-title"), parts.join(", ")];
  if (heading.textContent !== text) heading.textContent = text;
  allProgress.value = shareSent(jobs);
  allProgress.hidden = !open;
  const failed = jobs.filter((job) => job.state === "refused" && canBeRetried(job));
  document.getElementById("uploads-retry").hidden = open > 0 || failed.length < 2;
  document.getElementById("uploads-continue").hidden = !isPaused || open === 0;
  document.getElementById("uploads-cancel").hidden = open === 0;
  // Closed only once nothing can fail unseen any more.
  document.getElementById("uploads-close").hidden = open > 0;
  // A button that is gone gives its focus to one that stays.
  if (panel.contains(focused) && focused.hidden) fold.focus();
}

/** @param {Job[]} jobs */
function shareSent(jobs) {
  const total = jobs.reduce((sum, { file }) => sum + file.size, 0);
  /** @param {Job} job */
  const isOver = ({ state }) => state === "refused" || state === "cancelled";
  const sent = jobs.reduce((sum, job) => sum + (isOver(job) ? job.file.size : job.sent), 0);
  return total ? sent / total : 1;
}

/** Empties the panel and takes it off the page. */
export function closePanel() {
  const opener = /** @type {HTMLElement} */ (document.querySelector("#upload-menu > summary"));
  if (panel.contains(document.activeElement)) opener.focus();
  panel.hidden = true;
  list.replaceChildren();
}

/** @param {boolean} isFolded */
function setFolded(isFolded) {
  panel.classList.toggle("uploads-folded", isFolded);
  fold.setAttribute("aria-expanded", String(!isFolded));
}

fold?.addEventListener("click", () => setFolded(!panel.classList.contains("uploads-folded")));

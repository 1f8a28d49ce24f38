// The queue of files that are uploaded: some of them are on their way, the others wait.

import { announce } from "../../../layout/messages.js";
import { signedInAgain } from "../../../layout/session.js";
import { size } from "../file_size.js";
import { findSameFiles, tagByFolder } from "./followed_up.js";
import { addRow, closePanel, canBeRetried, note, showState, showTotals } from "./panel.js";
import { send } from "./send.js";

/**
 * @typedef {"waiting" | "sending" | "done" | "refused" | "cancelled"} State
 * @typedef {object} Job
 * @property {File} file
 * @property {string[]} folders
 * @property {HTMLElement} row
 * @property {HTMLProgressElement} progress
 * @property {State} state
 * @property {number} sent
 * @property {string} [id] Of the asset that it became.
 * @property {boolean} [isTagged]
 * @property {boolean} [isCompared]
 * @property {boolean} [wasHeld]
 * @property {AbortController} [cancelling]
 */

// How many files are sent at the same time.
const MAX_CONCURRENT = 3;
// How often the page’s counts are read again while files are sent, in milliseconds.
const COUNTS_INTERVAL = 5000;

const form = /** @type {HTMLFormElement | null} */ (document.getElementById("upload"));
/** @type {Job[]} */
const jobs = [];
let running = 0;
let countsReadAt = 0;
// While nobody is signed in, waiting files keep waiting.
let isPaused = false;

/** @param {State} state */
const jobsIn = (state) => jobs.filter((job) => job.state === state);

/** Whether files are on their way, or wait. */
export const isUploading = () => running > 0 || jobsIn("waiting").length > 0;
/** What was uploaded. */
export const uploaded = () => jobsIn("done");

/** @param {import("./dropped.js").Found[]} found */
export function add(found) {
  for (const { file, folders } of found) {
    /** @type {Job} */
    const job = {
      ...addRow(file, folders, { onRetry: () => retry([job]), onCancel: () => cancel([job]) }),
      file,
      folders,
      state: "waiting",
      sent: 0,
    };
    jobs.push(job);
    const problem = problemOf(file);
    if (problem) set(job, "refused", problem, false);
  }
  next();
}

/**
 * What the server would refuse a file for, known before it is sent. Types that other programs know only by their
 * bytes are left to the server.
 * @param {File} file
 */
function problemOf(file) {
  const accepted = new RegExp(`\\.(${form.dataset.extensions})$`, "i");
  const isPlausible = accepted.test(file.name) || /^(image|video)\/|^application\/pdf$/.test(file.type);
  const most = Number(form.dataset.mostBytes);
  if (!isPlausible) return "Its type is not accepted. Pictures, videos and PDF are.";
  if (file.size > most) return `It is larger than ${size(most)}, the most that this server takes.`;
  return file.size === 0 ? "It is empty." : "";
}

/** @param {Job[]} some */
function retry(some) {
  for (const job of some) set(job, "waiting");
  next();
}

/** Sends again what was refused and may work another time. */
export const retryAll = () => retry(jobsIn("refused").filter(canBeRetried));

function next() {
  if (!isPaused) for (const job of jobsIn("waiting").slice(0, MAX_CONCURRENT - running)) start(job);
  show();
}

const show = () => showTotals(jobs, isPaused);

/** @param {Job[]} some */
function cancel(some) {
  for (const job of some) {
    const { state, cancelling } = job;
    if (state === "waiting" || state === "sending") set(job, "cancelled");
    if (state === "sending") cancelling.abort();
  }
  show();
}

export const cancelAll = () => cancel([...jobs]);

/** Clears the queue and closes the panel. */
export function close() {
  jobs.length = 0;
  closePanel();
}

/** Waits until the person is signed in again, and continues. */
export function resume() {
  isPaused = true;
  signedInAgain().then(() => {
    isPaused = false;
    next();
  }, show);
}

/** @param {Job} job */
async function start(job) {
  running += 1;
  set(job, "sending");
  const { signal } = (job.cancelling = new AbortController());
  /** @type {import("./send.js").Sending} */
  const sending = {
    signal,
    onProgress: (bytes) => {
      job.sent = Math.min(bytes, job.file.size);
      job.progress.value = job.sent / Math.max(job.file.size, 1);
      show();
    },
    onAway: (isAway) =>
      note(job, isAway ? "The server can’t be reached. The upload goes on as soon as it can be." : ""),
  };
  const outcome = await send(job.file, form.action, sending).catch(
    () => /** @type {import("./send.js").Outcome | null} */ (null),
  );
  running -= 1;
  // The failure of a cancelled upload is ignored; that it was stored all the same is not.
  if (outcome && (!signal.aborted || !outcome.problem)) applyOutcome(job, outcome);
  continueQueue();
}

/**
 * @param {Job} job
 * @param {import("./send.js").Outcome} outcome
 */
function applyOutcome(job, { tile, id, problem, canRetry, isSignedOut, warning }) {
  // Only once for each job: what is refused right after signing in is refused for another reason.
  if (isSignedOut && !job.wasHeld) {
    job.wasHeld = true;
    set(job, "waiting");
    if (!isPaused) resume();
    return;
  }
  if (problem) return set(job, "refused", problem, canRetry);
  job.id = id;
  set(job, "done", warning);
  if (tile) window.dispatchEvent(new CustomEvent("uploaded", { detail: [tile] }));
  tagByFolder([job]);
}

function continueQueue() {
  next();
  if (isPaused) return;
  const isLast = running === 0;
  if (isLast) {
    const [done, refused] = [jobsIn("done").length, jobsIn("refused").length];
    announce(refused ? `${done} uploaded, ${refused} refused` : `${done} uploaded`);
    findSameFiles(jobsIn("done"));
  }
  // The page’s counts stay true, also in the middle of many files.
  if (!isLast && Date.now() - countsReadAt < COUNTS_INTERVAL) return;
  countsReadAt = Date.now();
  window.dispatchEvent(new Event("uploads-ended"));
}

/**
 * @param {Job} job
 * @param {State} state
 */
function set(job, state, reason = "", canRetry = true) {
  job.state = state;
  job.sent = state === "done" ? job.file.size : 0;
  showState(job, reason, canRetry);
}

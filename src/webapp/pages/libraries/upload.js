// Uploads from a library’s page: a queue of files, some of them on their way, and the panel in the corner that shows each.

import { announce, copyOf, say, setIcon } from "../../layout/messages.js";
import { sendChange, signedInAgain } from "../../layout/session.js";
import { size } from "./file_size.js";
import { filesFrom, filesOf, listen } from "./upload/dropped.js";
import { send } from "./upload/send.js";

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
 * @property {boolean} [wasHeld]
 * @property {AbortController} [cancelling]
 */

/** @returns {Response | null} */
const nothing = () => null;

const uploadForm = /** @type {HTMLFormElement | null} */ (document.getElementById("upload"));
if (uploadForm) begin();

function begin() {
  // How many files are on their way at once.
  const AT_ONCE = 3;
  // How often the page’s counts are read again meanwhile, in milliseconds.
  const COUNTED = 5000;
  const panel = document.getElementById("uploads");
  const list = document.getElementById("uploads-list");
  const rowTemplate = /** @type {HTMLTemplateElement} */ (document.getElementById("upload-row"));
  const allProgress = /** @type {HTMLProgressElement} */ (document.getElementById("uploads-progress"));
  const tagging = /** @type {HTMLInputElement} */ (document.getElementById("uploads-tags"));
  const fold = document.getElementById("uploads-fold");
  const mostBytes = Number(uploadForm.dataset.mostBytes);
  const accepted = new RegExp(`\\.(${uploadForm.dataset.extensions})$`, "i");
  /** @type {Job[]} */
  const jobs = [];
  let running = 0;
  let counted = 0;
  // While nobody is signed in, waiting files keep waiting.
  let paused = false;

  /** @param {State} state */
  const is = (state) => jobs.filter((job) => job.state === state);

  /** @param {import("./upload/dropped.js").Found[]} found */
  function add(found) {
    for (const { file, folders } of found) {
      const row = copyOf(rowTemplate);
      const progress = row.querySelector("progress");
      /** @type {Job} */
      const job = { file, folders, row, progress, state: "waiting", sent: 0 };
      const name = row.querySelector("[data-name]");
      name.textContent = file.name;
      name.title = [...folders, file.name].join("/");
      row.querySelector("[data-size]").textContent = size(file.size);
      progress.setAttribute("aria-label", `Upload of ${file.name}`);
      row.querySelector("[data-retry]").addEventListener("click", () => retry([job]));
      row.querySelector("[data-cancel]").setAttribute("aria-label", `Cancel the upload of ${file.name}`);
      row.querySelector("[data-cancel]").addEventListener("click", () => cancel([job]));
      list.append(row);
      jobs.push(job);
      const problem = wrongWith(file);
      if (problem) set(job, "refused", problem, false);
    }
    if (found.some(({ folders }) => folders.length)) document.getElementById("uploads-folders").hidden = false;
    panel.hidden = false;
    next();
  }

  /**
   * What the server would refuse a file for, known before it is sent. Types that other programs know only by their
   * bytes are left to the server.
   * @param {File} file
   */
  function wrongWith(file) {
    const isPlausible = accepted.test(file.name) || /^(image|video)\/|^application\/pdf$/.test(file.type);
    if (!isPlausible) return "Its type is not accepted. Pictures, videos and PDF are.";
    if (file.size > mostBytes) return `It is larger than ${size(mostBytes)}, the most that this server takes.`;
    return file.size === 0 ? "It is empty." : "";
  }

  /** @param {Job[]} some */
  function retry(some) {
    for (const job of some) set(job, "waiting");
    next();
  }

  function next() {
    if (!paused) for (const job of is("waiting").slice(0, AT_ONCE - running)) start(job);
    tell();
  }

  /** @param {Job[]} some */
  function cancel(some) {
    for (const job of some) {
      const { state, cancelling } = job;
      if (state === "waiting" || state === "sending") set(job, "cancelled");
      if (state === "sending") cancelling.abort();
    }
    tell();
  }

  function resume() {
    paused = true;
    signedInAgain().then(() => {
      paused = false;
      next();
    }, tell);
  }

  /** @param {Job} job */
  async function start(job) {
    running += 1;
    set(job, "sending");
    job.cancelling = new AbortController();
    /** @type {import("./upload/send.js").Sending} */
    const sending = {
      signal: job.cancelling.signal,
      onProgress: (bytes) => {
        job.sent = Math.min(bytes, job.file.size);
        job.progress.value = job.sent / Math.max(job.file.size, 1);
        tell();
      },
      onAway: (isAway) =>
        note(job, isAway ? "The server can’t be reached. The upload goes on as soon as it can be." : ""),
    };
    const outcome = await send(job.file, uploadForm.action, sending).catch(
      () => /** @type {import("./upload/send.js").Outcome | null} */ (null),
    );
    running -= 1;
    if (outcome) ended(job, outcome);
    over();
  }

  /**
   * @param {Job} job
   * @param {import("./upload/send.js").Outcome} outcome
   */
  function ended(job, { tile, id, problem, canRetry, isSignedOut }) {
    // Once a session: what is refused right after signing in is refused for another reason.
    if (isSignedOut && !job.wasHeld) {
      job.wasHeld = true;
      set(job, "waiting");
      if (!paused) resume();
      return;
    }
    if (problem) return set(job, "refused", problem, canRetry);
    job.id = id;
    set(job, "done");
    if (tile) window.dispatchEvent(new CustomEvent("uploaded", { detail: [tile] }));
    tagByFolder([job]);
  }

  function over() {
    next();
    if (paused) return;
    const isLast = running === 0;
    if (isLast) {
      const [done, refused] = [is("done").length, is("refused").length];
      announce(refused ? `${done} uploaded, ${refused} refused` : `${done} uploaded`);
      findDuplicates();
    }
    // The page’s counts stay true, also in the middle of many files.
    if (!isLast && Date.now() - counted < COUNTED) return;
    counted = Date.now();
    window.dispatchEvent(new Event("uploads-ended"));
  }

  /** @type {Record<State, string>} */
  const icons = { waiting: "clock", sending: "upload", done: "circle-check", refused: "circle-alert", cancelled: "x" };

  /**
   * @param {Job} job
   * @param {State} state
   */
  function set(job, state, reason = "", canRetry = true) {
    job.state = state;
    job.sent = state === "done" ? job.file.size : 0;
    const { row } = job;
    row.className = `upload upload-${state}`;
    setIcon(row, icons[state]);
    job.progress.hidden = state !== "sending" && state !== "waiting";
    job.progress.value = 0;
    row.querySelector("[data-retry]").hidden = !canRetry || (state !== "refused" && state !== "cancelled");
    row.querySelector("[data-cancel]").hidden = state !== "sending" && state !== "waiting";
    note(job, reason);
    if (state !== "refused") return;
    // What needs a look comes first, also in a panel that somebody folded.
    list.prepend(row);
    panel.hidden = false;
    setFolded(false);
  }

  /**
   * @param {Job} job
   * @param {string} text
   */
  function note(job, text) {
    const wrong = job.row.querySelector(".wrong");
    wrong.hidden = !text;
    wrong.textContent = text;
  }

  function tell() {
    const total = jobs.reduce((sum, job) => sum + job.file.size, 0);
    /** @param {Job} job */
    const isOver = (job) => job.state === "refused" || job.state === "cancelled";
    const sent = jobs.reduce((sum, job) => sum + (isOver(job) ? job.file.size : job.sent), 0);
    const open = is("waiting").length + is("sending").length;
    const canBeRetried = jobs.filter(
      ({ state, row }) => state === "refused" && !row.querySelector("[data-retry]").hidden,
    );
    const files = jobs.length === 1 ? "1 file" : `${jobs.length} files`;
    const uploaded = `${is("done").length} of ${files} uploaded`;
    const underway = paused ? `Paused: ${uploaded}` : `Uploading ${files}, ${open} to go`;
    const parts = [open ? underway : uploaded];
    for (const state of /** @type {State[]} */ (["refused", "cancelled"]))
      if (is(state).length) parts.push(`${is(state).length} ${state}`);
    const heading = document.getElementById("uploads-title");
    const text = parts.join(", ");
    if (heading.textContent !== text) heading.textContent = text;
    allProgress.value = total ? sent / total : 1;
    allProgress.hidden = !open;
    document.getElementById("uploads-retry").hidden = open > 0 || canBeRetried.length < 2;
    document.getElementById("uploads-continue").hidden = !paused || open === 0;
    document.getElementById("uploads-cancel").hidden = open === 0;
    // Closed only once nothing can fail unseen any more.
    document.getElementById("uploads-close").hidden = open > 0;
  }

  /** @param {boolean} isFolded */
  function setFolded(isFolded) {
    panel.classList.toggle("uploads-folded", isFolded);
    fold.setAttribute("aria-expanded", String(!isFolded));
  }

  /**
   * Tags what came from folders with their names, where that is wished for.
   * @param {Job[]} some
   */
  async function tagByFolder(some) {
    if (!tagging.checked) return;
    for (const job of some.filter(({ id, folders, isTagged }) => id && folders.length && !isTagged)) {
      job.isTagged = true;
      const add = job.folders.map((name) => name.replaceAll(",", " ").slice(0, 64)).join(",");
      const address = uploadForm.action.replace(/upload$/, `${job.id}/tags`);
      const answer = await sendChange(address, new URLSearchParams({ add })).catch(nothing);
      if (!answer?.ok) note(job, "It is uploaded, but could not be tagged with the names of its folders.");
    }
  }

  // Names what is in the library twice now. Deleting one of them is the person’s choice.
  async function findDuplicates() {
    const fresh = jobs.filter(({ state, id, row }) => state === "done" && id && !row.dataset.compared);
    for (let at = 0; at < fresh.length; at += 100) {
      const some = fresh.slice(at, at + 100);
      for (const { row } of some) row.dataset.compared = "yes";
      const ids = new URLSearchParams(some.map(({ id }) => ["id", id]));
      const address = uploadForm.action.replace(/upload$/, "same-files");
      const answer = await fetch(`${address}?${ids}`, { headers: { Accept: "application/json" } }).catch(nothing);
      if (!answer?.ok || !answer.headers.get("Content-Type")?.startsWith("application/json")) return;
      /** @type {{ id: string, name: string, href: string }[]} */
      const found = await answer.json();
      for (const { id, name, href } of found) {
        const job = some.find((one) => one.id === id);
        const hint = job.row.querySelector("[data-twice]");
        hint.hidden = false;
        hint.querySelector("a").textContent = name;
        hint.querySelector("a").setAttribute("href", href);
      }
    }
  }

  document
    .getElementById("uploads-retry")
    .addEventListener("click", () =>
      retry(is("refused").filter(({ row }) => !row.querySelector("[data-retry]").hidden)),
    );
  document.getElementById("uploads-continue").addEventListener("click", resume);
  document.getElementById("uploads-cancel").addEventListener("click", () => cancel([...jobs]));
  document.getElementById("uploads-close").addEventListener("click", () => {
    panel.hidden = true;
    jobs.length = 0;
    list.replaceChildren();
  });
  fold.addEventListener("click", () => setFolded(!panel.classList.contains("uploads-folded")));
  tagging.checked = localStorage.getItem("upload-tags") === "yes";
  tagging.addEventListener("change", () => {
    localStorage.setItem("upload-tags", tagging.checked ? "yes" : "no");
    tagByFolder(is("done"));
  });

  const picker = /** @type {HTMLInputElement} */ (document.getElementById("files"));
  const folderPicker = /** @type {HTMLInputElement} */ (document.getElementById("folder"));
  document.querySelector("#upload-menu > summary").addEventListener("click", (event) => {
    event.preventDefault();
    picker.click();
  });
  document.getElementById("upload-folder").addEventListener("click", () => folderPicker.click());
  picker.addEventListener("change", () => add(filesFrom(picker)));
  folderPicker.addEventListener("change", () => {
    const found = filesFrom(folderPicker);
    if (found.length) add(found);
    else say("The folder has no files in it.", "problem");
  });
  const cover = document.getElementById("drop-page");
  listen(
    (isOver) => (cover.hidden = !isOver),
    async (data) => {
      try {
        const found = await filesOf(data);
        if (found.length) add(found);
        else say("The folder has no files in it.", "problem");
      } catch {
        say("The folder can’t be read. Pick its files by the button Upload.", "problem");
      }
    },
  );

  addEventListener("beforeunload", (event) => {
    if (running || is("waiting").length) event.preventDefault();
  });
}

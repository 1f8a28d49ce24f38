// Uploads: files that are dropped on the page, picked or pasted, some at a time, each with its progress.

import { announce, copyOf, say, setIcon } from "../../layout/messages.js";
import { changeHeaders, isSignedOut, signedInAgain } from "../../layout/session.js";

/**
 * @typedef {"waiting" | "sending" | "done" | "refused" | "cancelled"} State
 * @typedef {object} Job
 * @property {File} file
 * @property {HTMLElement} row
 * @property {HTMLProgressElement} progress
 * @property {State} state
 * @property {number} sent
 * @property {boolean} [wasHeld]
 * @property {XMLHttpRequest} [request]
 */

const uploadForm = /** @type {HTMLFormElement | null} */ (document.getElementById("upload"));
if (uploadForm) {
  // How many files are on their way at once.
  const AT_ONCE = 3;
  const picker = /** @type {HTMLInputElement} */ (document.getElementById("files"));
  const panel = document.getElementById("uploads");
  const list = document.getElementById("uploads-list");
  const cover = document.getElementById("drop-page");
  const rowTemplate = /** @type {HTMLTemplateElement} */ (document.getElementById("upload-row"));
  const allProgress = /** @type {HTMLProgressElement} */ (document.getElementById("uploads-progress"));
  /** @type {Job[]} */
  const jobs = [];
  let running = 0;
  // While nobody is signed in, waiting files keep waiting.
  let paused = false;

  /** @param {State} state */
  const is = (state) => jobs.filter((job) => job.state === state);
  /** @param {number} bytes */
  const size = (bytes) => {
    const units = ["bytes", "KB", "MB", "GB"];
    const power = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), 3);
    return `${(bytes / 1000 ** power).toFixed(power > 1 ? 1 : 0)} ${units[power]}`;
  };

  /** @param {File[]} files */
  function add(files) {
    for (const file of files) {
      const row = copyOf(rowTemplate);
      const progress = row.querySelector("progress");
      /** @type {Job} */
      const job = { file, row, progress, state: "waiting", sent: 0 };
      row.querySelector("[data-name]").textContent = file.name;
      row.querySelector("[data-size]").textContent = size(file.size);
      progress.setAttribute("aria-label", `Upload of ${file.name}`);
      row.querySelector("[data-retry]").addEventListener("click", () => retry([job]));
      row.querySelector("[data-cancel]").setAttribute("aria-label", `Cancel the upload of ${file.name}`);
      row.querySelector("[data-cancel]").addEventListener("click", () => cancel([job]));
      list.append(row);
      jobs.push(job);
    }
    panel.hidden = false;
    next();
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
      const { state, request } = job;
      if (state === "waiting" || state === "sending") set(job, "cancelled");
      if (state === "sending") request.abort();
    }
    tell();
  }

  /**
   * The session ended, or a new one began in another tab: the person signs in over the page, and the upload continues.
   * @param {Job} job
   */
  function hold(job) {
    running -= 1;
    set(job, "waiting");
    // Once a session: what is refused right after signing in is refused for another reason.
    job.wasHeld = true;
    if (!paused) resume();
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
  function start(job) {
    running += 1;
    set(job, "sending");
    const body = new FormData();
    body.append("files", job.file, job.file.name);
    const request = new XMLHttpRequest();
    request.open("POST", uploadForm.action);
    const headers = { ...changeHeaders, "HX-Request": "true" };
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.addEventListener("progress", (event) => {
      job.sent = event.lengthComputable ? (event.loaded / event.total) * job.file.size : 0;
      job.progress.value = job.sent / Math.max(job.file.size, 1);
      tell();
    });
    request.addEventListener("load", () => ended(job, request));
    request.addEventListener("error", () => broken(job));
    request.addEventListener("abort", over);
    job.request = request;
    request.send(body);
  }

  /** @param {Job} job */
  async function broken(job) {
    const firstByte = job.file.slice(0, 1).arrayBuffer();
    const isReadable = await firstByte.then(
      () => true,
      () => false,
    );
    if (isReadable) return failed(job, "The connection was lost. Try again.");
    failed(job, "The file can’t be read: it was moved, changed or deleted. Pick it again.", false);
  }

  /**
   * @param {Job} job
   * @param {XMLHttpRequest} request
   */
  function ended(job, request) {
    if (!job.wasHeld && isSignedOut(request.status, request.getResponseHeader("HX-Redirect"))) return hold(job);
    const answer = new DOMParser().parseFromString(request.responseText, "text/html");
    if (request.status !== 200 || answer.querySelector("[data-refused]")) {
      const reason = answer.querySelector("p")?.textContent.trim();
      return failed(job, reason || "The server did not take it.");
    }
    set(job, "done");
    window.dispatchEvent(new CustomEvent("uploaded", { detail: [...answer.querySelectorAll(".tile")] }));
    over();
  }

  /**
   * @param {Job} job
   * @param {string} reason
   */
  function failed(job, reason, canRetry = true) {
    set(job, "refused", reason, canRetry);
    over();
  }

  function over() {
    running -= 1;
    next();
    if (running > 0 || paused) return;
    const [done, refused] = [is("done").length, is("refused").length];
    announce(refused ? `${done} uploaded, ${refused} refused` : `${done} uploaded`);
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
    const wrong = row.querySelector(".wrong");
    wrong.hidden = !reason;
    wrong.textContent = reason;
    // What needs a look comes first.
    if (state === "refused") list.prepend(row);
  }

  function tell() {
    const total = jobs.reduce((sum, job) => sum + job.file.size, 0);
    /** @param {Job} job */
    const isOver = (job) => job.state === "refused" || job.state === "cancelled";
    const sent = jobs.reduce((sum, job) => sum + (isOver(job) ? job.file.size : job.sent), 0);
    const open = is("waiting").length + is("sending").length;
    const refused = is("refused").length;
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
    document.getElementById("uploads-retry").hidden = open > 0 || refused < 2;
    document.getElementById("uploads-continue").hidden = !paused || open === 0;
    document.getElementById("uploads-cancel").hidden = open === 0;
    // Closed only once nothing can fail unseen any more.
    document.getElementById("uploads-close").hidden = open > 0;
  }

  document.getElementById("uploads-retry").addEventListener("click", () => retry(is("refused")));
  document.getElementById("uploads-continue").addEventListener("click", resume);
  document.getElementById("uploads-cancel").addEventListener("click", () => cancel([...jobs]));
  document.getElementById("uploads-close").addEventListener("click", () => {
    panel.hidden = true;
    jobs.length = 0;
    list.replaceChildren();
  });

  document.querySelector("#upload-menu > summary").addEventListener("click", (event) => {
    event.preventDefault();
    picker.click();
  });
  picker.addEventListener("change", () => {
    add([...picker.files]);
    picker.value = "";
  });

  // Files that systems put next to people’s own.
  const clutter = /^(\..*|Thumbs\.db|desktop\.ini)$/i;

  /**
   * The files of a folder and of those in it, by name.
   * @param {FileSystemEntry} entry
   * @returns {Promise<File[]>}
   */
  async function filesIn(entry) {
    if (entry.isFile) {
      return [await new Promise((found, lost) => /** @type {FileSystemFileEntry} */ (entry).file(found, lost))];
    }
    const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
    /** @type {FileSystemEntry[]} */
    const entries = [];
    for (let /** @type {FileSystemEntry[]} */ some = null; some?.length !== 0; entries.push(...some)) {
      some = await new Promise((found, lost) => reader.readEntries(found, lost));
    }
    entries.sort((one, other) => one.name.localeCompare(other.name, undefined, { numeric: true }));
    const wanted = entries.filter((found) => !clutter.test(found.name));
    const files = [];
    for (const found of wanted) files.push(...(await filesIn(found)));
    return files;
  }

  /**
   * Adds what was dropped. The entries are gone once the event is over, so they are taken at once.
   * @param {DataTransfer} data
   */
  async function addDropped(data) {
    const entries = [...data.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
    if (!entries.some((entry) => entry.isDirectory)) return add([...data.files]);
    try {
      const files = (await Promise.all(entries.map(filesIn))).flat();
      if (files.length) add(files);
      else say("The folder has no files in it.", "problem");
    } catch {
      say("The folder can’t be read. Pick its files by the button Upload.", "problem");
    }
  }

  /** @param {DragEvent} event */
  const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
  // Entering a child comes before leaving its parent, so they are counted.
  let within = 0;
  /** @param {boolean} on */
  const covered = (on) => (cover.hidden = !on);
  addEventListener("dragenter", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    within += 1;
    covered(true);
  });
  addEventListener("dragover", (event) => {
    if (hasFiles(event)) event.preventDefault();
  });
  addEventListener("dragleave", (event) => {
    if (!hasFiles(event)) return;
    within = Math.max(within - 1, 0);
    covered(within > 0);
  });
  addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    within = 0;
    covered(false);
    addDropped(event.dataTransfer);
  });
  addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length) add(files);
  });

  addEventListener("beforeunload", (event) => {
    if (running || is("waiting").length) event.preventDefault();
  });
}

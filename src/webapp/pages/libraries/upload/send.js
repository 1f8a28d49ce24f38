// Sends one file to the server: a small one as a form, a large one in a way that goes on where it stopped (tus 1.0).

import { changeHeaders, isSignedOut } from "../../../layout/session.js";

// Larger files are worth going on with after a lost connection.
const LARGE = 8e6;
const TUS = { "Tus-Resumable": "1.0.0" };
// How long to wait between attempts to reach the server, in milliseconds; the last is repeated.
const PAUSES = [1000, 2000, 4000, 8000, 15000];
// What a proxy answers while its server starts.
const AWAY = [502, 503, 504];

/**
 * @typedef {object} Sending What the caller of `send` knows about it.
 * @property {(bytes: number) => void} onProgress
 * @property {(isAway: boolean) => void} onAway Called when the server can’t be reached, and when it can again.
 * @property {AbortSignal} signal
 */

/** @typedef {{ tile?: Element, id?: string, problem?: string, canRetry?: boolean, isSignedOut?: boolean, warning?: string }} Outcome */

/** @typedef {Outcome & { address?: string }} Created The address of an upload that can go on, or what went wrong. */

/**
 * @param {File} file
 * @param {string} action The address that takes a form with the file.
 * @param {Sending} sending
 * @returns {Promise<Outcome>} Rejected only when it is cancelled.
 */
export async function send(file, action, sending) {
  const isResumable = file.size > LARGE;
  return (isResumable && (await sendResumably(file, action, sending))) || sendWhole(file, action, sending);
}

/** @typedef {{ status: number, text: string, header: (name: string) => string | null }} Answer */

/**
 * One request. Status 0 stands for a connection that was lost.
 * @param {string} method
 * @param {string} address
 * @param {Record<string, string>} headers
 * @param {XMLHttpRequestBodyInit | null} body
 * @param {Sending} sending
 * @returns {Promise<Answer>}
 */
function request(method, address, headers, body, { onProgress, signal }, from = 0) {
  return new Promise((answered, cancelled) => {
    if (signal.aborted) return cancelled(signal.reason);
    const xhr = new XMLHttpRequest();
    xhr.open(method, address);
    for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
    xhr.upload.addEventListener("progress", (event) => onProgress(from + event.loaded));
    const stop = () => xhr.abort();
    signal.addEventListener("abort", stop, { once: true });
    const end = () => {
      signal.removeEventListener("abort", stop);
      answered({ status: xhr.status, text: xhr.responseText, header: (name) => xhr.getResponseHeader(name) });
    };
    xhr.addEventListener("load", end);
    xhr.addEventListener("error", end);
    xhr.addEventListener("abort", () => cancelled(signal.reason));
    xhr.send(body);
  });
}

/**
 * @param {File} file
 * @param {string} action
 * @param {Sending} sending
 * @returns {Promise<Outcome>}
 */
async function sendWhole(file, action, sending) {
  const body = new FormData();
  body.append("files", file, file.name);
  const answer = await request("POST", action, { ...changeHeaders, "HX-Request": "true" }, body, sending);
  if (answer.status === 0) return lost(file);
  if (isSignedOut(answer.status, answer.header("HX-Redirect"))) return { isSignedOut: true, problem: reason(answer) };
  const page = new DOMParser().parseFromString(answer.text, "text/html");
  const refused = page.querySelector("[data-refused]");
  if (answer.status === 200 && !refused) {
    return stored(page);
  }
  // Of a file that the server has seen and does not take, it takes none another time.
  return { problem: reason(answer), canRetry: !refused && answer.status !== 413 };
}

/** @param {File} file */
async function lost(file) {
  if (await isReadable(file)) return { problem: "The connection was lost. Try again.", canRetry: true };
  const problem = "The file can’t be read: it was moved, changed or deleted. Pick it again.";
  return { problem, canRetry: false };
}

/** @param {File} file */
const isReadable = (file) =>
  file
    .slice(0, 1)
    .arrayBuffer()
    .then(
      () => true,
      () => false,
    );

/**
 * What went wrong, in a sentence.
 * @param {Answer} answer
 */
function reason({ status, text }) {
  const page = new DOMParser().parseFromString(text, "text/html");
  const own = page.querySelector("[data-refused], .toast p")?.textContent.trim();
  if (own) return own;
  try {
    return JSON.parse(text).error.message;
  } catch {
    if (status === 413)
      return "A proxy before the server takes no file of this size. Its administrator can raise that limit (nginx: client_max_body_size).";
    return `Something between this browser and the server answered ${status}. Try again, or ask the administrator.`;
  }
}

/**
 * Sends a file in a way that goes on where it stopped. Resolves to nothing where the server can’t do that.
 * @param {File} file
 * @param {string} action
 * @param {Sending} sending
 * @returns {Promise<Outcome | null>}
 */
async function sendResumably(file, action, sending) {
  const created = await create(file, action, sending);
  if (!created?.address) return created;
  const { address } = created;
  sending.signal.addEventListener("abort", () => fetch(address, { method: "DELETE", headers: TUS }).catch(() => {}));
  let offset = 0;
  for (let tries = 0; ;) {
    const headers = {
      ...TUS,
      "Content-Type": "application/offset+octet-stream",
      "Upload-Offset": String(offset),
    };
    const answer = await request("PATCH", address, headers, file.slice(offset), sending, offset);
    if (answer.status === 204) {
      sending.onAway(false);
      const id = answer.header("Asset-Id");
      if (id) return findStored(id, action);
      offset = Number(answer.header("Upload-Offset"));
      continue;
    }
    if (answer.status === 0 && !(await isReadable(file))) return lost(file);
    if (answer.status === 404) return over(offset, file);
    const isWorthIt =
      answer.status === 0 || answer.status === 409 || answer.status === 429 || AWAY.includes(answer.status);
    if (!isWorthIt) return { problem: reason(answer), canRetry: ![400, 413].includes(answer.status) };
    const at = await find(address, answer, sending, tries);
    tries = at > offset ? 0 : tries + 1;
    if (at === null) return over(offset, file);
    offset = at;
  }
}

/**
 * Creates the upload. Resolves to its address, to what went wrong, or to nothing where the server knows no such uploads.
 * @param {File} file
 * @param {string} action
 * @param {Sending} sending
 * @returns {Promise<Created | null>}
 */
async function create(file, action, sending) {
  const name = btoa(String.fromCharCode(...new TextEncoder().encode(file.name)));
  const headers = {
    ...changeHeaders,
    ...TUS,
    "HX-Request": "true",
    "Upload-Length": String(file.size),
    "Upload-Metadata": `filename ${name}`,
  };
  const quiet = { ...sending, onProgress: () => {} };
  const answer = await request("POST", action.replace(/upload$/, "uploads"), headers, null, quiet);
  if (answer.status === 0) return lost(file);
  if (isSignedOut(answer.status, answer.header("HX-Redirect"))) return { isSignedOut: true, problem: reason(answer) };
  if (answer.status === 201) return { address: answer.header("Location") };
  if (answer.status === 404 || answer.status === 405) return null;
  return { problem: reason(answer), canRetry: answer.status !== 413 };
}

/**
 * Waits until the server can be asked how much of the file it has. Resolves to nothing when it knows nothing of it any more.
 * @param {string} address
 * @param {Answer} refused
 * @param {Sending} sending
 * @param {number} tries
 * @returns {Promise<number | null>}
 */
async function find(address, refused, sending, tries) {
  const asked = Number(refused.header("Retry-After")) * 1000;
  for (let pause = asked || (tries ? PAUSES[Math.min(tries, PAUSES.length) - 1] : 0), again = tries; ; again += 1) {
    if (pause) await wait(pause, sending);
    const answer = await request("HEAD", address, TUS, null, { ...sending, onProgress: () => {} });
    if (answer.status === 200) {
      sending.onAway(false);
      return Number(answer.header("Upload-Offset"));
    }
    if (answer.status === 404) return null;
    sending.onAway(true);
    pause = PAUSES[Math.min(again, PAUSES.length - 1)];
  }
}

/**
 * @param {number} milliseconds
 * @param {Sending} sending
 * @returns {Promise<void>}
 */
function wait(milliseconds, { signal }) {
  return new Promise((ended, cancelled) => {
    if (signal.aborted) return cancelled(signal.reason);
    const stop = () => cancelled(signal.reason);
    const done = () => {
      clearTimeout(timer);
      removeEventListener("online", done);
      signal.removeEventListener("abort", stop);
      ended();
    };
    const timer = setTimeout(done, milliseconds);
    addEventListener("online", done);
    signal.addEventListener("abort", stop, { once: true });
  });
}

/**
 * The server knows nothing of the upload any more.
 * @param {number} offset
 * @param {File} file
 * @returns {Outcome}
 */
function over(offset, file) {
  if (offset < file.size && offset > 0)
    return { problem: "The upload took too long, or the session ended. Try again.", canRetry: true };
  const problem =
    "The connection was lost at the very end. Look whether the file is in the library before you try again.";
  return { problem, canRetry: true };
}

/**
 * What the server says about an asset that it stored: its tile for the grid, and what somebody should know about it.
 * @param {Document} page
 * @returns {Outcome}
 */
function stored(page) {
  const tile = page.querySelector(".tile") ?? undefined;
  return { tile, id: tile?.dataset.id, warning: page.querySelector("[data-warning]")?.textContent };
}

/**
 * @param {string} id
 * @param {string} action
 * @returns {Promise<Outcome>}
 */
async function findStored(id, action) {
  try {
    const answer = await fetch(action.replace(/upload$/, `${id}/tile`), { headers: { "HX-Request": "true" } });
    return { ...stored(new DOMParser().parseFromString(await answer.text(), "text/html")), id };
  } catch {
    return { id };
  }
}

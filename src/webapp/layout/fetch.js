// Parts of pages and data, as a script asks for them.

import { isSignedOut, signedInAgain } from "./session.js";

/** Why a request failed, for a person; and when the server wants to be asked again, in milliseconds. */
export class RequestProblem extends Error {
  /**
   * @param {string} message
   * @param {number} retryAfter
   */
  constructor(message, retryAfter = 0) {
    super(message);
    this.retryAfter = retryAfter;
  }
}

/**
 * The answer at an address. Where nobody is signed in, the person signs in over the page, and it is asked for again.
 * @param {string} address
 * @param {AbortSignal} [signal]
 * @returns {Promise<Response>}
 * @throws {RequestProblem}
 */
export async function ask(address, signal, isAgain = false) {
  const headers = { "HX-Request": "true" };
  const answer = await fetch(address, { headers, signal }).catch((error) => {
    if (signal?.aborted) throw error;
    throw new RequestProblem("The server can’t be reached.");
  });
  const elsewhere = answer.headers.get("HX-Redirect");
  if (answer.ok && !elsewhere) return answer;
  // Only a change is refused because somebody signed in again elsewhere.
  if (answer.ok && isSignedOut(answer.status, elsewhere) && !isAgain) {
    await signedInAgain().catch(() => {
      throw new RequestProblem("You are signed out.");
    });
    return ask(address, signal, true);
  }
  throw new RequestProblem(reasonOf(answer.status), retryAfter(answer));
}

/** @param {number} status */
function reasonOf(status) {
  if (status === 429) return "The server has too much to do.";
  if (status === 404) return "This is no longer there, or you no longer have access to it.";
  return "The server could not answer.";
}

/** @param {Response} answer */
function retryAfter(answer) {
  const wanted = answer.headers.get("Retry-After");
  if (!wanted) return 0;
  const seconds = /^\d+$/.test(wanted) ? Number(wanted) : (Date.parse(wanted) - Date.now()) / 1000;
  return Math.max(seconds || 0, 0) * 1000;
}

/**
 * The part of a page at an address.
 * @param {string} address
 * @param {AbortSignal} [signal]
 * @returns {Promise<Document>}
 * @throws {RequestProblem}
 */
export async function askPart(address, signal) {
  const answer = await ask(address, signal);
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

/**
 * The part of a page at an address; null where that fails.
 * @param {string} address
 * @returns {Promise<Document | null>}
 */
export function fetchPart(address) {
  return askPart(address).catch(() => /** @type {Document | null} */ (null));
}

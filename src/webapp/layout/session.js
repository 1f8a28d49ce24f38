// A session that ends while a page is open: the person signs in over the page, and what was under way continues.

import { dialogOf } from "./dialogs.js";
import { say } from "./messages.js";

const SIGN_IN = "/app/sign-in";

/**
 * The headers that every change made by a script must carry; an error comes back as a message.
 * @type {Record<string, string>}
 */
export const changeHeaders = JSON.parse(document.body.getAttribute("hx-headers") ?? "{}");

/**
 * Takes over the token of a page that just came, so that the forms of this one can be sent again.
 * @param {Document} page
 */
function takeToken(page) {
  const headers = page.body.getAttribute("hx-headers");
  if (!headers) return;
  document.body.setAttribute("hx-headers", headers);
  Object.assign(changeHeaders, JSON.parse(headers));
  for (const field of document.querySelectorAll("input[name=csrf]")) {
    /** @type {HTMLInputElement} */ (field).value = changeHeaders["X-CSRF-Token"];
  }
}

/** @typedef {{ isSignedIn?: boolean, problem?: string }} Visit */

/**
 * Asks for a page; says whether it is one for somebody who is signed in, and what is wrong if it says so.
 * @param {string} address
 * @param {RequestInit} [options]
 * @returns {Promise<Visit>}
 */
async function visit(address, options) {
  const answer = await fetch(address, options);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  takeToken(page);
  const isSignedIn = answer.ok && new URL(answer.url).pathname !== SIGN_IN;
  return { isSignedIn, problem: page.querySelector("[role=alert] p, .card p")?.textContent.trim() };
}

/** @type {Promise<void> | null} */
let signingIn = null;

/** Resolves once the person is signed in again, for which the page asks them; is rejected when they refuse. */
export function signedInAgain() {
  signingIn ??= askToSignIn().finally(() => (signingIn = null));
  return signingIn;
}

async function askToSignIn() {
  // The sign-in page redirects a person who is signed in, perhaps in another tab.
  if ((await visit(SIGN_IN)).isSignedIn) return;
  const dialog = dialogOf("signed-out");
  const form = /** @type {HTMLFormElement} */ (dialog.querySelector("form"));
  const problem = dialog.querySelector(".wrong");
  const password = /** @type {HTMLInputElement} */ (form.elements.namedItem("password"));
  /** @param {string} text */
  const tell = (text) => {
    problem.textContent = text;
    problem.hidden = !text;
  };
  /** @param {Promise<Visit>} request */
  const check = async (request) => {
    const answer = await request.catch(() => ({
      isSignedIn: false,
      problem: "The server can’t be reached. Try again.",
    }));
    if (answer.isSignedIn) dialog.close("yes");
    return answer.problem;
  };
  /** @param {SubmitEvent} event */
  const submitted = async (event) => {
    event.preventDefault();
    const body = new URLSearchParams(/** @type {any} */ (new FormData(form)));
    tell((await check(visit(form.action, { method: "POST", body, headers: changeHeaders }))) ?? "");
    password.value = "";
  };
  const seen = () => document.visibilityState === "visible" && check(visit(SIGN_IN));
  tell("");
  dialog.returnValue = "";
  dialog.showModal();
  form.addEventListener("submit", submitted);
  document.addEventListener("visibilitychange", seen);
  await new Promise((closed) => dialog.addEventListener("close", closed, { once: true }));
  form.removeEventListener("submit", submitted);
  document.removeEventListener("visibilitychange", seen);
  password.value = "";
  if (dialog.returnValue !== "yes") throw new Error("The person did not sign in.");
}

/**
 * Whether an answer says that nobody is signed in, or that somebody signed in again since this page came.
 * @param {number} status
 * @param {string | null} elsewhere
 */
export const isSignedOut = (status, elsewhere) => status === 403 || Boolean(elsewhere?.startsWith(SIGN_IN));

/**
 * Sends a change as a script does. Where nobody is signed in, the person signs in over the page, and it is sent again.
 * @param {string} address
 * @param {BodyInit} body
 * @returns {Promise<Response>}
 */
export async function sendChange(address, body, isAgain = false) {
  const headers = { ...changeHeaders, "HX-Request": "true" };
  const answer = await fetch(address, { method: "POST", headers, body });
  if (isAgain || !isSignedOut(answer.status, answer.headers.get("HX-Redirect"))) return answer;
  await signedInAgain();
  return sendChange(address, body, true);
}

// The same for what forms of this page send by themselves.
const AGAIN = "X-Sent-Again";
document.addEventListener("htmx:beforeOnLoad", (event) => {
  const { xhr, requestConfig } = event.detail;
  const { verb, path, elt, target, parameters, headers } = requestConfig;
  const isDone = AGAIN in headers || !isSignedOut(xhr.status, xhr.getResponseHeader("HX-Redirect"));
  if (isDone || !dialogOf("signed-out")) return;
  event.preventDefault();
  const again = () => htmx.ajax(verb, path, { source: elt, target, values: parameters, headers: { [AGAIN]: "1" } });
  signedInAgain().then(again, () => say("Nothing was saved. Sign in and try again.", "problem"));
});

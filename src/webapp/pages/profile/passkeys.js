// Passkeys: adding one, and signing in with one. What is offered is hidden where the browser does not know them.

import { say } from "../../layout/messages.js";
import { changeHeaders } from "../../layout/session.js";

/** @typedef {{ publicKey: any }} Options */

if (window.PublicKeyCredential?.parseCreationOptionsFromJSON) {
  const adding = /** @type {HTMLFormElement | null} */ (document.getElementById("add-passkey"));
  const signingIn = document.getElementById("passkey-sign-in");

  if (adding) {
    adding.hidden = false;
    document.getElementById("add-passkey-unscripted").hidden = true;
    adding.addEventListener("submit", (event) => {
      event.preventDefault();
      const { value: name } = /** @type {HTMLInputElement} */ (document.getElementById("passkey-name"));
      /** @param {Options} options */
      const create = ({ publicKey }) =>
        navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(publicKey) });
      carry(event.submitter, adding.action, { name }, create, {});
    });
  }

  if (signingIn) {
    signingIn.hidden = false;
    const button = signingIn.querySelector("button");
    button.addEventListener("click", () => {
      /** @param {Options} options */
      const get = ({ publicKey }) =>
        navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(publicKey) });
      carry(button, button.dataset.address, {}, get, { next: button.dataset.next });
    });
  }

  /**
   * Asks the server, has the person answer, and sends the answer back.
   * @param {HTMLElement} button
   * @param {string} address
   * @param {object} question
   * @param {(options: Options) => Promise<Credential>} ask
   * @param {object} more
   */
  async function carry(button, address, question, ask, more) {
    if (button.getAttribute("aria-busy")) return;
    button.setAttribute("aria-busy", "true");
    try {
      const { ceremony, ...options } = await send(`${address}/begin`, question);
      const answer = /** @type {PublicKeyCredential} */ (await ask(options));
      const credential = answer.toJSON();
      await send(address, { ceremony, credential, ...more });
    } catch (error) {
      button.removeAttribute("aria-busy");
      say(reasons[error.name] ?? error.message, "problem");
    }
  }

  /** @type {Record<string, string>} */
  const reasons = {
    AbortError: "That was cancelled.",
    InvalidStateError: "This device has a passkey of yours for this server already.",
    NotAllowedError: "That was cancelled, or took too long, or there is no passkey for this server here.",
    NotSupportedError: "This device can’t keep a passkey. Use another one, or a security key.",
    SecurityError: "Passkeys don’t work at this address. Open the server at its own name.",
    TypeError: "The server can’t be reached. Check the connection and try again.",
  };

  /**
   * @param {string} address
   * @param {object} body
   * @returns {Promise<any>}
   */
  async function send(address, body) {
    const headers = { ...changeHeaders, "HX-Request": "true", "Content-Type": "application/json" };
    const answer = await fetch(address, { method: "POST", headers, body: JSON.stringify(body) });
    const elsewhere = answer.headers.get("HX-Redirect");
    if (elsewhere) {
      location.assign(elsewhere);
      return new Promise(() => {});
    }
    if (answer.ok) return answer.json();
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    throw new Error(page.querySelector("p")?.textContent.trim() || "The server did not take it. Try again.");
  }
}

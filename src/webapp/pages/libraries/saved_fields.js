// Fields that are saved when they are left: `form[data-saved-field]` around one text field. What is typed survives until it is
// saved: a reload, the end of the session, a server that can't be reached.

import { sendChange } from "../../layout/session.js";

/**
 * @typedef {object} SavedField
 * @property {HTMLFormElement} form
 * @property {HTMLTextAreaElement} field
 * @property {string} saved What the server has.
 * @property {Promise<boolean> | null} saving
 */

/** @type {SavedField[]} */
const fields = [];
/** @param {HTMLFormElement} form */
const draftName = (form) => `draft:${new URL(form.action).pathname}`;

for (const element of document.querySelectorAll("form[data-saved-field]")) {
  const form = /** @type {HTMLFormElement} */ (element);
  const field = /** @type {HTMLTextAreaElement} */ (form.querySelector("textarea"));
  /** @type {SavedField} */
  const one = { form, field, saved: field.defaultValue, saving: null };
  fields.push(one);
  const draft = sessionStorage.getItem(draftName(form));
  if (draft !== null && draft !== one.saved) {
    field.value = draft;
    show(one, "What you typed is back. It is not saved yet.");
  }
  field.addEventListener("input", () => {
    if (isUnsaved(one)) sessionStorage.setItem(draftName(form), field.value);
    else sessionStorage.removeItem(draftName(form));
    show(one, "");
  });
  field.addEventListener("keydown", (event) => {
    const saves = event.key === "Enter" && (event.ctrlKey || event.metaKey || field.hasAttribute("data-one-line"));
    if (!saves || event.isComposing) return;
    event.preventDefault();
    save(one);
  });
  field.addEventListener("blur", () => save(one));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    save(one);
  });
}

/** @param {SavedField} one */
function isUnsaved(one) {
  return one.field.value !== one.saved;
}

/** Whether anything that was typed is not saved. */
export const hasUnsaved = () => fields.some(isUnsaved);

/** Saves everything; resolves to whether that worked. */
export async function saveAll() {
  const saved = await Promise.all(fields.map(save));
  return saved.every(Boolean);
}

/**
 * @param {SavedField} one
 * @param {string} text
 */
function show(one, text, hasFailed = false) {
  one.form.classList.toggle("saves-changed", isUnsaved(one) && !one.saving);
  one.form.classList.toggle("saves-failed", hasFailed);
  one.form.querySelector("[role=status]").textContent = text;
  const button = one.form.querySelector("button");
  const verb = (button.dataset.verb ??= button.textContent);
  button.textContent = hasFailed ? "Retry" : verb;
}

/**
 * @param {SavedField} one
 * @returns {Promise<boolean>}
 */
function save(one) {
  if (one.saving) return one.saving.then(() => save(one));
  if (!isUnsaved(one)) return Promise.resolve(true);
  const sent = one.field.value;
  one.saving = send(one).then((problem) => {
    one.saving = null;
    if (problem) {
      show(one, `Not saved: ${problem}`, true);
      return false;
    }
    one.saved = sent;
    if (!isUnsaved(one)) sessionStorage.removeItem(draftName(one.form));
    show(one, isUnsaved(one) ? "" : "Saved");
    return true;
  });
  show(one, "Saving…");
  return one.saving;
}

/**
 * Sends a form; resolves to what went wrong, or to nothing.
 * @param {SavedField} one
 * @returns {Promise<string>}
 */
async function send({ form }) {
  const body = new URLSearchParams(/** @type {any} */ (new FormData(form)));
  try {
    const answer = await sendChange(form.action, body);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (!answer.ok) return page.querySelector("p")?.textContent.trim() || "the server refused it.";
    for (const fresh of page.querySelectorAll("input[id]")) document.getElementById(fresh.id)?.replaceWith(fresh);
    return "";
  } catch (error) {
    return error instanceof TypeError ? "the server can’t be reached." : "you are signed out.";
  }
}

addEventListener("beforeunload", (event) => {
  if (hasUnsaved()) event.preventDefault();
});
// Nobody who uses this browser afterwards finds what was typed.
document.addEventListener("submit", (event) => {
  if (event.target.matches('form[action="/app/sign-out"]')) sessionStorage.clear();
});

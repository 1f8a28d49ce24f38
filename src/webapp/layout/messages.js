// Messages in the corner, and what is read out.

/**
 * Shows a message in the corner, and has it read out.
 * @param {string} text
 * @param {"success" | "problem"} tone
 * @param {{ caption: string, run: () => void, lasts: number } | null} action a button, and how long the message stays for it
 */
export function say(text, tone = "success", action = null) {
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById("toast"));
  const toast = copyOf(template);
  toast.classList.add(`toast-${tone}`);
  setIcon(toast, tone === "success" ? "circle-check" : "circle-alert");
  toast.querySelector("p").append(...sentence(text));
  if (action) toast.querySelector("p").after(actionOf(toast, action));
  document.getElementById("toasts").append(toast);
}

/**
 * A sentence, in which each name between quotation marks may be written from right to left: the same rule as in
 * `isolated_names.rs`.
 * @param {string} text
 */
function sentence(text) {
  const parts = [];
  let at = 0;
  for (const { 0: quoted, index } of text.matchAll(/“[^”]*”|"[^"]*"/g)) {
    const name = document.createElement("bdi");
    name.textContent = quoted.slice(1, -1);
    parts.push(text.slice(at, index + 1), name);
    at = index + quoted.length - 1;
  }
  return [...parts, text.slice(at)];
}

/**
 * @param {HTMLElement} toast
 * @param {{ caption: string, run: () => void, lasts: number }} action
 */
function actionOf(toast, { caption, run, lasts }) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button button-small";
  button.textContent = caption;
  button.addEventListener("click", () => {
    dismiss(toast);
    run();
  });
  toast.dataset.lasts = String(lasts);
  return button;
}

/**
 * A copy of a template's one element.
 * @param {HTMLTemplateElement} template
 */
export function copyOf(template) {
  const copy = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
  return /** @type {HTMLElement} */ (copy.firstElementChild);
}

/**
 * Changes the first icon of an element.
 * @param {HTMLElement} within
 * @param {string} icon
 */
export function setIcon(within, icon) {
  const use = within.querySelector("use");
  use.setAttribute("href", use.getAttribute("href").replace(/#.*/, `#${icon}`));
}

/**
 * Has something read out without showing it.
 * @param {string} text
 */
export function announce(text) {
  document.getElementById("announcer").textContent = text;
}

const toasts = document.getElementById("toasts");
// How long good news stays; bad news stays until it is dismissed. What can be undone says itself how long.
const LASTS = 8000;
// How long a message stays after somebody looked at it.
const LASTS_AFTER = 5000;

/**
 * What had the focus before it went to a message.
 * @type {HTMLElement | null}
 */
let focusedBefore = null;

/**
 * Takes a message away. Its focus goes back to where it was.
 * @param {Element | null} toast
 */
function dismiss(toast) {
  const hadFocus = toast?.contains(document.activeElement);
  toast?.remove();
  if (!hadFocus) return;
  const to = focusedBefore?.isConnected ? focusedBefore : document.getElementById("main");
  to?.focus({ preventScroll: true });
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.hasAttribute("data-dismiss")) dismiss(button.closest(".toast"));
});

/** @param {HTMLElement} toast */
function leaveByItself(toast) {
  if (toast.dataset.leaves || !toast.classList.contains("toast-success")) return;
  toast.dataset.leaves = "1";
  const go = () => {
    if (toast.matches(":hover, :focus-within")) setTimeout(go, LASTS_AFTER);
    else dismiss(toast);
  };
  setTimeout(go, Number(toast.dataset.lasts ?? LASTS));
}

if (toasts) {
  const all = () => toasts.querySelectorAll(".toast").forEach(leaveByItself);
  new MutationObserver(all).observe(toasts, { childList: true });
  all();
  toasts.addEventListener("focusin", ({ relatedTarget }) => {
    const from = /** @type {HTMLElement | null} */ (relatedTarget);
    if (!toasts.contains(from)) focusedBefore = from;
  });
  // What was on the page from its start is not read out by itself.
  const waiting = toasts.querySelector(".toast p");
  if (waiting) setTimeout(() => announce(waiting.textContent), 500);
}

document.addEventListener("htmx:sendError", () =>
  say("The server can’t be reached. Check the connection and try again.", "problem"),
);
document.addEventListener("htmx:timeout", () => say("The server took too long to answer. Try again.", "problem"));

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
  toast.querySelector("p").textContent = text;
  if (action) toast.querySelector("p").after(actionOf(toast, action));
  document.getElementById("toasts").append(toast);
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
    toast.remove();
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

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.hasAttribute("data-dismiss")) button.closest(".toast")?.remove();
});

// Good news disappears by itself, unless somebody is looking at it; bad news stays until it is dismissed.
const toasts = document.getElementById("toasts");
if (toasts) {
  /** @param {HTMLElement} toast */
  const leave = (toast) => {
    if (toast.dataset.leaves || !toast.classList.contains("toast-success")) return;
    toast.dataset.leaves = "1";
    const go = () => {
      if (toast.matches(":hover, :focus-within")) setTimeout(go, 2000);
      else toast.remove();
    };
    setTimeout(go, Number(toast.dataset.lasts ?? 6000));
  };
  const all = () => toasts.querySelectorAll(".toast").forEach(leave);
  new MutationObserver(all).observe(toasts, { childList: true });
  all();
  // What was on the page from its start is not read out by itself.
  const waiting = toasts.querySelector(".toast p");
  if (waiting) setTimeout(() => announce(waiting.textContent), 500);
}

document.addEventListener("htmx:sendError", () =>
  say("The server can’t be reached. Check the connection and try again.", "problem"),
);
document.addEventListener("htmx:timeout", () => say("The server took too long to answer. Try again.", "problem"));

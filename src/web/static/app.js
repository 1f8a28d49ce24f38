// What pages do better with a script: dialogs, menus, copying, messages. Every page works without it.

// Buttons with `command` and `commandfor` open and close dialogs by themselves in browsers that know them.
const knowsCommands = "commandForElement" in HTMLButtonElement.prototype;

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.hasAttribute("commandfor") && !knowsCommands) runCommand(button);
  if (button?.dataset.copy) copy(button);
  if (button?.hasAttribute("data-dismiss")) button.closest(".toast")?.remove();
  closeMenus((menu) => !menu.contains(event.target) || event.target.closest(".menu-list a, .menu-list button"));
});

document.addEventListener("keydown", (event) => {
  const menu = event.target.closest?.(".menu[open]");
  if (!menu) return;
  if (event.key === "Escape") {
    menu.open = false;
    menu.querySelector("summary").focus();
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    const items = [...menu.querySelectorAll("summary, .menu-list a, .menu-list button")];
    const step = event.key === "ArrowDown" ? 1 : items.length - 1;
    items[(items.indexOf(document.activeElement) + step) % items.length].focus();
  }
});

document.addEventListener("focusin", (event) => closeMenus((menu) => !menu.contains(event.target)));

function closeMenus(which) {
  for (const menu of document.querySelectorAll(".menu[open]")) if (which(menu)) menu.open = false;
}

function runCommand(button) {
  const dialog = document.getElementById(button.getAttribute("commandfor"));
  const command = button.getAttribute("command");
  if (command === "show-modal") dialog?.showModal();
  if (command === "close") dialog?.close();
}

// A form that was sent is not sent twice; when the visitor comes back to its page, it can be.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || form.hasAttribute("hx-post") || event.defaultPrevented) return;
  if (form.dataset.sent) return event.preventDefault();
  form.dataset.sent = "1";
  event.submitter?.setAttribute("aria-busy", "true");
});
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  for (const button of document.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
});

// `data-copy` names the element whose value or text is copied.
async function copy(button) {
  const source = document.getElementById(button.dataset.copy);
  const text = source.value ?? source.textContent;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without leave for the clipboard the text is selected, and one key press copies it.
    if (source.select) source.select();
    else getSelection().selectAllChildren(source);
    return say("Press Ctrl+C or ⌘C to copy.");
  }
  const label = button.querySelector("[data-label]") ?? button;
  const before = (label.dataset.before ??= label.textContent);
  label.textContent = "Copied";
  setTimeout(() => (label.textContent = before), 2000);
  announce("Copied to the clipboard.");
}

/** Shows a message in the corner, and has it read out. */
export function say(text, tone = "done") {
  const toast = document.getElementById("toast").content.cloneNode(true).firstElementChild;
  toast.classList.add(`toast-${tone}`);
  const use = toast.querySelector("use");
  use.setAttribute("href", use.getAttribute("href").replace(/#.*/, tone === "done" ? "#circle-check" : "#circle-alert"));
  toast.querySelector("p").textContent = text;
  document.getElementById("toasts").append(toast);
}

/** Has something read out without showing it. */
export function announce(text) {
  document.getElementById("announcer").textContent = text;
}

/** The headers that every change made by a script must carry; an error comes back as a message. */
export const changeHeaders = JSON.parse(document.body.getAttribute("hx-headers") ?? "{}");

// Good news leaves by itself, unless somebody is looking at it; bad news stays until it is dismissed.
const toasts = document.getElementById("toasts");
if (toasts) {
  const leave = (toast) => {
    if (toast.dataset.leaves || !toast.classList.contains("toast-done")) return;
    toast.dataset.leaves = "1";
    const go = () => (toast.matches(":hover, :focus-within") ? setTimeout(go, 2000) : toast.remove());
    setTimeout(go, 6000);
  };
  const all = () => toasts.querySelectorAll(".toast").forEach(leave);
  new MutationObserver(all).observe(toasts, { childList: true });
  all();
  // What was on the page from its start is not read out by itself.
  const waiting = toasts.querySelector(".toast p");
  if (waiting) setTimeout(() => announce(waiting.textContent), 500);
}

document.addEventListener("htmx:sendError", () => say("The server can’t be reached. Check the connection and try again.", "problem"));
document.addEventListener("htmx:timeout", () => say("The server took too long to answer. Try again.", "problem"));

// Times are shown as the visitor's own, with the exact one as a title.
function localTimes(within) {
  for (const time of within.querySelectorAll("time[datetime]:not([title])")) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.valueOf())) continue;
    time.title = at.toLocaleString();
    time.textContent = time.hasAttribute("data-day") ? at.toLocaleDateString(undefined, { dateStyle: "medium" }) : ago(at);
  }
}

const spans = [["year", 31536000], ["month", 2592000], ["day", 86400], ["hour", 3600], ["minute", 60]];
const relative = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "auto" });

function ago(at) {
  const seconds = (at - Date.now()) / 1000;
  const [unit, size] = spans.find(([, size]) => Math.abs(seconds) >= size) ?? ["second", 1];
  return unit === "second" ? "just now" : relative.format(Math.trunc(seconds / size), unit);
}

localTimes(document);
document.addEventListener("htmx:load", (event) => localTimes(event.target));

// What only a script can do is hidden until one runs.
for (const element of document.querySelectorAll("[data-scripted]")) element.hidden = false;
document.addEventListener("htmx:load", (event) => {
  for (const element of event.target.querySelectorAll("[data-scripted]")) element.hidden = false;
});

// Dialogs: opening and closing them by buttons, and asking before something is deleted for good.

// Buttons with `command` and `commandfor` open and close dialogs by themselves in browsers that know them.
const knowsCommands = "commandForElement" in HTMLButtonElement.prototype;

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.hasAttribute("commandfor") && !knowsCommands) runCommand(button);
});

/** @param {HTMLElement} button */
function runCommand(button) {
  const dialog = dialogOf(button.getAttribute("commandfor"));
  const command = button.getAttribute("command");
  if (command === "show-modal") dialog?.showModal();
  if (command === "close") dialog?.close();
}

/**
 * The dialog with an id, where the page has it.
 * @param {string} id
 */
export function dialogOf(id) {
  return /** @type {HTMLDialogElement | null} */ (document.getElementById(id));
}

/**
 * Asks in the page's dialog `sure`. Resolves to whether the answer was yes.
 * @param {string} text
 * @returns {Promise<boolean>}
 */
export function ask(text) {
  const dialog = dialogOf("sure");
  document.getElementById("sure-text").textContent = text;
  dialog.returnValue = "";
  dialog.showModal();
  document.getElementById("sure-yes").onclick = () => dialog.close("yes");
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

// Buttons that copy: `data-copy` names the element whose value or text is copied.

import { announce, say } from "./messages.js";

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.dataset.copy) copy(button);
});

/** @param {HTMLElement} button */
async function copy(button) {
  const source = /** @type {HTMLInputElement} */ (document.getElementById(button.dataset.copy));
  const text = source.value ?? source.textContent;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without permission for the clipboard the text is selected, and one key press copies it.
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

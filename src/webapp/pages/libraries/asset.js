// The page of one asset: its keys, and leaving it only once what was typed is saved.

import { hasUnsaved, saveAll } from "./saved_fields.js";
import { isZoomed, pan, zoomByKey } from "./stage.js";

const viewer = document.getElementById("viewer");
if (viewer) {
  /** @type {Record<string, string>} */
  const press = { ArrowLeft: "before", ArrowRight: "after" };
  /** @type {Record<string, string>} */
  const focus = { t: "add-tag", e: "description" };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.defaultPrevented || document.querySelector("dialog[open]") || event.target.closest(".menu[open]")) return;
    if (event.target.matches("input, textarea, select, video")) {
      if (event.key === "Escape") /** @type {HTMLElement} */ (event.target).blur();
      return;
    }
    if (zoomByKey(event.key)) return event.preventDefault();
    if (event.shiftKey) return;
    if (isZoomed() && pan(event.key)) return event.preventDefault();
    if (event.key in press) document.getElementById(press[event.key])?.click();
    else if (event.key === "Escape") leaveFor(viewer.dataset.back);
    else if (event.key === "Delete") /** @type {HTMLFormElement} */ (document.getElementById("trash"))?.requestSubmit();
    else if (event.key in focus) {
      event.preventDefault();
      document.getElementById(focus[event.key])?.focus();
    }
  });

  // A file that was picked goes at once.
  document.addEventListener("change", (event) => {
    if (event.target.closest("#upload-variant")) /** @type {HTMLInputElement} */ (event.target).form.requestSubmit();
  });

  /**
   * Leaves the page once everything is saved; otherwise it stays on the page, with the reason.
   * @param {string} address
   */
  async function leaveFor(address) {
    if (await saveAll()) location.assign(address);
  }

  document.addEventListener("click", (event) => {
    const link = /** @type {HTMLAnchorElement | null} */ (event.target.closest("a[href]"));
    const stays = !link || link.target || link.hasAttribute("download") || link.origin !== location.origin;
    if (stays || event.ctrlKey || event.metaKey || event.shiftKey || !hasUnsaved()) return;
    event.preventDefault();
    leaveFor(link.href);
  });

  // After adding a tag, the field is ready for the next one.
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.requestConfig?.elt.matches(".add-tag")) document.getElementById("add-tag")?.focus();
  });
}

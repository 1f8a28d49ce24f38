// The page of one asset: its keys, and saving its description.

const viewer = document.getElementById("viewer");
if (viewer) {
  /** @type {Record<string, string>} */
  const press = { ArrowLeft: "before", ArrowRight: "after" };
  /** @type {Record<string, string>} */
  const focus = { t: "add-tag", e: "description" };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    if (event.defaultPrevented || document.querySelector("dialog[open]") || event.target.closest(".menu[open]")) return;
    if (event.target.matches("input, textarea, select, video")) {
      if (event.key === "Escape") /** @type {HTMLElement} */ (event.target).blur();
      return;
    }
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

  // A description is saved when its field is left.
  const description = /** @type {HTMLTextAreaElement | null} */ (document.getElementById("description"));
  let saved = description?.value;
  /** @type {Promise<boolean> | null} */
  let saving = null;
  const isUnsaved = () => description?.value !== saved;
  const mark = () => description.form.classList.toggle("describe-changed", isUnsaved());

  if (description) {
    let sent = saved;
    description.addEventListener("input", mark);
    description.form.addEventListener("htmx:beforeRequest", () => (sent = description.value));
    description.form.addEventListener("htmx:afterRequest", ({ detail }) => {
      if (detail.successful) saved = sent;
      mark();
    });
    description.addEventListener("blur", save);
    // The button Save takes the focus out of the field, which saves; that is once enough.
    addEventListener(
      "submit",
      (event) => {
        if (event.target !== description.form || (isUnsaved() && !saving)) return;
        event.preventDefault();
        event.stopImmediatePropagation();
      },
      true,
    );
  }

  // Saves what is not saved yet; resolves to whether that worked. What is wrong is shown by itself.
  function save() {
    if (!isUnsaved()) return Promise.resolve(true);
    saving ??= new Promise((/** @type {(isSaved: boolean) => void} */ ended) => {
      /** @param {HtmxEvent} event */
      const tell = ({ detail }) => ended(Boolean(detail.successful));
      description.form.addEventListener("htmx:afterRequest", tell, { once: true });
      description.form.requestSubmit();
    }).finally(() => (saving = null));
    return saving;
  }

  /**
   * Leaves the page once the description is saved; otherwise it stays on the page, with the reason.
   * @param {string} address
   */
  async function leaveFor(address) {
    if (await save()) location.assign(address);
  }

  document.addEventListener("click", (event) => {
    const link = /** @type {HTMLAnchorElement | null} */ (event.target.closest("a[href]"));
    const stays = !link || link.target || link.hasAttribute("download") || link.origin !== location.origin;
    if (stays || event.ctrlKey || event.metaKey || event.shiftKey || !isUnsaved()) return;
    event.preventDefault();
    leaveFor(link.href);
  });
  addEventListener("beforeunload", (event) => {
    if (isUnsaved()) event.preventDefault();
  });

  // After adding a tag, the field is ready for the next one.
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.requestConfig?.elt.matches(".add-tag")) document.getElementById("add-tag")?.focus();
  });
}

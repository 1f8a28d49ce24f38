
// The page of one asset: its keys.
const viewer = document.getElementById("viewer");
if (viewer) {
  const press = { ArrowLeft: "before", ArrowRight: "after" };
  const focus = { t: "add-tag", e: "description" };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    if (event.defaultPrevented || document.querySelector("dialog[open]") || event.target.closest(".menu[open]")) return;
    if (event.target.matches("input, textarea, select, video")) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (event.key in press) document.getElementById(press[event.key])?.click();
    else if (event.key === "Escape") location.assign(viewer.dataset.back);
    else if (event.key === "Delete") document.getElementById("trash")?.requestSubmit();
    else if (event.key in focus) {
      event.preventDefault();
      document.getElementById(focus[event.key])?.focus();
    }
  });

  // A file that was picked goes at once, and what was not saved yet can be.
  document.addEventListener("change", (event) => {
    if (event.target.closest("#upload-variant")) event.target.form.requestSubmit();
  });
  document.getElementById("description")?.addEventListener("input", (event) => {
    event.target.form.classList.add("describe-changed");
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.successful) event.target.closest(".describe")?.classList.remove("describe-changed");
  });

  // Adding one tag after the other goes on in the same field.
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.requestConfig?.elt.matches(".add-tag")) document.getElementById("add-tag")?.focus();
  });
}


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

  // Adding one tag after the other goes on in the same field.
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.requestConfig?.elt.matches(".add-tag")) document.getElementById("add-tag")?.focus();
  });
}

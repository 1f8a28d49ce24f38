// What only a script can do is hidden until one runs.

/** @param {ParentNode} within */
function reveal(within) {
  for (const element of within.querySelectorAll("[data-scripted]")) element.hidden = false;
}

reveal(document);
document.addEventListener("htmx:load", (event) => reveal(/** @type {HTMLElement} */ (event.target)));

// Menus: they close by themselves, and arrow keys move through them.

document.addEventListener("click", (event) => {
  closeMenus((menu) => !contains(menu, event) || Boolean(event.target.closest(".menu-list a, .menu-list button")));
});

document.addEventListener("keydown", (event) => {
  const menu = /** @type {HTMLDetailsElement} */ (event.target.closest?.(".menu[open]"));
  if (!menu) return;
  if (event.key === "Escape") {
    menu.open = false;
    menu.querySelector("summary").focus();
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    const items = [...menu.querySelectorAll("summary, .menu-list a, .menu-list button")];
    const step = event.key === "ArrowDown" ? 1 : items.length - 1;
    const current = items.findIndex((item) => item === document.activeElement);
    items[(current + step) % items.length].focus();
  }
});

document.addEventListener("focusin", (event) => closeMenus((menu) => !contains(menu, event)));

/**
 * @param {HTMLElement} menu
 * @param {Event} event
 */
const contains = (menu, event) => menu.contains(/** @type {Node} */ (event.target));

/** @param {(menu: HTMLElement) => boolean} which */
function closeMenus(which) {
  for (const menu of document.querySelectorAll(".menu[open]")) if (which(menu)) menu.removeAttribute("open");
}

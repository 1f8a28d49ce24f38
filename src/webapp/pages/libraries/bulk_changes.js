// Changes of the selection, and undoing them.

import { ask } from "../../layout/dialogs.js";
import { say } from "../../layout/messages.js";
import { sendChange } from "../../layout/session.js";
import { go, gridForm, tiles } from "./tiles.js";
import { refresh } from "./results.js";
import { clear, selected } from "./selection.js";

/**
 * Tiles that were taken off the page and can come back, by id, as HTML with the tile that came after each.
 * @type {Map<string, [string, Element | null]>}
 */
const removed = new Map();
const leaves = new Set(["trash", "transfer", "restore", "purge"]);

/** @typedef {[string, FormDataEntryValue][]} Fields */

/**
 * Sends a form's fields as a script does; what comes back is shown as a message.
 * @param {string} action
 * @param {Fields} fields
 */
async function send(action, fields) {
  try {
    const response = await sendChange(action, new URLSearchParams(/** @type {string[][]} */ (fields)));
    document.getElementById("toasts").insertAdjacentHTML("beforeend", await response.text());
    return response.ok;
  } catch {
    say("The server can’t be reached. Check the connection and try again.", "problem");
    return false;
  }
}

/** @param {HTMLButtonElement} button */
async function carryOut(button) {
  const chosen = selected();
  if (!chosen.length) return say("Select something first.", "problem");
  if (button.dataset.sure && !(await ask(button.dataset.sure))) return;
  const form = gridForm();
  const fields = [...new FormData(form)].filter(([name]) => name !== "id");
  fields.push(["do", button.value], ["sure", "yes"]);
  const action = form.getAttribute("action");
  // How many assets one request may name.
  const most = Number(form.dataset.most);
  for (let from = 0; from < chosen.length; from += most) {
    const part = chosen.slice(from, from + most);
    /** @type {Fields} */
    const ids = part.map((tile) => ["id", tile.dataset.id]);
    if (!(await send(action, [...fields, ...ids]))) return;
    if (leaves.has(button.value)) takeOff(part);
  }
  clear();
  const tags = /** @type {HTMLInputElement | null} */ (form.querySelector("input[name=tags]"));
  if (tags) tags.value = "";
  await refresh();
}

/** @param {HTMLElement[]} some */
function takeOff(some) {
  const all = tiles();
  const after = all.slice(all.indexOf(some.at(-1)) + 1).find((tile) => !some.includes(tile));
  const had = some.some((tile) => tile.contains(document.activeElement)) || document.activeElement === document.body;
  for (const tile of some.toReversed()) {
    removed.set(tile.dataset.id, [tile.outerHTML, tile.nextElementSibling]);
    tile.remove();
    // An image that is still loading would ask for an address that no longer exists.
    for (const attribute of ["srcset", "src"]) tile.querySelector("img")?.removeAttribute(attribute);
  }
  if (had) go(after ?? tiles().at(-1));
}

/** @param {FormDataEntryValue[]} ids */
function putBack(ids) {
  const grid = document.getElementById("grid");
  for (const id of ids) {
    const [tile, after] = removed.get(String(id)) ?? [];
    if (!tile || !grid) continue;
    if (after?.parentElement === grid) after.insertAdjacentHTML("beforebegin", tile);
    else grid.insertAdjacentHTML("beforeend", tile);
    removed.delete(String(id));
  }
}

document.addEventListener(
  "submit",
  (event) => {
    const form = /** @type {HTMLFormElement} */ (event.target);
    const submitter = /** @type {HTMLButtonElement | null} */ (event.submitter);
    // By selector: a form's own `id` is hidden by its fields of that name.
    if (form.matches("#assets") && submitter?.name === "do") {
      event.preventDefault();
      carryOut(submitter);
    } else if (form.matches("form[data-undo]")) {
      event.preventDefault();
      undo(form);
    }
  },
  true,
);

/** @param {HTMLFormElement} undone */
async function undo(undone) {
  /** @type {Fields} */
  const fields = [...new FormData(undone), ["do", "restore"]];
  if (!(await send(undone.getAttribute("action"), fields))) return;
  undone.closest(".toast")?.remove();
  putBack(fields.filter(([name]) => name === "id").map(([, id]) => id));
  await refresh();
}

// Changes of the selection: sent in parts, so that they show how far they are and can be stopped, and undone as a whole.

import { ask } from "../../layout/dialogs.js";
import { announce, say } from "../../layout/messages.js";
import { sendChange } from "../../layout/session.js";
import { focusHere } from "./grid.js";
import { refresh } from "./results.js";
import { chosen, chosenCount } from "./selected.js";
import { clear, showCount } from "./selection.js";
import { gridForm } from "./tiles.js";

// How many assets one request names.
const IDS_PER_REQUEST = 1000;
// How long a change can be undone, in milliseconds.
const UNDO_FOR = 30_000;

/** @typedef {[string, FormDataEntryValue][]} Fields */
/** @typedef {{ action: string, fields: Fields, ids: string[] }} Step */
/**
 * What the server did of a change, in this request and those before it.
 * @typedef {{ text: string, sums: string, changed: string[], undo: Step[], next: string | null, left: number, problem: string | null }} DonePart
 */

const TAGS = { name: "tags", missing: "Type the tags first, with commas between them." };
/**
 * The field of a change, what is said when it is empty, and a field that may be empty.
 * @type {Record<string, { name: string, missing?: string, optional?: string }>}
 */
const FIELDS = {
  tag: TAGS,
  untag: TAGS,
  describe: { name: "description" },
  transfer: { name: "target", missing: "Choose the library first." },
  approve: { name: "approval", missing: "Choose the approval first.", optional: "note" },
};

/** A change that is under way: it stops after the request that is under way when it is cancelled. */
let running = /** @type {{ isCancelled: boolean } | null} */ (null);

/**
 * Sends a part of a change. What is wrong is shown; null then.
 * @param {string} action
 * @param {Fields} fields
 * @returns {Promise<DonePart | null>}
 */
async function send(action, fields) {
  try {
    const answer = await sendChange(action, new URLSearchParams(/** @type {string[][]} */ (fields)));
    if (answer.ok && !answer.headers.has("HX-Redirect")) return await answer.json();
    const toast = (await answer.text()) || "";
    document.getElementById("toasts").insertAdjacentHTML("beforeend", toast);
    if (!toast) say("The server could not answer. Try again.", "problem");
  } catch (error) {
    const isRefused = error instanceof Error && error.message.includes("sign in");
    say(
      isRefused ? "Sign in to go on." : "The server can’t be reached. Check the connection and try again.",
      "problem",
    );
  }
  return null;
}

/** @typedef {{ text: string, undo: Step[], changed: number, isWhole: boolean }} Done */

/**
 * Carries out a change of the selection, part by part.
 * @param {Fields} fields
 * @returns {Promise<Done>}
 */
async function runOnSelection(fields) {
  const { ids, whole } = chosen();
  const all = chosenCount();
  const action = gridForm().getAttribute("action");
  const done = begin();
  if (whole) {
    let [after, left] = ["", whole.total];
    /** @type {Fields} */
    const which = [
      ["all", "1"],
      ["next", whole.address],
      ...whole.except.map((id) => /** @type {[string, string]} */ (["but", id])),
    ];
    while (after !== null && !running.isCancelled) {
      const part = await send(action, [
        ...fields,
        ...which,
        ["after", after],
        ["left", String(left)],
        ["sums", done.sums],
      ]);
      if (!addPart(done, part)) return done;
      [after, left] = [part.next, part.left];
      progress(whole.total - left, all);
    }
  }
  return runOnIds(done, action, fields, ids, all);
}

const begin = () => ({ text: "", sums: "", undo: /** @type {Step[]} */ ([]), changed: 0, isWhole: false });

/**
 * @param {ReturnType<typeof begin>} done
 * @param {DonePart | null} part
 */
function addPart(done, part) {
  if (!part) return false;
  done.text = part.text;
  done.sums = part.sums;
  done.undo.push(...part.undo);
  done.changed += part.changed.length;
  if (part.problem) say(part.problem, "problem");
  return !part.problem;
}

/**
 * @param {ReturnType<typeof begin>} done
 * @param {string} action
 * @param {Fields} fields
 * @param {string[]} ids
 * @param {number} all
 */
async function runOnIds(done, action, fields, ids, all) {
  done.isWhole = false;
  let at = 0;
  while (at < ids.length && !running.isCancelled) {
    const some = ids.slice(at, at + IDS_PER_REQUEST);
    const named = some.map((id) => /** @type {[string, string]} */ (["id", id]));
    const part = await send(action, [...fields, ...named, ["sums", done.sums]]);
    if (!addPart(done, part)) return done;
    at += some.length - Number(part.next ?? 0);
    progress(all - (ids.length - at), all);
  }
  done.isWhole = !running.isCancelled;
  return done;
}

/**
 * Shows that a change is under way, and keeps others from beginning.
 * @param {boolean} isOn
 */
function busy(isOn) {
  running = isOn ? { isCancelled: false } : null;
  document.getElementById("selection")?.classList.toggle("selection-busy", isOn);
  for (const button of document.querySelectorAll("#selection :is(button, input, select, textarea)")) {
    if (!button.closest("#bulk-progress")) /** @type {HTMLButtonElement} */ (button).disabled = isOn;
  }
  const bar = document.getElementById("bulk-progress");
  if (bar) bar.hidden = !isOn;
}

/**
 * @param {number} done
 * @param {number} all
 */
function progress(done, all) {
  const bar = document.getElementById("bulk-progress");
  if (!bar) return;
  bar.querySelector("progress").value = all ? done / all : 0;
  bar.querySelector("span").textContent = `${done.toLocaleString("en")} of ${all.toLocaleString("en")}`;
}

/**
 * Says what was done, with a way back.
 * @param {Done} done
 */
function report(done) {
  if (!done.text) return;
  const cancelled = done.isWhole ? "" : " The rest is as it was.";
  const undo = done.undo.length ? { caption: "Undo", run: () => undoAll(done.undo), lasts: UNDO_FOR } : null;
  say(done.text + cancelled, done.changed ? "success" : "problem", undo);
}

/** @param {HTMLButtonElement} button */
async function carryOut(button) {
  if (running) return;
  if (!chosenCount()) return say("Select something first.", "problem");
  if (button.value === "download") return download();
  if (button.dataset.sure && !(await ask(button.dataset.sure))) return;
  const form = gridForm();
  const wanted = FIELDS[button.value];
  const fields = [...new FormData(form)].filter(([name]) => name === wanted?.name || name === wanted?.optional);
  const isGiven = fields.some(([name, value]) => name === wanted.name && String(value).trim());
  if (wanted?.missing && !isGiven) return say(wanted.missing, "problem");
  button.closest("dialog")?.close();
  if (form.hasAttribute("data-trash")) return changeTrash(form, button.value);
  await change([["do", button.value], ...fields]);
}

/**
 * Changes the selection, and says what was done.
 * @param {Fields} fields
 */
export async function change(fields) {
  if (running) return;
  busy(true);
  progress(0, chosenCount());
  const done = await runOnSelection(fields).finally(() => busy(false));
  if (done.isWhole) {
    clear(false);
    for (const field of document.querySelectorAll("#selection :is([name=tags], [name=note], select)")) {
      /** @type {HTMLInputElement} */ (field).value = "";
    }
  }
  report(done);
  await refresh();
  showCount(false);
  if (document.activeElement === document.body) focusHere();
}

/** @param {Step[]} steps */
async function undoAll(steps) {
  if (running) return;
  busy(true);
  const done = begin();
  const all = steps.reduce((sum, step) => sum + step.ids.length, 0);
  for (const { action, fields, ids } of steps) {
    if (running.isCancelled) break;
    await runOnIds(done, action, fields, ids, all);
    if (!done.isWhole) break;
  }
  busy(false);
  // Of several changes, the last one’s sentence says too little.
  const kinds = new Set(steps.map((step) => JSON.stringify(step.fields)));
  const assets = done.changed === 1 ? "1 asset" : `${done.changed.toLocaleString("en")} assets`;
  const text = kinds.size === 1 ? done.text : `Undone for ${assets}.`;
  if (done.text) say(text, done.changed ? "success" : "problem");
  await refresh();
}

/**
 * A change of what is selected in the trash.
 * @param {HTMLFormElement} form
 * @param {string} deed
 */
async function changeTrash(form, deed) {
  const { ids } = chosen();
  busy(true);
  try {
    const fields = [["do", deed], ["sure", "yes"], ...ids.map((id) => ["id", id])];
    const answer = await sendChange(form.getAttribute("action"), new URLSearchParams(fields));
    document.getElementById("toasts").insertAdjacentHTML("beforeend", await answer.text());
    if (!answer.ok) return;
    for (const id of ids) document.querySelector(`#grid [data-id="${CSS.escape(id)}"]`)?.remove();
    clear(false);
  } catch {
    return say("The server can’t be reached. Check the connection and try again.", "problem");
  } finally {
    busy(false);
  }
  await refresh();
  if (document.activeElement === document.body) focusHere();
}

/** The fields that say what is selected, for a form that the browser sends. */
function selectionFields() {
  const { ids, whole } = chosen();
  /** @type {Fields} */
  const fields = ids.map((id) => ["id", id]);
  if (whole) fields.push(["all", "1"], ["next", whole.address], ["left", String(whole.total)]);
  for (const id of whole?.except ?? []) fields.push(["but", id]);
  return fields;
}

/** The browser saves the archive while it comes. */
function download() {
  const form = document.createElement("form");
  form.method = "post";
  form.action = gridForm().getAttribute("action");
  const token = /** @type {HTMLInputElement} */ (gridForm().elements.namedItem("csrf")).value;
  /** @type {Fields} */
  const fields = [["csrf", token], ["do", "download"], ...selectionFields()];
  for (const [name, value] of fields) {
    const field = document.createElement("input");
    Object.assign(field, { type: "hidden", name, value });
    form.append(field);
  }
  document.body.append(form);
  form.submit();
  form.remove();
  announce("The download begins.");
}

async function copyAddresses() {
  if (!chosenCount()) return say("Select something first.", "problem");
  busy(true);
  /** @type {string[]} */
  const addresses = [];
  const { ids, whole } = chosen();
  const action = gridForm().getAttribute("action");
  /** @type {Fields} */
  const which = whole ? selectionFields().filter(([name]) => name !== "id") : [];
  for (let after = whole ? "" : null; after !== null;) {
    const part = /** @type {any} */ (await send(action, [["do", "addresses"], ...which, ["after", after]]));
    if (!part) return busy(false);
    addresses.push(...part.addresses);
    after = part.next;
  }
  for (let at = 0; at < ids.length; at += IDS_PER_REQUEST) {
    const some = ids.slice(at, at + IDS_PER_REQUEST).map((id) => /** @type {[string, string]} */ (["id", id]));
    const part = /** @type {any} */ (await send(action, [["do", "addresses"], ...some]));
    if (!part) return busy(false);
    addresses.push(...part.addresses);
  }
  busy(false);
  try {
    await navigator.clipboard.writeText(addresses.join("\n"));
    say(addresses.length === 1 ? "Copied 1 address." : `Copied ${addresses.length.toLocaleString("en")} addresses.`);
  } catch {
    say("The browser does not let this page copy. Allow it to use the clipboard, and try again.", "problem");
  }
}

document.addEventListener("click", (event) => {
  if (event.target.closest("#copy-addresses")) copyAddresses();
  if (event.target.closest("#bulk-cancel") && running) running.isCancelled = true;
});

document.addEventListener(
  "submit",
  (event) => {
    const form = /** @type {HTMLFormElement} */ (event.target);
    const submitter = /** @type {HTMLButtonElement | null} */ (event.submitter);
    // By selector: a form's own `id` is hidden by its fields of that name.
    if (!form.matches("#assets") || submitter?.name !== "do") return;
    event.preventDefault();
    carryOut(submitter);
  },
  true,
);

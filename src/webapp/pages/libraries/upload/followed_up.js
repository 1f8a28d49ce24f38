// What follows the upload of a file: the names of its folders become tags where that is wished for, and an asset with the
// same file is named.

import { sendChange } from "../../../layout/session.js";
import { note, showSameFile } from "./panel.js";

/** @typedef {import("./queue.js").Job} Job */

// How many assets one request asks about.
const FILES_PER_REQUEST = 100;

const form = /** @type {HTMLFormElement | null} */ (document.getElementById("upload"));
const tagging = /** @type {HTMLInputElement | null} */ (document.getElementById("uploads-tags"));

/** @returns {Response | null} */
const nothing = () => null;

/**
 * Tags what came from folders with their names, where that is wished for.
 * @param {Job[]} jobs
 */
export async function tagByFolder(jobs) {
  if (!tagging.checked) return;
  for (const job of jobs.filter(({ id, folders, isTagged }) => id && folders.length && !isTagged)) {
    job.isTagged = true;
    const add = job.folders.map((name) => name.replaceAll(",", " ").slice(0, 64)).join(",");
    const address = form.action.replace(/upload$/, `${job.id}/tags`);
    const answer = await sendChange(address, new URLSearchParams({ add })).catch(nothing);
    if (!answer?.ok) note(job, "It is uploaded, but could not be tagged with the names of its folders.");
  }
}

/**
 * Names what is in the library twice now. Deleting one of them is the person’s choice.
 * @param {Job[]} jobs
 */
export async function findSameFiles(jobs) {
  const fresh = jobs.filter(({ id, isCompared }) => id && !isCompared);
  for (let at = 0; at < fresh.length; at += FILES_PER_REQUEST) {
    const some = fresh.slice(at, at + FILES_PER_REQUEST);
    for (const job of some) job.isCompared = true;
    const ids = new URLSearchParams(some.map(({ id }) => ["id", id]));
    const address = form.action.replace(/upload$/, "same-files");
    const answer = await fetch(`${address}?${ids}`, { headers: { Accept: "application/json" } }).catch(nothing);
    if (!answer?.ok || !answer.headers.get("Content-Type")?.startsWith("application/json")) return;
    /** @type {{ id: string, name: string, href: string }[]} */
    const found = await answer.json();
    for (const same of found) {
      const job = some.find(({ id }) => id === same.id);
      if (job) showSameFile(job, same);
    }
  }
}

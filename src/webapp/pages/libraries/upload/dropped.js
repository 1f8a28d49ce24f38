// Files that come from outside: dropped, also in folders, pasted, or picked.

/** @typedef {{ file: File, folders: string[] }} Found A file, and the folders that it is in. */

// Files that systems put next to people’s own.
const CLUTTER = /^(\..*|Thumbs\.db|desktop\.ini)$/i;

/**
 * The files of a folder and of those in it, by name.
 * @param {FileSystemEntry} entry
 * @param {string[]} folders
 * @returns {Promise<Found[]>}
 */
async function filesIn(entry, folders = []) {
  if (entry.isFile) {
    const file = await new Promise((/** @type {FileCallback} */ found, lost) =>
      /** @type {FileSystemFileEntry} */ (entry).file(found, lost),
    );
    return [{ file, folders }];
  }
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  /** @type {FileSystemEntry[]} */
  const entries = [];
  for (let /** @type {FileSystemEntry[]} */ some = null; some?.length !== 0; entries.push(...some)) {
    some = await new Promise((found, lost) => reader.readEntries(found, lost));
  }
  entries.sort((one, other) => one.name.localeCompare(other.name, undefined, { numeric: true }));
  const files = [];
  for (const found of entries.filter(({ name }) => !CLUTTER.test(name)))
    files.push(...(await filesIn(found, [...folders, entry.name])));
  return files;
}

/**
 * @param {File} file
 * @returns {Found}
 */
const alone = (file) => ({ file, folders: [] });

/**
 * What was dropped. The entries are gone once the event is over, so they are taken at once.
 * @param {DataTransfer} data
 * @returns {Promise<Found[]>}
 */
export async function filesOf(data) {
  const entries = [...data.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.some((entry) => entry.isDirectory)) return [...data.files].map(alone);
  return (await Promise.all(entries.map((entry) => filesIn(entry)))).flat();
}

/**
 * What was picked, perhaps as a folder.
 * @param {HTMLInputElement} picker
 * @returns {Found[]}
 */
export function filesFrom(picker) {
  const found = [...picker.files].map((file) => ({ file, folders: file.webkitRelativePath.split("/").slice(0, -1) }));
  picker.value = "";
  return found.filter(({ file, folders }) => !folders.length || !CLUTTER.test(file.name));
}

/** @param {DragEvent} event */
export const hasFiles = (event) => Boolean(event.dataTransfer?.types.includes("Files"));

/**
 * Listens for files that are dragged over the page, dropped or pasted.
 * @param {(isOver: boolean) => void} onOver
 * @param {(data: DataTransfer) => void} onFiles
 */
export function listen(onOver, onFiles) {
  // Entering a child comes before leaving its parent, so they are counted.
  let within = 0;
  addEventListener("dragenter", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    within += 1;
    onOver(true);
  });
  addEventListener("dragleave", (event) => {
    if (!hasFiles(event)) return;
    within = Math.max(within - 1, 0);
    onOver(within > 0);
  });
  addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    within = 0;
    onOver(false);
    onFiles(event.dataTransfer);
  });
  addEventListener("paste", (event) => {
    if (event.clipboardData?.files.length) onFiles(event.clipboardData);
  });
}

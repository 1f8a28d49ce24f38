// Uploads from a library’s page: where files come from, and the buttons of the panel that shows them.

import { say } from "../../layout/messages.js";
import { filesFrom, filesOf, listen } from "./upload/dropped.js";
import { tagByFolder } from "./upload/followed_up.js";
import { add, cancelAll, close, isUploading, resume, retryAll, uploaded } from "./upload/queue.js";

if (document.getElementById("upload")) {
  listenToPickers();
  listenToDrops();
  listenToPanel();
  addEventListener("beforeunload", (event) => {
    if (isUploading()) event.preventDefault();
  });
}

/** @param {import("./upload/dropped.js").Found[]} found */
function addFolder(found) {
  if (found.length) add(found);
  else say("The folder has no files in it.", "problem");
}

function listenToPickers() {
  const picker = /** @type {HTMLInputElement} */ (document.getElementById("files"));
  const folderPicker = /** @type {HTMLInputElement} */ (document.getElementById("folder"));
  document.querySelector("#upload-menu > summary").addEventListener("click", (event) => {
    event.preventDefault();
    picker.click();
  });
  document.getElementById("upload-folder").addEventListener("click", () => folderPicker.click());
  picker.addEventListener("change", () => add(filesFrom(picker)));
  folderPicker.addEventListener("change", () => addFolder(filesFrom(folderPicker)));
}

function listenToDrops() {
  const cover = document.getElementById("drop-page");
  listen(
    (isOver) => (cover.hidden = !isOver),
    (data) =>
      filesOf(data).then(addFolder, () =>
        say("The folder can’t be read. Pick its files by the button Upload.", "problem"),
      ),
  );
}

function listenToPanel() {
  /** @type {Record<string, () => void>} */
  const buttons = {
    "uploads-retry": retryAll,
    "uploads-continue": resume,
    "uploads-cancel": cancelAll,
    "uploads-close": close,
  };
  for (const [id, act] of Object.entries(buttons)) document.getElementById(id).addEventListener("click", act);
  const tagging = /** @type {HTMLInputElement} */ (document.getElementById("uploads-tags"));
  tagging.checked = localStorage.getItem("upload-tags") === "yes";
  tagging.addEventListener("change", () => {
    localStorage.setItem("upload-tags", tagging.checked ? "yes" : "no");
    tagByFolder(uploaded());
  });
}

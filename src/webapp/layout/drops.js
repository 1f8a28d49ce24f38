// A file that is dropped beside a place for files would make the browser leave the page for it. It stays.

import { say } from "./messages.js";

/** @param {DragEvent} event */
const hasFiles = (event) => Boolean(event.dataTransfer?.types.includes("Files"));
const takesFiles = () => Boolean(document.getElementById("upload"));

addEventListener("dragover", (event) => {
  if (!hasFiles(event) || event.target.closest?.("input[type=file]")) return;
  event.preventDefault();
  if (!takesFiles()) event.dataTransfer.dropEffect = "none";
});
addEventListener("drop", (event) => {
  if (!hasFiles(event) || event.target.closest?.("input[type=file]")) return;
  event.preventDefault();
  if (!takesFiles()) say("Files are not uploaded here. Open a library and drop them there.", "problem");
});

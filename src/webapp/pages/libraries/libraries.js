// The entry of the scripts of the pages of libraries. The grid, its checkboxes and its buttons are there without a script.
// Listeners run in the order of these imports.

import "./selection.js";
import "./keyboard.js";
import "./bulk_changes.js";
import "./drag.js";
import { restorePlace } from "./place.js";
import { settle } from "./results.js";
import "./search.js";
import "./tag_menu.js";
import "./upload.js";
import "./asset.js";
import "./checklist.js";
import "./rendition.js";
import "./crop.js";
import "./histogram.js";

// What was just put into the trash is offered back once.
if (document.getElementById("just-trashed")) {
  const address = new URL(location.href);
  address.searchParams.delete("trashed");
  history.replaceState(history.state, "", address);
}

if (document.getElementById("grid") || document.getElementById("results")) {
  settle();
  restorePlace();
}

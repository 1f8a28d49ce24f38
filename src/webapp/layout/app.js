// The entry of the scripts that every page has. What pages do better with a script; every page works without it.
// Listeners run in the order of these imports.

import "./dialogs.js";
import "./menus.js";
import "./forms.js";
import "./messages.js";
import "./drops.js";
import "./copy.js";
import "./times.js";
import "./scripted.js";
import "./session.js";
import "../pages/profile/passkeys.js";

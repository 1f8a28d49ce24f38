// Times are shown as the visitor's own, with the exact one as a title.

/** @param {ParentNode} within */
function showLocally(within) {
  for (const element of within.querySelectorAll("time[datetime]:not([title])")) {
    const time = /** @type {HTMLTimeElement} */ (element);
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.valueOf())) continue;
    time.title = at.toLocaleString();
    time.textContent = time.hasAttribute("data-day")
      ? at.toLocaleDateString(undefined, { dateStyle: "medium" })
      : ago(at);
  }
}

/** @type {[Intl.RelativeTimeFormatUnit, number][]} */
const spans = [
  ["year", 31536000],
  ["month", 2592000],
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
];
const relative = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "auto" });

/** @param {Date} at */
function ago(at) {
  const seconds = (at.valueOf() - Date.now()) / 1000;
  const [unit, size] = spans.find(([, size]) => Math.abs(seconds) >= size) ?? ["second", 1];
  return unit === "second" ? "just now" : relative.format(Math.trunc(seconds / size), unit);
}

showLocally(document);
document.addEventListener("htmx:load", (event) => showLocally(/** @type {HTMLElement} */ (event.target)));

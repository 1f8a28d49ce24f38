// The scrubber beside a long list that is ordered by time: its months, and any place of it with one movement.

import { columnCount, count, covered, renderSoon, scrollToRow, topRow } from "./grid.js";
import { nameOf, timeline } from "./timeline.js";

// A list of fewer screens than this needs none.
const SCREENS = 3;
// How far apart the marks are, in pixels.
const MARKS_APART = 26;

/** @type {HTMLElement | null} */
let scrubber = null;
const rows = () => Math.ceil(count() / columnCount());
/** The last row that can be at the top of the screen. */
const lastRow = () => {
  const grid = document.getElementById("grid");
  const height = grid ? grid.offsetHeight / Math.max(rows(), 1) : 1;
  return Math.max(rows() - Math.floor((innerHeight - covered()) / Math.max(height, 1)), 1);
};

/**
 * The month of a row; of one in which a month begins, that month. Browsers scroll to whole pixels, which rows are not.
 * @param {number} row
 */
function monthAt(row) {
  const next = Math.floor(Math.max(row, 0) + 0.01) + 1;
  return timeline().findLast(([, first]) => first < next * columnCount())?.[0];
}

/** Makes the scrubber of the list that is shown, if it is long and ordered by time. */
export function renewScrubber() {
  const grid = document.getElementById("grid");
  const isLong = grid && grid.offsetHeight > SCREENS * innerHeight;
  if (!isLong || !timeline().length) {
    scrubber?.remove();
    scrubber = null;
    return;
  }
  scrubber ??= make();
  draw();
  follow();
}

function make() {
  const element = document.createElement("div");
  element.className = "scrubber";
  element.setAttribute("role", "slider");
  element.setAttribute("aria-label", "Time");
  element.setAttribute("aria-orientation", "vertical");
  element.setAttribute("aria-valuemin", "0");
  element.tabIndex = 0;
  element.innerHTML = '<span class="scrubber-now"></span>';
  element.addEventListener("pointerdown", grab);
  element.addEventListener("keydown", step);
  document.querySelector("main").append(element);
  return element;
}

/** Draws the years and months, as many as have room. */
function draw() {
  const { height } = scrubber.getBoundingClientRect();
  for (const mark of scrubber.querySelectorAll(".scrubber-mark")) mark.remove();
  let free = 0;
  let year = "";
  for (const [month, first] of timeline()) {
    const at = (first / Math.max(count(), 1)) * height;
    const isYear = month.slice(0, 4) !== year && month.length === 7;
    if (at < free || at > height - MARKS_APART) continue;
    const mark = document.createElement("span");
    mark.className = "scrubber-mark";
    mark.textContent = isYear ? month.slice(0, 4) : nameOf(month).replace(/,? \d{4}$/, "");
    mark.style.top = `${at}px`;
    scrubber.append(mark);
    year = month.slice(0, 4);
    free = at + MARKS_APART;
  }
}

/** Shows where the list is now. */
function follow() {
  if (!scrubber) return;
  scrubber.style.top = `${covered() + 8}px`;
  const row = Math.max(topRow(), 0);
  const now = /** @type {HTMLElement} */ (scrubber.firstElementChild);
  now.style.top = `${Math.min(row / lastRow(), 1) * 100}%`;
  const month = monthAt(row);
  const name = month ? nameOf(month) : "";
  if (now.textContent !== name) now.textContent = name;
  scrubber.setAttribute("aria-valuemax", String(rows()));
  scrubber.setAttribute("aria-valuenow", String(Math.min(Math.round(row), rows())));
  scrubber.setAttribute("aria-valuetext", name);
}

/** @param {PointerEvent} event */
function grab(event) {
  event.preventDefault();
  scrubber.focus({ preventScroll: true });
  scrubber.setPointerCapture(event.pointerId);
  scrubber.classList.add("scrubber-held");
  const { top, height } = scrubber.getBoundingClientRect();
  /** @param {PointerEvent} moved */
  const move = (moved) => scrollToRow(Math.min(Math.max((moved.clientY - top) / height, 0), 1) * lastRow());
  move(event);
  scrubber.onpointermove = move;
  scrubber.onpointerup = scrubber.onpointercancel = () => {
    scrubber.onpointermove = null;
    scrubber.classList.remove("scrubber-held");
    renderSoon();
  };
}

/**
 * Keys move from month to month.
 * @param {KeyboardEvent} event
 */
function step(event) {
  const here = Math.max(topRow(), 0) * columnCount();
  const firsts = timeline().map(([, first]) => first);
  let to = null;
  if (event.key === "ArrowDown" || event.key === "PageDown") to = firsts.find((first) => first >= here + columnCount());
  else if (event.key === "ArrowUp" || event.key === "PageUp") to = firsts.findLast((first) => first < here - 1) ?? 0;
  else if (event.key === "Home") to = 0;
  else if (event.key === "End") to = count();
  else return;
  event.preventDefault();
  event.stopPropagation();
  if (to !== null && to !== undefined) scrollToRow(Math.floor(to / columnCount()));
}

let scheduledFrame = 0;
addEventListener("scroll", () => {
  if (!scrubber) return;
  scheduledFrame ||= requestAnimationFrame(() => ((scheduledFrame = 0), follow()));
});
addEventListener("resize", renewScrubber);

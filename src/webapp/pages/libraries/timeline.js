// When the assets of a list were uploaded: where each month begins in it, or each day of a list of few days.

import { ask } from "../../layout/fetch.js";
import { listAddress } from "./list.js";

/**
 * The months or days, each with the position of its first asset.
 * @type {[string, number][]}
 */
let periods = [];
/**
 * The headings of the tiles at which a month or day begins.
 * @type {Map<number, string>}
 */
let headings = new Map();

export const timeline = () => periods;

/**
 * @returns {Promise<[string, number][]>} the timeline of the list that is shown
 */
export async function askTimeline() {
  const address = new URL(listAddress(), location.href);
  address.searchParams.set("timeline", "1");
  return (await ask(address.href)).json();
}

/** @param {[string, number][]} answer */
export function setTimeline(answer) {
  periods = answer;
  headings = new Map(answer.map(([period, first]) => [first, nameOf(period)]));
}

/** @param {string} period */
export function nameOf(period) {
  const isDay = period.length > 7;
  const date = new Date(`${isDay ? period : `${period}-01`}T00:00:00Z`);
  /** @type {Intl.DateTimeFormatOptions} */
  const options = isDay ? { day: "numeric", month: "short", year: "numeric" } : { month: "short", year: "numeric" };
  return date.toLocaleDateString("en", { ...options, timeZone: "UTC" });
}

/**
 * Says on a tile which month or day begins with it.
 * @param {HTMLElement} tile
 * @param {number} index
 */
export function setHeading(tile, index) {
  const heading = headings.get(index);
  if (heading) tile.dataset.period = heading;
  else delete tile.dataset.period;
}

// When the assets of a list were uploaded: where each month begins in it, or each day of a list of few days.

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
 * Reads the timeline of the list that is shown, which is empty for one that is not ordered by time.
 * @param {HTMLElement | null} grid
 */
export function readTimeline(grid) {
  const marks = (grid?.dataset.timeline ?? "").split(" ").filter(Boolean);
  periods = marks.map((mark) => {
    const [period, first] = mark.split(":");
    return [period, Number(first)];
  });
  headings = new Map(periods.map(([period, first]) => [first, nameOf(period)]));
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

// How bright the colours of a picture are: counted in its thumbnail, when its details are shown.

const BINS = 64;
const COLOURS = ["#e5484d", "#30a46c", "#3e63dd"];
const SVG = "http://www.w3.org/2000/svg";

document.addEventListener("htmx:afterSwap", (event) => {
  const figure = /** @type {HTMLElement} */ (event.target).querySelector?.("#histogram");
  const thumbnail = /** @type {HTMLImageElement | null} */ (document.querySelector(".picture-first"));
  if (figure && thumbnail?.naturalWidth) draw(figure, count(thumbnail));
});

/**
 * How many pixels have each brightness, for red, green and blue.
 * @param {HTMLImageElement} image
 */
function count(image) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  const bins = COLOURS.map(() => new Array(BINS).fill(0));
  for (let at = 0; at < data.length; at += 4) {
    if (data[at + 3] < 128) continue;
    for (let colour = 0; colour < 3; colour += 1) bins[colour][Math.floor((data[at + colour] * BINS) / 256)] += 1;
  }
  return bins;
}

/**
 * @param {HTMLElement} figure
 * @param {number[][]} bins
 */
function draw(figure, bins) {
  // Plain black and plain white would hide everything else.
  const inner = bins.flatMap((counts) => counts.slice(1, -1));
  const highest = Math.max(...inner, 1);
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${BINS - 1} 100`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  bins.forEach((counts, colour) => {
    const line = document.createElementNS(SVG, "polygon");
    const points = counts.map((many, bin) => `${bin},${100 - Math.min(many / highest, 1) * 100}`);
    line.setAttribute("points", `0,100 ${points.join(" ")} ${BINS - 1},100`);
    line.setAttribute("fill", COLOURS[colour]);
    svg.append(line);
  });
  figure.prepend(svg);
  figure.hidden = false;
}

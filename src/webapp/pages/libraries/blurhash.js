// What an image looks like until it is loaded: a few waves of colour, drawn from its BlurHash.

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~";
/** @param {string} digits */
const number = (digits) => [...digits].reduce((sum, digit) => sum * 83 + alphabet.indexOf(digit), 0);
/** @param {number} value */
const linear = (value) => (value <= 10.31475 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4);
/** @param {number} value */
const curved = (value) => 255 * (value <= 0.0031308 ? value * 12.92 : 1.055 * value ** (1 / 2.4) - 0.055);
/**
 * @param {number} value
 * @param {number} most
 */
const spread = (value, most) => Math.sign(value) * value ** 2 * most;

/** @param {string} hash */
function waves(hash) {
  const [across, most] = [(number(hash[0]) % 9) + 1, (number(hash[1]) + 1) / 166];
  const mean = number(hash.slice(2, 6));
  const colours = [[mean >> 16, (mean >> 8) & 255, mean & 255].map(linear)];
  for (let at = 6; at + 1 < hash.length; at += 2) {
    const value = number(hash.slice(at, at + 2));
    const parts = [Math.floor(value / 361), Math.floor(value / 19) % 19, value % 19];
    colours.push(parts.map((part) => spread((part - 9) / 9, most)));
  }
  return { across, colours };
}

/** @param {HTMLImageElement} image */
function draw(image) {
  const canvas = document.createElement("canvas");
  canvas.width = 24;
  canvas.height = Math.min(Math.max(Math.round((24 * image.height) / image.width), 6), 96) || 24;
  const { width, height } = canvas;
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(width, height);
  const { across, colours } = waves(image.dataset.hash);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const sum = [0, 0, 0];
      colours.forEach((colour, index) => {
        const [i, j] = [index % across, Math.floor(index / across)];
        const share = Math.cos((Math.PI * x * i) / width) * Math.cos((Math.PI * y * j) / height);
        for (const part of [0, 1, 2]) sum[part] += colour[part] * share;
      });
      pixels.data.set([...sum.map((value) => curved(Math.max(value, 0))), 255], 4 * (y * width + x));
    }
  }
  context.putImageData(pixels, 0, 0);
  image.before(canvas);
}

/** Draws the placeholder of every image in the grid that is not loaded yet. */
export function drawPlaceholders() {
  for (const element of document.querySelectorAll("#grid img[data-hash]")) {
    const image = /** @type {HTMLImageElement} */ (element);
    const isThere = image.complete && image.naturalWidth > 0;
    if (!isThere && image.previousElementSibling?.tagName !== "CANVAS") draw(image);
  }
}

document.addEventListener(
  "load",
  ({ target }) => {
    if (!target.matches?.("img[data-hash]")) return;
    const before = /** @type {HTMLElement} */ (target).previousElementSibling;
    if (before?.tagName === "CANVAS") before.remove();
  },
  true,
);

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

// How many pixels a placeholder is wide and high; it is drawn over the whole tile.
const SIDE = 20;

/**
 * The waves along one side, for each pixel of it.
 * @param {number} number of waves
 */
function along(number) {
  return Array.from({ length: number }, (_, wave) =>
    Array.from({ length: SIDE }, (_, pixel) => Math.cos((Math.PI * pixel * wave) / SIDE)),
  );
}
const shapes = along(9);

/** @param {HTMLImageElement} image */
function draw(image) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIDE;
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(SIDE, SIDE);
  const { across, colours } = waves(image.dataset.hash);
  for (let y = 0; y < SIDE; y += 1) {
    for (let x = 0; x < SIDE; x += 1) {
      let [red, green, blue] = [0, 0, 0];
      for (let index = 0; index < colours.length; index += 1) {
        const share = shapes[index % across][x] * shapes[Math.floor(index / across)][y];
        red += colours[index][0] * share;
        green += colours[index][1] * share;
        blue += colours[index][2] * share;
      }
      const at = 4 * (y * SIDE + x);
      pixels.data[at] = curved(Math.max(red, 0));
      pixels.data[at + 1] = curved(Math.max(green, 0));
      pixels.data[at + 2] = curved(Math.max(blue, 0));
      pixels.data[at + 3] = 255;
    }
  }
  context.putImageData(pixels, 0, 0);
  image.before(canvas);
}

// How long drawing may take in a frame, in milliseconds.
const BUDGET = 4;
let scheduledFrame = 0;

/** Draws the placeholders of images near the screen that are not loaded yet, a few in each frame. */
export function drawPlaceholders() {
  scheduledFrame ||= requestAnimationFrame(drawSome);
}

function drawSome() {
  scheduledFrame = 0;
  const begun = performance.now();
  for (const element of document.querySelectorAll("#grid .tile-full:not(.tile-loaded) img[data-hash]")) {
    const image = /** @type {HTMLImageElement} */ (element);
    if ((image.complete && image.naturalWidth > 0) || image.previousElementSibling?.tagName === "CANVAS") continue;
    draw(image);
    if (performance.now() - begun > BUDGET) return drawPlaceholders();
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

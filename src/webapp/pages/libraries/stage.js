// The picture on an asset’s page: zooming and moving it by wheel, fingers, keys and buttons, and swiping to the next.

const stage = document.getElementById("stage");
const picture = document.getElementById("picture");
const whole = /** @type {HTMLImageElement | null} */ (picture?.querySelector(".picture-whole"));

// How far one key press or button zooms, and how far a key press moves.
const STEP = 1.5;
const MOVE = 0.2;
// A swipe is at least this long, in pixels.
const SWIPE = 60;

let scale = 1;
// Where the middle of the picture is, seen from the middle of the stage.
let [x, y] = [0, 0];
let isCropping = false;

export const isZoomed = () => scale > 1;

/** How many of its own pixels are shown in one of the screen’s, at this scale. */
const naturalScale = () => Number(picture.dataset.width) / picture.offsetWidth / devicePixelRatio;
const largest = () => Math.max(8, naturalScale() * 4);

/**
 * Zooms to a scale; the point under the pointer stays where it is.
 * @param {number} to
 */
function zoomTo(to, clientX = NaN, clientY = NaN) {
  if (isCropping) return;
  const next = Math.min(Math.max(to, 1), largest());
  const box = stage.getBoundingClientRect();
  const [px, py] = [clientX - box.left - box.width / 2 || 0, clientY - box.top - box.height / 2 || 0];
  x = px - ((px - x) * next) / scale;
  y = py - ((py - y) * next) / scale;
  scale = next;
  apply();
}

function apply() {
  if (scale === 1) [x, y] = [0, 0];
  const [width, height] = [picture.offsetWidth, picture.offsetHeight];
  const most = [(width * scale - stage.clientWidth) / 2, (height * scale - stage.clientHeight) / 2];
  [x, y] = [x, y].map((value, axis) => Math.min(Math.max(value, -Math.max(most[axis], 0)), Math.max(most[axis], 0)));
  picture.style.transform = scale === 1 ? "" : `translate(${x}px, ${y}px) scale(${scale})`;
  stage.classList.toggle("stage-zoomed", scale > 1);
  // Pixels are shown as they are once each is several of the screen’s.
  stage.classList.toggle("stage-close", scale / naturalScale() > 2.5);
  const percent = Math.round((scale / naturalScale()) * 100);
  document.getElementById("zoom-state").textContent = scale === 1 ? "Fit" : `${percent} %`;
  if (scale > 1 && whole.dataset.zoomedSrcset) sharpen();
}

/** Loads as much of the picture as this scale shows. */
function sharpen() {
  if (whole.srcset && whole.srcset !== whole.dataset.zoomedSrcset) whole.srcset = whole.dataset.zoomedSrcset;
  const wanted = Math.ceil(picture.offsetWidth * scale);
  if (whole.srcset && !(parseInt(whole.sizes) >= wanted)) whole.sizes = `${wanted}px`;
}

/**
 * @param {string} key
 * @returns {boolean} Whether the key was for this.
 */
export function zoomByKey(key) {
  if (!picture || !"+=-_0".includes(key)) return false;
  if (key === "0") zoomTo(1);
  else zoomTo("+=".includes(key) ? scale * STEP : scale / STEP);
  return true;
}

/**
 * @param {string} key
 * @returns {boolean} Whether the key was for this.
 */
export function pan(key) {
  /** @type {Record<string, [number, number]>} */
  const ways = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  if (!(key in ways)) return false;
  x += ways[key][0] * stage.clientWidth * MOVE;
  y += ways[key][1] * stage.clientHeight * MOVE;
  apply();
  return true;
}

/**
 * Shows another picture in place of the asset’s own, such as a size of it.
 * @param {string} address
 * @param {number} width
 * @param {number} height
 */
export function showInstead(address, width, height) {
  if (isCropping) return;
  whole.removeAttribute("srcset");
  whole.src = address;
  shape(width, height);
}

const own = whole && { src: whole.src, srcset: whole.srcset, sizes: whole.sizes };
const frame = picture?.querySelector("svg");
const ownShape = frame && [Number(frame.getAttribute("width")), Number(frame.getAttribute("height"))];

/** Shows the asset’s own picture again. */
export function showOwn() {
  Object.assign(whole, own);
  shape(ownShape[0], ownShape[1]);
}

/**
 * @param {number} width
 * @param {number} height
 */
function shape(width, height) {
  frame.setAttribute("viewBox", `0 0 ${width} ${height}`);
  frame.setAttribute("width", String(width));
  frame.setAttribute("height", String(height));
  picture.dataset.width = String(width);
  picture.dataset.height = String(height);
  zoomTo(1);
}

/**
 * While a part of the picture is chosen, it fits and stays.
 * @param {boolean} on
 */
export function setCropping(on) {
  zoomTo(1);
  isCropping = on;
  stage.classList.toggle("stage-cropping", on);
}

if (picture) {
  const first = picture.querySelector(".picture-first");
  const loaded = () => first.classList.toggle("picture-over", whole.complete && whole.naturalWidth > 0);
  whole.addEventListener("load", loaded);
  loaded();
  document.getElementById("stage-bar").addEventListener("click", (event) => {
    const way = event.target.closest("button")?.dataset.zoom;
    if (way) zoomTo(way === "fit" ? 1 : way === "in" ? scale * STEP : scale / STEP);
  });
  stage.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      // Two fingers on a touchpad come as a wheel with the control key, in smaller steps.
      zoomTo(scale * Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.002)), event.clientX, event.clientY);
    },
    { passive: false },
  );
  stage.addEventListener("dblclick", (event) => {
    if (event.target.closest("button, a")) return;
    const close = naturalScale() > 1.2 ? naturalScale() : 2.5;
    zoomTo(isZoomed() ? 1 : close, event.clientX, event.clientY);
  });
  listenToPointers();
  addEventListener("resize", apply);
}

function listenToPointers() {
  /** @type {Map<number, { x: number, y: number }>} */
  const pointers = new Map();
  const distance = () => {
    const [one, other] = [...pointers.values()];
    return Math.hypot(one.x - other.x, one.y - other.y);
  };
  let [startX, startY] = [0, 0];
  let wasOne = true;

  stage.addEventListener("pointerdown", (event) => {
    if (isCropping || event.button !== 0 || event.target.closest("button, a, video")) return;
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    wasOne = pointers.size === 1;
    if (wasOne) [startX, startY] = [event.clientX, event.clientY];
    if (isZoomed() || !wasOne) stage.setPointerCapture(event.pointerId);
  });
  stage.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    const apart = pointers.size === 2 ? distance() : 0;
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (apart) {
      const [one, other] = [...pointers.values()];
      zoomTo((scale * distance()) / apart, (one.x + other.x) / 2, (one.y + other.y) / 2);
    } else if (isZoomed() && pointers.size === 1) {
      x += event.clientX - before.x;
      y += event.clientY - before.y;
      apply();
    }
  });
  /** @param {PointerEvent} event */
  const ended = (event) => {
    if (!pointers.delete(event.pointerId) || event.type === "pointercancel") return;
    const [across, down] = [event.clientX - startX, event.clientY - startY];
    const isSwipe = event.pointerType === "touch" && wasOne && !isZoomed() && Math.abs(across) > SWIPE;
    if (isSwipe && Math.abs(across) > 2 * Math.abs(down))
      document.getElementById(across > 0 ? "before" : "after")?.click();
  };
  stage.addEventListener("pointerup", ended);
  stage.addEventListener("pointercancel", ended);
}

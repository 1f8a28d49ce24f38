// Cutting a part out of a picture on its page, by drag, by a click on what matters, or by numbers. The part becomes a
// new variant; the file itself stays as it is.

import { sendChange } from "../../layout/session.js";
import { setCropping, showOwn } from "./stage.js";

const form = /** @type {HTMLFormElement | null} */ (document.getElementById("crop"));
const opener = document.getElementById("crop-begin");
const shape = /** @type {HTMLSelectElement | null} */ (document.getElementById("crop-shape"));
const state = document.getElementById("crop-state");
const picture = document.getElementById("picture");
const stage = document.getElementById("stage");
// The part around a click takes this much of the shorter edge.
const AROUND = 0.6;
const QUALITY = 0.92;
const NAMES = /** @type {const} */ (["x", "y", "w", "h"]);

/** @typedef {{ x: number, y: number, w: number, h: number }} Box In pixels of the picture. */

const frame = document.createElement("div");
frame.className = "crop-box";
const [width, height] = [Number(picture?.dataset.width), Number(picture?.dataset.height)];
const whole = { x: 0, y: 0, w: width, h: height };
/** @type {Box} */
let box = whole;

if (form) {
  listenToForm();
  listenToPointer();
}

/** @param {typeof NAMES[number]} name */
const field = (name) => /** @type {HTMLInputElement} */ (form.elements.namedItem(name));

const ratio = () => {
  const [across, down] = shape.value.split("/").map(Number);
  return down ? across / down : 0;
};

/**
 * Takes a part, moved and cut so that it is within the picture and has the chosen shape.
 * @param {Box} wanted
 */
function take({ x, y, w, h }) {
  w = Math.min(Math.max(w, 1), width);
  h = Math.min(Math.max(h, 1), height);
  const wide = ratio();
  if (wide && w / h > wide) w = h * wide;
  else if (wide) h = w / wide;
  x = Math.min(Math.max(x, 0), width - w);
  y = Math.min(Math.max(y, 0), height - h);
  box = { x, y, w, h };
  for (const name of NAMES) {
    const least = name === "w" || name === "h" ? 1 : 0;
    field(name).value = String(Math.max(Math.round(box[name]), least));
  }
  Object.assign(frame.style, {
    left: `${(x / width) * 100}%`,
    top: `${(y / height) * 100}%`,
    width: `${(w / width) * 100}%`,
    height: `${(h / height) * 100}%`,
  });
}

/** @param {boolean} on */
function open(on) {
  form.hidden = !on;
  opener.hidden = on;
  if (on) showOwn();
  setCropping(on);
  state.textContent = "";
  if (!on) return (frame.remove(), opener.focus());
  picture.append(frame);
  take(whole);
  shape.focus();
}

function listenToForm() {
  opener.addEventListener("click", () => open(true));
  document.getElementById("crop-cancel").addEventListener("click", () => open(false));
  form.addEventListener("change", (event) => {
    if (event.target === shape) return take(box);
    const [x, y, w, h] = NAMES.map((name) => Number(field(name).value));
    take({ x, y, w, h });
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    state.textContent = "Saving…";
    state.textContent = await upload(box);
  });
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    open(false);
  });
}

/**
 * Where on the picture something happened, in its pixels.
 * @param {PointerEvent} event
 */
function pointOf(event) {
  const area = picture.getBoundingClientRect();
  return [((event.clientX - area.left) / area.width) * width, ((event.clientY - area.top) / area.height) * height];
}

function listenToPointer() {
  /** @type {number[] | null} */
  let from = null;
  stage.addEventListener("pointerdown", (event) => {
    if (form.hidden || event.button !== 0 || event.target.closest("button, a")) return;
    event.preventDefault();
    from = pointOf(event);
    stage.setPointerCapture(event.pointerId);
  });
  stage.addEventListener("pointermove", (event) => {
    if (!from) return;
    const to = pointOf(event);
    const [left, top] = [Math.min(from[0], to[0]), Math.min(from[1], to[1])];
    take({ x: left, y: top, w: Math.abs(to[0] - from[0]), h: Math.abs(to[1] - from[1]) });
  });
  stage.addEventListener("pointerup", (event) => {
    if (!from) return;
    const to = pointOf(event);
    if (Math.hypot(to[0] - from[0], to[1] - from[1]) < width / 100) takeAround(to);
    from = null;
  });
  stage.addEventListener("pointercancel", () => (from = null));
}

/**
 * A click is the middle of what matters.
 * @param {number[]} point
 */
function takeAround([x, y]) {
  const edge = Math.min(width, height) * AROUND;
  const wide = ratio() || 1;
  const [w, h] = wide > 1 ? [edge * wide, edge] : [edge, edge / wide];
  take({ x: x - w / 2, y: y - h / 2, w, h });
}

/**
 * Resolves to what went wrong; if nothing did, the page of the new variant opens.
 * @param {Box} part
 */
async function upload(part) {
  const file = await cut(part).catch(() => /** @type {File | null} */ (null));
  if (!file) return "This browser can’t cut the picture: it is too large, or of a type that it doesn’t know.";
  const body = new FormData();
  body.append("files", file, file.name);
  try {
    const answer = await sendChange(form.dataset.to, body);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (!answer.ok || page.querySelector("[data-refused]")) return page.querySelector("p")?.textContent.trim();
    location.assign(answer.headers.get("HX-Redirect") ?? location.href);
    return "Saved.";
  } catch {
    return "Not saved: the server can’t be reached, or you are signed out. Try again.";
  }
}

/**
 * @param {Box} part
 * @returns {Promise<File>}
 */
async function cut(part) {
  const image = new Image();
  image.src = form.dataset.source;
  await image.decode();
  // The picture may come smaller than the file, and a vector picture at any size.
  const [across, down] = [image.naturalWidth / width, image.naturalHeight / height];
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [Math.round(part.w * across) || 1, Math.round(part.h * down) || 1];
  const { width: w, height: h } = canvas;
  canvas.getContext("2d").drawImage(image, part.x * across, part.y * down, w, h, 0, 0, w, h);
  const type = form.dataset.type;
  const blob = await new Promise((/** @type {BlobCallback} */ made) => canvas.toBlob(made, type, QUALITY));
  const name = `${form.dataset.name} ${w}×${h}.${blob.type.replace("image/", "").replace("jpeg", "jpg")}`;
  return new File([blob], name, { type: blob.type });
}

// Choosing a size and a format on an asset’s page: the result is on the stage, with its bytes, and the address in all that
// can be copied.

import { showInstead, showOwn } from "./stage.js";
import { size } from "./file_size.js";

const form = /** @type {HTMLFormElement | null} */ (document.getElementById("rendition"));
const result = document.getElementById("rendition-result");
const NAMES = ["w", "h", "fit", "fm", "q", "dpr"];
/** @type {Record<string, string>} */
const FORMATS = { "image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WebP", "image/avif": "AVIF" };

/** The fields to copy from, each with its text for the original. */
const snippets = ["url", "html", "markdown", "css", "curl"]
  .map((name) => /** @type {HTMLInputElement | null} */ (document.getElementById(`copy-${name}`)))
  .filter(Boolean)
  .map((field) => ({ field, text: field.value }));

/** The parameters that are chosen, as a query. */
function query() {
  const chosen = new FormData(form);
  const parameters = NAMES.map((name) => [name, String(chosen.get(name) ?? "")]).filter(([, value]) => value);
  return new URLSearchParams(parameters);
}

/** @param {URLSearchParams} chosen */
function writeSnippets(chosen) {
  const own = form.dataset.url;
  const address = chosen.size ? `${own}?${chosen}` : own;
  for (const { field, text } of snippets) {
    const isHtml = field.id === "copy-html";
    field.value = isHtml && chosen.size ? html(text, chosen) : text.replaceAll(own, address);
  }
  const format = chosen.get("fm");
  const curl = snippets.find(({ field }) => field.id === "copy-curl");
  if (curl && format && format !== "auto") {
    const extension = format === "jpeg" ? "jpg" : format;
    curl.field.value = curl.field.value.replace(/\.[a-z0-9]+' 'https/, `.${extension}' 'https`);
  }
}

/**
 * The image in the chosen size, and sharper for screens that show it.
 * @param {string} original
 * @param {URLSearchParams} chosen
 */
function html(original, chosen) {
  const page = new DOMParser().parseFromString(original, "text/html");
  const image = /** @type {HTMLImageElement | null} */ (page.querySelector("img"));
  if (!image) return original.replaceAll(form.dataset.url, `${form.dataset.url}?${chosen}`.replaceAll("&", "&amp;"));
  /** @param {string} dpr */
  const at = (dpr) => {
    const parameters = new URLSearchParams(chosen);
    if (dpr !== "1") parameters.set("dpr", dpr);
    return `${form.dataset.url}?${parameters}`;
  };
  const isSized = chosen.has("w") || chosen.has("h");
  image.src = `${form.dataset.url}?${chosen}`;
  for (const name of ["srcset", "sizes", "width", "height"]) image.removeAttribute(name);
  if (isSized && !chosen.has("dpr")) image.srcset = ["1", "2", "3"].map((dpr) => `${at(dpr)} ${dpr}x`).join(", ");
  return image.outerHTML;
}

let latestRequest = 0;
/** @type {string} */
let shown;

async function update() {
  const chosen = query();
  const thisRequest = (latestRequest += 1);
  writeSnippets(chosen);
  const wrong = /** @type {HTMLInputElement | null} */ (form.querySelector("input:invalid"));
  if (wrong) {
    result.textContent = wrong.validationMessage;
    return;
  }
  if (shown) URL.revokeObjectURL(shown);
  shown = "";
  if (!chosen.size) {
    result.textContent = "";
    return showOwn();
  }
  result.textContent = "Creating this size…";
  const outcome = await fetchRendition(chosen);
  if (thisRequest !== latestRequest) return;
  result.textContent = outcome.text;
  if (!outcome.address) return;
  shown = outcome.address;
  showInstead(shown, outcome.width, outcome.height);
}

/**
 * @param {URLSearchParams} chosen
 * @returns {Promise<{ text: string, address?: string, width?: number, height?: number }>}
 */
async function fetchRendition(chosen) {
  try {
    const answer = await fetch(`${form.dataset.file}?${chosen}`);
    if (!answer.ok) return { text: (await answer.json()).error.message };
    const blob = await answer.blob();
    const image = await createImageBitmap(blob);
    const { width, height } = image;
    image.close();
    const part = Math.round((blob.size / Number(form.dataset.size)) * 100);
    const format = FORMATS[blob.type] ?? blob.type;
    const text = `${width} × ${height} pixels, ${format}, ${size(blob.size)}: ${part} % of the original.`;
    return { text, address: URL.createObjectURL(blob), width, height };
  } catch {
    return { text: "The server can’t be reached, or can’t make this size." };
  }
}

if (form) {
  let waiting = 0;
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(update, 250);
  });
  form.addEventListener("reset", () => setTimeout(update));
  form.addEventListener("submit", (event) => event.preventDefault());
}

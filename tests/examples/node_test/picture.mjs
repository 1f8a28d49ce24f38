const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";

/** A small PNG. */
export const picture = Buffer.from(PNG, "base64");

/** A form with one file. */
export function formWith(name, content) {
  const form = new FormData();
  form.append("files", new Blob([content], { type: "image/png" }), name);
  return form;
}

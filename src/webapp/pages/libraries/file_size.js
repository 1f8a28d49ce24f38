// Sizes of files as people read them, in decimal units as file managers show them. The pages of the server say the same.

const UNITS = ["bytes", "KB", "MB", "GB", "TB"];

/** @param {number} bytes */
export function size(bytes) {
  const power = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), UNITS.length - 1);
  const number = bytes / 1000 ** power;
  const digits = power === 0 || number >= 100 ? 0 : 1;
  return `${Math.floor(number * 10 ** digits) / 10 ** digits} ${UNITS[power]}`;
}

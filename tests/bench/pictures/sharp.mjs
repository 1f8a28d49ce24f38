// Thumbnails by sharp: node sharp.mjs two|cascade[-fast] ROUNDS FILE…
// Prints CPU ms and wall ms a picture, and the most memory of the process in MB.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const sharp = createRequire(import.meta.url)(process.env.SHARP);
const [mode, rounds, ...files] = process.argv.slice(2);
sharp.cache(false);
sharp.concurrency(1);
const options = mode.endsWith("-fast") ? { quality: 80, effort: 2 } : { quality: 80 };
const within = { fit: "inside", withoutEnlargement: true };

const two = (file) =>
  Promise.all([800, 400].map((edge) => sharp(file).rotate().resize(edge, edge, within).webp(options).toBuffer()));

const cascade = async (file) => {
  const { data, info } = await sharp(file).rotate().resize(800, 800, within).raw().toBuffer({ resolveWithObject: true });
  const raw = { raw: { width: info.width, height: info.height, channels: info.channels } };
  return Promise.all([
    sharp(data, raw).webp(options).toBuffer(),
    sharp(data, raw).resize(400, 400, within).webp(options).toBuffer(),
  ]);
};

const work = mode.startsWith("two") ? two : cascade;
const before = process.cpuUsage();
const started = performance.now();
for (let round = 0; round < rounds; round++) for (const file of files) await work(file);
const { user, system } = process.cpuUsage(before);
const count = files.length * rounds;
const memory = readFileSync("/proc/self/status", "utf8").match(/VmHWM:\s+(\d+)/)[1] / 1024;
console.log((user + system) / 1e3 / count, (performance.now() - started) / count, memory);

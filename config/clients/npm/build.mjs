#!/usr/bin/env node
// Builds the package with a binary inside, as `npm pack` makes it: `build.mjs BINARY FOLDER`. Needs npm.
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";

const here = import.meta.dirname;
const root = resolve(here, "../../..");
const work = resolve(process.env.CARGO_TARGET_DIR ?? join(root, "target"), "npm");
/** The processors as ELF numbers them and as npm names them. */
const processors = { 62: "x64", 183: "arm64" };

const [binary, folder] = process.argv.slice(2);
if (!folder) fail("usage: build.mjs BINARY FOLDER");
if (!existsSync(binary))
  fail(`There is no binary at ${binary}: \`make release\` builds it, RASTERD_BINARY names another.`);
const processor = processorOf(binary);
installCompiler();
const packed = packageOf(processor);
console.log(`${packed} (${(statSync(packed).size / 1e6).toFixed(1)} MB)`);

function processorOf(program) {
  const head = Buffer.alloc(20);
  readSync(openSync(program), head);
  const found = processors[head.readUInt16LE(18)];
  if (head.toString("latin1", 0, 4) !== "\x7fELF" || !found)
    fail(`${program} is not a program for Linux on ${Object.values(processors).join(" or ")}.`);
  return found;
}

/** Installs what compiles the sources beside the work, once. */
function installCompiler() {
  const wanted = readFileSync(join(here, "package.json"), "utf8");
  const installed = join(work, "installed.json");
  if (existsSync(installed) && readFileSync(installed, "utf8") === wanted) return;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  writeFileSync(join(work, "package.json"), wanted);
  run("npm", "install", "--ignore-scripts", "--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error");
  copyFileSync(join(work, "package.json"), installed);
}

function packageOf(cpu) {
  const content = join(work, "package");
  rmSync(content, { recursive: true, force: true });
  mkdirSync(join(content, "bin"), { recursive: true });
  cpSync(join(here, "src"), join(work, "src"), { recursive: true, force: true });
  copyFileSync(join(here, "tsconfig.json"), join(work, "tsconfig.json"));
  run("node_modules/.bin/tsc", "--outDir", join(content, "dist"));
  copyFileSync(binary, join(content, "bin/rasterd"));
  chmodSync(join(content, "bin/rasterd"), 0o755);
  copyFileSync(join(here, "README.md"), join(content, "README.md"));
  for (const name of ["LICENSE-MIT", "LICENSE-APACHE"]) copyFileSync(join(root, name), join(content, name));
  const { name, devDependencies: _, ...rest } = JSON.parse(readFileSync(join(here, "package.json"), "utf8"));
  const manifest = { name, version: version(), ...rest, os: ["linux"], cpu: [cpu], libc: ["glibc"] };
  writeFileSync(join(content, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  mkdirSync(folder, { recursive: true });
  const options = ["--ignore-scripts", "--loglevel=error", "--pack-destination", resolve(folder)];
  return join(folder, run("npm", "pack", content, ...options).trim());
}

/** The version of the server. */
function version() {
  return readFileSync(join(root, "Cargo.toml"), "utf8").match(/^version = "(.+)"$/m)[1];
}

function run(command, ...parts) {
  try {
    return execFileSync(command, parts, { cwd: work, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
  } catch (error) {
    fail(`${command} failed: ${error.stdout ?? error.message}`);
  }
}

function fail(message) {
  console.error(message);
  process.exit(1);
}

// What every script here knows about the server, and how it reports what it did.
import { readFileSync } from 'node:fs';
import process from 'node:process';

const variable = (name) => process.env[`RASTERD_${name}`];

export const url = variable('URL');
export const organizationId = variable('ORGANIZATION');
export const libraryId = variable('LIBRARY');
export const picture = readFileSync(variable('PICTURE'));
export const pictureUrl = variable('PICTURE_URL');
export const key = variable('API_KEY');
export const authorization = { Authorization: `Bearer ${key}` };

export function expect(condition, what) {
  if (!condition) throw new Error(`Expected ${what}.`);
}

// The version of an installed package, read from its own file, since not every package exports it.
export function versionOf(name) {
  const file = new URL(`node_modules/${name}/package.json`, import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8')).version;
}

export function done(version, ran) {
  console.log(`version: ${version}`);
  console.log(`ran: ${ran}`);
}

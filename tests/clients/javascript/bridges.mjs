// Which bridges there are, as commands that a client starts.
import path from 'node:path';
import process from 'node:process';
import { key, url } from './environment.mjs';

const { RASTERD_BINARY, RASTERD_BUNDLE, RASTERD_CA, PATH } = process.env;
const env = { PATH, RASTERD_API_KEY: key };

export const BRIDGES = [
  { command: RASTERD_BINARY, args: ['mcp', '--url', url, '--ca', RASTERD_CA], env },
  { command: process.execPath, args: [path.join(path.dirname(RASTERD_BUNDLE), 'bundle/server/bridge.mjs')], env },
];

// Cursor and VS Code don't exist as packages. Their setup is put where they read it, and they are started as shown; this
// program replaces them: it reads the file as their documentation says, and connects with the official SDK.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { done, expect } from './environment.mjs';

const HOME = process.env.HOME;
const EDITORS = {
  Cursor: { program: 'cursor', file: path.join(HOME, '.cursor/mcp.json'), server: ofCursor },
  'VS Code': { program: 'code', file: '.vscode/mcp.json', server: ofVsCode },
};
const PLACES = ['first start', 'Connect', 'new key'];

// `mcpServers`: a name, and `url` and `headers`, in which `${env:NAME}` stands for a variable.
function ofCursor(settings) {
  only(settings, ['mcpServers']);
  const server = settings.mcpServers.rasterd;
  only(server, ['url', 'headers']);
  return resolved(server, /\$\{env:(\w+)\}/g, (name) => process.env[name]);
}

// `servers`: a name, and `type`, `url` and `headers`, in which `${input:ID}` stands for the answer to one of `inputs`.
function ofVsCode(settings) {
  only(settings, ['inputs', 'servers']);
  const server = settings.servers.rasterd;
  only(server, ['type', 'url', 'headers']);
  expect(server.type === 'http', 'the type http');
  const asked = (id) => {
    const input = settings.inputs.find((input) => input.id === id);
    only(input, ['type', 'id', 'description', 'password']);
    expect(input.type === 'promptString' && input.description && input.password === true, 'a question for a secret');
    return process.env.RASTERD_API_KEY;
  };
  return resolved(server, /\$\{input:([\w-]+)\}/g, asked);
}

function only(object, names) {
  const isOnly = object && Object.keys(object).every((name) => names.includes(name));
  expect(isOnly, `only ${names} in ${JSON.stringify(object)}`);
}

function resolved(server, pattern, value) {
  const headers = Object.entries(server.headers).map(([name, text]) => [
    name,
    text.replace(pattern, (_, name) => value(name)),
  ]);
  return { url: server.url, headers: Object.fromEntries(headers) };
}

// What an editor does when it is started.
async function start({ file, server }) {
  const { url, headers } = server(JSON.parse(readFileSync(file, 'utf8')));
  const client = new Client({ name: 'editor', version: '1' });
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }));
  const answer = await client.callTool({ name: 'whoami', arguments: {} });
  expect(answer.structuredContent?.libraries?.[0]?.access === 'write', 'who the key is');
  await client.close();
}

// What a person does in one place for one editor.
function follow(place, client, { program, file }) {
  const shown = (name) => readFileSync(path.join(process.env.RASTERD_SETUPS, place, name), 'utf8');
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, shown(client));
  mkdirSync('editors', { recursive: true });
  const self = `#!/bin/sh\nexec '${process.execPath}' '${fileURLToPath(import.meta.url)}' '${client}'\n`;
  writeFileSync(`editors/${program}`, self);
  chmodSync(`editors/${program}`, 0o755);

  const question = path.join(process.env.RASTERD_SETUPS, place, 'The key as a variable');
  const lines = existsSync(question) ? [readFileSync(question, 'utf8')] : [];
  const kept = Object.entries(process.env).filter(([name]) => /^RASTERD_(?!API_KEY)/.test(name));
  const ended = spawnSync('bash', ['-euc', [...lines, shown(`Start of ${client}`)].join('\n')], {
    env: { PATH: `${path.resolve('editors')}:${process.env.PATH}`, HOME, ...Object.fromEntries(kept) },
    input: `${process.env.RASTERD_API_KEY}\n`,
    encoding: 'utf8',
  });
  expect(ended.status === 0, `${client} connected as ${place} shows, and not ${ended.stdout}${ended.stderr}`);
}

const started = process.argv[2];
if (started) {
  await start(EDITORS[started]);
} else {
  for (const place of PLACES) {
    for (const [client, editor] of Object.entries(EDITORS)) follow(place, client, editor);
  }
  done('-', 'their files of 3 places, read as documented, and a tool call');
}

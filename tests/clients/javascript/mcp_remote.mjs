// mcp-remote: a bridge for clients that speak MCP over standard input and output only.
import process from 'node:process';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { done, url, versionOf } from './environment.mjs';
import { TOUR, tourWithSdk } from './tour.mjs';

const client = new Client({ name: 'clients', version: '1' });
await client.connect(
  new StdioClientTransport({
    command: process.execPath,
    args: [
      'node_modules/mcp-remote/dist/proxy.js',
      `${url}/mcp`,
      '--header',
      'Authorization:Bearer ${RASTERD_API_KEY}',
      '--transport',
      'http-only',
    ],
    env: process.env,
  }),
);
await tourWithSdk(client);
await client.close();
done(versionOf('mcp-remote'), TOUR);

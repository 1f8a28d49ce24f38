// The official SDK, version 1, which starts each bridge.
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { BRIDGES } from './bridges.mjs';
import { done, versionOf } from './environment.mjs';
import { TOUR, tourWithSdk } from './tour.mjs';

for (const bridge of BRIDGES) {
  const client = new Client({ name: 'clients', version: '1' });
  await client.connect(new StdioClientTransport(bridge));
  await tourWithSdk(client);
  await client.close();
}
done(versionOf('@modelcontextprotocol/sdk'), `2 bridges: ${TOUR}`);

// The official SDK, version 2, which starts each bridge.
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { BRIDGES } from './bridges.mjs';
import { done, versionOf } from './environment.mjs';
import { TOUR, tourWithSdk } from './tour.mjs';

for (const bridge of BRIDGES) {
  const client = new Client({ name: 'clients', version: '1' });
  await client.connect(new StdioClientTransport(bridge));
  await tourWithSdk(client);
  await client.close();
}
done(versionOf('@modelcontextprotocol/client'), `2 bridges: ${TOUR}`);

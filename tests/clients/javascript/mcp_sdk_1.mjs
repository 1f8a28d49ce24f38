// The official SDK, version 1.
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { authorization, done, url, versionOf } from './environment.mjs';
import { TOUR, tourWithSdk } from './tour.mjs';

const client = new Client({ name: 'clients', version: '1' });
const address = new URL(`${url}/mcp`);
await client.connect(new StreamableHTTPClientTransport(address, { requestInit: { headers: authorization } }));
await tourWithSdk(client);
await client.close();
done(versionOf('@modelcontextprotocol/sdk'), TOUR);

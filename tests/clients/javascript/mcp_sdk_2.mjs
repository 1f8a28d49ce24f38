// The official SDK, version 2, which speaks the stateless revision of the protocol.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { authorization, done, url, versionOf } from './environment.mjs';
import { TOUR, tourWithSdk } from './tour.mjs';

const client = new Client({ name: 'clients', version: '1' });
const address = new URL(`${url}/mcp`);
await client.connect(new StreamableHTTPClientTransport(address, { requestInit: { headers: authorization } }));
await tourWithSdk(client);
await client.close();
done(versionOf('@modelcontextprotocol/client'), TOUR);

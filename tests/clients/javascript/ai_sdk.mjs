// The MCP client of Vercel's AI SDK, which checks answers against the schemas that it is given: those of tools/list.
import { createMCPClient } from '@ai-sdk/mcp';
import { jsonSchema } from '@ai-sdk/provider-utils';
import Ajv from 'ajv/dist/2020.js';
import { authorization, done, url, versionOf } from './environment.mjs';
import { TOUR, tour } from './tour.mjs';

const ajv = new Ajv({ strict: true, allowUnionTypes: true });

function checked(schema) {
  const fits = ajv.compile(schema);
  const validate = (value) =>
    fits(value) ? { success: true, value } : { success: false, error: new Error(ajv.errorsText(fits.errors)) };
  return jsonSchema(schema, { validate });
}

const client = await createMCPClient({ transport: { type: 'http', url: `${url}/mcp`, headers: authorization } });
const listed = (await client.listTools()).tools;
const schemas = listed.map(({ name, inputSchema, outputSchema }) => [
  name,
  { inputSchema: checked(inputSchema), outputSchema: checked(outputSchema) },
]);
const tools = await client.tools({ schemas: Object.fromEntries(schemas) });
await tour({
  listTools: async () => listed,
  call: (name, args) => tools[name].execute(args, { toolCallId: '1', messages: [] }),
  listResources: async () => (await client.listResources()).resources,
  listTemplates: async () => (await client.listResourceTemplates()).resourceTemplates,
  readResource: async (uri) => (await client.readResource({ uri })).contents,
});
await client.close();
done(versionOf('@ai-sdk/mcp'), `${TOUR}, answers checked`);

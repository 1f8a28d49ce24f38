// Between the suite, which speaks HTTP, and `rasterd mcp`, which speaks on its standard input and output: writes what the
// suite posts to the bridge, a message a line, and answers with the line that the bridge writes for it. What is said by HTTP
// itself (headers, hosts, origins, methods) does not get through. Prints the url for the suite.
// Arguments: the command of the bridge.
import { spawn } from 'node:child_process';
import http from 'node:http';
import process from 'node:process';
import readline from 'node:readline';

const [command, ...args] = process.argv.slice(2);
const bridge = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
bridge.on('exit', (code) => process.exit(code ?? 1));
process.on('SIGTERM', () => bridge.stdin.end());

// The suite is many clients that count alike; the bridge is one client. So ids and progress tokens are replaced.
const waiting = new Map();
let last = 0;

readline.createInterface({ input: bridge.stdout }).on('line', (line) => {
  const message = JSON.parse(line);
  const token = message.params?.progressToken;
  if (token !== undefined) return waiting.get(token)?.progress(message);
  return waiting.get(message.id)?.answer(message);
});

const write = (message) => bridge.stdin.write(`${JSON.stringify(message)}\n`);

// The status that the server's transport gives an error, which the bridge does not tell for those of the protocol.
function statusOf({ error }) {
  if (error?.data?.status) return error.data.status;
  if (error?.code === -32601) return 404;
  return [-32700, -32600, -32020, -32021, -32022].includes(error?.code) ? 400 : 200;
}

function ask(message, answer) {
  const { id, params } = message;
  const token = params?._meta?.progressToken;
  const ours = `${(last += 1)}`;
  const event = (value) => answer.write(`data: ${JSON.stringify(value)}\n\n`);
  waiting.set(ours, {
    progress: (news) => event({ ...news, params: { ...news.params, progressToken: token } }),
    answer: (found) => {
      waiting.delete(ours);
      const body = { ...found, id };
      if (token === undefined) {
        answer.writeHead(statusOf(found), { 'content-type': 'application/json' });
        answer.end(JSON.stringify(body));
      } else {
        event(body);
        answer.end();
      }
    },
  });
  answer.on('close', () => {
    if (!waiting.delete(ours)) return;
    write({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: ours } });
  });
  if (token === undefined) return write({ ...message, id: ours });
  answer.writeHead(200, { 'content-type': 'text/event-stream' });
  return write({ ...message, id: ours, params: { ...params, _meta: { ...params._meta, progressToken: ours } } });
}

async function take(asked, answer) {
  if (asked.method !== 'POST') return answer.writeHead(405).end();
  const parts = [];
  for await (const part of asked) parts.push(part);
  const message = JSON.parse(Buffer.concat(parts).toString());
  if (message.id !== undefined && message.method !== undefined) return ask(message, answer);
  write(message);
  return answer.writeHead(202).end();
}

const server = http.createServer((asked, answer) => {
  take(asked, answer).catch(() => answer.writeHead(400).end());
});
server.listen(0, '127.0.0.1', () => console.log(`http://localhost:${server.address().port}/mcp`));

// Carries MCP between this program's standard input and output and the `/mcp` of a server, without any package.
//
// It does what `rasterd mcp` (`src/cli/mcp_bridge.rs`) does: a message a line, each posted on its own; what a person should
// know goes to standard error. `connection.json` beside it has the address of the server and, where clients don't trust
// its certificate already, the authority; the variable RASTERD_API_KEY has the key.
import { readFileSync } from "node:fs";
import https from "node:https";
import process from "node:process";
import tls from "node:tls";

const { url, authority, version } = JSON.parse(readFileSync(new URL("connection.json", import.meta.url), "utf8"));
const endpoint = new URL(url);

const CONNECT_TIMEOUT = 10_000;
// Shorter than the time after which the server closes a connection that nobody uses.
const IDLE = 4_000;
const MAX_ANSWER = 256 * 2 ** 20;
const SERVER_ERROR = -32000;
const PARSE_ERROR = -32700;
const REVISION = "io.modelcontextprotocol/protocolVersion";
// The first revision that is repeated in a header after the handshake.
const FIRST_IN_HEADER = "2025-06-18";

/** @typedef {import("node:http").IncomingMessage} Response */
/** @typedef {{ value: any, line: string }} Answer */
/** @typedef {{ id: any, controller: AbortController, ended?: Promise<void> }} Request */

/** Why a message got no answer of the protocol: with the server's own code and status where it has answered. */
class Failure extends Error {
  /** @param {string} code @param {string} message @param {{ status?: number, retryAfter?: number }} rest */
  constructor(code, message, rest = {}) {
    super(message);
    this.data = { code, message, ...rest };
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A message of the client, and what the bridge has to know of it. */
class Message {
  /** @param {Buffer} line */
  constructor(line) {
    this.text = utf8.decode(line);
    const value = JSON.parse(this.text);
    this.fields = value !== null && typeof value === "object" ? value : {};
    this.id = this.fields.id ?? null;
    this.method = typeof this.fields.method === "string" ? this.fields.method : "";
  }

  /** Whether the client waits for an answer to it: it is neither a notification nor an answer itself. */
  get awaitsAnswer() {
    if (!("method" in this.fields)) return !("result" in this.fields) && !("error" in this.fields);
    return "id" in this.fields && !this.method.startsWith("notifications/");
  }

  /** The headers that the protocol wants for it. */
  headers() {
    const declared = this.fields.params?._meta?.[REVISION];
    if (typeof declared === "string") {
      const name = this.name();
      const headers = {
        "mcp-protocol-version": declared,
        "mcp-method": this.method,
        "mcp-name": typeof name === "string" ? headerText(name) : undefined,
      };
      // A value that no header can have stays out, and the server says what is missing.
      return Object.fromEntries(Object.entries(headers).filter(([, value]) => value && isPlain(value)));
    }
    const isRepeated = agreed >= FIRST_IN_HEADER && this.method !== "initialize";
    return isRepeated ? { "mcp-protocol-version": agreed } : {};
  }

  /** What a method is about, which intermediaries read in a header. */
  name() {
    const { name, uri, taskId } = this.fields.params ?? {};
    if (["tools/call", "prompts/get"].includes(this.method)) return name;
    if (["resources/read", "resources/subscribe", "resources/unsubscribe"].includes(this.method)) return uri;
    if (["tasks/get", "tasks/update", "tasks/cancel"].includes(this.method)) return taskId;
    return undefined;
  }
}

/** @param {string} text */
const isPlain = (text) => /^[ -~]*$/.test(text);

/** @param {string} text */
function headerText(text) {
  const isBare = isPlain(text) && text.trim() === text && !text.startsWith("=?base64?");
  return isBare ? text : `=?base64?${Buffer.from(text).toString("base64")}?=`;
}

// The revision of the protocol that the last handshake agreed on.
let agreed = "";
/** @type {Set<Request>} */
const running = new Set();
const agent = new https.Agent({ keepAlive: true, timeout: IDLE });

/** Whom the bridge trusts: the authority of the server, or those of this machine. */
function authorities() {
  if (authority) return authority;
  // Older versions of Node know only a list of their own.
  return tls.getCACertificates && [...tls.getCACertificates("default"), ...tls.getCACertificates("system")];
}

const trusted = authorities();

function readKey() {
  const key = (process.env.RASTERD_API_KEY ?? "").trim();
  if (!key) stop("there is no API key: set the variable RASTERD_API_KEY");
  if (!key.startsWith("pk_")) stop("the API key is not one: it begins with pk_");
  if (!/^pk_[0-9A-Za-z]{45}$/.test(key)) {
    stop(`the API key has ${key.length} characters and is not one that a server made; copy it to its last character`);
  }
  return key;
}

/** @param {string} text */
function warn(text) {
  process.stderr.write(`rasterd: ${text}\n`);
}

/** @param {string} text @returns {never} */
function stop(text) {
  warn(text);
  process.exit(1);
}

/** @param {string} line */
function write(line) {
  process.stdout.write(`${line}\n`);
}

/** @param {any} id @param {number} code @param {string} message @param {object} [data] */
function writeError(id, code, message, data) {
  write(JSON.stringify({ jsonrpc: "2.0", id, error: { code, message, data } }));
}

/**
 * JSON without line breaks. They are only between its parts, since a text in JSON can't have one.
 * @param {string} json
 */
const oneLine = (json) => json.replace(/[\r\n]/g, " ");

/**
 * The server's response to a message, once its head is there.
 * @param {Message} message @param {AbortSignal} signal @returns {Promise<Response>}
 */
function post(message, signal) {
  const headers = {
    authorization: `Bearer ${key}`,
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
    "user-agent": `rasterd-mcp/${version}`,
    ...message.headers(),
  };
  return new Promise((resolve, reject) => {
    const request = https.request(endpoint, { method: "POST", agent, headers, ca: trusted, signal }, resolve);
    const timer = setTimeout(
      () => request.destroy(new Error("no connection was made in time")),
      CONNECT_TIMEOUT,
    ).unref();
    request.on("socket", (socket) => {
      if (!socket.connecting) clearTimeout(timer);
      socket.once("secureConnect", () => clearTimeout(timer));
      socket.setKeepAlive(true, 30_000);
    });
    request.on("error", (error) => {
      clearTimeout(timer);
      reject(new Failure("SERVER_UNREACHABLE", unreachable(error)));
    });
    request.end(message.text);
  });
}

/**
 * Why a request did not reach the server, or its answer did not arrive, and what to do.
 * @param {NodeJS.ErrnoException} error
 */
function unreachable(error) {
  const { origin } = endpoint;
  if (error instanceof Failure) return error.message;
  if (error.code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    return `The certificate of the server is not for ${origin}. Use the address that the server calls itself (server.public_url).`;
  }
  // The signature is bad when an authority was made again and has the name of the former one.
  if (/^(UNABLE_TO|SELF_SIGNED|DEPTH_ZERO|CERT_SIGNATURE_FAILURE)/.test(error.code ?? "")) {
    return `The certificate of ${origin} is not from an authority that this program trusts. Download a new bundle from the server.`;
  }
  if (/^CERT_/.test(error.code ?? "")) return `The certificate of ${origin} can't be accepted: ${error.message}.`;
  if (error.code === "ECONNRESET" || error.code === "ERR_STREAM_PREMATURE_CLOSE") {
    return `The connection to ${origin} ended before the answer: ${error.message}.`;
  }
  const reason = error.message || error.code;
  return `The server at ${origin} can't be reached: ${reason}. Is it running, and is this its address? The next request tries again.`;
}

/**
 * The parts of an answer, as long as it is not too large.
 * @param {Response} response @returns {AsyncGenerator<Buffer>}
 */
async function* limited(response) {
  let total = 0;
  try {
    for await (const part of response) {
      total += part.length;
      if (total > MAX_ANSWER) {
        throw new Failure("SERVER_UNREACHABLE", `The answer of the server is larger than ${MAX_ANSWER} bytes.`);
      }
      yield part;
    }
  } catch (error) {
    throw error instanceof Failure ? error : new Failure("SERVER_UNREACHABLE", unreachable(error));
  }
}

/** @param {Response} response */
async function whole(response) {
  const parts = [];
  for await (const part of limited(response)) parts.push(part);
  return Buffer.concat(parts).toString("utf8");
}

/**
 * The lines of a stream of bytes. The last one counts without an end, too, if `withRest`.
 * @param {AsyncIterable<Buffer>} parts @param {boolean} withRest
 */
async function* linesOf(parts, withRest) {
  /** @type {Buffer[]} */
  let begun = [];
  for await (const part of parts) {
    let from = 0;
    for (let end = part.indexOf(10); end >= 0; end = part.indexOf(10, from)) {
      yield Buffer.concat([...begun, part.subarray(from, end)]);
      [begun, from] = [[], end + 1];
    }
    if (from < part.length) begun.push(part.subarray(from));
  }
  if (withRest && begun.length > 0) yield Buffer.concat(begun);
}

/**
 * The data of each event in a response.
 * @param {Response} response
 */
async function* eventsOf(response) {
  /** @type {string[]} */
  let data = [];
  for await (const bytes of linesOf(limited(response), false)) {
    const line = bytes.toString("utf8").replace(/\r$/, "");
    if (line.startsWith("data:")) data.push(line.slice(5).replace(/^ /, ""));
    if (line === "" && data.length > 0) {
      yield data.join("\n");
      data = [];
    }
  }
}

/** @param {string} text */
function parsed(text) {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}

/**
 * The answer to a message as a line, if that is what this text is. One that names no id is an error about this message.
 * @param {string} text @param {Message} message @returns {Answer | undefined}
 */
function answerIn(text, message) {
  const value = parsed(text);
  const isAnswer = "result" in Object(value) !== "error" in Object(value);
  if (value.jsonrpc !== "2.0" || "method" in value || !isAnswer) return undefined;
  if (value.id === message.id && "id" in value) return { value, line: oneLine(text) };
  if ((value.id ?? null) === null && "error" in value) {
    return { value, line: JSON.stringify({ ...value, id: message.id }) };
  }
  return undefined;
}

/** @param {Answer} answer @param {Message} message */
function passOnAnswer({ value, line }, message) {
  if (message.method === "initialize") agreed = value.result?.protocolVersion ?? "";
  write(line);
}

/**
 * What the server answered is not a message of the protocol: most likely its envelope.
 * @param {Response} response @param {string} body
 */
function refusal(response, body) {
  const status = response.statusCode;
  const isSuccess = status >= 200 && status < 300;
  /** @type {{ status: number, retryAfter?: number }} */
  const rest = { status };
  const { code, message } = parsed(body).error ?? {};
  if (code !== undefined && typeof message === "string") {
    const seconds = Number(response.headers["retry-after"]);
    if (Number.isInteger(seconds)) rest.retryAfter = seconds;
    return new Failure(String(code), message, rest);
  }
  const text = isSuccess
    ? `The server answered with status ${status}, but not with an answer to this message. Is there a rasterd at this address?`
    : `The answer has status ${status} and is not from rasterd, but perhaps from a proxy before it.`;
  return new Failure("UNREADABLE_ANSWER", text, rest);
}

/** @param {Response} response @param {Message} message */
async function passOnEvents(response, message) {
  for await (const data of eventsOf(response)) {
    // An event without data only keeps the connection open.
    if (data === "") continue;
    const answer = answerIn(data, message);
    if (answer) {
      passOnAnswer(answer, message);
      response.destroy();
      return;
    }
    if (typeof parsed(data).method !== "string") {
      throw new Failure("UNREADABLE_ANSWER", "An event of the server is not a message of the protocol.");
    }
    write(oneLine(data));
  }
  if (message.awaitsAnswer) {
    throw new Failure("SERVER_UNREACHABLE", "The connection to the server ended before its answer.");
  }
}

/** @param {Response} response @param {Message} message */
async function passOn(response, message) {
  const isSuccess = response.statusCode >= 200 && response.statusCode < 300;
  const kind = (response.headers["content-type"] ?? "").split(";")[0].trim().toLowerCase();
  if (isSuccess && kind === "text/event-stream") return passOnEvents(response, message);
  const body = await whole(response);
  if (!message.awaitsAnswer) {
    if (!isSuccess) throw refusal(response, body);
    return undefined;
  }
  const answer = answerIn(body, message);
  if (!answer) throw refusal(response, body);
  return passOnAnswer(answer, message);
}

/**
 * Sends a message and passes on what the server answers, or why there is no answer.
 * @param {Message} message @param {AbortSignal} signal
 */
async function answered(message, signal) {
  try {
    await passOn(await post(message, signal), message);
  } catch (error) {
    if (signal.aborted) return;
    if (!(error instanceof Failure)) warn(error.stack);
    if (message.awaitsAnswer) writeError(message.id, SERVER_ERROR, error.message, error.data);
    else warn(`${message.method}: ${error.message}`);
  }
}

/**
 * Sends the message in a line to the server, or cancels the request that it names.
 * @param {Buffer} line
 */
function begin(line) {
  if (/^[ \t\r]*$/.test(line.toString("latin1"))) return;
  /** @type {Message} */
  let message;
  try {
    message = new Message(line);
  } catch {
    writeError(null, PARSE_ERROR, "Parse error: the line is not JSON");
    return;
  }
  if (message.method === "notifications/cancelled") {
    // The server is not told: it might know another client's request by this id, of the same key and machine.
    const id = message.fields.params?.requestId ?? null;
    for (const request of running) if (id !== null && request.id === id) request.controller.abort();
    return;
  }
  /** @type {Request} */
  const request = { id: message.id, controller: new AbortController() };
  running.add(request);
  request.ended = answered(message, request.controller.signal).finally(() => running.delete(request));
}

const key = readKey();
process.stdout.on("error", (error) => stop(`the client no longer reads: ${error.message}`));
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => process.exit(0));
for await (const line of linesOf(process.stdin, true)) begin(line);
await Promise.all([...running].map(({ ended }) => ended));
agent.destroy();

/** A `fetch` that trusts one more authority. The one of Node takes no authority without a package beside it. */

import type { IncomingMessage } from "node:http";
import { Agent, request as send } from "node:https";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream } from "node:stream/web";

/** The same as the global `fetch`, except that it does not follow redirects. */
export function fetchTrusting(ca: string[]): typeof fetch {
  const agent = new Agent({ ca, keepAlive: true });
  return async (input, init) => {
    const isStream = typeof init?.body === "object" && init.body !== null && "getReader" in init.body;
    const request = new Request(input, isStream ? ({ ...init, duplex: "half" } as RequestInit) : init);
    const body = isStream ? request.body : new Uint8Array(await request.arrayBuffer());
    try {
      return responseOf(request.url, await answered(request, body, agent));
    } catch (error) {
      if (request.signal.aborted) throw request.signal.reason;
      throw new TypeError(`fetch failed: ${(error as Error).message}`, { cause: error });
    }
  };
}

function answered(request: Request, body: Request["body"] | Uint8Array, agent: Agent): Promise<IncomingMessage> {
  const { method, signal } = request;
  const headers: Record<string, string | number> = Object.fromEntries(request.headers);
  if (body instanceof Uint8Array && (body.length > 0 || method === "POST")) headers["content-length"] = body.length;
  return new Promise((resolve, reject) => {
    const sent = send(request.url, { method, headers, agent, signal }, resolve);
    sent.on("error", reject);
    if (body instanceof Uint8Array) sent.end(body);
    // The server may answer before it has read everything. Then only the rest of the body fails.
    else if (body) pipeline(Readable.fromWeb(body as ReadableStream), sent).catch(reject);
    else sent.end();
  });
}

function responseOf(url: string, answer: IncomingMessage): Response {
  const headers = new Headers();
  for (let at = 0; at < answer.rawHeaders.length; at += 2)
    headers.append(answer.rawHeaders[at]!, answer.rawHeaders[at + 1]!);
  const status = answer.statusCode ?? 0;
  const isEmpty = [204, 205, 304].includes(status);
  if (isEmpty) answer.resume();
  const body = isEmpty ? null : Readable.toWeb(answer);
  const response = new Response(body, { status, statusText: answer.statusMessage ?? "", headers });
  return Object.defineProperty(response, "url", { value: url });
}

/** A server for tests, and the endpoint through which they control it. */

import { dirname, join, resolve } from "node:path";
import tls from "node:tls";
import { fileURLToPath } from "node:url";

import { fetchTrusting } from "./fetch.js";
import { Organization } from "./organization.js";
import { RasterdError, ServerProcess } from "./process.js";
import type { Access, Connection, Effect, FaultOptions, OrganizationInfo, RecordedRequest } from "./wire.js";

/** How a server starts. */
export interface StartOptions {
  /** A folder with what the server begins with. */
  seed?: string;
  /** A file of an earlier `writeSnapshot`. */
  snapshot?: string;
  /** The time at which its clock stands. */
  clock?: Date | string;
  /** Such as `seeded:1`, so that ids and keys are the same in each run. */
  ids?: string;
  /** Further options of the command line. */
  options?: readonly string[];
  /** Another program than the one in `RASTERD_BINARY` or in this package. */
  binary?: string;
  /** How long the start may take; a minute when it is not given. */
  readyWithinMs?: number;
}

/** Something that goes wrong on purpose, until it is removed. */
export interface Fault extends AsyncDisposable {
  readonly id: string;
  remove(): Promise<void>;
}

/** Starts a server and waits until it answers. It ends with `stop`, or with this program. */
export async function startRasterd(options: StartOptions = {}): Promise<Rasterd> {
  const program = options.binary ?? process.env["RASTERD_BINARY"] ?? packagedBinary();
  const { process: started, line } = await ServerProcess.start(
    program,
    commandLine(options),
    options.readyWithinMs ?? 60_000,
  );
  try {
    return new Rasterd(JSON.parse(line) as Connection, started);
  } catch (cause) {
    await started.stop();
    throw new RasterdError(`${program} printed something else than a server's addresses: ${line}`, { cause });
  }
}

/** Uses a server that another process has started: `connection` is that server's own. Stopping it does nothing. */
export function connectRasterd(connection: Connection): Rasterd {
  return new Rasterd(connection);
}

function packagedBinary(): string {
  return fileURLToPath(new URL("../bin/rasterd", import.meta.url));
}

function commandLine({ seed, snapshot, clock, ids, options = [] }: StartOptions): string[] {
  const startedAt = clock === undefined ? undefined : rfc3339(clock);
  const named = Object.entries({ seed, snapshot, clock: startedAt, ids });
  const given = named.flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, value]));
  return ["serve", "--ephemeral", ...options, ...given];
}

function rfc3339(time: Date | string): string {
  return typeof time === "string" ? time : time.toISOString();
}

/** A server for tests. */
export class Rasterd implements AsyncDisposable {
  readonly url: string;
  readonly mcpUrl: string;
  readonly graphqlUrl: string;
  readonly appUrl: string;
  /** The file of the server's authority, for `NODE_EXTRA_CA_CERTS` of other programs. */
  readonly caFile: string;
  readonly caPem: string;
  /** The server's authority and those that Node trusts, for `ca` of `node:https` or of undici's `Agent`. */
  readonly ca: string[];
  /** Trusts this server; otherwise the same as the global one, except that it does not follow redirects. */
  readonly fetch: typeof fetch;
  /** The server's first organization. */
  readonly organization: Organization;
  readonly #process: ServerProcess | undefined;

  /** Use `startRasterd` or `connectRasterd`. `connection` is all that another process needs to connect. */
  constructor(
    readonly connection: Connection,
    started?: ServerProcess,
  ) {
    this.url = connection.url;
    this.mcpUrl = connection.mcpUrl;
    this.graphqlUrl = connection.graphqlUrl;
    this.appUrl = connection.appUrl;
    this.caFile = connection.caFile;
    this.caPem = connection.caPem;
    this.ca = [...(tls.getCACertificates?.("default") ?? tls.rootCertificates), connection.caPem];
    this.fetch = fetchTrusting(this.ca);
    this.organization = new Organization(this, connection);
    this.#process = started;
  }

  /** The server's authority and those of this machine, as one file. */
  get caBundle(): string {
    return join(dirname(this.caFile), "ca-bundle.pem");
  }

  /** The variables with which programs that a test starts trust this server. */
  get environment(): Record<string, string> {
    const bundle = this.caBundle;
    return {
      NODE_EXTRA_CA_CERTS: this.caFile,
      SSL_CERT_FILE: bundle,
      REQUESTS_CA_BUNDLE: bundle,
      CURL_CA_BUNDLE: bundle,
    };
  }

  /** The last lines of its log; none of a server that another process has started. */
  get log(): readonly string[] {
    return this.#process?.log ?? [];
  }

  /** The headers of a request in the server's first organization. */
  headers(access: Access = "write"): Record<string, string> {
    return this.organization.headers(access);
  }

  /** Lets everything in this process trust the server, also the global `fetch`. Needs Node 22.19, or 24.5 and newer. */
  trustHere(): void {
    if (!tls.setDefaultCACertificates)
      throw new RasterdError(
        `Node ${process.version} can't trust an authority later: use server.fetch, or a newer Node.`,
      );
    tls.setDefaultCACertificates(this.ca);
  }

  /** Makes an organization with these libraries, or one, that nobody else uses. */
  async newOrganization(wanted: { name?: string; libraries?: readonly string[] } = {}): Promise<Organization> {
    return new Organization(this, await this.#send<OrganizationInfo>("POST", "/organizations", wanted));
  }

  /** Goes back to how the server started, or to a snapshot. */
  async reset(snapshot?: string): Promise<void> {
    await this.#send("POST", "/reset", { snapshot });
  }

  /** Remembers everything as it is now, for `reset`. */
  async takeSnapshot(name: string): Promise<void> {
    await this.#send("POST", "/snapshots", { name });
  }

  /** Writes everything as it is now into a file, for the option `snapshot`. */
  async writeSnapshot(file: string): Promise<void> {
    await this.#send("POST", "/snapshots", { file: resolve(file) });
  }

  /** Sets the server's clock, which then stands still. */
  async setClock(now: Date | string): Promise<void> {
    await this.#send("PUT", "/clock", { now: rfc3339(now) });
  }

  /** Sets the server's clock forward. It then stands still. */
  async advanceClock(seconds: number): Promise<void> {
    await this.#send("POST", "/clock/advance", { seconds });
  }

  /** Lets requests to any organization fail: those that match, a number of times or until removed. */
  async addFault(effect: Effect, { match = {}, times }: FaultOptions = {}): Promise<Fault> {
    const { id } = await this.#send<{ id: string }>("POST", "/faults", { effect, match, times });
    const remove = () => this.#send<void>("DELETE", `/faults/${id}`);
    return { id, remove, [Symbol.asyncDispose]: remove };
  }

  /** Ends all faults. */
  async clearFaults(): Promise<void> {
    await this.#send("DELETE", "/faults");
  }

  /** The last requests that the server has received, oldest first: all, or those of an operation, …. */
  async requests(
    filters: { operation?: string; organization?: string; keyId?: string } = {},
  ): Promise<RecordedRequest[]> {
    const query = new URLSearchParams(filters);
    return (await this.#send<{ requests: RecordedRequest[] }>("GET", `/requests?${query}`)).requests;
  }

  /** Empties the list of requests. */
  async forgetRequests(): Promise<void> {
    await this.#send("DELETE", "/requests");
  }

  /** Waits until the work after uploads is done, such as thumbnails. */
  async waitUntilIdle(): Promise<void> {
    await this.#send("POST", "/idle");
  }

  /** Ends the server, which removes its folder. A server of another process goes on. */
  async stop(): Promise<void> {
    await this.#process?.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #send<Answer>(method: string, path: string, body?: object): Promise<Answer> {
    const { url, token } = this.connection.control;
    const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
    const init = body ? { method, headers, body: JSON.stringify(body) } : { method, headers };
    const answer = await this.fetch(`${url}${path}`, init).catch((cause: Error) => {
      const words = this.#process?.lastWords() ?? "Another process started it.";
      throw new RasterdError(`${method} ${url}${path} got no answer: ${cause.message}. ${words}`, { cause });
    });
    const text = await answer.text();
    if (!answer.ok) throw new RasterdError(`${method} ${url}${path} was refused with ${answer.status}: ${text}`);
    return (text ? JSON.parse(text) : undefined) as Answer;
  }
}

/** An organization of a server, and what a test needs to use it. */

import type { Fault, Rasterd } from "./server.js";
import type { Access, Effect, Keys, Library, OrganizationInfo, Owner } from "./wire.js";

/** The version of the REST interface that `headers` ask for. */
const API_VERSION = "2026-07-08";

/** An organization with libraries and keys. Nobody else uses it, so tests with one each can run in parallel. */
export class Organization {
  readonly server: Rasterd;
  readonly id: string;
  readonly slug: string;
  readonly libraries: readonly Library[];
  readonly keys: Keys;
  /** The public ids of the keys, for faults and in the list of requests. */
  readonly keyIds: Keys;
  readonly owner: Owner;
  /** The first library. */
  readonly library: Library;
  /** Where its REST paths begin. */
  readonly url: string;
  /** Where the assets of its first library are listed and uploaded. */
  readonly assetsUrl: string;

  constructor(server: Rasterd, info: OrganizationInfo) {
    const [library] = info.libraries;
    if (!library) throw new TypeError(`The organization ${info.organization} has no library.`);
    this.server = server;
    this.id = info.organizationId;
    this.slug = info.organization;
    this.libraries = info.libraries;
    this.keys = info.keys;
    this.keyIds = info.keyIds;
    this.owner = info.owner;
    this.library = library;
    this.url = `${server.url}/organizations/${this.slug}`;
    this.assetsUrl = `${this.url}/libraries/${library.slug}/assets`;
  }

  /** The headers of a request with the key that has this access: the key, and the version of REST. */
  headers(access: Access = "write"): Record<string, string> {
    return { Authorization: `Bearer ${this.keys[access]}`, "Api-Version": API_VERSION };
  }

  /** Lets requests with one of its keys fail: those of an operation or all, a number of times or until removed. */
  async addFault(effect: Effect, options: OrganizationFaultOptions = {}): Promise<Fault> {
    const { operation, access = "write", times } = options;
    const match = { keyId: this.keyIds[access], ...(operation === undefined ? {} : { operation }) };
    return this.server.addFault(effect, { match, ...(times === undefined ? {} : { times }) });
  }
}

/** Which requests of an organization a fault concerns, and how many of them. */
export interface OrganizationFaultOptions {
  operation?: string;
  /** The key, by its access; `write` when it is not given. */
  access?: Access;
  times?: number;
}

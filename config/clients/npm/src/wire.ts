/** What the server prints when it is ready, and what its control endpoint takes and returns. */

/** What a key may do in the libraries of its organization. */
export type Access = "write" | "read" | "none";

/** Something of each of the three keys of an organization, by their access to its libraries. */
export type Keys = Readonly<Record<Access, string>>;

/** A library. Paths and tools name it by its slug. */
export interface Library {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
}

/** A person who can sign in to the web app. */
export interface Owner {
  readonly email: string;
  readonly password: string;
}

/** An organization as the server describes it; `organization` is its slug. */
export interface OrganizationInfo {
  readonly organizationId: string;
  readonly organization: string;
  readonly libraries: readonly Library[];
  readonly keys: Keys;
  /** Their public ids, for faults and in the list of requests. */
  readonly keyIds: Keys;
  readonly owner: Owner;
}

/** Everything that the server prints: enough to connect to it from another process. */
export interface Connection extends OrganizationInfo {
  readonly url: string;
  readonly mcpUrl: string;
  readonly graphqlUrl: string;
  readonly appUrl: string;
  readonly caFile: string;
  readonly caPem: string;
  readonly pid: number;
  readonly control: { readonly url: string; readonly token: string };
}

/** Which requests a fault concerns: those that fit everything that is named here. */
export interface Match {
  /** The same name on every interface, such as `upload_assets`; `get_file` is a public file. */
  operation?: string;
  keyId?: string;
  library?: string;
  /** Only this share of them, from 0 to 1. */
  share?: number;
}

/** What a fault does. */
export type Effect =
  | { code: string; status?: number }
  | { latencyMs: number }
  | { cut: true }
  | { slowBodyMs: number }
  | { fullDisk: true }
  | { revokeKeyAfterBytes: number };

/** Which requests a fault concerns, and how many of them. */
export interface FaultOptions {
  match?: Match;
  times?: number;
}

/** A request that the server has received. */
export interface RecordedRequest {
  readonly id: string;
  readonly time: string;
  readonly method: string;
  readonly path: string;
  readonly operation: string | null;
  readonly organization: string | null;
  readonly library: string | null;
  readonly keyId: string | null;
  /** Null when there was no answer. */
  readonly status: number | null;
  readonly code: string | null;
  readonly durationMs: number;
}

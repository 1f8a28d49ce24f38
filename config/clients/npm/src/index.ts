/** A rasterd server for tests: the real one, in a folder that is removed with it. */

export { type Fault, Rasterd, type StartOptions, connectRasterd, startRasterd } from "./server.js";
export { Organization, type OrganizationFaultOptions } from "./organization.js";
export { RasterdError } from "./process.js";
export type {
  Access,
  Connection,
  Effect,
  FaultOptions,
  Keys,
  Library,
  Match,
  OrganizationInfo,
  Owner,
} from "./wire.js";

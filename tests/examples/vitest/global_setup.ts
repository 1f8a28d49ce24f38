/** One server for all workers. */

import { type Connection, startRasterd } from "rasterd";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  export interface ProvidedContext {
    rasterd: Connection;
  }
}

export default async function setup(project: TestProject) {
  const server = await startRasterd();
  project.provide("rasterd", server.connection);
  return () => server.stop();
}

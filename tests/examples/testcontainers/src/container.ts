/** A server in a container. It shares the network of this machine, so that its addresses are right on both sides. */

import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { connectRasterd, type Connection, type Rasterd } from "rasterd";
import { GenericContainer, type StartedTestContainer, Wait } from "testcontainers";

/** The binary in the package. The image needs a glibc that is not older than the one that it was built with. */
const BINARY =
  process.env["RASTERD_BINARY"] ?? fileURLToPath(new URL("../bin/rasterd", import.meta.resolve("rasterd")));

/** Starts it. `container.stop()` ends it, and Testcontainers does when the tests are gone. */
export async function startInContainer(): Promise<{ container: StartedTestContainer; server: Rasterd }> {
  const container = await new GenericContainer("debian:stable-slim")
    .withCopyFilesToContainer([{ source: BINARY, target: "/usr/local/bin/rasterd", mode: 0o755 }])
    .withCommand(["rasterd", "serve", "--ephemeral", "--die-with-parent=false"])
    .withNetworkMode("host")
    .withWaitStrategy(Wait.forLogMessage(/"control"/))
    .start();
  return { container, server: connectRasterd(await printedBy(container)) };
}

async function printedBy(container: StartedTestContainer): Promise<Connection> {
  for await (const line of createInterface({ input: await container.logs() }))
    if (line.startsWith("{")) return JSON.parse(line) as Connection;
  throw new Error("The server printed no addresses.");
}

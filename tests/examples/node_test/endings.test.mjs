/** No server outlives its tests, and a start that fails says why. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startRasterd } from "rasterd";

const folder = await mkdtemp(join(tmpdir(), "rasterd-endings-"));
after(() => rm(folder, { recursive: true }));

async function isGone({ pid, caFile }) {
  for (let tries = 0; tries < 400; tries++) {
    if (!existsSync(`/proc/${pid}`) && !existsSync(dirname(caFile))) return true;
    await sleep(50);
  }
  return false;
}

for (const then of ["", "process.exit(3)", "throw new Error()", "setTimeout(() => {}, 60_000)"])
  test(`the server ends with its program: ${then || "the end"}`, async () => {
    const script = `
      import { startRasterd } from "rasterd";
      console.log(JSON.stringify((await startRasterd()).connection));
      ${then}`;
    const program = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "ignore"],
      cwd: import.meta.dirname,
    });
    const [line] = await once(program.stdout, "data");
    const ended = once(program, "exit");
    if (then.startsWith("setTimeout")) program.kill("SIGKILL");
    await ended;
    assert.ok(await isGone(JSON.parse(line)));
  });

test("stop removes everything", async () => {
  const server = await startRasterd();
  await server.stop();
  await server.stop();
  assert.ok(await isGone(server.connection));
  await assert.rejects(server.requests(), /got no answer.*ended with exit code 0/);
});

test("a wrong option is told with the server's own words", async () => {
  const started = startRasterd({ options: ["--no-such-option"] });
  await assert.rejects(started, /ended before it was ready.*exit code.*--no-such-option/s);
});

const failures = [
  ["\x7fELF\x02\x01\x01", 0o755, /is for another kind of machine/],
  ["#!/no/such/interpreter\n", 0o755, /needs a loader that is not here/],
  ["#!/bin/sh\n", 0o644, /may not be executed/],
  ["#!/bin/sh\necho hello\nsleep 5\n", 0o755, /something else than a server's addresses/],
  ["#!/bin/sh\necho no room >&2\nexit 7\n", 0o755, /exit code 7.*no room/s],
  ["#!/bin/sh\nsleep 5\n", 0o755, /was not ready within 500 ms/],
  [undefined, 0o755, /There is no program at/],
];

for (const [content, mode, reason] of failures)
  test(`a start that fails says why: ${reason}`, async () => {
    const binary = join(folder, `rasterd-${failures.findIndex(([, , each]) => each === reason)}`);
    if (content !== undefined) await writeFile(binary, content, { mode });
    await assert.rejects(startRasterd({ binary, readyWithinMs: 500 }), reason);
  });

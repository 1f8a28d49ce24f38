/** The process of a server: how it starts, what it said, how it ends. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync, readSync } from "node:fs";
import type { Socket } from "node:net";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

const ENDS_WITHIN_MS = 10_000;
const PIPES_CLOSE_WITHIN_MS = 1000;
/** The processors as ELF numbers them and as Node names them. */
const PROCESSORS: Record<number, string> = { 62: "x64", 183: "arm64" };
const LINES_KEPT = 200;
const LINES_SHOWN = 20;

/** The server did not start, ended too early, or refused what a test asked of it. */
export class RasterdError extends Error {
  override readonly name = "RasterdError";
}

/** A server's process. It ends with `stop`, with this program, or when this program is killed. */
export class ServerProcess {
  readonly #child: ChildProcess;
  readonly #program: string;
  readonly #log: string[] = [];
  readonly #ended: Promise<unknown>;
  readonly #atExit = () => void this.#child.kill();

  private constructor(program: string, child: ChildProcess) {
    this.#program = program;
    this.#child = child;
    this.#ended = new Promise((resolve) => {
      child.once("close", resolve);
      // Something that it started may hold its pipes open.
      child.once("exit", () => setTimeout(resolve, PIPES_CLOSE_WITHIN_MS).unref());
    });
    process.once("exit", this.#atExit);
    createInterface({ input: child.stderr as Readable }).on("line", (line) => {
      this.#log.push(line);
      if (this.#log.length > LINES_KEPT) this.#log.shift();
    });
  }

  /**
   * Starts it, and returns it with the line that it prints when it is ready. It gets a group of its own: Ctrl-C then
   * reaches the tests, which stop it after their last request.
   */
  static async start(program: string, options: readonly string[], readyWithinMs: number) {
    const child = await spawned(program, options);
    const started = new ServerProcess(program, child);
    const line = await started.#firstLine(readyWithinMs);
    // A server that nobody stops must not keep the tests from ending; it ends with them.
    started.#keepThisProgram(false);
    return { process: started, line };
  }

  /** The last lines of the server's log. */
  get log(): readonly string[] {
    return [...this.#log];
  }

  /** How it ended, and the end of its log, for a message. */
  lastWords(): string {
    const ended = ending(this.#child);
    const lines = this.#log.slice(-LINES_SHOWN);
    if (lines.length === 0) return `${ended} and printed nothing: ${this.#program}`;
    return `${ended}: ${this.#program}\nThe last lines of its log:\n  ${lines.join("\n  ")}`;
  }

  /** Ends it, at once when it does not end by itself. Stopping it again does nothing. */
  async stop(): Promise<void> {
    process.off("exit", this.#atExit);
    this.#keepThisProgram(true);
    this.#child.kill();
    const late = setTimeout(() => this.#child.kill("SIGKILL"), ENDS_WITHIN_MS);
    await this.#ended;
    clearTimeout(late);
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
  }

  async #firstLine(withinMs: number): Promise<string> {
    const output = createInterface({ input: this.#child.stdout as Readable });
    const printed = new Promise<string>((resolve) => output.once("line", resolve));
    const ended = this.#ended.then(() => new RasterdError(`The server ended before it was ready. ${this.lastWords()}`));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<RasterdError>((resolve) => {
      const message = `The server was not ready within ${withinMs} ms.`;
      timer = setTimeout(() => resolve(new RasterdError(`${message} ${this.lastWords()}`)), withinMs);
    });
    const first = await Promise.race([printed, ended, late]);
    clearTimeout(timer);
    if (typeof first === "string") return first;
    await this.stop();
    throw first;
  }

  /** Whether this program goes on as long as the server does. */
  #keepThisProgram(goesOn: boolean) {
    const { stdout, stderr } = this.#child;
    for (const each of [this.#child, stdout as Socket, stderr as Socket]) goesOn ? each.ref() : each.unref();
  }
}

async function spawned(program: string, options: readonly string[]): Promise<ChildProcess> {
  try {
    if (!isForThisMachine(program)) throw Object.assign(new Error("exec format error"), { code: "ENOEXEC" });
    const child = spawn(program, options, { stdio: ["ignore", "pipe", "pipe"], detached: true });
    await once(child, "spawn");
    return child;
  } catch (error) {
    throw new RasterdError(cannotRun(program, error as NodeJS.ErrnoException), { cause: error });
  }
}

function ending({ exitCode, signalCode }: ChildProcess): string {
  if (signalCode !== null) return `It ended with ${signalCode}`;
  return exitCode === null ? "It still runs" : `It ended with exit code ${exitCode}`;
}

/** Node gives a program for another machine to a shell, whose message helps nobody. So its head is read here. */
function isForThisMachine(program: string): boolean {
  const head = Buffer.alloc(20);
  const file = openSync(program, "r");
  readSync(file, head);
  closeSync(file);
  if (head.toString("latin1", 0, 4) !== "\x7fELF") return true;
  return process.platform === "linux" && PROCESSORS[head.readUInt16LE(18)] === process.arch;
}

/** Why a program can't be run, and what to do. */
function cannotRun(program: string, { code, message }: NodeJS.ErrnoException): string {
  const other = "Install the package for this machine, or name another binary in RASTERD_BINARY.";
  const machine = `${process.platform} on ${process.arch}`;
  if (code === "ENOEXEC") return `${program} is for another kind of machine than this one (${machine}). ${other}`;
  if (code === "ENOENT" && existsSync(program))
    return `${program} needs a loader that is not here: it is for Linux with glibc, this is ${machine}. ${other}`;
  if (code === "ENOENT") return `There is no program at ${program}. ${other}`;
  if (code === "EACCES") return `${program} may not be executed. Try: chmod +x ${program}`;
  return `${program} can't be run: ${message}. ${other}`;
}

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { endsWithThisProcess } from "test-servers";
import { onTestFinished } from "vitest";
import { plainEnvironment } from "./git-repository.ts";

const main = fileURLToPath(new URL("../../dist/main.js", import.meta.url));

/** The result of a program. */
export interface ProgramResult {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Returns the complaints of a program, except of late answers, which are normal on a busy machine. */
export function complaintsIn(stderr: string): string {
  return stderr.replace(
    /^\(node:\d+\) NidusWarning: .* is unreachable \(.*no answer within \d+ ms\)\n(\(Use `node --trace-.*\n)?/gm,
    "",
  );
}

/** The program as a child process, which ends at the latest with the test. */
export class Program {
  readonly process: ChildProcess;
  readonly ended: Promise<ProgramResult>;
  #stdout = "";
  #stderr = "";

  constructor(
    args: readonly string[],
    env: NodeJS.ProcessEnv = {},
    // Runs are short: PGlite, which is WebAssembly, would not repay its optimization.
    command: readonly string[] = [process.execPath, "--liftoff-only", main],
  ) {
    const [file = "", ...before] = command;
    const child = spawn(file, [...before, ...args], {
      env: { ...plainEnvironment(), ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    endsWithThisProcess(child);
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      this.#stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
    });
    this.process = child;
    this.ended = once(child, "close").then(([status, signal]) => ({
      status: status as number | null,
      signal: signal as NodeJS.Signals | null,
      stdout: this.#stdout,
      stderr: this.#stderr,
    }));
    onTestFinished(async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
      await this.ended;
    });
  }

  /** Resolves once it has used less than a tenth of a core for half a second. */
  async comesToRest(): Promise<void> {
    let [before, now] = [Number.NEGATIVE_INFINITY, 0];
    while (now - before >= 50) {
      await pause(500);
      [before, now] = [now, await this.#computingMs()];
    }
  }

  /** How long it has computed, in hundredths of a second, on Linux. Elsewhere it counts as idle. */
  async #computingMs(): Promise<number> {
    const stat = await readFile(`/proc/${this.process.pid}/stat`, "utf8").catch(() => "");
    // After the name, which may hold any text, the times in user and system mode are fields twelve and thirteen.
    const [user = 0, system = 0] = stat
      .slice(stat.lastIndexOf(")") + 2)
      .split(" ")
      .slice(11, 13)
      .map(Number);
    return 10 * (user + system);
  }

  get stdout(): string {
    return this.#stdout;
  }

  /** Resolves to the first line. Rejects with the result of the program if it prints none. */
  async firstLine(): Promise<string> {
    const end = this.ended.then((result) => {
      throw new Error(`it ended before it printed a line: ${JSON.stringify(result)}`);
    });
    while (!this.#stdout.includes("\n")) {
      await Promise.race([once(this.process.stdout as NodeJS.ReadableStream, "data"), end]);
    }
    return this.#stdout.slice(0, this.#stdout.indexOf("\n"));
  }
}

/** Runs the program to its end. */
export function runProgram(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<ProgramResult> {
  return new Program(args, env).ended;
}

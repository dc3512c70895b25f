import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { endsWithThisProcess } from "./guard.ts";

/** Bounds the start of a server, on a slow and busy machine. */
const startWithinMs = 120_000;

/** Runs a server that can be killed and started again with its data on disk. It ends with this process, however that ends. */
export class ServerProcess {
  readonly #command: string;
  readonly #args: readonly string[];
  readonly #options: SpawnOptions;
  readonly #answers: () => Promise<boolean>;
  #process: ChildProcess | undefined;
  #output = "";

  constructor(
    command: string,
    args: readonly string[],
    options: SpawnOptions,
    answers: () => Promise<boolean>,
  ) {
    this.#command = command;
    this.#args = args;
    this.#options = options;
    this.#answers = answers;
  }

  /** @throws (rejects with) Error with the output of the server, if it ends or does not answer in time. */
  async start(): Promise<void> {
    const started = spawn(this.#command, this.#args, { ...this.#options, stdio: ["ignore", "pipe", "pipe"] });
    this.#process = started;
    this.#output = "";
    endsWithThisProcess(started);
    for (const stream of [started.stdout, started.stderr]) {
      stream?.on("data", (text) => {
        this.#output = `${this.#output}${text}`.slice(-10_000);
      });
    }
    const endMs = performance.now() + startWithinMs;
    while (!(await this.#answers())) {
      if (started.exitCode !== null || performance.now() > endMs) {
        throw new Error(`${this.#command} did not start: ${this.#output}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Ends the server at once. */
  kill(): Promise<void> {
    return this.#end("SIGKILL");
  }

  stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    return this.#end(signal);
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const ending = this.#process;
    if (ending === undefined || ending.exitCode !== null || ending.signalCode !== null) return;
    const exit = once(ending, "exit");
    ending.kill(signal);
    await exit;
  }
}

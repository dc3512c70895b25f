import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Report, Request, Task } from "../../src/task.ts";
import { eventually } from "./eventually.ts";
import type { OnFinished } from "./temporary-folder.ts";

const main = fileURLToPath(new URL("../../dist/main.js", import.meta.url));

/** Runs a task in a process, which ends with the test at the latest. */
export class Child {
  readonly reports: Report[] = [];
  readonly ended: Promise<unknown>;
  readonly #process: ChildProcess;
  #stderr = "";

  constructor(task: Task, onFinished: OnFinished) {
    // Most children are killed before PGlite, which is WebAssembly, would repay its optimization.
    this.#process = spawn(process.execPath, ["--liftoff-only", main, JSON.stringify(task)], {
      stdio: ["ignore", "inherit", "pipe", "ipc"],
    });
    this.#process.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
    });
    this.#process.on("message", (report) => this.reports.push(report as Report));
    this.ended = once(this.#process, "close");
    onFinished(() => this.kill());
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  get stderr(): string {
    return this.#stderr;
  }

  get hasEnded(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  ask(request: Request): void {
    this.#process.send(request);
  }

  /** Resolves to the first report of a type after `since` others. */
  async says<Type extends Report["type"]>(type: Type, since = 0): Promise<Extract<Report, { type: Type }>> {
    const found = (): Report | undefined => this.reports.slice(since).find((report) => report.type === type);
    await eventually(
      () => found() !== undefined || this.hasEnded,
      () => `a child did not say "${type}": ${this.#stderr}`,
    );
    // The last report may arrive after the end.
    if (this.hasEnded) await this.ended;
    const report = found();
    if (report === undefined) throw new Error(`a child ended before it said "${type}": ${this.#stderr}`);
    return report as Extract<Report, { type: Type }>;
  }

  /** Sends a request and waits for the answer. */
  async answer<Type extends Report["type"]>(
    request: Request,
    type: Type,
  ): Promise<Extract<Report, { type: Type }>> {
    const since = this.reports.length;
    this.ask(request);
    return this.says(type, since);
  }

  /** Ends the process by SIGKILL. */
  async kill(): Promise<void> {
    if (!this.hasEnded) this.#process.kill("SIGKILL");
    await this.ended;
  }

  /**
   * Asks the process to stop, and waits until it has ended by itself.
   *
   * @throws (rejects with) Error if it ends in another way, such as by an unhandled rejection, or not in time.
   */
  async stop(): Promise<void> {
    if (!this.hasEnded) this.ask("stop");
    await eventually(
      () => this.hasEnded,
      () => `a child did not stop: ${this.#stderr}`,
    );
    this.requireSound();
  }

  /** @throws Error if the process has ended. */
  requireAlive(): void {
    if (this.hasEnded) throw new Error(`a child has ended: ${this.#stderr}`);
  }

  /** @throws Error if the process has ended in another way than by SIGKILL or by itself. */
  requireSound(): void {
    const { exitCode, signalCode } = this.#process;
    if (exitCode === 0 || signalCode === "SIGKILL" || (exitCode === null && signalCode === null)) return;
    throw new Error(`a child ended with ${exitCode ?? signalCode}: ${this.#stderr}`);
  }
}

import { join } from "node:path";
import type { EngineTask, Task } from "../../src/task.ts";
import { Child } from "./child.ts";
import { eventually } from "./eventually.ts";
import { type Balance, balance, drained } from "./ledger.ts";
import { type OnFinished, temporaryFolder } from "./temporary-folder.ts";

/** How soon work goes on after an outage, at the latest: clients wait longer from try to try. */
const goesOnWithinMs = 30_000;

/** A producer and two workers on one engine, each of which may be killed and is then started again. */
export class Crew {
  readonly #members: { readonly task: Task; child: Child }[];
  readonly #producerLog: string;
  readonly #workerLogs: readonly string[];
  readonly #onFinished: OnFinished;

  private constructor(engine: EngineTask, folder: string, pauseMs: number, onFinished: OnFinished) {
    this.#onFinished = onFinished;
    this.#producerLog = join(folder, "producer.log");
    this.#workerLogs = ["worker-1.log", "worker-2.log"].map((name) => join(folder, name));
    const tasks: Task[] = [
      { role: "produce", engine, log: this.#producerLog, pauseMs },
      ...this.#workerLogs.map((log): Task => ({ role: "work", engine, log, concurrency: 5 })),
    ];
    this.#members = tasks.map((task) => ({ task, child: new Child(task, onFinished) }));
  }

  /** Starts all three, and resolves once they are ready. */
  static async start(engine: EngineTask, pauseMs: number, onFinished: OnFinished): Promise<Crew> {
    const crew = new Crew(engine, await temporaryFolder(onFinished), pauseMs, onFinished);
    await Promise.all(crew.#members.map(({ child }) => child.says("ready")));
    return crew;
  }

  /** The addresses of the libraries that the members use. */
  async libraries(): Promise<string[]> {
    const ready = await Promise.all(this.#members.map(({ child }) => child.says("ready")));
    return ready.map(({ library }) => library);
  }

  /** Kills one of them at random, and starts it again. Resolves once it is ready. */
  async killAny(): Promise<void> {
    const member = this.#members[Math.floor(Math.random() * this.#members.length)];
    if (member === undefined) throw new Error("there is nobody to kill");
    member.child.requireSound();
    await member.child.kill();
    member.child = new Child(member.task, this.#onFinished);
    await member.child.says("ready");
  }

  /** Resolves once the producer has been acknowledged something more, and every member lives. */
  async goesOn(): Promise<void> {
    const { acknowledged: before } = await balance(this.#producerLog, this.#workerLogs);
    await eventually(
      async () => (await balance(this.#producerLog, this.#workerLogs)).acknowledged > before,
      goesOnWithinMs,
      () => "the producer does not go on",
    );
    for (const { child } of this.#members) child.requireAlive();
  }

  /** Stops the producer, waits until the workers have done what was acknowledged, and stops them too. */
  async finish(title: string): Promise<Balance> {
    const [producer, ...workers] = this.#members.map(({ child }) => child);
    await producer?.stop();
    const result = await drained(title, this.#producerLog, this.#workerLogs);
    await Promise.all(workers.map((worker) => worker.stop()));
    return result;
  }
}

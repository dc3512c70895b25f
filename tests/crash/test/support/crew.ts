import { join } from "node:path";
import type { EngineTask, Task } from "../../src/task.ts";
import { Child } from "./child.ts";
import { eventually } from "./eventually.ts";
import { type Balance, balance, drained } from "./ledger.ts";
import { type OnFinished, temporaryFolder } from "./temporary-folder.ts";

/** The least number of jobs that are enqueued, and that run, between two deaths. */
export const jobsBetweenDeaths = 15;

/** How many jobs each worker runs at a time. */
const concurrency = 5;

/** Runs a producer and two workers on one engine. Each may be killed, and is then started again. */
export class Crew {
  readonly #members: { readonly task: Task; child: Child }[];
  #kills = 0;
  #workerKills = 0;
  readonly #producerLog: string;
  readonly #workerLogs: readonly string[];
  readonly #onFinished: OnFinished;

  private constructor(engine: EngineTask, folder: string, pauseMs: number, onFinished: OnFinished) {
    this.#onFinished = onFinished;
    this.#producerLog = join(folder, "producer.log");
    this.#workerLogs = ["worker-1.log", "worker-2.log"].map((name) => join(folder, name));
    const tasks: Task[] = [
      { role: "produce", engine, log: this.#producerLog, pauseMs },
      ...this.#workerLogs.map((log): Task => ({ role: "work", engine, log, concurrency })),
    ];
    this.#members = tasks.map((task) => ({ task, child: new Child(task, onFinished) }));
  }

  /** The most runs that the kills can have cut off before their result was recorded: those in progress, and those being recorded. */
  get runsCutOff(): number {
    return this.#workerKills * 2 * concurrency;
  }

  /** Starts all three. Resolves when they are ready. */
  static async start(engine: EngineTask, pauseMs: number, onFinished: OnFinished): Promise<Crew> {
    const crew = new Crew(engine, await temporaryFolder(onFinished), pauseMs, onFinished);
    await Promise.all(crew.#members.map(({ child }) => child.says("ready")));
    return crew;
  }

  /** Resolves to the addresses of the libraries that the members use. */
  async libraries(): Promise<string[]> {
    const ready = await Promise.all(this.#members.map(({ child }) => child.says("ready")));
    return ready.map(({ library }) => library);
  }

  /** Kills the next member and starts it again. Resolves when it is ready. */
  async killNext(): Promise<void> {
    const member = this.#members[this.#kills++ % this.#members.length];
    if (member === undefined) throw new Error("the crew has no members");
    if (member.task.role === "work") this.#workerKills++;
    member.child.requireSound();
    await member.child.kill();
    member.child = new Child(member.task, this.#onFinished);
    await member.child.says("ready");
  }

  /** Waits until more jobs were acknowledged and more have run. Rejects if a member has ended. */
  async goesOn(): Promise<void> {
    const before = await balance(this.#producerLog, this.#workerLogs);
    let now = before;
    await eventually(
      async () => {
        now = await balance(this.#producerLog, this.#workerLogs);
        return Math.min(now.acknowledged - before.acknowledged, now.ran - before.ran) >= jobsBetweenDeaths;
      },
      () => `work does not go on: ${JSON.stringify({ before, now })}`,
    );
    for (const { child } of this.#members) child.requireAlive();
  }

  /** Stops the producer, waits until the workers have run the acknowledged jobs, then stops the workers. */
  async finish(title: string): Promise<Balance> {
    const [producer, ...workers] = this.#members.map(({ child }) => child);
    await producer?.stop();
    const result = await drained(title, this.#producerLog, this.#workerLogs);
    await Promise.all(workers.map((worker) => worker.stop()));
    return result;
  }
}

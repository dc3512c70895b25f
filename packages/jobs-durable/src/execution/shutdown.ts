import { setTimeout as pause } from "node:timers/promises";
import type { JobConsumer, LeasedJob } from "../backend/job-backend.ts";
import { withDeadline } from "../errors/deadline.ts";
import { released } from "./execution-end.ts";
import type { RunningExecutions } from "./known-executions.ts";
import type { Poller } from "./poller.ts";
import type { Settler } from "./settler.ts";

/** The parts of a worker that a shutdown waits for. */
export interface ShutdownSetUp<Job extends LeasedJob> {
  readonly consumer: JobConsumer<Job>;
  readonly poller: Poller;
  readonly settler: Settler<Job>;
  readonly running: RunningExecutions<Job>;
  readonly onError: (error: unknown) => void;
}

/** Waiting for a server on the way out, in all. */
const releaseMs = 5_000;

/** The least time for the last of what waits for a server, also if all the others took too long. */
const closeConsumerMs = 500;

/**
 * Lets what runs finish for `graceMs`, then aborts the handlers' signals and waits `abortMs`. Releases what did not finish, and
 * closes the consumer, in bounded time.
 */
export async function shutDown<Job extends LeasedJob>(
  setUp: ShutdownSetUp<Job>,
  graceMs: number,
  abortMs: number,
): Promise<void> {
  const { running } = setUp;
  await until(() => running.size === 0, graceMs);
  for (const execution of [...running]) execution.interrupt();
  await until(() => running.size === 0, abortMs);
  await releaseAll(setUp);
}

async function releaseAll<Job extends LeasedJob>({
  consumer,
  poller,
  settler,
  running,
  onError,
}: ShutdownSetUp<Job>): Promise<void> {
  const endMs = performance.now() + releaseMs;
  const leftMs = (): number => Math.max(0, Math.round(endMs - performance.now()));
  /** Waits for the server, and says so if it does not answer. */
  const bounded = async (work: () => Promise<unknown>, withinMs: number, what: string): Promise<void> => {
    try {
      await withDeadline(work(), withinMs, "the server", what);
    } catch (error) {
      onError(error);
    }
  };
  await bounded(() => poller.ended, leftMs(), "a worker's last fetch");
  // The jobs that this fetch has brought are on their way back.
  await until(() => ![...running].some(({ end }) => end === released), leftMs());
  const rest = [...running].filter(({ supersededBy }) => supersededBy === undefined);
  const abandon = (): Promise<unknown> => Promise.all(rest.map((execution) => settler.abandon(execution)));
  await bounded(abandon, leftMs(), "releasing what still runs");
  await bounded(() => consumer.close(), Math.max(closeConsumerMs, leftMs()), "closing a worker's consumer");
}

async function until(isTrue: () => boolean, withinMs: number): Promise<void> {
  const endMs = performance.now() + withinMs;
  while (!isTrue() && performance.now() < endMs) {
    await pause(Math.min(10, Math.max(0, endMs - performance.now())));
  }
}

import { type IntervalHistogram, monitorEventLoopDelay } from "node:perf_hooks";
import { defineJob, type JobEngine } from "@nidus/jobs-durable";
import type { ObservedJobRunner } from "@nidus/jobs-observe";
import { production } from "@nidus/observability";
import { type ConnectionOptions, Queue, Worker } from "bullmq";
import { spreadOf } from "../harness.ts";

/** Handlers at a time, over all names. */
export const concurrency = 50;

/** What working off a number of jobs took: the time on the clock, that of this process's processor, and how late timers fired meanwhile. */
export interface WorkedOff {
  readonly ms: number;
  readonly cpuMs: number;
  readonly delayMs: { readonly p50: number; readonly p99: number; readonly max: number };
}

/** Enqueues jobs, and then works them off. Only the second part is measured. */
export type WorkOff = () => Promise<WorkedOff>;

/** How often the delay of the event loop is sampled, in milliseconds. The samples contain it. */
const resolution = 1;

/** Measures the event loop while jobs are worked off. */
export async function measured(begin: () => Promise<() => Promise<unknown>>): Promise<WorkedOff> {
  globalThis.gc?.();
  const delays = monitorEventLoopDelay({ resolution });
  delays.enable();
  const [startMs, cpu] = [performance.now(), process.cpuUsage()];
  const end = await begin();
  const ms = performance.now() - startMs;
  const { user, system } = process.cpuUsage(cpu);
  delays.disable();
  await end();
  return { ms, cpuMs: (user + system) / 1_000, delayMs: delaysOf(delays) };
}

function delaysOf(delays: IntervalHistogram): WorkedOff["delayMs"] {
  const late = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - resolution);
  return { p50: late(delays.percentile(50)), p99: late(delays.percentile(99)), max: late(delays.max) };
}

/** Measures sides in turn, forwards and backwards. The first rounds compile the code and open connections: they do not count. */
export async function inTurn(
  sides: readonly WorkOff[],
  { rounds, warmUpRounds }: { readonly rounds: number; readonly warmUpRounds: number },
): Promise<readonly (readonly WorkedOff[])[]> {
  const taken = sides.map((): WorkedOff[] => []);
  for (let round = 0; round < rounds; round++) {
    const order = [...sides.entries()];
    for (const [side, workOff] of round % 2 === 0 ? order : order.reverse()) {
      const each = await workOff();
      if (round >= warmUpRounds) taken[side]?.push(each);
    }
  }
  return taken;
}

/** Computes how many times faster one side is than another: above 1 is faster. */
export function timesFaster(side: readonly WorkedOff[] = [], other: readonly WorkedOff[] = []): number {
  return spreadOf(other.map(({ ms }) => ms)).median / spreadOf(side.map(({ ms }) => ms)).median;
}

/** The processor time of a side for each job, as text. */
export function cpuOf(side: readonly WorkedOff[] = [], jobs: number): string {
  return `${((1_000 * spreadOf(side.map(({ cpuMs }) => cpuMs)).median) / jobs).toFixed(0)} µs`;
}

export function observedRunner(): ObservedJobRunner {
  return production("bench").prometheus().jobRunner();
}

/** Counts runs, and resolves when all have run. */
export function countdown(jobs: number): { readonly done: Promise<void>; readonly run: () => void } {
  let left = jobs;
  let resolve = (): void => {};
  const done = new Promise<void>((settle) => {
    resolve = settle;
  });
  return {
    done,
    run: () => {
      if (--left === 0) resolve();
    },
  };
}

const sizes = (jobs: number): number[] =>
  Array.from({ length: Math.ceil(jobs / 1_000) }, (_, index) => Math.min(1_000, jobs - 1_000 * index));

/** Works jobs off with an engine, whose runner feeds Prometheus. Shares the jobs between the names. */
export function withEngine(engine: JobEngine, jobs: number, names = 1): WorkOff {
  return async () => {
    const { done, run } = countdown(jobs);
    const defined = Array.from({ length: names }, (_, index) =>
      defineJob<{ to: number }>({ name: `bench-${names}-${index}`, run }),
    );
    for (const job of defined) {
      for (const size of sizes(jobs / names)) {
        await engine.enqueueMany(
          job,
          Array.from({ length: size }, (_, to) => ({ to })),
        );
      }
    }
    return measured(async () => {
      const worker = await engine.work({ jobs: defined, concurrency });
      await done;
      return () => worker.stop();
    });
  };
}

/** The options that the engine gives each job, for the same work on both sides. */
const jobOptions = {
  attempts: 5,
  backoff: { type: "exponential", delay: 250 },
  removeOnComplete: { age: 24 * 60 * 60 },
  removeOnFail: { age: 14 * 24 * 60 * 60 },
};

/** Works jobs off with BullMQ alone: a worker for each name, which share the concurrency. */
export function withBullmq(connection: ConnectionOptions, jobs: number, names = 1): WorkOff {
  return async () => {
    const { done, run } = countdown(jobs);
    const queues = Array.from(
      { length: names },
      (_, index) => new Queue(`bare-${names}-${index}`, { connection }),
    );
    for (const queue of queues) {
      for (const size of sizes(jobs / names)) {
        await queue.addBulk(
          Array.from({ length: size }, (_, to) => ({
            name: "bench",
            data: { payload: { to } },
            opts: { ...jobOptions, jobId: crypto.randomUUID() },
          })),
        );
      }
    }
    const each = Math.max(1, Math.round(concurrency / names));
    return measured(async () => {
      const workers = queues.map(
        ({ name }) => new Worker(name, async () => run(), { connection, concurrency: each }),
      );
      await done;
      return async () => {
        await Promise.all(workers.map((worker) => worker.close()));
        await Promise.all(queues.map((queue) => queue.close()));
      };
    });
  };
}

import { bullmqEngine } from "@nidus/jobs-bullmq";
import { defineJob, type JobEngine } from "@nidus/jobs-durable";
import type { ObservedJobRunner } from "@nidus/jobs-observe";
import { pgBossEngine } from "@nidus/jobs-pg-boss";
import { production } from "@nidus/observability";
import { Queue, Worker } from "bullmq";
import PgBoss from "pg-boss";
import { startPostgres, startRedis } from "test-servers";
import type { Reading } from "../comparison.ts";
import { spreadOf } from "../harness.ts";

/** Jobs per round, and handlers at a time. */
const jobs = 10_000;
const concurrency = 50;
const rounds = 11;
const warmUpRounds = 3;

/** Runs all jobs, which were enqueued before. Resolves to the duration. */
type Side = () => Promise<number>;

/**
 * Computes how many times faster one side is than another: above 1 is faster. The sides take turns to go first, and the median of each
 * counts. A server's own housekeeping comes in bursts, and must not always meet the same side.
 */
async function throughputRatio(side: Side, other: Side): Promise<number> {
  const sideMs: number[] = [];
  const otherMs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const [first, second] = round % 2 === 0 ? [side, other] : [other, side];
    const [firstMs, secondMs] = [await first(), await second()];
    // The first rounds compile the code and open connections.
    if (round < warmUpRounds) continue;
    sideMs.push(first === side ? firstMs : secondMs);
    otherMs.push(first === side ? secondMs : firstMs);
  }
  return spreadOf(otherMs).median / spreadOf(sideMs).median;
}

function observedRunner(): ObservedJobRunner {
  return production("bench").prometheus().jobRunner();
}

/** Counts runs, and resolves when all have run. */
function countdown(): { readonly done: Promise<void>; readonly run: () => void } {
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

/** Opens the engine with a runner that feeds Prometheus. */
function observed(engine: JobEngine): Side {
  return async () => {
    const { done, run } = countdown();
    const job = defineJob<{ to: number }>({ name: "bench", run });
    for (let from = 0; from < jobs; from += 1_000) {
      await engine.enqueueMany(
        job,
        Array.from({ length: 1_000 }, (_, index) => ({ to: from + index })),
      );
    }
    const startMs = performance.now();
    const worker = await engine.work({ jobs: [job], concurrency });
    await done;
    const tookMs = performance.now() - startMs;
    await worker.stop();
    return tookMs;
  };
}

/** The options that the engine gives each job, for the same work on both sides. */
const jobOptions = {
  attempts: 5,
  backoff: { type: "exponential", delay: 250 },
  removeOnComplete: { age: 24 * 60 * 60 },
  removeOnFail: { age: 14 * 24 * 60 * 60 },
};

function bareBullmq(queue: Queue, connection: { readonly port: number }): Side {
  return async () => {
    const { done, run } = countdown();
    for (let from = 0; from < jobs; from += 1_000) {
      await queue.addBulk(
        Array.from({ length: 1_000 }, (_, index) => ({
          name: "bench",
          data: { payload: { to: from + index } },
          opts: { ...jobOptions, jobId: crypto.randomUUID() },
        })),
      );
    }
    const startMs = performance.now();
    const worker = new Worker(queue.name, async () => run(), { connection, concurrency });
    await done;
    const tookMs = performance.now() - startMs;
    await worker.close();
    return tookMs;
  };
}

/** Fetches and completes in batches, the fastest way of pg-boss. */
function barePgBoss(boss: PgBoss): Side {
  return async () => {
    const { done, run } = countdown();
    for (let from = 0; from < jobs; from += 1_000) {
      await boss.insert(
        Array.from({ length: 1_000 }, (_, index) => ({ name: "bare", data: { to: from + index } })),
      );
    }
    const startMs = performance.now();
    for (let left = jobs; left > 0; ) {
      const batch = await boss.fetch("bare", { batchSize: concurrency, includeMetadata: true });
      for (const _job of batch) run();
      await boss.complete(
        "bare",
        batch.map(({ id }) => id),
      );
      left -= batch.length;
    }
    await done;
    return performance.now() - startMs;
  };
}

export async function engineReadings(): Promise<Reading[]> {
  return [await bullmqReading(), await pgBossReading()];
}

function reading(engine: string, value: number): Reading {
  return {
    id: `engine-${engine}`,
    title: `throughput of ${engine} with observation / bare, ${concurrency} handlers at a time, ${jobs.toLocaleString("en")} jobs`,
    unit: "x",
    value,
    asked: { atLeast: 0.95 },
  };
}

async function bullmqReading(): Promise<Reading> {
  const redis = await startRedis();
  const connection = { host: "127.0.0.1", port: redis.port };
  const queue = new Queue("bare", { connection });
  const engine = await bullmqEngine({ runner: observedRunner(), connection });
  try {
    return reading("bullmq", await throughputRatio(observed(engine), bareBullmq(queue, connection)));
  } finally {
    await engine.close();
    await queue.close();
    await redis.stop();
  }
}

async function pgBossReading(): Promise<Reading> {
  const postgres = await startPostgres();
  const boss = new PgBoss({ connectionString: postgres.url, schema: "bare" });
  await boss.start();
  await boss.createQueue("bare");
  const engine = await pgBossEngine({ runner: observedRunner(), connectionString: postgres.url });
  try {
    return reading("pg-boss", await throughputRatio(observed(engine), barePgBoss(boss)));
  } finally {
    await engine.close();
    await boss.stop({ graceful: false });
    await postgres.stop();
  }
}

import { bullmqEngine } from "@nidus/jobs-bullmq";
import { defineJob } from "@nidus/jobs-durable";
import { pgBossEngine } from "@nidus/jobs-pg-boss";
import { Worker } from "bullmq";
import PgBoss from "pg-boss";
import { startPostgres, startRedis } from "test-servers";
import type { Reading } from "../comparison.ts";
import { spreadOf } from "../harness.ts";
import {
  concurrency,
  countdown,
  cpuOf,
  inTurn,
  measured,
  observedRunner,
  timesFaster,
  type WorkedOff,
  type WorkOff,
  withBullmq,
  withEngine,
} from "./work-off.ts";

/** Jobs per round. */
const jobs = 10_000;
const turns = { rounds: 11, warmUpRounds: 3 };

/** Fetches and completes in batches, the fastest way of pg-boss. */
function withPgBoss(boss: PgBoss): WorkOff {
  return async () => {
    const { done, run } = countdown(jobs);
    for (let from = 0; from < jobs; from += 1_000) {
      await boss.insert(
        Array.from({ length: 1_000 }, (_, index) => ({ name: "bare", data: { to: from + index } })),
      );
    }
    return measured(async () => {
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
      return async () => {};
    });
  };
}

export async function engineReadings(): Promise<Reading[]> {
  return [...(await bullmqReadings()), ...(await pgBossReadings())];
}

async function readingsOf(engine: string, ours: WorkOff, bare: WorkOff): Promise<Reading[]> {
  const [side, peer] = await inTurn([ours, bare], turns);
  return [
    {
      id: `engine-${engine}`,
      title: `throughput of ${engine} with observation / bare, ${concurrency} handlers at a time, ${jobs.toLocaleString("en")} jobs`,
      unit: "x",
      value: timesFaster(side, peer),
      asked: { atLeast: 0.95 },
      note: `processor time of the worker's process for a job: ${cpuOf(side, jobs)}, bare ${cpuOf(peer, jobs)}`,
    },
    delayOf(`delay-${engine}`, `a worker of ${engine} with observation`, side),
    delayOf(`delay-bare-${engine}`, `a bare worker of ${engine}`, peer),
  ];
}

function delayOf(id: string, worker: string, side: readonly WorkedOff[] = []): Reading {
  const median = (of: "p50" | "p99" | "max"): number =>
    spreadOf(side.map(({ delayMs }) => delayMs[of])).median;
  return {
    id,
    title: `delay of the event loop of ${worker} at full load, 99th percentile`,
    unit: "ms",
    value: median("p99"),
    asked: undefined,
    note: `median ${median("p50").toFixed(1)} ms, longest ${median("max").toFixed(1)} ms`,
  };
}

async function bullmqReadings(): Promise<Reading[]> {
  const redis = await startRedis();
  const connection = { host: "127.0.0.1", port: redis.port };
  const engine = await bullmqEngine({ runner: observedRunner(), connection });
  // A service's workers live on, so each side keeps an idle one: else every collection drops the code that V8 optimised for workers.
  await engine.work({ jobs: [defineJob({ name: "idle", run: () => {} })] });
  const idle = new Worker("idle", async () => {}, { connection });
  try {
    return await readingsOf("bullmq", withEngine(engine, jobs), withBullmq(connection, jobs));
  } finally {
    await idle.close();
    await engine.close();
    await redis.stop();
  }
}

async function pgBossReadings(): Promise<Reading[]> {
  const postgres = await startPostgres();
  const boss = new PgBoss({ connectionString: postgres.url, schema: "bare" });
  await boss.start();
  await boss.createQueue("bare");
  const engine = await pgBossEngine({ runner: observedRunner(), connectionString: postgres.url });
  await engine.work({ jobs: [defineJob({ name: "idle", run: () => {} })] });
  try {
    return await readingsOf("pg-boss", withEngine(engine, jobs), withPgBoss(boss));
  } finally {
    await engine.close();
    await boss.stop({ graceful: false });
    await postgres.stop();
  }
}

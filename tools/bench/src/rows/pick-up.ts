import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { bullmqEngine } from "@nidus/jobs-bullmq";
import { defineJob, type JobEngine } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { pgBossEngine } from "@nidus/jobs-pg-boss";
import { Queue } from "bullmq";
import { Logger, makeWorkerUtils } from "graphile-worker";
import { startPostgres, startRedis } from "test-servers";
import type { Reading } from "../comparison.ts";

/** Jobs of each side. The first ones open connections and compile the code. */
const jobs = 300;
const warmUpJobs = 20;

/** A producer in this process, and an idle worker in another. */
interface Side {
  readonly worker: ChildProcess;
  readonly milliseconds: number[];
  enqueue(): Promise<unknown>;
  close(): Promise<unknown>;
}

const job = defineJob({ name: "picked_up", run() {} });
const runner = new ObservedJobRunner();

async function startWorker(side: string, url: string): Promise<ChildProcess> {
  const path = fileURLToPath(new URL("../pick-up-worker.js", import.meta.url));
  // What a worker logs is not part of the answer.
  const worker = fork(path, [side, url], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  await once(worker, "message");
  return worker;
}

async function engineSide(name: string, url: string, engine: JobEngine): Promise<Side> {
  return {
    worker: await startWorker(name, url),
    milliseconds: [],
    enqueue: () => engine.enqueue(job),
    close: () => engine.close(),
  };
}

async function graphileSide(url: string): Promise<Side> {
  const utils = await makeWorkerUtils({ connectionString: url, logger: new Logger(() => () => {}) });
  await utils.migrate();
  return {
    worker: await startWorker("graphile-worker", url),
    milliseconds: [],
    enqueue: () => utils.addJob("picked_up", {}),
    close: async () => utils.release(),
  };
}

async function bareBullmqSide(url: string): Promise<Side> {
  const queue = new Queue("bare", { connection: { url } });
  return {
    worker: await startWorker("bare-bullmq", url),
    milliseconds: [],
    enqueue: () => queue.add("picked_up", {}),
    close: () => queue.close(),
  };
}

/** Enqueues one job, and resolves to the milliseconds until its handler ran in the other process. */
async function pickUp({ worker, enqueue }: Side): Promise<number> {
  const answer = once(worker, "message") as Promise<[string]>;
  const startedAt = process.hrtime.bigint();
  await enqueue();
  const [pickedUpAt] = await answer;
  return Number(BigInt(pickedUpAt) - startedAt) / 1e6;
}

/** Measures both sides in turn, at moments that no poll knows. */
async function measure(sides: readonly Side[]): Promise<void> {
  try {
    for (let index = 0; index < warmUpJobs + jobs; index++) {
      for (const side of index % 2 === 0 ? sides : sides.toReversed()) {
        await pause(30 + Math.random() * 60);
        const tookMs = await pickUp(side);
        if (index >= warmUpJobs) side.milliseconds.push(tookMs);
      }
    }
  } finally {
    for (const side of sides) {
      side.worker.kill("SIGKILL");
      await side.close();
    }
  }
}

function quantile({ milliseconds }: Side, share: number): number {
  const sorted = milliseconds.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] as number;
}

function readingsOf(
  id: string,
  [ours, peer]: readonly [Side, Side],
  [store, peerName]: readonly [string, string],
  atMost: number,
): Reading[] {
  const title = `pick-up of a job of another process by an idle worker, ${store}`;
  const inMs = (suffix: string, label: string, value: number, asked?: Reading["asked"]): Reading => ({
    id: `pick-up-${id}-${suffix}`,
    title: `${title}, ${label}`,
    unit: "ms",
    value,
    asked,
  });
  return [
    {
      id: `pick-up-${id}`,
      title: `${title}, median / ${peerName}'s`,
      unit: "x",
      value: quantile(ours, 0.5) / quantile(peer, 0.5),
      asked: { atMost },
    },
    inMs("median", "median", quantile(ours, 0.5)),
    inMs("p99", "99th percentile", quantile(ours, 0.99), { atMost: 50 }),
    inMs("peer-median", `${peerName}'s median`, quantile(peer, 0.5)),
    inMs("peer-p99", `${peerName}'s 99th percentile`, quantile(peer, 0.99)),
  ];
}

async function postgresReadings(): Promise<Reading[]> {
  const postgres = await startPostgres();
  try {
    const engine = await pgBossEngine({ runner, connectionString: postgres.url });
    const sides = [
      await engineSide("pg-boss", postgres.url, engine),
      await graphileSide(postgres.url),
    ] as const;
    await measure(sides);
    return readingsOf("postgresql", sides, ["PostgreSQL", "graphile-worker"], 1.2);
  } finally {
    await postgres.stop();
  }
}

async function redisReadings(): Promise<Reading[]> {
  const redis = await startRedis();
  const url = `redis://127.0.0.1:${redis.port}`;
  try {
    const engine = await bullmqEngine({ runner, connection: { url } });
    const sides = [await engineSide("bullmq", url, engine), await bareBullmqSide(url)] as const;
    await measure(sides);
    return readingsOf("redis", sides, ["Redis", "bare BullMQ"], 1.1);
  } finally {
    await redis.stop();
  }
}

/** Measures how soon an idle worker picks up a job that another process enqueues. */
export async function pickUpReadings(): Promise<Reading[]> {
  return [...(await postgresReadings()), ...(await redisReadings())];
}

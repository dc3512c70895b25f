import { setTimeout as pause } from "node:timers/promises";
import { bullmqEngine } from "@nidus/jobs-bullmq";
import { defineJob, type JobEngine } from "@nidus/jobs-durable";
import { type ConnectionOptions, Queue, Worker } from "bullmq";
import { startRedis } from "test-servers";
import type { Reading } from "../comparison.ts";
import { spreadOf } from "../harness.ts";
import {
  concurrency,
  cpuOf,
  inTurn,
  observedRunner,
  timesFaster,
  withBullmq,
  withEngine,
} from "./work-off.ts";

/** Jobs per round, over all names. */
const jobs = 5_000;
const turns = { rounds: 8, warmUpRounds: 2 };
const counts = [2, 5, 20];

/** Names of the worker whose pick-up is measured, and how many jobs it picks up. */
const idleNames = 20;
const pickUps = 2_000;
const pauseMs = 1;

export async function severalNamesReadings(): Promise<Reading[]> {
  const redis = await startRedis();
  const connection = { host: "127.0.0.1", port: redis.port };
  const engine = await bullmqEngine({ runner: observedRunner(), connection });
  try {
    return [...(await throughput(engine, connection)), await pickUp(engine, connection)];
  } finally {
    await engine.close();
    await redis.stop();
  }
}

async function throughput(engine: JobEngine, connection: ConnectionOptions): Promise<Reading[]> {
  const sides = [1, ...counts].map((names) => withEngine(engine, jobs, names));
  const bare = [1, ...counts].map((names) => withBullmq(connection, jobs, names));
  const taken = await inTurn([...sides, ...bare], turns);
  return counts.map((names, index) => {
    const [one, several] = [taken[0], taken[index + 1]];
    const [bareOne, bareSeveral] = [taken[sides.length], taken[sides.length + index + 1]];
    return {
      id: `names-${names}`,
      title: `throughput of one BullMQ worker with ${names} job names / with one, ${concurrency} handlers at a time`,
      unit: "x",
      value: timesFaster(several, one),
      asked: { atLeast: 0.7 },
      note: `${names} bare workers / one: ${timesFaster(bareSeveral, bareOne).toFixed(2)}x; processor time for a job: ${cpuOf(several, jobs)}, with one name ${cpuOf(one, jobs)}, bare ${cpuOf(bareSeveral, jobs)} and ${cpuOf(bareOne, jobs)}`,
    };
  });
}

/**
 * Measures the time from an enqueue to the start of the handler. BullMQ enqueues on both sides, since the workers are compared. These are
 * idle: between two jobs is a pause.
 */
async function pickUp(engine: JobEngine, connection: ConnectionOptions): Promise<Reading> {
  let onStart = (): void => {};
  const names = Array.from({ length: idleNames }, (_, index) => `idle-${index}`);
  const jobsOfNames = names.map((name) => defineJob({ name, run: () => onStart() }));
  const ours = names.map((name) => ({ name, queue: new Queue(`nidus.${name}`, { connection }) }));
  const bare = names.map((name) => ({ name, queue: new Queue(name, { connection }) }));
  const worker = await engine.work({ jobs: jobsOfNames });
  const workers = names.map((name) => new Worker(name, async () => onStart(), { connection }));
  const timed = async ({ name, queue }: (typeof ours)[number]): Promise<number> => {
    await pause(pauseMs);
    const started = new Promise<number>((resolve) => {
      onStart = () => resolve(performance.now());
    });
    const startMs = performance.now();
    await queue.add(name, {});
    return (await started) - startMs;
  };
  const taken = { ours: [] as number[], bare: [] as number[] };
  for (let turn = 0; turn < pickUps; turn++) {
    const index = turn % idleNames;
    for (const [queues, times] of [
      [ours, taken.ours],
      [bare, taken.bare],
    ] as const) {
      times.push(await timed(queues[index] as (typeof queues)[number]));
    }
  }
  await worker.stop();
  await Promise.all(
    [...workers, ...[...ours, ...bare].map(({ queue }) => queue)].map((each) => each.close()),
  );
  const [our, their] = [spreadOf(taken.ours).median, spreadOf(taken.bare).median];
  return {
    id: "names-pick-up",
    title: `pick-up by an idle BullMQ worker of ${idleNames} job names / by ${idleNames} bare workers`,
    unit: "x",
    value: our / their,
    asked: { atMost: 1.1 },
    note: `median ${our.toFixed(2)} ms, bare ${their.toFixed(2)} ms; connections that wait: 1, bare ${idleNames}`,
  };
}

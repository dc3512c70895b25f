import { createRequire } from "node:module";
import * as bullmq5 from "bullmq";
import * as bullmq6 from "bullmq-6";
import { expect } from "vitest";

export type Bullmq = typeof bullmq5;

/** The commands of Redis with which the tests read what BullMQ has stored. */
export interface RawRedis {
  type(key: string): Promise<string>;
  get(key: string): Promise<string | null>;
  hset(key: string, fields: Record<string, string>): Promise<number>;
  hgetall(key: string): Promise<Record<string, string>>;
  lindex(key: string, index: number): Promise<string | null>;
  lrange(key: string, first: number, last: number): Promise<string[]>;
  smembers(key: string): Promise<string[]>;
  zrange(key: string, first: number, last: number): Promise<string[]>;
  zscore(key: string, member: string): Promise<string | null>;
  del(...keys: string[]): Promise<number>;
  set(key: string, value: string): Promise<unknown>;
  lrem(key: string, count: number, member: string): Promise<number>;
}

const require = createRequire(import.meta.url);

/** Each major version of BullMQ on which the engine runs, with its exact version. */
export const majors: readonly { readonly version: string; readonly bullmq: Bullmq }[] = [
  { version: require("bullmq/package.json").version, bullmq: bullmq5 },
  { version: require("bullmq-6/package.json").version, bullmq: bullmq6 as unknown as Bullmq },
];

/** A Redis server, if there is one. */
type TestedServer = { readonly url: string };

/** Options with which each BullMQ connects. */
export function connectionTo(redis: TestedServer | undefined): bullmq5.RedisOptions {
  const { hostname: host, port } = new URL(redis?.url ?? "redis://127.0.0.1");
  return { host, port: Number(port), maxRetriesPerRequest: null };
}

/** A queue of plain BullMQ, and a worker from which the test takes jobs by hand. */
export interface PlainQueue extends AsyncDisposable {
  readonly queue: bullmq5.Queue;
  readonly worker: bullmq5.Worker;
  /** Of the same BullMQ for each version, since BullMQ 6 hides the client of a queue. */
  readonly client: RawRedis;
  readonly key: (suffix: string) => string;
  /** Takes the next job. Fails the test if there is none. */
  readonly take: (token: string) => Promise<bullmq5.Job>;
}

/** Opens a queue of plain BullMQ. Pass a worker class to watch the worker's methods. */
export async function plainQueue(
  redis: TestedServer | undefined,
  { Queue, Worker }: Bullmq,
  WorkerClass: Bullmq["Worker"] = Worker,
): Promise<PlainQueue> {
  const connection = connectionTo(redis);
  const queue = new Queue(`insides-${crypto.randomUUID()}`, { connection });
  const worker = new WorkerClass(queue.name, null, { connection, autorun: false });
  const raw = new bullmq5.RedisConnection(connection);
  worker.on("error", () => {});
  await Promise.all([queue.waitUntilReady(), worker.waitUntilReady()]);
  return {
    queue,
    worker,
    client: (await raw.client) as unknown as RawRedis,
    key: (suffix) => queue.toKey(suffix),
    async take(token) {
      const job = await worker.getNextJob(token, { block: false });
      if (job === undefined) throw new Error("no job was waiting");
      return job;
    },
    async [Symbol.asyncDispose]() {
      await worker.close(true);
      await queue.close();
      await raw.close();
    },
  };
}

/** Compares one of BullMQ's insides with what `src/bullmq-internals` expects of it. The message names both. */
export function expectUnchanged(version: string, subject: string, actual: unknown, expected: unknown): void {
  expect(
    actual,
    `BullMQ ${version} has changed ${subject}: adapt src/bullmq-internals, then this test`,
  ).toEqual(expected);
}

import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { observeBullmqQueue } from "@nidus/jobs-bullmq";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { observePgBossQueues } from "@nidus/jobs-pg-boss";
import { prometheusJobObserver } from "@nidus/jobs-prometheus";
import * as bullmq5 from "bullmq";
import * as bullmq6 from "bullmq-6";
import PgBoss10 from "pg-boss";
import { PgBoss as PgBoss12 } from "pg-boss-12";
import { Registry } from "prom-client";
import { sharedPostgres, sharedRedis } from "test-servers";
import { afterAll, describe, expect, it } from "vitest";

const [redis, postgres] = [await sharedRedis(), await sharedPostgres()];

afterAll(() => Promise.all([redis?.stop(), postgres?.stop()]));

/** A queue of plain BullMQ or pg-boss, which no engine knows. */
interface BareQueue {
  readonly name: string;
  /** Fails a job for the last time. */
  fail(): Promise<void>;
  /** Adds two jobs that wait, and one for later. Resolves to when the first of the two could have run, in Unix milliseconds. */
  fill(): Promise<number>;
  observe(runner: ObservedJobRunner): void;
  close(): Promise<void>;
}

const hourMs = 3_600_000;
const fresh = (): string => `bare_${crypto.randomUUID().replaceAll("-", "")}`;

async function bullmqQueue({ Queue, Worker }: typeof bullmq5): Promise<BareQueue> {
  const { hostname: host, port } = new URL(redis?.url ?? "redis://127.0.0.1");
  const connection = { host, port: Number(port) };
  const queue = new Queue(fresh(), { connection });
  return {
    name: queue.name,
    async fail() {
      const failing = async (): Promise<never> => Promise.reject(new Error("always"));
      const worker = new Worker(queue.name, failing, { connection });
      const failed = once(worker as unknown as NodeJS.EventEmitter, "failed");
      await queue.add("send", {});
      await failed;
      await worker.close();
    },
    async fill() {
      const first = await queue.add("send", {});
      await queue.add("send", {}, { priority: 2 });
      await queue.add("send", {}, { delay: hourMs });
      return first.timestamp;
    },
    observe: (runner) => observeBullmqQueue(runner, queue),
    close: () => queue.close(),
  };
}

/** The calls of both versions. */
interface Boss {
  on(event: "error", handler: () => void): unknown;
  start(): Promise<unknown>;
  stop(options: { graceful: boolean }): Promise<unknown>;
  createQueue(name: string): Promise<unknown>;
  send(name: string, data: object, options: object): Promise<unknown>;
  fetch(name: string): Promise<readonly { readonly id: string }[]>;
  fail(name: string, id: string): Promise<unknown>;
}

async function pgBossQueue(create: (options: object) => Boss): Promise<BareQueue> {
  const [schema, name] = [fresh(), "mails"];
  const boss = create({ connectionString: postgres?.url, schema, max: 3 });
  boss.on("error", () => {});
  await boss.start();
  await boss.createQueue(name);
  return {
    name,
    async fail() {
      await boss.send(name, {}, { retryLimit: 0 });
      const [job] = await boss.fetch(name);
      await boss.fail(name, job?.id ?? "");
    },
    async fill() {
      const startAfter = new Date(Date.now() - 60_000);
      await boss.send(name, {}, { startAfter });
      await boss.send(name, {}, {});
      await boss.send(name, {}, { startAfter: new Date(Date.now() + hourMs) });
      return startAfter.getTime();
    },
    observe: (runner) => observePgBossQueues(runner, boss as never, [name], { schema }),
    close: async () => void (await boss.stop({ graceful: false })),
  };
}

const queues: Readonly<Record<string, [server: unknown, engine: string, open: () => Promise<BareQueue>]>> = {
  "BullMQ 5": [redis, "bullmq", () => bullmqQueue(bullmq5)],
  "BullMQ 6": [redis, "bullmq", () => bullmqQueue(bullmq6 as unknown as typeof bullmq5)],
  "pg-boss 10": [postgres, "pg-boss", () => pgBossQueue((options) => new PgBoss10(options) as never)],
  "pg-boss 12": [postgres, "pg-boss", () => pgBossQueue((options) => new PgBoss12(options) as never)],
};

describe.each(Object.entries(queues))("a scrape of a service with a bare queue of %s", (_, set) => {
  const [server, engine, open] = set;

  it.skipIf(server === undefined).concurrent(
    "has its backlog and dead letters, and follows them",
    async () => {
      const queue = await open();
      // The registry of the application, which has metrics of its own.
      const registry = new Registry();
      queue.observe(new ObservedJobRunner(prometheusJobObserver({ registry })));
      const http = createServer(async (_request, response) => {
        response.setHeader("content-type", registry.contentType).end(await registry.metrics());
      }).listen(0, "127.0.0.1");
      await once(http, "listening");
      const { port } = http.address() as AddressInfo;
      const scrape = async (): Promise<ReadonlyMap<string, number>> => {
        const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
        const samples = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
        return new Map(samples.map((line) => [line.slice(0, line.indexOf(" ")), Number(line.split(" ")[1])]));
      };
      const of = (metric: string): string => `${metric}{job_name="${queue.name}"}`;

      const empty = await scrape();
      expect(empty.get(of("nidus_jobs_waiting"))).toBe(0);
      expect(empty.get(of("nidus_dead_letters"))).toBe(0);
      expect(empty.get(`nidus_engine_up{engine="${engine}"}`)).toBe(1);

      const beforeMs = Date.now();
      await queue.fail();
      const sinceMs = await queue.fill();
      // Scrapes within five seconds share a reading.
      await expect.poll(async () => (await scrape()).get(of("nidus_jobs_waiting"))).toBe(2);
      const filled = await scrape();
      expect(filled.get(of("nidus_job_oldest_waiting_timestamp_seconds"))).toBeCloseTo(sinceMs / 1000, 2);
      expect(filled.get(of("nidus_dead_letters"))).toBe(1);
      const failedMs = (filled.get(of("nidus_dead_letter_oldest_timestamp_seconds")) ?? 0) * 1000;
      expect(failedMs).toBeGreaterThan(beforeMs - 1_000);
      expect(failedMs).toBeLessThan(Date.now() + 1_000);

      await queue.close();
      await expect.poll(async () => (await scrape()).has(of("nidus_jobs_waiting"))).toBe(false);
      http.close();
    },
  );
});

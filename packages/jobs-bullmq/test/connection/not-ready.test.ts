import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineJob, EngineUnavailableError, type JobEngine } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { RedisConnection } from "bullmq";
import { freePort, type RedisServer, startRedis } from "test-servers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bullmqEngine } from "../../src/index.ts";

const runner = new ObservedJobRunner();
let redis: RedisServer;
let ran: string[];
const job = defineJob<string>({ name: "patient", run: (payload) => void ran.push(payload) });

interface AdminClient {
  call(...words: (string | number)[]): Promise<unknown>;
}

async function asAdmin<T>(work: (client: AdminClient) => Promise<T>): Promise<T> {
  const admin = new RedisConnection({ url: redis.url });
  admin.on("error", () => {});
  try {
    return await work((await admin.client) as unknown as AdminClient);
  } finally {
    await admin.close(true);
  }
}

const configure = (name: string, value: string): Promise<unknown> =>
  asAdmin((client) => client.call("CONFIG", "SET", name, value));

const open = (heard: unknown[] = []): Promise<JobEngine> =>
  bullmqEngine({ runner, connection: { url: redis.url }, onError: (error) => void heard.push(error) });

/** Enqueues as soon as Redis takes it. */
async function enqueueInTheEnd(engine: JobEngine, payload: string): Promise<void> {
  await expect
    .poll(
      () =>
        engine
          .enqueue(job, payload)
          .then(() => true)
          .catch(() => false),
      { interval: 50 },
    )
    .toBe(true);
}

beforeEach(() => {
  ran = [];
});

afterEach(() => redis.stop());

describe("a Redis that runs a script for long", () => {
  /** Runs a script, and resolves when Redis says that it is busy. The script runs until `kill` is called. */
  async function runScript(): Promise<{ kill(): Promise<void> }> {
    await configure("busy-reply-threshold", "50");
    const [runner, killer] = [0, 1].map(() => new RedisConnection({ url: redis.url })) as RedisConnection[];
    const clients = await Promise.all([runner?.client, killer?.client]);
    const [running, killing] = clients as unknown as [AdminClient, AdminClient];
    const ended = running.call("EVAL", "while true do end", 0).catch(() => {});
    const isBusy = (): Promise<boolean> =>
      killing.call("PING").then(
        () => false,
        () => true,
      );
    await expect.poll(isBusy, { interval: 20 }).toBe(true);
    return {
      async kill() {
        await killing.call("SCRIPT", "KILL");
        await ended;
        await Promise.all([runner?.close(true), killer?.close(true)]);
      },
    };
  }

  it("is not ready, which calls say, and is worked on as soon as it is", async () => {
    redis = await startRedis();
    await using engine = await open();
    await engine.work({ jobs: [job] });
    const script = await runScript();
    const calls: Promise<unknown>[] = [engine.enqueue(job, "refused"), engine.stats(), engine.cancel("none")];
    const errors = await Promise.all(calls.map((call) => call.catch((error: unknown) => error)));
    for (const error of errors) {
      expect(EngineUnavailableError.isInstance(error), String(error)).toBe(true);
      expect(String(error)).toMatch(/bullmq at 127\.0\.0\.1:\d+ is not ready \(.*BUSY/);
    }
    await script.kill();
    await enqueueInTheEnd(engine, "after");
    await expect.poll(() => ran).toEqual(["after"]);
  });

  it("is waited for when an engine opens", async () => {
    redis = await startRedis();
    const script = await runScript();
    const heard: unknown[] = [];
    const opening = open(heard);
    await expect.poll(() => heard.map(String)).toContainEqual(expect.stringMatching(/BUSY/));
    await script.kill();
    await using engine = await opening;
    await engine.enqueue(job, "after");
    await engine.work({ jobs: [job] });
    await expect.poll(() => ran).toEqual(["after"]);
  });
});

describe("a Redis that loads its data", () => {
  it("is not ready for an engine that opens, and is worked on as soon as it is", async () => {
    // 10,000 times 1.5 ms: longer than an engine waits for Redis when it opens.
    redis = await startRedis(["--key-load-delay", "1500", "--loading-process-events-interval-bytes", "1024"]);
    await using engine = await open();
    await engine.work({ jobs: [job] });
    await asAdmin((client) =>
      client.call("EVAL", "for i = 1, 10000 do redis.call('SET', 'filler' .. i, i) end", 0),
    );
    await asAdmin((client) => client.call("BGREWRITEAOF"));
    const persistence = (): Promise<unknown> => asAdmin((client) => client.call("INFO", "persistence"));
    await expect.poll(persistence).toMatch(/aof_rewrite_in_progress:0\r\naof_rewrite_scheduled:0/);
    await redis.kill();
    const started = redis.start();
    const error = await open().catch((thrown: unknown) => thrown);
    expect(EngineUnavailableError.isInstance(error)).toBe(true);
    expect(String(error)).toMatch(/Redis at 127\.0\.0\.1:\d+ is not ready \(it loads its data\)/);
    await started;
    await enqueueInTheEnd(engine, "after");
    await expect.poll(() => ran).toEqual(["after"]);
  });
});

describe("a replica that serves no old data, and whose primary is away", () => {
  it("is not ready, which calls say, and is worked on as soon as it is a primary", async () => {
    redis = await startRedis(["--replica-serve-stale-data", "no", "--replica-read-only", "no"]);
    await using engine = await open();
    await engine.work({ jobs: [job] });
    const noServer = await freePort();
    await asAdmin((client) => client.call("REPLICAOF", "127.0.0.1", noServer));
    const calls: Promise<unknown>[] = [engine.enqueue(job, "refused"), engine.stats(), engine.cancel("none")];
    const errors = await Promise.all(calls.map((call) => call.catch((error: unknown) => error)));
    for (const error of errors) {
      expect(EngineUnavailableError.isInstance(error), String(error)).toBe(true);
      expect(String(error)).toMatch(/bullmq at 127\.0\.0\.1:\d+ is not ready \(.*MASTERDOWN/);
    }
    await asAdmin((client) => client.call("REPLICAOF", "NO", "ONE"));
    await enqueueInTheEnd(engine, "after");
    await expect.poll(() => ran).toEqual(["after"]);
  });
});

/** Lets a snapshot fail, since its folder is gone. */
async function failSnapshot(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "nidus-snapshots-"));
  await configure("save", "3600 1");
  await configure("dir", folder);
  await rm(folder, { recursive: true });
  await asAdmin((client) => client.call("BGSAVE"));
  const persistence = (): Promise<unknown> => asAdmin((client) => client.call("INFO", "persistence"));
  await expect.poll(persistence).toContain("rdb_last_bgsave_status:err");
}

describe("a Redis that does not write", () => {
  it.each([
    [
      /^NOREPLICAS Not enough good replicas/,
      () => configure("min-replicas-to-write", "1"),
      () => configure("min-replicas-to-write", "0"),
    ],
    [/^MISCONF .*snapshot/, failSnapshot, () => configure("stop-writes-on-bgsave-error", "no")],
  ])(
    "is heard in its own words, stores nothing, and is worked on as soon as it writes: %s",
    async (words, refuse, allow) => {
      redis = await startRedis(["--enable-protected-configs", "yes"]);
      await refuse();
      await using engine = await open();
      const calls: Promise<unknown>[] = [
        engine.enqueue(job, "refused"),
        engine.enqueueMany(job, ["refused", "refused"]),
        engine.schedule(job, "0 3 * * *", "refused"),
        engine.work({ jobs: [job] }),
      ];
      const errors = await Promise.all(calls.map((call) => call.catch((error: unknown) => error)));
      for (const error of errors) {
        expect(error).toHaveProperty("message", expect.stringMatching(words));
      }
      expect((await engine.stats()).waiting).toBe(0);
      await allow();
      await engine.work({ jobs: [job] });
      await engine.enqueue(job, "after");
      await expect.poll(() => ran).toEqual(["after"]);
    },
  );
});

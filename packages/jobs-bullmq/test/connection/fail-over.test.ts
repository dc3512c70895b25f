import { connect, createServer, type Server, type Socket } from "node:net";
import { defineJob } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { type ConnectionOptions, RedisConnection } from "bullmq";
import { freePort, startRedis } from "test-servers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bullmqEngine } from "../../src/index.ts";

const runner = new ObservedJobRunner();
const patience = { timeout: 60_000, interval: 100 };

/** A name that leads to one server at first, and to another later; or to one that says nothing any more. */
class Link {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  target = 0;
  isSilent = false;
  delayMs = 0;

  constructor() {
    this.#server = createServer((near) => {
      const far = connect(this.target, "127.0.0.1");
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(from);
        from.on("data", (data) => {
          if (!this.isSilent) setTimeout(() => to.destroyed || to.write(data), this.delayMs);
        });
        from.on("error", () => to.destroy());
        from.on("close", () => {
          this.#sockets.delete(from);
          to.destroy();
        });
      }
    });
  }

  listen(port: number): Promise<void> {
    return new Promise((resolve) => this.#server.listen(port, "127.0.0.1", resolve));
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

let link: Link;
let port: number;

beforeEach(async () => {
  link = new Link();
  port = await freePort();
  await link.listen(port);
});

afterEach(() => link.close());

async function asAdmin(url: string, ...words: string[]): Promise<unknown> {
  const admin = new RedisConnection({ url });
  const client = (await admin.client) as unknown as { call(...words: string[]): Promise<unknown> };
  const answer = await client.call(...words);
  await admin.close();
  return answer;
}

describe("a fail-over", () => {
  it.each<[what: string, connectionOf: (port: number) => Promise<[ConnectionOptions, RedisConnection?]>]>([
    ["options", async (to) => [{ host: "127.0.0.1", port: to }]],
    [
      "a client",
      async (to) => {
        const theirs = new RedisConnection({ host: "127.0.0.1", port: to });
        return [(await theirs.client) as never, theirs];
      },
    ],
  ])(
    "is survived by engine and worker, with %s, though the old primary still answers",
    async (_what, of) => {
      const [first, second] = await Promise.all([startRedis(), startRedis()]);
      link.target = first.port;
      await asAdmin(second.url, "REPLICAOF", "127.0.0.1", String(first.port));
      await expect
        .poll(() => asAdmin(second.url, "INFO", "replication"), patience)
        .toContain("master_link_status:up");
      const seen: string[] = [];
      const job = defineJob<string>({ name: "survives", run: (payload) => void seen.push(payload) });
      const [connection, theirs] = await of(port);
      const engine = await bullmqEngine({ runner, connection, onError() {} });
      await engine.work({ jobs: [job] });
      await engine.enqueue(job, "before");
      await expect.poll(() => seen, patience).toEqual(["before"]);

      await asAdmin(second.url, "REPLICAOF", "NO", "ONE");
      link.target = second.port;
      await asAdmin(first.url, "REPLICAOF", "127.0.0.1", String(second.port));
      await engine.enqueue(job, "after");
      await expect.poll(() => seen, patience).toEqual(["before", "after"]);
      await engine.close();
      await theirs?.close();
      await Promise.all([first.stop(), second.stop()]);
    },
    120_000,
  );
});

describe("a fail-over to a primary whose data the old one does not have", () => {
  it("is survived by a worker, though the old primary still answers", async () => {
    const [first, second] = await Promise.all([startRedis(), startRedis()]);
    link.target = first.port;
    const seen: string[] = [];
    const job = defineJob<string>({ name: "waits", run: (payload) => void seen.push(payload) });
    const engine = await bullmqEngine({ runner, connection: { host: "127.0.0.1", port }, onError() {} });
    await engine.work({ jobs: [job] });

    link.target = second.port;
    await asAdmin(first.url, "CONFIG", "SET", "replica-serve-stale-data", "no");
    await asAdmin(first.url, "REPLICAOF", "127.0.0.1", String(await freePort()));
    await using producer = await bullmqEngine({ runner, connection: { url: second.url }, onError() {} });
    await producer.enqueue(job, "after");
    await expect.poll(() => seen, patience).toEqual(["after"]);
    await engine.close();
    await Promise.all([first.stop(), second.stop()]);
  }, 120_000);
});

describe("a server that has become silent", () => {
  it("does not keep an idle worker and its engine from closing", async () => {
    const redis = await startRedis();
    link.target = redis.port;
    const connection = { host: "127.0.0.1", port };
    const engine = await bullmqEngine({ runner, connection, answerWithinMs: 2_000, onError() {} });
    const jobs = ["a", "b"].map((name) => defineJob({ name, run() {} }));
    await engine.work({ jobs, concurrency: 2 });
    link.isSilent = true;
    // Waiting for the time that handlers have, which nothing needs here, would take 35 s.
    await engine.close();
    await redis.stop();
  }, 30_000);
});

describe("a slow link", () => {
  it("does not keep a worker of many names from starting at the first try", async () => {
    const redis = await startRedis();
    link.target = redis.port;
    link.delayMs = 50;
    const connection = { host: "127.0.0.1", port };
    const engine = await bullmqEngine({ runner, connection, onError() {} });
    // In turn, these would take half a minute, and the call has ten seconds.
    const jobs = Array.from({ length: 80 }, (_, index) => defineJob({ name: `job_${index}`, run() {} }));
    const worker = await engine.work({ jobs });
    await worker.stop();
    await engine.close();
    await redis.stop();
  }, 60_000);
});

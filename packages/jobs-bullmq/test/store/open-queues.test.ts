import { createRequire } from "node:module";
import { inspect } from "node:util";
import { defineJob, EngineUnavailableError } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { type ConnectionOptions, RedisConnection } from "bullmq";
import { startRedis } from "test-servers";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { type BullmqEngineOptions, bullmqEngine } from "../../src/index.ts";

const runner = new ObservedJobRunner();
const job = defineJob({ name: "opened", run() {} });
let redis: Awaited<ReturnType<typeof startRedis>>;
let cluster: Awaited<ReturnType<typeof startRedis>>;

/** The ioredis that BullMQ uses. */
const { Cluster } = createRequire(createRequire(import.meta.url).resolve("bullmq"))("ioredis");

interface AdminClient {
  call(...words: (string | number)[]): Promise<unknown>;
}

async function asAdmin(url: string, ...words: (string | number)[]): Promise<unknown> {
  const admin = new RedisConnection({ url });
  const answer = await ((await admin.client) as unknown as AdminClient).call(...words);
  await admin.close();
  return answer;
}

beforeAll(async () => {
  [redis, cluster] = await Promise.all([
    startRedis(),
    startRedis(["--cluster-enabled", "yes", "--cluster-announce-ip", "127.0.0.1"]),
  ]);
  await asAdmin(cluster.url, "CLUSTER", "ADDSLOTSRANGE", 0, 16383);
  await vi.waitFor(
    async () => expect(await asAdmin(cluster.url, "CLUSTER", "INFO")).toContain("cluster_state:ok"),
    { timeout: 30_000, interval: 100 },
  );
  slotOfNidus = Number(await asAdmin(cluster.url, "CLUSTER", "KEYSLOT", "{nidus}"));
});

afterAll(() => Promise.all([redis.stop(), cluster.stop()]));

afterEach(() => vi.restoreAllMocks());

/** The answer of CLUSTER KEYSLOT for "{nidus}". */
let slotOfNidus: number;

const fresh = (): string => `opening-${crypto.randomUUID()}`;

async function refusalOf(options: Partial<BullmqEngineOptions>): Promise<Error> {
  const opening = bullmqEngine({ runner, connection: { url: redis.url }, onError() {}, ...options });
  return opening.then(
    () => {
      throw new Error("it opened");
    },
    (error) => error,
  );
}

describe("opening a bullmqEngine", () => {
  it.each<[options: object, message: RegExp]>([
    [{ client: {} }, /unknown option "client".*`connection`/],
    [{ url: "redis://127.0.0.1" }, /unknown option "url".*`connection`/],
    [{ prefix: "" }, /`prefix`/],
    [{ prefix: 5 }, /`prefix`/],
  ])("refuses %o at the call", async (options, message) => {
    const error = await refusalOf(options);
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toMatch(message);
  });

  it("refuses a replica, and says what to do", async () => {
    const replica = await startRedis(["--replicaof", "127.0.0.1", String(redis.port)]);
    const error = await refusalOf({ connection: { url: replica.url } });
    expect(error.message).toMatch(/is a read-only replica: connect to its primary/);
    expect(EngineUnavailableError.isInstance(error)).toBe(false);
    await replica.stop();
  });

  it("tells in Redis's own words that there is no such database, and stores nothing in another", async () => {
    const error = await refusalOf({ connection: { url: `${redis.url}/999` } });
    expect(error.message).toMatch(/DB index is out of range/);
    expect(error.message).not.toMatch(/unreachable/);
    expect(EngineUnavailableError.isInstance(error)).toBe(false);
  });

  it("tells in BullMQ's own words which package is missing", async () => {
    const words =
      "BullMQ could not load the optional 'ioredis' package. Install it with `npm install ioredis`";
    // BullMQ 6 looks for it in the same place.
    RedisConnection.clientFactory = () => {
      throw new Error(words);
    };
    try {
      const error = await refusalOf({ connection: { url: redis.url } });
      expect(error.message).toBe(words);
    } finally {
      RedisConnection.clientFactory = undefined as never;
    }
  });

  it("says that a server is unreachable if no server is there, and what the socket said", async () => {
    const error = await refusalOf({ connection: { path: "/nowhere/redis.sock" } });
    expect(EngineUnavailableError.isInstance(error)).toBe(true);
    expect(error.message).toMatch(/Redis at \/nowhere\/redis\.sock is unreachable .*ENOENT/);
  });

  it("needs no right to CONFIG, and warns of nothing that a server does not tell", async () => {
    await asAdmin(redis.url, "ACL", "SETUSER", "managed", "on", ">sesame", "~*", "&*", "+@all", "-config");
    const warn = vi.spyOn(process, "emitWarning");
    const connection = { host: "127.0.0.1", port: redis.port, username: "managed", password: "sesame" };
    await using engine = await bullmqEngine({ runner, connection, queue: fresh() });
    await engine.enqueue(job, undefined);
    expect(warn).not.toHaveBeenCalled();
  });

  it.each([
    ["for transactions", ["-multi"], /may not use MULTI\b/],
    ["for transactions, all of them", ["-@transaction"], /may not use MULTI, EXEC\b/],
    ["for scripts", ["-eval", "-evalsha"], /NOPERM.*'eval/],
    ["for waiting", ["-@blocking"], /may not use BZPOPMIN\b/],
    ["that its scripts need", ["-hset", "-xadd"], /may not use HSET, XADD\b/],
    ["for its keys", ["resetkeys", "~others:*"], /NOPERM|may not use/],
  ])("says at once that a user lacks the right %s", async (_which, rights, message) => {
    const user = fresh();
    await asAdmin(redis.url, "ACL", "SETUSER", user, "on", ">sesame", "~*", "&*", "+@all", ...rights);
    const connection = { host: "127.0.0.1", port: redis.port, username: user, password: "sesame" };
    const error = await refusalOf({ connection, queue: fresh(), onError() {} });
    expect(EngineUnavailableError.isInstance(error)).toBe(false);
    expect(error.message).toMatch(/does not let its user do what BullMQ needs/);
    expect(error.message).toMatch(message);
  });

  it("tells a right that is missing at a call in Redis's own words, without the payload", async () => {
    const queue = fresh();
    await asAdmin(redis.url, "ACL", "SETUSER", "limited", "on", ">sesame", "~bull:*", "&*", "+@all");
    const connection = { host: "127.0.0.1", port: redis.port, username: "limited", password: "sesame" };
    const heard: unknown[] = [];
    const onError = (error: unknown): void => void heard.push(error);
    await using engine = await bullmqEngine({ runner, connection, queue, onError });
    await asAdmin(redis.url, "ACL", "SETUSER", "limited", "resetkeys", "%R~*");
    const secret = defineJob<string>({ name: "opened", run() {} });
    const errors = await Promise.all([
      engine.enqueue(secret, "s3cret").catch((error: unknown) => error),
      engine.enqueueMany(secret, ["s3cret", "s3cret"]).catch((error: unknown) => error),
      engine.schedule(secret, "0 3 * * *", "s3cret").catch((error: unknown) => error),
    ]);
    for (const error of errors) {
      expect(EngineUnavailableError.isInstance(error)).toBe(false);
      expect(String(error)).toMatch(/NOPERM/);
    }
    const seen = inspect([errors, heard], { depth: 9, showHidden: true }) + JSON.stringify([errors, heard]);
    expect(seen).not.toContain("s3cret");
  });
});

describe("opening a bullmqEngine on a cluster", () => {
  const clusterOf = (): ConnectionOptions =>
    new Cluster([cluster.url], { redisOptions: { maxRetriesPerRequest: null } }) as ConnectionOptions;

  it("refuses a prefix without a hash tag at the call", async () => {
    const connection = clusterOf();
    const error = await refusalOf({ connection });
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toMatch(/`prefix` to have a hash tag such as "\{nidus\}"/);
    (connection as unknown as { disconnect(): void }).disconnect();
  });

  it("refuses a prefix without a hash tag on one of its nodes", async () => {
    const error = await refusalOf({ connection: { url: cluster.url } });
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toMatch(/hash tag such as "\{nidus\}".*is a cluster/);
  });

  it("runs jobs of several names, and counts them", async () => {
    const connection = clusterOf();
    const engine = await bullmqEngine({ runner, connection, prefix: `{${fresh()}}` });
    const jobs = ["first", "second"].map((name) => defineJob({ name, run() {} }));
    for (const each of jobs) await engine.enqueueMany(each, [undefined, undefined]);
    await engine.work({ jobs });
    await expect.poll(async () => (await engine.stats()).succeeded).toBe(4);
    await engine.close();
    (connection as unknown as { disconnect(): void }).disconnect();
  });

  it("says that one node is not the cluster", async () => {
    const other = await startRedis(["--cluster-enabled", "yes", "--cluster-announce-ip", "127.0.0.1"]);
    // A slot that is not this node's, of a node that it knows.
    await asAdmin(cluster.url, "CLUSTER", "MEET", "127.0.0.1", other.port);
    const id = String(await asAdmin(other.url, "CLUSTER", "MYID"));
    await expect.poll(() => asAdmin(cluster.url, "CLUSTER", "NODES")).toContain(id);
    await asAdmin(cluster.url, "CLUSTER", "SETSLOT", slotOfNidus, "NODE", id);
    const error = await refusalOf({ connection: { url: cluster.url }, prefix: "{nidus}" });
    expect(error.message).toMatch(/is one node of a cluster \(MOVED .*pass an ioredis Cluster/);
    await other.stop();
  });
});

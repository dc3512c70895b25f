import type { Socket } from "node:net";
import { inspect } from "node:util";
import { defineJob, EngineUnavailableError } from "@nidus/jobs-durable";
import { ObservedJobRunner, type OpenedEngineContext } from "@nidus/jobs-observe";
import { recordingObserver } from "@nidus/jobs-testkit";
import { Queue, Worker } from "bullmq";
import { startRedis } from "test-servers";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { bullmqEngine } from "../src/index.ts";
import { redisLink } from "./support/redis-link.ts";

const runner = new ObservedJobRunner();
let redis: Awaited<ReturnType<typeof startRedis>>;

beforeAll(async () => {
  redis = await startRedis();
});

afterAll(() => redis.stop());

/** For what dies: those who live keep it on a machine that does much else. */
const leaseMs = 4_000;

const fresh = (): string => `engine-${crypto.randomUUID()}`;

describe("bullmqEngine", () => {
  it.each([
    [{ connection: undefined }, /`connection`/],
    [{ connection: {}, queue: "a:b" }, /`queue`/],
    [{ connection: {}, queue: "a.b" }, /`queue`/],
    [{ connection: {}, queue: "" }, /`queue`/],
    [{ connection: {}, leaseMs: 99 }, /`leaseMs`/],
    [{ connection: {}, upkeep: 1 }, /`upkeep` to be a boolean, got 1/],
    [{ connection: {}, leaseMs: 86_400_001 }, /`leaseMs`/],
    [{ connection: {}, retainSucceededMs: 0 }, /`retainSucceededMs`/],
    [{ connection: {}, retainDeadLettersMs: -1 }, /`retainDeadLettersMs`/],
    [{ connection: {}, runner: {} }, /`runner`/],
    [{ connection: {}, onError: "log" }, /`onError`/],
    [{ connection: {}, answerWithinMs: 0 }, /`answerWithinMs`/],
    [{ connection: {}, prefx: "jobs" }, /"prefx".*`prefix`/],
  ])("refuses %j before it connects", async (options, message) => {
    await expect(bullmqEngine({ runner, ...options } as never)).rejects.toThrow(message);
  });

  it.each<[connection: unknown, message: RegExp]>([
    ["redis://:s3same@127.0.0.1:6379", /`connection`.*got a string: pass it as `\{ url \}`/],
    [{ url: "redis://nidus:s3same@127.0.0.1:99999" }, /`connection\.url` to be a Redis URL/],
    [{ url: "redis://nidus:s3same@127.0.0.1:6379x" }, /`connection\.url`/],
    [{ url: "nidus:s3same@127.0.0.1" }, /`connection\.url`/],
    [{ url: "https://nidus:s3same@127.0.0.1" }, /`connection\.url`/],
    [{ url: new URL("redis://nidus:s3same@127.0.0.1:6379") }, /`connection\.url`/],
    [{ url: "" }, /`connection\.url`/],
    [{ host: "redis://nidus:s3same@127.0.0.1:6379" }, /`connection\.host`.*`connection\.url`/],
  ])("refuses a value that is no connection, and does not repeat it: %j", async (connection, message) => {
    const heard: unknown[] = [];
    const onError = (error: unknown): void => void heard.push(error);
    const opening = bullmqEngine({ runner, connection: connection as never, onError });
    const error = await opening.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(TypeError);
    expect(String(error)).toMatch(message);
    expect(inspect([error, heard], { depth: 9, showHidden: true })).not.toContain("s3same");
    expect(heard).toEqual([]);
  });

  it("refuses a client that gives commands up, at the call", async () => {
    const theirs = new Queue(fresh(), { connection: { url: redis.url, maxRetriesPerRequest: 3 } });
    const connection = (await theirs.client) as never;
    const opening = bullmqEngine({ runner, connection, queue: fresh() });
    await expect(opening).rejects.toThrow(/expected `maxRetriesPerRequest` of the client to be null.*got 3/);
    await expect(opening).rejects.toBeInstanceOf(TypeError);
    await theirs.close();
  });

  it("refuses a connection that forgets commands when it breaks, at the call", async () => {
    const connection = { url: redis.url, autoResendUnfulfilledCommands: false, maxRetriesPerRequest: null };
    const theirs = new Queue(fresh(), { connection });
    for (const each of [connection, (await theirs.client) as never]) {
      const opening = bullmqEngine({ runner, connection: each, queue: fresh() });
      await expect(opening).rejects.toThrow(/expected `autoResendUnfulfilledCommands` to be true/);
    }
    await theirs.close();
  });

  it("says which server is unreachable, and never the password", async () => {
    const errors: unknown[] = [];
    const connection = { host: "127.0.0.1", port: 1, username: "nidus", password: "open sesame" };
    const opening = bullmqEngine({
      runner,
      connection,
      answerWithinMs: 500,
      onError: (error) => errors.push(error),
    });
    const error = await opening.catch((thrown: unknown) => thrown);
    expect(EngineUnavailableError.isInstance(error)).toBe(true);
    expect(String(error)).toContain("127.0.0.1:1");
    const seen = [error, (error as Error).cause, ...errors].map((each) => `${each} ${JSON.stringify(each)}`);
    expect(seen.join()).not.toContain("sesame");
  });

  it("says at once that a server refuses the password, and never the password", async () => {
    const admin = new Queue(fresh(), { connection: { url: redis.url } });
    const client = (await admin.client) as unknown as { call(...words: string[]): Promise<unknown> };
    await client.call("ACL", "SETUSER", "limited", "on", ">right", "~*", "+@all");
    await admin.close();
    const { host, port } = { host: "127.0.0.1", port: redis.port };
    const connection = { host, port, username: "limited", password: "open sesame" };
    const startMs = performance.now();
    const errors: unknown[] = [];
    const onError = (heard: unknown): void => void errors.push(heard);
    const opening = bullmqEngine({ runner, connection, queue: fresh(), onError, answerWithinMs: 60_000 });
    const error = await opening.catch((thrown: unknown) => thrown);
    expect(EngineUnavailableError.isInstance(error)).toBe(false);
    expect(String(error)).toMatch(/refuses the user or the password .*WRONGPASS/);
    expect(errors.length).toBeGreaterThan(0);
    expect(inspect([error, ...errors], { depth: 9, showHidden: true })).not.toContain("sesame");
    expect(performance.now() - startMs, "not as late as no answer would be").toBeLessThan(30_000);
  });

  it("says at once that a user lacks a right", async () => {
    const admin = new Queue(fresh(), { connection: { url: redis.url } });
    const client = (await admin.client) as unknown as { call(...words: string[]): Promise<unknown> };
    await client.call("ACL", "SETUSER", "uninformed", "on", ">open sesame", "~*", "+@all", "-info");
    await admin.close();
    const connection = {
      host: "127.0.0.1",
      port: redis.port,
      username: "uninformed",
      password: "open sesame",
    };
    const opening = bullmqEngine({ runner, connection, queue: fresh(), onError() {} });
    const error = await opening.catch((thrown: unknown) => thrown);
    expect(EngineUnavailableError.isInstance(error)).toBe(false);
    expect(String(error)).toMatch(/does not let its user do what BullMQ needs .*NOPERM/);
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain("sesame");
  });

  it.each([
    ["when it was enqueued", "payload", {}, undefined],
    ["the time it was enqueued for", "payload", { runAt: new Date(1_700_000_000_000) }, 1_700_000_000_000],
    ["the same with a key", "payload", { runAt: new Date(5), idempotencyKey: "once" }, 5],
    ["whatever a payload says", { runAtMs: 7, text: '"runAtMs":7}' }, {}, undefined],
    ["whatever a payload says at its end", '"runAtMs":7}', {}, undefined],
  ])("tells since when the oldest job could have run: %s", async (_what, payload, options, expected) => {
    const opened: OpenedEngineContext[] = [];
    const engine = await bullmqEngine({
      runner: new ObservedJobRunner({ onEngineOpened: (context) => void opened.push(context) }),
      connection: { url: redis.url },
      queue: fresh(),
    });
    const job = defineJob<unknown>({ name: "a:b c", run() {} });
    const beforeMs = Date.now();
    await engine.enqueue(job, payload, options);
    await engine.enqueue(job, "later");
    const [backlog, ...others] = (await opened[0]?.backlog()) ?? [];
    expect(others).toEqual([]);
    expect(backlog).toMatchObject({ jobName: "a:b c", waiting: 2 });
    const sinceMs = backlog?.oldestWaitingAt?.getTime() ?? 0;
    if (expected !== undefined) expect(sinceMs).toBe(expected);
    else {
      expect(sinceMs).toBeGreaterThan(beforeMs - 1_000);
      expect(sinceMs).toBeLessThan(Date.now() + 1_000);
    }
    await engine.close();
  });

  it("leaves a connection of the caller's open", async () => {
    const theirs = new Queue(fresh(), { connection: { url: redis.url, maxRetriesPerRequest: null } });
    const client = (await theirs.client) as never;
    const engine = await bullmqEngine({ runner, connection: client, queue: fresh() });
    const job = defineJob({ name: "a", run() {} });
    await engine.enqueue(job, undefined);
    await engine.close();
    await theirs.add("still", {});
    expect(await theirs.count()).toBe(1);
    await theirs.close();
  });

  it("has a queue of BullMQ's own for each job name, which other programs can read", async () => {
    const connection = { url: redis.url };
    const queue = fresh();
    await using engine = await bullmqEngine({ runner, connection, queue });
    const { id } = await engine.enqueue(defineJob<{ to: string }>({ name: "send:digest", run() {} }), {
      to: "ada",
    });
    const theirs = new Queue(`${queue}.send%3Adigest`, { connection });
    const job = await theirs.getJob(id);
    expect(job?.name).toBe("send:digest");
    expect(job?.data).toEqual({ payload: { to: "ada" }, payloadBytes: 12 });
    await theirs.close();
  });

  it("runs jobs that another program has put into its queue, in any shape", async () => {
    const connection = { url: redis.url };
    const queue = fresh();
    await using engine = await bullmqEngine({ runner, connection, queue });
    const seen: unknown[] = [];
    const job = defineJob<unknown>({ name: "foreign", run: (payload) => void seen.push(payload) });
    const theirs = new Queue(`${queue}.foreign`, { connection });
    await theirs.add("foreign", { payload: 1 });
    await theirs.add("foreign", "no envelope");
    await theirs.add("foreign", null);
    await engine.work({ jobs: [job] });
    await expect.poll(() => seen).toEqual([1, undefined, undefined]);
    await theirs.close();
  });

  it("postpones a job that another program has put into the wrong queue, and runs the rest", async () => {
    const connection = { url: redis.url };
    const queue = fresh();
    const errors: unknown[] = [];
    const onError = (error: unknown): void => void errors.push(error);
    await using engine = await bullmqEngine({ runner, connection, queue, onError });
    const seen: unknown[] = [];
    const job = defineJob<number>({ name: "known", run: (payload) => void seen.push(payload) });
    const theirs = new Queue(`${queue}.known`, { connection });
    for (const name of ["stray", "known", "stray"]) await theirs.add(name, { payload: name });
    await engine.work({ jobs: [job] });
    await expect.poll(() => theirs.getDelayedCount()).toBe(2);
    await theirs.add("known", { payload: "last" });
    await expect.poll(() => seen).toEqual(["known", "last"]);
    expect(errors.map(String)).toEqual(
      Array.from({ length: 2 }, () =>
        expect.stringContaining('a job named "stray" is in the queue of "known"'),
      ),
    );
    const [stray] = await theirs.getDelayed();
    expect(stray?.attemptsMade).toBe(0);
    await theirs.close();
  });

  it.each<[string, () => unknown]>([
    [
      "throws",
      () => {
        throw new Error("the log is full");
      },
    ],
    ["rejects", () => Promise.reject(new Error("the log is full"))],
  ])("goes on if `onError` %s, also after its connections were killed", async (_how, onError) => {
    const connection = { url: redis.url };
    const queue = fresh();
    await using engine = await bullmqEngine({ runner, connection, queue, onError: onError as () => void });
    const seen: unknown[] = [];
    const job = defineJob<number>({ name: "known", run: (payload) => void seen.push(payload) });
    const theirs = new Queue(`${queue}.known`, { connection });
    const client = (await theirs.client) as unknown as { call(...words: string[]): Promise<unknown> };
    await engine.work({ jobs: [job] });
    await client.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
    await theirs.add("stray", { payload: 0 });
    await theirs.add("known", { payload: 1 });
    await expect.poll(() => seen).toEqual([1]);
    await theirs.close();
  });

  it("delivers again the jobs that a plain BullMQ worker has left behind", async () => {
    const connection = { url: redis.url };
    const queue = fresh();
    await using engine = await bullmqEngine({ runner, connection, queue, leaseMs });
    const seen: unknown[] = [];
    const job = defineJob<number>({
      name: "left",
      run: (_, { delivery }) => void seen.push(delivery?.attempt),
    });
    await engine.enqueue(job, 1);
    // It takes the job and is never heard of again.
    const dead = new Worker(`${queue}.left`, null, { connection, lockDuration: 500, autorun: false });
    expect(await dead.getNextJob("a token")).toBeDefined();
    await dead.close(true);
    await engine.work({ jobs: [job] });
    await expect.poll(() => seen).toEqual([2]);
  });

  it("tells the callers alone of what its close cuts off", async () => {
    const heard: unknown[] = [];
    const onError = (error: unknown): void => void heard.push(error);
    const job = defineJob({ name: "cut_off", run() {} });
    for (const call of ["schedule", "unschedule", "schedules", "jobs", "stats"] as const) {
      const engine = await bullmqEngine({ runner, connection: { url: redis.url }, queue: fresh(), onError });
      await engine.enqueue(job);
      const calls = {
        schedule: () => engine.schedule(job, "0 3 * * *"),
        unschedule: () => engine.unschedule(job),
        schedules: () => engine.schedules(),
        jobs: () => engine.jobs(),
        stats: () => engine.stats(),
      };
      const called = calls[call]().then(
        () => "answered",
        (error: unknown) => String(error),
      );
      await engine.close();
      expect(await called).toMatch(/^answered$|is closed/);
    }
    expect(heard).toEqual([]);
  });

  it("does not run a job again that was cancelled before its worker died", async () => {
    const connection = { url: redis.url };
    const queue = fresh();
    const recorder = recordingObserver();
    const observed = new ObservedJobRunner(recorder);
    await using engine = await bullmqEngine({ runner: observed, connection, queue, leaseMs });
    const job = defineJob({ name: "left", run() {} });
    const { id } = await engine.enqueue(job, undefined);
    const dead = new Worker(`${queue}.left`, null, { connection, lockDuration: 500, autorun: false });
    expect(await dead.getNextJob("a token")).toBeDefined();
    await dead.close(true);
    expect(await engine.cancel(id)).toBe(true);
    await engine.work({ jobs: [job] });
    await expect.poll(() => recorder.outcomesOf("left")).toEqual(["stalled", "cancelled"]);
    expect(recorder.runs).toEqual([]);
  });

  it("warns of a Redis that may lose acknowledged jobs", async () => {
    const warnings: string[] = [];
    const listen = (warning: Error): void => void warnings.push(warning.message);
    process.on("warning", listen);
    const theirs = new Queue(fresh(), { connection: { url: redis.url } });
    const client = (await theirs.client) as unknown as { config(...args: string[]): Promise<unknown> };
    await client.config("SET", "appendonly", "no");
    const engine = await bullmqEngine({ runner, connection: { url: redis.url }, queue: fresh() });
    await expect.poll(() => warnings.join()).toMatch(/append-only/);
    await client.config("SET", "appendonly", "yes");
    process.off("warning", listen);
    await engine.close();
    await theirs.close();
  });

  it("ends what opens a worker when it closes, though its connection is never ready", async () => {
    const sockets: Socket[] = [];
    const link = await redisLink(redis.port, ({ client, redis: server }) => {
      // Only the first connection gets answers. That of the worker is another one.
      if (sockets.push(client) === 1) server.pipe(client).pipe(server);
      else client.resume();
    });
    onTestFinished(() => link.close());
    const connection = { host: "127.0.0.1", port: link.port };
    const engine = await bullmqEngine({ runner, connection, queue: fresh(), answerWithinMs: 600_000 });
    const opening = engine.work({ jobs: [defineJob({ name: "never", run() {} })] });
    opening.catch(() => {});
    await expect.poll(() => sockets.length, { timeout: 60_000 }).toBe(2);
    await engine.close();
    await expect(opening).rejects.toThrow("the bullmq engine is closed");
    await expect.poll(() => sockets.map(({ destroyed }) => destroyed)).toEqual([true, true]);
  });
});

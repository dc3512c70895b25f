import { defineJob, type JobCounts } from "@nidus/jobs-durable";
import { type JobBacklog, ObservedJobRunner } from "@nidus/jobs-observe";
import { recordingObserver } from "@nidus/jobs-testkit";
import { Queue } from "bullmq";
import { startRedis } from "test-servers";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { bullmqEngine } from "../../src/index.ts";

const job = defineJob({ name: "counted", run() {} });
let redis: Awaited<ReturnType<typeof startRedis>>;
let queue: string;

beforeAll(async () => {
  redis = await startRedis();
});

beforeEach(() => {
  queue = `counts-${crypto.randomUUID()}`;
});

afterAll(() => redis.stop());

/** Enqueues jobs for these times, calls `change`, and returns the counts of `stats` and of the backlog. */
async function countsAfter(
  runAts: readonly Date[],
  change: (theirs: Queue) => Promise<unknown>,
): Promise<{ readonly stats: JobCounts | undefined; readonly backlog: JobBacklog | undefined }> {
  const connection = { url: redis.url };
  const recorder = recordingObserver();
  const runner = new ObservedJobRunner(recorder);
  await using engine = await bullmqEngine({ runner, connection, queue });
  const theirs = new Queue(`${queue}.counted`, { connection });
  // A queue that is closed while it connects rejects, and no caller can catch that.
  await theirs.waitUntilReady();
  for (const runAt of runAts) await engine.enqueue(job, undefined, { runAt });
  await change(theirs);
  const stats = (await engine.stats()).byName.counted;
  const [backlog] = (await recorder.opened[0]?.backlog()) ?? [];
  await theirs.close();
  return { stats, backlog };
}

/** The client of BullMQ, ioredis, as far as it shows what Redis is asked. */
interface MonitoredClient {
  monitor(): Promise<{
    on(event: "monitor", hear: (time: string, command: readonly string[], source: string) => void): unknown;
    disconnect(): void;
  }>;
}

/** The same, as far as other programs can write anything. */
interface SpoilingClient {
  call(...words: string[]): Promise<unknown>;
}

const [first, second] = [new Date(1_700_000_000_000), new Date(1_700_000_001_000)];

describe("stats and backlog", () => {
  it.each<[string, (theirs: Queue) => Promise<unknown>]>([
    ["waits", async () => {}],
    ["waits in a queue that is paused", (theirs) => theirs.pause()],
    [
      "has a priority",
      async (theirs) => {
        const jobs = await theirs.getWaiting(0, -1);
        await Promise.all(jobs.map((each) => each.changePriority({ priority: 5 })));
      },
    ],
    [
      "waits in part, and has a priority in part",
      async (theirs) => (await theirs.getWaiting(0, 0))[0]?.changePriority({ priority: 5 }),
    ],
  ])("agree on what %s", async (_what, change) => {
    const { stats, backlog } = await countsAfter([first, second], change);
    expect(stats).toMatchObject({ waiting: 2, scheduled: 0, oldestWaitingAt: first });
    expect(backlog).toMatchObject({ waiting: 2, oldestWaitingAt: first });
  });

  it("find the oldest job among all priorities", async () => {
    const { stats, backlog } = await countsAfter([first, second], async (theirs) => {
      const [one, two] = await theirs.getWaiting(0, -1);
      const older = one?.data.runAtMs === first.getTime() ? one : two;
      await older?.changePriority({ priority: 9 });
      await (older === one ? two : one)?.changePriority({ priority: 1 });
    });
    expect(stats).toMatchObject({ waiting: 2, oldestWaitingAt: first });
    expect(backlog).toMatchObject({ waiting: 2, oldestWaitingAt: first });
  });

  it("take one query, however many names there are", async () => {
    const connection = { url: redis.url };
    const recorder = recordingObserver();
    await using engine = await bullmqEngine({ runner: new ObservedJobRunner(recorder), connection, queue });
    const names = Array.from({ length: 20 }, (_, index) => `counted_${index}`);
    for (const name of names) await engine.enqueue(defineJob({ name, run() {} }), undefined);
    const backlog = async () => (await recorder.opened[0]?.backlog()) ?? [];
    // Once before, since the script is sent the first time.
    await backlog();
    const theirs = new Queue("monitor", { connection });
    const monitor = await ((await theirs.client) as unknown as MonitoredClient).monitor();
    const commands: (string | undefined)[] = [];
    monitor.on("monitor", (_time, [command], source) => {
      if (source !== "lua") commands.push(command);
    });
    const told = await backlog();
    expect(told.map(({ jobName }) => jobName).sort()).toEqual(names.sort());
    await theirs.setGlobalConcurrency(1);
    // Redis shows commands in their order.
    await expect.poll(() => commands).toContain("hset");
    expect(commands.slice(0, commands.indexOf("hset"))).toEqual(["evalsha"]);
    monitor.disconnect();
    await theirs.close();
  });

  it.each<[what: string, spoil: (client: SpoilingClient, keys: string) => Promise<unknown>]>([
    ["a list that is none", (client, keys) => client.call("SET", `${keys}prioritized`, "text")],
    ["a set of failures that is none", (client, keys) => client.call("LPUSH", `${keys}failed`, "text")],
  ])("leave out a name of which another program has spoilt the keys: %s", async (_what, spoil) => {
    const connection = { url: redis.url };
    const heard: unknown[] = [];
    const recorder = recordingObserver();
    await using engine = await bullmqEngine({
      runner: new ObservedJobRunner(recorder),
      connection,
      queue,
      onError: (error) => void heard.push(error),
    });
    await engine.enqueue(job, undefined);
    await engine.enqueue(defineJob({ name: "spoilt", run() {} }), undefined);
    const theirs = new Queue(`${queue}.spoilt`, { connection });
    await spoil((await theirs.client) as unknown as SpoilingClient, theirs.toKey(""));
    const stats = await engine.stats();
    expect(stats.waiting).toBe(1);
    expect(Object.keys(stats.byName)).toEqual(["counted"]);
    expect(await recorder.opened[0]?.backlog()).toMatchObject([{ jobName: "counted", waiting: 1 }]);
    expect(heard.map(String)).toContainEqual(
      expect.stringMatching(/"spoilt" cannot be counted: .*WRONGTYPE/),
    );
    await theirs.close();
  });

  it.each<[what: string, fields: Record<string, string>]>([
    ["is text", { timestamp: "x" }],
    ["is no time that a Date can have", { timestamp: "1e300" }],
    ["is negative", { timestamp: "-5" }],
    ["is no number", { timestamp: "nan" }],
    ["of its schedule is beyond", { timestamp: "x", opts: '{"prevMillis":99999999999999999999}' }],
  ])("have no date rather than a wrong one, if the time of the oldest job %s", async (_what, fields) => {
    const { stats, backlog } = await countsAfter([], async (theirs) => {
      const client = (await theirs.client) as unknown as SpoilingClient;
      const keys = theirs.toKey("");
      await client.call("HSET", `${keys}forged`, "name", "counted", ...Object.entries(fields).flat());
      await client.call("LPUSH", `${keys}wait`, "forged");
      await client.call("HSET", `bull:${queue}:names`, "counted", keys);
    });
    expect(stats).toMatchObject({ waiting: 1, oldestWaitingAt: undefined });
    expect(backlog).toMatchObject({ waiting: 1, oldestWaitingAt: undefined });
  });

  it("skip a delayed job with an invalid time", async () => {
    const { stats } = await countsAfter([], async (theirs) => {
      const client = (await theirs.client) as unknown as SpoilingClient;
      await client.call("ZADD", theirs.toKey("delayed"), "-inf", "forged");
      await client.call("HSET", `bull:${queue}:names`, "counted", theirs.toKey(""));
    });
    expect(stats).toMatchObject({ waiting: 1, oldestWaitingAt: undefined });
  });
});

import { defineJob, type JobCounts } from "@nidus/jobs-durable";
import { type JobBacklog, ObservedJobRunner } from "@nidus/jobs-observe";
import { recordingObserver } from "@nidus/jobs-testkit";
import { Queue } from "bullmq";
import { startRedis } from "test-servers";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { bullmqEngine } from "../src/index.ts";

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

/** What an engine says, by both ways, of jobs enqueued for these times, to which `change` has been done. */
async function countsAfter(
  runAts: readonly Date[],
  change: (theirs: Queue) => Promise<unknown>,
): Promise<{ readonly stats: JobCounts | undefined; readonly backlog: JobBacklog | undefined }> {
  const connection = { url: redis.url };
  const recorder = recordingObserver();
  const runner = new ObservedJobRunner(recorder);
  await using engine = await bullmqEngine({ runner, connection, queue });
  const theirs = new Queue(`${queue}.counted`, { connection });
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
});

import { defineJob } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { recordingObserver } from "@nidus/jobs-testkit";
import { Queue } from "bullmq";
import { startRedis } from "test-servers";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { bullmqEngine } from "../../src/index.ts";

let redis: Awaited<ReturnType<typeof startRedis>>;
let queue: string;

beforeAll(async () => {
  redis = await startRedis();
});

beforeEach(() => {
  queue = `queries-${crypto.randomUUID()}`;
});

afterAll(() => redis.stop());

/** The client of BullMQ, ioredis, as far as it shows what Redis is asked. */
interface MonitoredClient {
  monitor(): Promise<{
    on(event: "monitor", hear: (time: string, command: readonly string[], source: string) => void): unknown;
    disconnect(): void;
  }>;
}

/** Resolves to what Redis did while `ask` ran: the commands of clients, and those of scripts. */
async function commandsOf(
  ask: () => Promise<unknown>,
): Promise<{ readonly sent: readonly string[]; readonly inScripts: readonly string[] }> {
  const theirs = new Queue("monitor", { connection: { url: redis.url } });
  const monitor = await ((await theirs.client) as unknown as MonitoredClient).monitor();
  const commands: { readonly command: string; readonly isInScript: boolean }[] = [];
  monitor.on("monitor", (_time, [command = ""], source) => {
    commands.push({ command: command.toLowerCase(), isInScript: source === "lua" });
  });
  await ask();
  await theirs.setGlobalConcurrency(1);
  // Redis shows commands in their order, and this one is the last.
  const isEnd = ({ command, isInScript }: (typeof commands)[number]): boolean =>
    command === "hset" && !isInScript;
  await expect.poll(() => commands.some(isEnd)).toBe(true);
  monitor.disconnect();
  await theirs.close();
  const asked = commands.slice(0, commands.findIndex(isEnd));
  const of = (isInScript: boolean): string[] =>
    asked.filter((each) => each.isInScript === isInScript).map(({ command }) => command);
  return { sent: of(false), inScripts: of(true) };
}

describe("questions to Redis", () => {
  it("read the schedules of all names with one query beside that of the names", async () => {
    await using engine = await bullmqEngine({
      runner: new ObservedJobRunner(),
      connection: { url: redis.url },
      queue,
    });
    const names = Array.from({ length: 10 }, (_, index) => `scheduled_${index}`);
    for (const name of names)
      await engine.schedule(defineJob({ name, run() {} }), "0 3 1 1 *", undefined, { key: `key of ${name}` });
    // Once before, since the script is sent the first time.
    await engine.schedules();
    const { sent } = await commandsOf(async () => {
      const found = await engine.schedules();
      expect(found.map(({ jobName, key }) => [jobName, key]).sort()).toEqual(
        names.map((name) => [name, `key of ${name}`]),
      );
    });
    expect(sent).toEqual(["hgetall", "evalsha"]);
  });

  it("read as many dead letters as are asked for, the newest of all names", async () => {
    const recorder = recordingObserver();
    await using engine = await bullmqEngine({
      runner: new ObservedJobRunner(recorder),
      connection: { url: redis.url },
      queue,
    });
    const jobs = Array.from({ length: 3 }, (_, index) =>
      defineJob<number>({
        name: `failing_${index}`,
        maxAttempts: 1,
        run() {
          throw new Error("always");
        },
      }),
    );
    // By turns, so that the newest are of all names; more of the first one than a look at a queue reads.
    const order = [...Array<number>(25).fill(0), 1, 2, 0, 2, 1, 0];
    await using worker = await engine.work({ jobs, concurrency: 1 });
    for (const [index, place] of order.entries()) {
      await engine.enqueue(jobs[place] as (typeof jobs)[number], index);
      await expect.poll(async () => (await engine.stats()).deadLettered).toBe(index + 1);
    }
    await worker.stop();
    const all = await engine.deadLetters();
    expect(all.map(({ payload }) => payload)).toEqual(order.map((_, index) => index).reverse());
    const { inScripts } = await commandsOf(async () => {
      const newest = await engine.deadLetters({ limit: 4 });
      expect(newest).toEqual(all.slice(0, 4));
    });
    expect(inScripts.filter((command) => command === "hmget")).toHaveLength(4);
  });
});

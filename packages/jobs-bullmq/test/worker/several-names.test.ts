import { defineJob, type JobEngine } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { Queue } from "bullmq";
import { expect, it } from "vitest";
import { describeEngines } from "../support/describe-engines.ts";

const soon = { timeout: 120_000 };

interface Commands {
  client(subcommand: "LIST"): Promise<string>;
  set(key: string, value: string): Promise<unknown>;
  del(key: string): Promise<number>;
}

/** A handler that counts its runs, and lets none end before it is told to. */
function gatedJob(name: string) {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const gated = { running: 0, ended: 0, open: () => open() };
  const job = defineJob({
    name,
    async run() {
      gated.running++;
      await opened;
      gated.running--;
      gated.ended++;
    },
  });
  return { job, gated };
}

describeEngines("a worker of several names", ({ bullmqEngine, redis }) => {
  async function open() {
    const queue = `names-${crypto.randomUUID()}`;
    const errors: unknown[] = [];
    const connection = { url: redis().url };
    const onError = (error: unknown): void => void errors.push(error);
    const engine = await bullmqEngine({ runner: new ObservedJobRunner(), connection, queue, onError });
    const theirs = new Queue("none", { connection });
    const client = (await theirs.client) as unknown as Commands;
    const connections = async (except: readonly string[] = []): Promise<readonly string[]> =>
      [...(await client.client("LIST")).matchAll(/^id=(\d+)/gm)]
        .map(([, id = ""]) => id)
        .filter((id) => !except.includes(id));
    const close = async (): Promise<void> => {
      await engine.close();
      await theirs.close();
    };
    return { queue, errors, engine, client, connections, [Symbol.asyncDispose]: close };
  }

  it.each([1, 20])("waits on one connection for %d names", async (count) => {
    await using opened = await open();
    const { engine, connections } = opened;
    const before = await connections();
    const seen = new Set<string>();
    const jobs = Array.from({ length: count }, (_, index) =>
      defineJob({ name: `job ${index}`, run: (_payload: undefined) => void seen.add(`job ${index}`) }),
    );
    const worker = await engine.work({ jobs });
    const added = await connections(before);
    for (const job of jobs) await engine.enqueue(job, undefined);
    await expect.poll(() => seen.size, soon).toBe(count);
    expect(await connections(before)).toEqual(added);
    expect(added).toHaveLength(1);
    await worker.stop();
    await expect.poll(async () => (await connections(before)).length, soon).toBe(0);
  });

  it("runs jobs of all names in turn, each name in order", async () => {
    await using opened = await open();
    const { engine } = opened;
    const seen: string[] = [];
    const jobs = ["a", "b", "c"].map((name) =>
      defineJob<number>({ name, run: (index) => void seen.push(`${name}${index}`) }),
    );
    for (const job of jobs) await engine.enqueueMany(job, [0, 1, 2, 3]);
    await engine.work({ jobs });
    await expect.poll(() => seen.length, soon).toBe(12);
    for (const turn of [0, 1, 2, 3]) {
      expect(new Set(seen.slice(3 * turn, 3 * turn + 3))).toEqual(
        new Set([`a${turn}`, `b${turn}`, `c${turn}`]),
      );
    }
  });

  it("gives each name its share of the slots", async () => {
    await using opened = await open();
    const { engine } = opened;
    const [a, b] = [gatedJob("a"), gatedJob("b")];
    for (const { job } of [a, b]) await engine.enqueueMany(job, Array(6).fill(undefined));
    await engine.work({ jobs: [a.job, b.job], concurrency: 6 });
    await expect.poll(() => a.gated.running + b.gated.running, soon).toBe(6);
    expect([a.gated.running, b.gated.running]).toEqual([3, 3]);
    a.gated.open();
    await expect.poll(() => a.gated.ended, soon).toBe(6);
    // The slots that name has left are those of the other one.
    await expect.poll(() => b.gated.running, soon).toBe(6);
    b.gated.open();
  });

  it("starts jobs of a name that had none, while another one always has jobs", async () => {
    await using opened = await open();
    const { engine } = opened;
    const seen: string[] = [];
    let isOver = false;
    const rare = defineJob<number>({ name: "rare", run: (index) => void seen.push(`rare ${index}`) });
    const steady = defineJob({ name: "steady", run: () => goOn() });
    const goOn = async (): Promise<void> => {
      if (!isOver) await engine.enqueue(steady, undefined);
    };
    await engine.enqueueMany(steady, [undefined, undefined, undefined]);
    await engine.work({ jobs: [steady, rare] });
    for (const index of [1, 2]) {
      await engine.enqueue(rare, index);
      await expect.poll(() => seen, soon).toContain(`rare ${index}`);
    }
    isOver = true;
  });

  it("starts delayed jobs of several names", async () => {
    await using opened = await open();
    const { engine } = opened;
    const starts: [name: string, isEarly: boolean][] = [];
    const jobs = ["a", "b"].map((name) =>
      defineJob<number>({ name, run: (dueMs) => void starts.push([name, Date.now() < dueMs]) }),
    );
    await engine.work({ jobs });
    for (const [index, job] of jobs.entries()) {
      const runAt = new Date(Date.now() + 400 - 200 * index);
      await engine.enqueue(job, runAt.getTime(), { runAt });
    }
    await expect.poll(() => starts.length, soon).toBe(2);
    expect(new Map(starts)).toEqual(new Map(jobs.map(({ name }) => [name, false])));
  });

  it("runs the jobs of other names if the marker of one is of another type, and its own once it is mended", async () => {
    await using opened = await open();
    const { queue, errors, engine, client } = opened;
    const seen: string[] = [];
    const [broken, sound] = ["broken", "sound"].map((name) =>
      defineJob<number>({ name, run: (index) => void seen.push(`${name} ${index}`) }),
    );
    if (broken === undefined || sound === undefined) throw new Error("there are two");
    await client.set(`bull:${queue}.broken:marker`, "text");
    await engine.work({ jobs: [broken, sound] });
    await expect.poll(() => errors.map(String).join(), soon).toMatch(/WRONGTYPE/);
    for (const index of [1, 2]) {
      await engine.enqueue(sound, index);
      await expect.poll(() => seen, soon).toContain(`sound ${index}`);
    }
    await client.del(`bull:${queue}.broken:marker`);
    await engine.enqueue(broken, 1);
    await expect.poll(() => seen, soon).toContain("broken 1");
    expect(errors.length).toBeLessThan(50);
  });

  it("goes on after its connections were killed", async () => {
    await using opened = await open();
    const { engine, connections, client } = opened;
    const before = await connections();
    const seen: number[] = [];
    const jobs = ["a", "b"].map((name) => defineJob<number>({ name, run: (index) => void seen.push(index) }));
    await engine.work({ jobs });
    const { kill } = killer(client);
    for (const [index, job] of jobs.entries()) {
      for (const id of await connections(before)) await kill(id);
      await (engine as JobEngine).enqueue(job, index);
      await expect.poll(() => seen, soon).toContain(index);
    }
  });
});

function killer(client: Commands) {
  const { client: command } = client as unknown as {
    client(subcommand: "KILL", by: "ID", id: string): Promise<unknown>;
  };
  return { kill: (id: string): Promise<unknown> => command.call(client, "KILL", "ID", id) };
}

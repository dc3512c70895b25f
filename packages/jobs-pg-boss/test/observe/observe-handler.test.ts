import { ObservedJobRunner } from "@nidus/jobs-observe";
import PgBoss10 from "pg-boss";
import { PgBoss as PgBoss12 } from "pg-boss-12";
import { sharedPostgres } from "test-servers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { observePgBossHandler } from "../../src/index.ts";

const postgres = await sharedPostgres();
const connectionString = postgres?.url ?? "";

afterAll(() => postgres?.stop());

function observed(): { runner: ObservedJobRunner; seen: string[] } {
  const seen: string[] = [];
  const runner = new ObservedJobRunner({
    onJobStarted: ({ delivery }) =>
      void seen.push(`started ${delivery?.attempt} of ${delivery?.maxAttempts}`),
    onJobFinished: (_context, status, error) =>
      void seen.push(error ? `${status}: ${error.message}` : status),
  });
  return { runner, seen };
}

describe.skipIf(postgres === undefined)("observePgBossHandler on pg-boss 10", () => {
  const boss = new PgBoss10({ connectionString, schema: "handler_10" });
  boss.on("error", () => {});
  beforeAll(async () => void (await boss.start()));
  afterAll(() => boss.stop({ graceful: false }));

  it("adds the observation to a program in one line, and changes nothing else", async () => {
    const { runner, seen } = observed();
    await boss.createQueue("ordinary");
    const handled: unknown[] = [];
    const handler = async (jobs: PgBoss10.Job<{ to: string }>[]): Promise<string> => {
      handled.push(jobs.map(({ data }) => data.to));
      return "sent";
    };
    const id = await boss.send("ordinary", { to: "ada" });
    await boss.work("ordinary", { pollingIntervalSeconds: 0.5 }, observePgBossHandler(runner, handler));
    await expect.poll(async () => (await boss.getJobById("ordinary", id as string))?.state).toBe("completed");
    const stored = await boss.getJobById("ordinary", id as string);
    expect(stored?.output).toEqual({ value: "sent" });
    expect(handled).toEqual([["ada"]]);
    expect(seen).toEqual(["started 1 of 3", "success"]);
  });

  it("observes a run for each job of a batch, which the handler gets once", async () => {
    const { runner, seen } = observed();
    await boss.createQueue("batch");
    for (const to of ["ada", "grace", "edsger"]) await boss.send("batch", { to }, { retryLimit: 0 });
    const sizes: number[] = [];
    const handler = async (jobs: PgBoss10.JobWithMetadata<object>[]): Promise<void> => {
      sizes.push(jobs.length);
      throw new Error("the server is away");
    };
    const options = { batchSize: 10, includeMetadata: true as const, pollingIntervalSeconds: 0.5 };
    await boss.work("batch", options, observePgBossHandler(runner, handler));
    await expect.poll(() => sizes).toEqual([3]);
    expect(seen).toEqual([
      ...Array(3).fill("started 1 of 1"),
      ...Array(3).fill("failure: the server is away"),
    ]);
  });
});

describe.skipIf(postgres === undefined)("observePgBossHandler on pg-boss 12", () => {
  const boss = new PgBoss12({ connectionString, schema: "handler_12" });
  boss.on("error", () => {});
  beforeAll(async () => void (await boss.start()));
  afterAll(() => boss.stop({ graceful: false }));

  it("adds the observation to a program in one line, and changes nothing else", async () => {
    const { runner, seen } = observed();
    await boss.createQueue("ordinary");
    const id = (await boss.send("ordinary", { to: "ada" })) as string;
    const options = { pollingIntervalSeconds: 0.5 };
    await boss.work(
      "ordinary",
      options,
      observePgBossHandler(runner, async () => "sent"),
    );
    await expect.poll(async () => (await boss.getJobById("ordinary", id))?.state).toBe("completed");
    expect(seen).toEqual(["started 1 of 3", "success"]);
  });

  it("ends each run as its own result says", async () => {
    const { runner, seen } = observed();
    await boss.createQueue("results", { retryLimit: 0 });
    const ids: string[] = [];
    for (const to of ["ada", "nobody"]) ids.push((await boss.send("results", { to })) as string);
    const handler = async (jobs: { id: string; name: string; data: object }[]) =>
      jobs.map(({ id, data }) =>
        (data as { to: string }).to === "nobody"
          ? { id, status: "failed" as const, output: new Error("no such user") }
          : { id, status: "completed" as const },
      );
    await boss.work(
      "results",
      { batchSize: 2, perJobResults: true, pollingIntervalSeconds: 0.5 },
      observePgBossHandler(runner, handler) as never,
    );
    const states = async (): Promise<unknown[]> =>
      Promise.all(ids.map(async (id) => (await boss.getJobById("results", id))?.state));
    await expect.poll(states).toEqual(["completed", "failed"]);
    expect(seen.slice(2).sort()).toEqual(["failure: no such user", "success"]);
  });
});

describe("observePgBossHandler", () => {
  it("rejects like the handler, even if it throws synchronously", async () => {
    const { runner, seen } = observed();
    const thrown = new RangeError("at once");
    const handler = observePgBossHandler(runner, (): Promise<void> => {
      throw thrown;
    });
    await expect(handler([{ id: "1", name: "a" }])).rejects.toBe(thrown);
    expect(seen).toEqual(["started 1 of 3", "failure: at once"]);
    expect(() => observePgBossHandler(runner, "handler" as never)).toThrow(TypeError);
  });

  it("calls the handler of an empty batch as pg-boss would", async () => {
    const { runner, seen } = observed();
    const handler = observePgBossHandler(
      runner,
      async (jobs: readonly { id: string; name: string }[]) => jobs.length,
    );
    expect(await handler([])).toBe(0);
    expect(seen).toEqual([]);
  });

  it("observes jobs under the name that the option returns, and under their queue's name if it fails", async () => {
    const names: string[] = [];
    const runner = new ObservedJobRunner({
      onJobStarted: ({ jobName }) => void names.push(`${jobName} started`),
      onJobSettled: ({ jobName, outcome }) => void names.push(`${jobName} ${outcome}`),
    });
    type Mail = { id: string; name: string; data: { kind: string } };
    const jobName = ({ data }: Mail): string => {
      if (data.kind === "throws") throw new Error("no name");
      return data.kind;
    };
    const handler = observePgBossHandler(runner, async (_jobs: Mail[]) => {}, { jobName });
    for (const kind of ["digest", "throws", ""]) await handler([{ id: "1", name: "mails", data: { kind } }]);
    expect(names).toEqual(
      ["digest", "mails", "mails"].flatMap((name) => [`${name} started`, `${name} succeeded`]),
    );
  });

  it.each([undefined, {}, { runAsync() {} }])(
    "refuses the runner %o, without which every job would fail",
    (runner) => {
      expect(() => observePgBossHandler(runner as never, async () => {})).toThrow(
        "expected `runner.settled`",
      );
    },
  );

  it("refuses options that are unknown or wrong", () => {
    const { runner } = observed();
    const handler = async (_jobs: readonly { id: string; name: string }[]): Promise<void> => {};
    expect(() => observePgBossHandler(runner, handler, { name: "mails" } as never)).toThrow(
      'unknown option "name" in the options of observePgBossHandler: expected `jobName`',
    );
    expect(() => observePgBossHandler(runner, handler, { jobName: "mails" as never })).toThrow(
      'expected `jobName` to be a function, got "mails"',
    );
  });
});

import { defineJob } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { hasProgram, type PgBouncer, pgBouncerProgram, sharedPostgres, startPgBouncer } from "test-servers";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { PgBossEngine } from "../../src/index.ts";
import { loadEngine } from "../support/listening.ts";
import { versions } from "../support/start-boss.ts";

const postgres = await sharedPostgres();
const isThere = hasProgram(pgBouncerProgram, "no engine is tried behind a pooler of transactions");
const canRun = postgres !== undefined && isThere;
let pooler: PgBouncer;

beforeAll(async () => {
  if (canRun) pooler = await startPgBouncer(postgres.url);
});
afterAll(async () => {
  await pooler?.[Symbol.asyncDispose]();
  await postgres?.stop();
});

describe.skipIf(!canRun).each(versions)("an engine behind PgBouncer, on pg-boss %i", (version) => {
  let load: Awaited<ReturnType<typeof loadEngine>>;

  beforeAll(async () => {
    load = await loadEngine(version);
  });

  /** Opens what stands for a process of its own: engines share nothing but the pooler. */
  async function open(onError: (error: unknown) => void = () => {}): Promise<PgBossEngine> {
    const engine = await load.pgBossEngine({
      runner: new ObservedJobRunner(),
      connectionString: pooler.url,
      schema: `pgbouncer_${version}`,
      maxConnections: 3,
      pollIntervalMs: 100,
      onError,
    });
    onTestFinished(() => engine.close());
    return engine;
  }

  it("says once that no notifications arrive, and polls", async () => {
    const errors: unknown[] = [];
    const runs: number[] = [];
    const job = defineJob<number>({ name: "polled", run: (value) => void runs.push(value) });
    const engine = await open((error) => errors.push(error));
    const worker = await engine.work({ jobs: [job] });
    await expect.poll(() => errors.map(String)).toEqual([expect.stringMatching(/pooler: .* by polling/)]);
    await (await open()).enqueue(job, 1);
    await expect.poll(() => runs).toEqual([1]);
    await worker.stop();
    await (await engine.work({ jobs: [job] })).stop();
    await engine.close();
    expect(errors).toHaveLength(1);
  });

  it("works off what another process enqueues at once, with keys, retries and results", async () => {
    const job = defineJob<number>({
      name: "pooled",
      maxAttempts: 2,
      backoff: { fixedMs: 0 },
      run(value, { delivery }) {
        if (delivery?.attempt === 1) throw new Error("once more");
        return value;
      },
    });
    const [producer, engine] = await Promise.all([open(), open()]);
    await engine.work({ jobs: [job], concurrency: 5 });
    const values = Array.from({ length: 40 }, (_, index) => index % 20);
    const stored = await Promise.all(
      values.map((value) => producer.enqueue(job, value, { idempotencyKey: `${value}` })),
    );
    expect(stored.filter(({ isDuplicate }) => isDuplicate)).toHaveLength(20);
    const results = await Promise.all(stored.map(({ id }) => producer.result(id)));
    expect(results).toEqual(values);
  });

  it("stores jobs one by one on connections that change between statements", async () => {
    const errors: unknown[] = [];
    const runs: number[] = [];
    const job = defineJob<number>({ name: "one by one", run: (value) => void runs.push(value) });
    const producers = await Promise.all([1, 2, 3].map(() => open((error) => errors.push(error))));
    const values = Array.from({ length: 60 }, (_, index) => index);
    await Promise.all(values.map((value) => producers[value % 3]?.enqueue(job, value)));
    for (const value of [60, 61, 62]) await producers[value % 3]?.enqueue(job, value);
    await (await open()).work({ jobs: [job], concurrency: 10 });
    await expect.poll(() => runs.toSorted((a, b) => a - b)).toEqual([...values, 60, 61, 62]);
    expect(errors).toEqual([]);
  });
});

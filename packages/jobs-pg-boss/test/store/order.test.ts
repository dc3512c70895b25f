import { envelopeFrom } from "@nidus/jobs-durable/backend";
import { sharedPostgres } from "test-servers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { PgBossBackend } from "../../src/pg-boss-backend.ts";
import { newJob, type OpenedStore, openStore } from "../support/open-backend.ts";
import { versions } from "../support/start-boss.ts";

const postgres = await sharedPostgres();

afterAll(() => postgres?.stop());

describe.skipIf(postgres === undefined).each(versions)("the order of jobs, on pg-boss %i", (version) => {
  let store: OpenedStore;
  let backend: PgBossBackend;
  beforeAll(async () => {
    store = await openStore(version, postgres?.url ?? "");
    backend = store.backend();
  });
  afterAll(() => store.close());

  /** Payloads in the order in which a worker of concurrency 1 gets the jobs. */
  async function fetchAll(name: string): Promise<unknown[]> {
    const consumer = await backend.consumer([name]);
    const payloads: unknown[] = [];
    for (;;) {
      const [job] = await consumer.fetch(1, AbortSignal.abort());
      if (job === undefined) return payloads;
      payloads.push(job.envelope.payload);
      await consumer.settle(job, { type: "succeeded" });
    }
  }

  it.each([false, true])("is that of one batch (with keys: %s)", async (hasIdempotencyKey) => {
    const jobs = Array.from({ length: 60 }, () =>
      newJob(`batch_${hasIdempotencyKey}`, { hasIdempotencyKey }),
    );
    expect(await backend.insert(jobs, {})).toEqual(jobs.map(({ id }) => ({ id, isDuplicate: false })));
    expect(await fetchAll(`batch_${hasIdempotencyKey}`)).toEqual(
      jobs.map(({ envelopeText }) => envelopeFrom(envelopeText).payload),
    );
  });

  it("is that of the calls, even within one transaction of the caller", async () => {
    const name = "calls";
    const jobs = Array.from({ length: 9 }, () => newJob(name));
    const { executeSql } = store.boss.getDb();
    const db = {
      executeSql: (text: string, values?: unknown[]) => executeSql.call(store.boss.getDb(), text, values),
    };
    await backend.insert(jobs.slice(0, 3), {});
    for (const job of jobs.slice(3, 6)) await backend.insert([job], { db });
    await backend.insert(jobs.slice(6), {});
    expect(await fetchAll(name)).toEqual(jobs.map(({ envelopeText }) => envelopeFrom(envelopeText).payload));
  });

  it("leaves a batch of one fetch in order", async () => {
    const jobs = Array.from({ length: 40 }, () => newJob("fetched"));
    await backend.insert(jobs, {});
    const consumer = await backend.consumer(["fetched"]);
    const fetched = await consumer.fetch(40, AbortSignal.abort());
    expect(fetched.map(({ id }) => id)).toEqual(jobs.map(({ id }) => id));
  });
});

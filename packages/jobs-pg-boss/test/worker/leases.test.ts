import { defineJob } from "@nidus/jobs-durable";
import type { JobOutcome } from "@nidus/jobs-durable/backend";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { recordingObserver } from "@nidus/jobs-testkit";
import { sharedPostgres } from "test-servers";
import { afterAll, describe, expect, it } from "vitest";
import { pgBossEngine } from "../../src/index.ts";
import type { PgBossLeasedJob } from "../../src/worker/leased-job.ts";
import { type Link, newJob, type OpenedStore, openStore } from "../support/open-backend.ts";
import { versions } from "../support/start-boss.ts";

const postgres = await sharedPostgres();
const closing: (() => Promise<unknown>)[] = [];

afterAll(async () => {
  for (const close of closing.reverse()) await close();
  await postgres?.stop();
});

async function open(version: (typeof versions)[number]): Promise<OpenedStore> {
  const store = await openStore(version, postgres?.url ?? "");
  closing.push(store.close);
  return store;
}

/** Runs the first statement that fits, and loses its answer. */
function losing(pattern: RegExp): Link {
  let isLost = false;
  return async (text, run) => {
    const answer = await run();
    if (isLost || !pattern.test(text)) return answer;
    isLost = true;
    throw Object.assign(new Error("Connection terminated unexpectedly"), { code: "ECONNRESET" });
  };
}

const fetching = /found AS/;
const renewing = /renewed AS/;
const settling = /SET\s+state = \(CASE/;
const once = AbortSignal.abort();
const succeeded: JobOutcome = { type: "succeeded" };

describe.skipIf(postgres === undefined).each(versions)("leases, on pg-boss %i", (version) => {
  it("fetches the jobs again, once, if the answer to a fetch was lost", async () => {
    const store = await open(version);
    const backend = store.backend();
    const jobs = ["a", "a", "a", "a", "b"].map((name) => newJob(name, { maxAttempts: 1 }));
    for (const job of jobs) await backend.insert([job], {});
    const consumer = await backend.consumer(["a", "b"]);
    store.link = losing(fetching);
    await expect(consumer.fetch(3, once)).rejects.toThrow("Connection terminated");
    const fetched = [...(await consumer.fetch(2, once)), ...(await consumer.fetch(9, once))];
    expect(fetched.map(({ id }) => id).sort()).toEqual(jobs.map(({ id }) => id).sort());
    expect(fetched.map(({ attempt, followsStalled }) => [attempt, followsStalled])).toEqual(
      jobs.map(() => [1, false]),
    );
    expect(await consumer.fetch(9, once)).toEqual([]);
    for (const job of fetched) {
      expect(await consumer.settle(job, succeeded)).toMatchObject({ isRecorded: true });
    }
  });

  it.each<[string, JobOutcome, unknown]>([
    ["succeeded", succeeded, { succeeded: 1 }],
    ["retried", { type: "retried", delayMs: 60_000, error: "no" }, { scheduled: 1 }],
    ["dead-lettered", { type: "dead-lettered", error: "no" }, { deadLettered: 1 }],
    ["cancelled", { type: "cancelled" }, { cancelled: 1 }],
  ])("finds the recorded outcome if its answer was lost: %s", async (_type, outcome, counts) => {
    const store = await open(version);
    const backend = store.backend();
    await backend.insert([newJob("a")], {});
    const consumer = await backend.consumer(["a"]);
    const [job] = (await consumer.fetch(1, once)) as [PgBossLeasedJob];
    store.link = losing(settling);
    await expect(consumer.settle(job, outcome)).rejects.toThrow("Connection terminated");
    expect(await consumer.settle(job, outcome)).toEqual({ isRecorded: true, isCancelled: false });
    expect((await backend.counts()).get("a")).toMatchObject(counts as object);
  });

  it("finds a recorded retry even after the next attempt has begun", async () => {
    const store = await open(version);
    const backend = store.backend();
    await backend.insert([newJob("a")], {});
    const consumer = await backend.consumer(["a"]);
    const [job] = (await consumer.fetch(1, once)) as [PgBossLeasedJob];
    store.link = losing(settling);
    const outcome: JobOutcome = { type: "retried", delayMs: 0, error: "no" };
    await expect(consumer.settle(job, outcome)).rejects.toThrow("Connection terminated");
    const [next] = (await (await backend.consumer(["a"])).fetch(1, once)) as [PgBossLeasedJob];
    expect(next).toMatchObject({ attempt: 2, followsStalled: false });
    expect(await consumer.settle(job, outcome)).toMatchObject({ isRecorded: true });
    expect(await consumer.settle(job, succeeded), "which is another ending").toEqual({
      isRecorded: false,
    });
    expect(await consumer.settle(next, succeeded)).toMatchObject({ isRecorded: true });
  });

  it("reports each job of a worker once, if any answer is lost", async () => {
    for (const pattern of [fetching, settling]) {
      const store = await open(version);
      const observer = recordingObserver();
      const runner = new ObservedJobRunner(observer);
      const { linked: boss, schema } = store;
      const onError = (): void => {};
      const engine = await pgBossEngine({ runner, boss, schema, onError, pollIntervalMs: 50 });
      closing.push(() => engine.close());
      const ran: number[] = [];
      const job = defineJob<number>({
        name: "told",
        maxAttempts: 1,
        run: (payload) => void ran.push(payload),
      });
      await engine.enqueueMany(job, [1, 2, 3]);
      store.link = losing(pattern);
      await engine.work({ jobs: [job] });
      await expect
        .poll(() => observer.outcomesOf("told"), { timeout: 30_000 })
        .toEqual(Array(3).fill("succeeded"));
      expect(ran).toEqual([1, 2, 3]);
    }
  });

  it("records a success after the lease has ended, while no other worker has the job", async () => {
    for (const maxAttempts of [1, 3]) {
      const store = await open(version);
      const backend = store.backend();
      const { id } = newJob("a");
      await backend.insert([newJob("a", { id, maxAttempts })], {});
      const consumer = await backend.consumer(["a"]);
      const [job] = (await consumer.fetch(1, once)) as [PgBossLeasedJob];
      await store.expire(id);
      const retried: JobOutcome = { type: "retried", delayMs: 0, error: "no" };
      expect(await consumer.settle(job, retried)).toEqual({ isRecorded: false });
      expect(await consumer.settle(job, succeeded)).toMatchObject({ isRecorded: true });
      expect((await backend.counts()).get("a")).toMatchObject({ succeeded: 1, waiting: 0, deadLettered: 0 });
    }
  });

  it("fences an ended lease from the next one, even after a redrive", async () => {
    const store = await open(version);
    const backend = store.backend();
    const { id } = newJob("a");
    await backend.insert([newJob("a", { id })], {});
    const late = await backend.consumer(["a"]);
    const [first] = (await late.fetch(1, once)) as [PgBossLeasedJob];
    await store.expire(id);
    const consumer = await backend.consumer(["a"]);
    const [second] = (await consumer.fetch(1, once)) as [PgBossLeasedJob];
    expect(second).toMatchObject({ attempt: 2, followsStalled: true });
    await consumer.settle(second, { type: "dead-lettered", error: "no" });
    expect(await backend.redrive(id)).toBe(true);
    const [third] = (await consumer.fetch(1, once)) as [PgBossLeasedJob];
    expect(third).toMatchObject({ attempt: first.attempt, followsStalled: false });
    expect(await backend.cancel(id)).toBe(true);
    await late.renewLeases([first]);
    expect(await late.cancelRequests([first])).toEqual([]);
    for (const type of ["succeeded", "cancelled", "released"] as const) {
      expect(await late.settle(first, { type })).toEqual({ isRecorded: false });
    }
    await consumer.renewLeases([third]);
    expect(await consumer.cancelRequests([third])).toEqual([id]);
    expect(await consumer.settle(third, succeeded)).toMatchObject({ isRecorded: true });
  });

  it("reports a stalled attempt once", async () => {
    const store = await open(version);
    const backend = store.backend();
    const { id } = newJob("a");
    await backend.insert([newJob("a", { id })], {});
    const consumer = await backend.consumer(["a"]);
    await consumer.fetch(1, once);
    await store.expire(id);
    const [second] = (await consumer.fetch(1, once)) as [PgBossLeasedJob];
    expect(second).toMatchObject({ attempt: 2, followsStalled: true });
    await consumer.settle(second, { type: "released" });
    const [again] = (await consumer.fetch(1, once)) as [PgBossLeasedJob];
    expect(again).toMatchObject({ attempt: 2, followsStalled: false });
  });

  it.each([
    ["is longer", 1, 60, 1],
    ["is shorter", 60, 1, 0],
  ])(
    "last as long as the worker says: its lease %s than the producer's",
    async (_what, producer, worker, held) => {
      const store = await open(version);
      await store.backend(producer).insert([newJob("a")], {});
      const backend = store.backend(worker);
      const consumer = await backend.consumer(["a"]);
      await consumer.fetch(1, once);
      await store.lookForExpired(backend.queueOf("a"), 20);
      expect((await backend.counts()).get("a")).toMatchObject({ running: held, waiting: 1 - held });
    },
  );

  it("are renewed for as long as the worker says", async () => {
    const store = await open(version);
    const [short, long] = [store.backend(1), store.backend(60)];
    await short.insert([newJob("a")], {});
    const jobs = await (await short.consumer(["a"])).fetch(1, once);
    await (await long.consumer(["a"])).renewLeases(jobs);
    await store.lookForExpired(long.queueOf("a"), 20);
    expect((await long.counts()).get("a")).toMatchObject({ running: 1, waiting: 0 });
  });

  it("counts the wait for the next attempt by the clock of the store", async () => {
    const store = await open(version);
    const backend = store.backend();
    await backend.insert([newJob("a")], {});
    const consumer = await backend.consumer(["a"]);
    const [job] = (await consumer.fetch(1, once)) as [PgBossLeasedJob];
    await consumer.settle(job, { type: "retried", delayMs: 3_600_000, error: "no" });
    const text = `SELECT round(extract(epoch FROM start_after - now()) / 600)::int AS wait FROM ${store.schema}.job`;
    expect(await store.query(text)).toEqual([{ wait: 6 }]);
    const [other] = await store.query(
      `SELECT count(*)::int AS count FROM ${store.schema}.job WHERE completed_on IS NULL`,
    );
    expect(other).toEqual({ count: 1 });
  });

  it("renews leases by ctid, even in a table that PostgreSQL has not analysed", async () => {
    const store = await open(version);
    const backend = store.backend();
    await backend.insert(
      Array.from({ length: 300 }, () => newJob("a", {})),
      {},
    );
    const consumer = await backend.consumer(["a"]);
    const jobs = await consumer.fetch(100, once);
    let plan = "";
    store.link = async (text, run) => {
      if (!renewing.test(text)) return run();
      const values = [["a"], jobs.map(({ id }) => id), jobs.map(({ lease }) => lease)];
      plan = JSON.stringify(await store.query(`EXPLAIN ${text}`, values));
      return run();
    };
    await store.query(
      `UPDATE ${store.schema}.job SET started_on = now() - interval '1 hour' WHERE state = 'active'`,
    );
    await consumer.renewLeases(jobs);
    expect(plan).toContain("Tid Scan");
    const text = `SELECT count(*)::int AS count FROM ${store.schema}.job WHERE started_on > now() - interval '1 minute'`;
    expect(await store.query(text)).toEqual([{ count: 100 }]);
  });

  it("renews, settles and loses leases at the same time without a deadlock", async () => {
    const store = await open(version);
    const backend = store.backend();
    for (let round = 0; round < 5; round++) {
      const made = Array.from({ length: 200 }, () => newJob("a", { maxAttempts: 1_000 }));
      await backend.insert(made, {});
      const consumer = await backend.consumer(["a"]);
      const jobs = await consumer.fetch(200, once);
      const renewals = (async () => {
        for (let n = 0; n < 10; n++) await consumer.renewLeases(jobs.toReversed());
      })();
      const looks = (async () => {
        for (let n = 0; n < 10; n++)
          await Promise.all(made.slice(n, n + 5).map(({ id }) => store.expire(id)));
      })();
      const settled = await Promise.all(jobs.map((job) => consumer.settle(job, succeeded)));
      await Promise.all([renewals, looks]);
      expect(settled.every(({ isRecorded }) => isRecorded)).toBe(true);
    }
  });
});

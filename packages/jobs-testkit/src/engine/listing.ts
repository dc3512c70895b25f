import assert from "node:assert/strict";
import {
  defineJob,
  type JobEngine,
  type JobsQuery,
  type StoredJob,
  UnsupportedError,
} from "@nidus/jobs-durable";
import { eventually } from "../contract/eventually.ts";
import type { Behaviour } from "../contract/test-plan.ts";
import { countsOf, type Kit } from "./kit.ts";

export const listing: Behaviour<Kit> = (declare) => {
  declare("lists every job of a name while a worker runs them, or says that it cannot", async (kit) => {
    const { engine } = await kit.open();
    const job = defineJob<number>({ name: kit.name("listing"), run() {} });
    if (!engine.capabilities.listing) {
      await assert.rejects(engine.jobs(), (error) => UnsupportedError.isInstance(error));
      return;
    }
    const count = 60;
    const enqueued = await engine.enqueueMany(
      job,
      Array.from({ length: count }, (_, index) => index),
    );
    const ids = enqueued.map(({ id }) => id);
    assert.deepEqual(
      (await allJobs(engine, { jobName: job.name, limit: 7 })).map(({ id }) => id),
      ids.toReversed(),
    );
    await engine.work({ jobs: [job], concurrency: 3 });
    while ((await countsOf(engine, job.name)).succeeded < count) {
      const listed = await allJobs(engine, { jobName: job.name, limit: 7 });
      const seen = new Set(listed.map(({ id }) => id));
      assert.equal(ids.filter((id) => !seen.has(id)).length, 0, "each job is listed, whatever state it has");
      const pairs = listed.map(({ id, state }) => `${id} ${state}`);
      assert.equal(new Set(pairs).size, pairs.length, "no job is listed twice in one state");
    }
    await eventually(async () => {
      const listed = await allJobs(engine, { jobName: job.name, state: "succeeded", limit: 7 });
      assert.deepEqual(listed.map(({ id }) => id).toSorted(), ids.toSorted());
    });
    assert.deepEqual(await allJobs(engine, { jobName: job.name, state: "waiting" }), []);
  });

  declare("lists payloads only if asked for", async (kit) => {
    const { engine } = await kit.open();
    if (!engine.capabilities.listing) return;
    const job = defineJob<{ to: string }>({ name: kit.name("payloads"), run() {} });
    await engine.enqueue(job, { to: "ada" }, { correlationId: "order-1" });
    const [without] = (await engine.jobs({ jobName: job.name })).jobs;
    assert.deepEqual([without?.payload, without?.correlationId], [undefined, "order-1"]);
    const [whole] = (await engine.jobs({ jobName: job.name, withPayload: true })).jobs;
    assert.deepEqual(whole?.payload, { to: "ada" });
  });

  declare("refuses cursors of other lists, and queries that are not as documented", async (kit) => {
    const { engine } = await kit.open();
    if (!engine.capabilities.listing) return;
    const job = defineJob<number>({ name: kit.name("cursors"), run() {} });
    await engine.enqueueMany(job, [1, 2, 3]);
    const query = { jobName: job.name, limit: 1 };
    const { cursor } = await engine.jobs(query);
    assert.ok(cursor, "there is a second page");
    for (const wrong of ["x", `${cursor}x`, cursor.slice(0, -2), "x".repeat(100_000), "\u0000", 7, null]) {
      await assert.rejects(
        engine.jobs({ ...query, cursor: wrong as never }),
        TypeError,
        `the cursor ${wrong}`,
      );
    }
    await assert.rejects(engine.jobs({ ...query, cursor: "" }), TypeError);
    await assert.rejects(engine.jobs({ ...query, jobName: kit.name("other"), cursor }), TypeError);
    await assert.rejects(engine.jobs({ limit: 1, cursor }), TypeError);
    await assert.rejects(engine.jobs({ ...query, state: "waiting", cursor }), TypeError);
    for (const limit of [0, 1.5, 1_001]) await assert.rejects(engine.jobs({ limit }), RangeError);
    await assert.rejects(engine.jobs({ limit: "7" as never }), TypeError);
    await assert.rejects(engine.jobs({ state: "active" as never }), TypeError);
    await assert.rejects(engine.jobs({ jobName: "" }), TypeError);
    await assert.rejects(engine.jobs({ withPayload: 1 as never }), TypeError);
    await assert.rejects(engine.jobs({ states: ["waiting"] } as never), TypeError);
  });
};

async function allJobs(engine: JobEngine, query: JobsQuery): Promise<StoredJob[]> {
  const found: StoredJob[] = [];
  let cursor: string | undefined;
  do {
    const page = await engine.jobs({ ...query, cursor });
    found.push(...page.jobs);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return found;
}

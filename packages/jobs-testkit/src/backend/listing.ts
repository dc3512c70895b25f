import assert from "node:assert/strict";
import type { StoredJob, StoredJobState } from "@nidus/jobs-durable";
import type { JobBackend, StoredJobsQuery } from "@nidus/jobs-durable/backend";
import type { Behaviour } from "../contract/test-plan.ts";
import type { BackendKit } from "./backend-kit.ts";

/** A busy machine takes its time, and the jobs that run are to run all the time. */
const longLeaseMs = 600_000;

export const listing: Behaviour<BackendKit> = (declare) => {
  declare("brings the jobs of a name newest first, each on one page", async (kit) => {
    const backend = await kit.open();
    if (!backend.capabilities.listing) return;
    const name = kit.name("listed");
    const batches = [kit.jobs(name, 10), kit.jobs(name, 1), kit.jobs(name, 12)];
    for (const batch of batches) await backend.insert(batch, {});
    await backend.insert(kit.jobs(kit.name("other"), 3), {});
    const ids = batches.flat().map(({ id }) => id);
    const pages = await pagesOf(backend, { jobName: name, limit: 5 });
    assert.deepEqual(
      pages.map(({ length }) => length),
      [5, 5, 5, 5, 3],
    );
    assert.deepEqual(
      pages.flat().map(({ id }) => id),
      ids.toReversed(),
    );
    assert.deepEqual(
      (await pagesOf(backend, { jobName: name, limit: 23 })).map(({ length }) => length),
      [23],
      "there is no empty page at the end",
    );
    assert.deepEqual(await pagesOf(backend, { jobName: kit.name("none") }), [[]]);
  });

  declare("brings the jobs in one state, and in all of them", async (kit) => {
    const backend = await kit.open(longLeaseMs);
    if (!backend.capabilities.listing) return;
    const name = kit.name("states");
    const jobs = kit.jobs(name, 10);
    await backend.insert(jobs, {});
    const consumer = await kit.consumer(backend, name);
    const leased = await consumer.take(8);
    const settle = async (index: number, type: "succeeded" | "cancelled"): Promise<unknown> =>
      consumer.settle(leased[index] as (typeof leased)[number], { type });
    for (const index of [0, 1]) await settle(index, "succeeded");
    for (const index of [2, 3]) {
      const job = leased[index] as (typeof leased)[number];
      await consumer.settle(job, { type: "dead-lettered", error: "no" });
    }
    await settle(4, "cancelled");
    const runAt = new Date(Date.now() + 3_600_000);
    const [later, laterStill, cancelled] = kit.jobs(name, 3).map((job) => ({ ...job, runAt }));
    assert.ok(later && laterStill && cancelled);
    for (const job of [later, laterStill, cancelled]) await backend.insert([job], {});
    await backend.cancel(cancelled.id);
    const leasedIds = leased.map(({ id }) => id);
    const waiting = jobs.map(({ id }) => id).filter((id) => !leasedIds.includes(id));
    const expected: Readonly<Record<StoredJobState, readonly (string | undefined)[]>> = {
      scheduled: [later.id, laterStill.id],
      waiting,
      running: leasedIds.slice(5),
      succeeded: leasedIds.slice(0, 2),
      "dead-lettered": leasedIds.slice(2, 4),
      cancelled: [leasedIds[4], cancelled.id],
    };
    for (const [state, ids] of Object.entries(expected) as [StoredJobState, string[]][]) {
      for (const limit of [2, 100]) {
        const listed = (await pagesOf(backend, { jobName: name, state, limit })).flat();
        assert.deepEqual(listed.map(({ id }) => id).toSorted(), ids.toSorted(), `jobs that are ${state}`);
        assert.deepEqual(new Set(listed.map((job) => job.state)), new Set([state]));
        assert.ok(listed.every(({ jobName, payload }) => jobName === name && payload === undefined));
      }
    }
    const all = Object.values(expected).flat().toSorted();
    for (const limit of [4, 100]) {
      const listed = (await pagesOf(backend, { jobName: name, limit })).flat();
      assert.deepEqual(listed.map(({ id }) => id).toSorted(), all);
      for (const { id, state } of listed) assert.ok(expected[state].includes(id), `${id} is ${state}`);
    }
  });

  declare("brings the jobs of all names, those of one name together", async (kit) => {
    const backend = await kit.open();
    if (!backend.capabilities.listing) return;
    const names = ["a", "b", "c"].map((of) => kit.name(of));
    const expected: string[] = [];
    for (const name of names) {
      const jobs = kit.jobs(name, 4);
      await backend.insert(jobs, {});
      expected.push(...jobs.map(({ id }) => id));
    }
    for (const state of [undefined, "waiting"] as const) {
      const listed = (await pagesOf(backend, { state, limit: 1_000 })).flat();
      const own = listed.filter(({ jobName }) => names.includes(jobName));
      assert.deepEqual(own.map(({ id }) => id).toSorted(), expected.toSorted());
      assert.deepEqual(
        own.map(({ jobName }) => jobName),
        names.flatMap((name) => [name, name, name, name]),
      );
    }
  });

  declare(
    "misses no job that keeps its state while others move, and repeats none in its state",
    async (kit) => {
      const backend = await kit.open(longLeaseMs);
      if (!backend.capabilities.listing) return;
      for (const state of [undefined, "waiting"] as const) {
        const name = kit.name("moving");
        const jobs = kit.jobs(name, 40);
        await backend.insert(jobs, {});
        const consumer = await kit.consumer(backend, name);
        const seen: StoredJob[] = [];
        let position: readonly string[] | undefined;
        do {
          const page = await pageOf(backend, { jobName: name, state, limit: 6, position });
          seen.push(...page.jobs);
          position = page.position;
          const [first, second, third] = await consumer.take(3);
          assert.ok(first && second && third);
          await consumer.settle(first, { type: "succeeded" });
          await consumer.settle(second, { type: "dead-lettered", error: "no" });
          await backend.insert(kit.jobs(name, 2), {});
        } while (position !== undefined);
        const still = await pagesOf(backend, { jobName: name, state: "waiting", limit: 1_000 });
        const ids = seen.map(({ id }) => id);
        const waited = still.flat().filter(({ id }) => jobs.some((job) => job.id === id));
        for (const { id } of waited) {
          assert.equal(ids.filter((each) => each === id).length, 1, "a job that waited all the time");
        }
        const pairs = seen.map((job) => `${job.id} ${job.state}`);
        assert.equal(new Set(pairs).size, pairs.length, "no job is listed twice in one state");
        await consumer.close();
      }
    },
  );

  declare("reads payloads only if asked for, and refuses positions of others", async (kit) => {
    const backend = await kit.open();
    if (!backend.capabilities.listing) return;
    const name = kit.name("payloads");
    await backend.insert(kit.jobs(name, 2), {});
    const { jobs, position } = await pageOf(backend, { jobName: name, limit: 1, withPayload: true });
    assert.deepEqual(jobs[0]?.payload, 1);
    assert.ok(position, "there is a second page");
    assert.ok(
      position.length <= 10 && position.every((text) => typeof text === "string" && text.length <= 512),
    );
    const wrong = [[], ["x"], ["-1"], ["1e999"], ["", "", ""], Array(10).fill("9".repeat(512))];
    for (const each of wrong) {
      await assert.rejects(
        pageOf(backend, { jobName: name, limit: 1, position: each }),
        TypeError,
        String(each),
      );
    }
  });
};

type Query = Partial<StoredJobsQuery>;

async function pageOf(backend: JobBackend, query: Query): ReturnType<NonNullable<JobBackend["jobs"]>> {
  assert.ok(backend.jobs, "`jobs` is there");
  const limit = query.limit ?? 100;
  const page = await backend.jobs({
    jobName: undefined,
    state: undefined,
    position: undefined,
    withPayload: false,
    ...query,
    limit,
  });
  assert.ok(page.jobs.length <= limit, `a page of ${limit} has ${page.jobs.length} jobs`);
  return page;
}

async function pagesOf(backend: JobBackend, query: Query): Promise<(readonly StoredJob[])[]> {
  const pages: (readonly StoredJob[])[] = [];
  let position: readonly string[] | undefined;
  do {
    const page = await pageOf(backend, { ...query, position });
    pages.push(page.jobs);
    position = page.position;
  } while (position !== undefined);
  return pages;
}

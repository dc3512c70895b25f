import type { StoredJobState } from "@nidus/jobs-durable";
import { sharedPostgres } from "test-servers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { PgBossBackend } from "../../src/pg-boss-backend.ts";
import { newJob, type OpenedStore, openStore } from "../support/open-backend.ts";
import { versions } from "../support/start-boss.ts";

const postgres = await sharedPostgres();

afterAll(() => postgres?.stop());

describe.skipIf(postgres === undefined).each(versions)("the list of jobs, on pg-boss %i", (version) => {
  let store: OpenedStore;
  let backend: PgBossBackend;
  beforeAll(async () => {
    store = await openStore(version, postgres?.url ?? "");
    backend = store.backend();
  });
  afterAll(() => store.close());

  async function idsOf(jobName: string | undefined, limit = 3, state?: StoredJobState): Promise<string[]> {
    const ids: string[] = [];
    let position: readonly string[] | undefined;
    do {
      const page = await backend.jobs({ jobName, state, limit, position, withPayload: false });
      ids.push(...page.jobs.map(({ id }) => id));
      position = page.position;
    } while (position !== undefined);
    return ids;
  }

  it("is empty in a store that has no job names yet, of all names and in any state", async () => {
    const fresh = await openStore(version, postgres?.url ?? "");
    try {
      for (const state of [undefined, "waiting", "dead-lettered"] as const) {
        const query = { jobName: undefined, state, limit: 3, position: undefined, withPayload: false };
        expect(await fresh.backend().jobs(query)).toEqual({ jobs: [], position: undefined });
      }
    } finally {
      await fresh.close();
    }
  });

  it("is newest first whatever states the jobs have, also of one microsecond", async () => {
    const jobs = Array.from({ length: 12 }, () => newJob("mixed"));
    await backend.insert(jobs, {});
    const consumer = await backend.consumer(["mixed"]);
    const [first, second, third, fourth] = await consumer.fetch(4, AbortSignal.abort());
    if (!first || !second || !third || !fourth) throw new Error("no jobs");
    await consumer.settle(first, { type: "succeeded" });
    await consumer.settle(second, { type: "dead-lettered", error: "no" });
    await consumer.settle(third, { type: "retried", delayMs: 60_000, error: "once" });
    const ids = jobs.map(({ id }) => id);
    expect(await idsOf("mixed")).toEqual(ids.toReversed());
    await store.query(
      `UPDATE ${store.schema}.job SET created_on = '2026-01-02 03:04:05.678901+00' WHERE name = 'mixed'`,
    );
    expect(await idsOf("mixed")).toEqual(ids.toSorted().toReversed());
  });

  it("is by name and id over all names", async () => {
    const jobs = ["b", "a", "a:c", "B"].flatMap((name) => [newJob(name), newJob(name), newJob(name)]);
    for (const job of jobs) await backend.insert([job], {});
    const own = new Set(jobs.map(({ id }) => id));
    const byNameAndId = ["B", "a", "a:c", "b"].flatMap((name) =>
      jobs
        .filter((job) => job.name === name)
        .map(({ id }) => id)
        .toSorted(),
    );
    for (const limit of [1, 2, 100]) {
      expect((await idsOf(undefined, limit)).filter((id) => own.has(id))).toEqual(byNameAndId);
    }
  });

  it("finds the few jobs of a state among many names, with few statements", async () => {
    const many = await openStore(version, postgres?.url ?? "");
    const own = many.backend();
    const jobs = Array.from({ length: 40 }, (_, index) => newJob(`name_${String(index).padStart(2, "0")}`));
    for (const job of jobs) await own.insert([job], {});
    const scheduled = [3, 30, 39].map((index) => jobs[index] as (typeof jobs)[number]);
    for (const { id } of scheduled) await own.reschedule(id, new Date(Date.now() + 3_600_000));
    const list = (state: StoredJobState): ReturnType<PgBossBackend["jobs"]> =>
      own.jobs({ jobName: undefined, state, limit: 100, position: undefined, withPayload: false });
    await list("running");
    let statements = 0;
    many.link = (text, run) => {
      // pg-boss 12 runs statements of its own now and then.
      if (text.includes("COLLATE")) statements++;
      return run();
    };
    expect((await list("running")).jobs).toEqual([]);
    expect(statements).toBe(3);
    expect((await list("scheduled")).jobs.map(({ id }) => id)).toEqual(scheduled.map(({ id }) => id));
    expect(statements).toBe(7);
    expect((await list("waiting")).jobs).toHaveLength(37);
    await many.close();
  });

  it("is by name and time of enqueue over all names in one state", async () => {
    const jobs = ["q", "p", "P"].flatMap((name) => [newJob(name), newJob(name), newJob(name)]);
    for (const job of jobs) await backend.insert([job], {});
    const consumer = await backend.consumer(["q"]);
    const [running] = await consumer.fetch(1, AbortSignal.abort());
    const own = new Set(jobs.map(({ id }) => id));
    const expected = ["P", "p", "q"].flatMap((name) =>
      jobs.filter((job) => job.name === name && job.id !== running?.id).map(({ id }) => id),
    );
    for (const limit of [1, 2, 100]) {
      expect((await idsOf(undefined, limit, "waiting")).filter((id) => own.has(id))).toEqual(expected);
    }
  });

  it("goes through as many names as there are, page by page", async () => {
    const names = Array.from({ length: 45 }, (_, index) => `many_${String(index).padStart(2, "0")}`);
    const jobs = names.map((name) => newJob(name));
    for (const job of jobs) await backend.insert([job], {});
    const ids = jobs.map(({ id }) => id);
    const own = new Set(ids);
    for (const state of [undefined, "waiting"] as const) {
      for (const limit of [1, 7, 100]) {
        expect((await idsOf(undefined, limit, state)).filter((id) => own.has(id))).toEqual(ids);
      }
    }
    expect(await idsOf(undefined, 10, "cancelled")).toEqual([]);
  });

  it("has jobs whose `created_on` is no date, each once, and none of other programs' queues", async () => {
    await backend.insert([newJob("foreign")], {});
    const insert = `INSERT INTO ${store.schema}.job (name, created_on)`;
    // The end of the first page and the start of the next are among jobs with equal dates.
    for (const value of [
      "infinity",
      "-infinity",
      "0044-03-15 BC",
      "0044-03-15",
      "1969-12-31",
      "290000-01-01",
    ]) {
      for (const time of ["", "00:00:00.000001", "00:00:00.000002", "00:00:00.000002"]) {
        const isEndless = value.includes("infinity");
        const [date, era = ""] = value.split(" ");
        await store.query(`${insert} VALUES ('foreign', '${isEndless ? value : `${date} ${time} ${era}`}')`);
      }
    }
    await store.boss.createQueue("theirs");
    await store.query(`${insert} VALUES ('theirs', now())`);
    const rows = await store.query(
      `SELECT id FROM ${store.schema}.job WHERE name = 'foreign' ORDER BY created_on DESC, id DESC`,
    );
    const newestFirst = rows.map(({ id }) => id as string);
    expect(newestFirst).toHaveLength(25);
    const own = new Set(newestFirst);
    for (const limit of [1, 2, 100]) {
      expect(await idsOf("foreign", limit)).toEqual(newestFirst);
      expect(await idsOf("foreign", limit, "waiting")).toEqual(newestFirst);
      const ofAll = (await idsOf(undefined, limit, "waiting")).filter((id) => own.has(id));
      expect(ofAll).toEqual(newestFirst.toReversed());
    }
    const all = await backend.jobs({
      ...{ jobName: undefined, state: undefined, limit: 1_000, position: undefined, withPayload: true },
    });
    expect(all.jobs.map(({ jobName }) => jobName)).not.toContain("theirs");
  });

  it("refuses positions that no page has given", async () => {
    const id = "00000000-0000-0000-0000-000000000000";
    for (const createdUs of ["", "x", "-1", "1e3", "now", "99999999999999999", "2026-01-01"]) {
      for (const [jobName, position] of [
        ["foreign", [createdUs, id]],
        [undefined, ["foreign", createdUs, id]],
      ] as const) {
        const query = { jobName, state: "waiting", limit: 1, position, withPayload: false } as const;
        await expect(backend.jobs(query), createdUs).rejects.toThrow(TypeError);
      }
    }
  });

  it("has an index, which new queues get too, and which is created once", async () => {
    await Promise.all([store.backend(), store.backend()].map((each) => each.jobs(firstPage)));
    await backend.insert([newJob("after_the_index")], {});
    const [row] = await store.query(
      `SELECT indexdef FROM pg_indexes WHERE schemaname = '${store.schema}' AND indexname = 'nidus_listing'`,
    );
    expect(row?.indexdef).toContain("(name, state, created_on, id)");
    expect(await idsOf("after_the_index")).toHaveLength(1);
  });
});

const firstPage = {
  ...{ jobName: undefined, state: undefined, limit: 1, position: undefined, withPayload: false },
};

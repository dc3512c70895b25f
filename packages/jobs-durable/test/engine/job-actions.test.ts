import { describe, expect, it, vi } from "vitest";
import type { StoredJob } from "../../src/backend/stored-job.ts";
import type { StoredJobsPage, StoredJobsQuery } from "../../src/backend/stored-jobs-query.ts";
import { JobActions } from "../../src/engine/job-actions.ts";

const total = 3_500;

/** Actions on a store with so many dead letters, of which each hundredth has a rare error. */
function actions(count = total) {
  const letters = Array.from({ length: count }, (_, index) => {
    const message = index % 100 === 99 ? "a rare error" : "a common error";
    return { id: String(index), jobName: "mail", errors: [{ attempt: 1, message, at: new Date(0) }] };
  });
  const jobs = vi.fn(async ({ limit, position }: StoredJobsQuery): Promise<StoredJobsPage> => {
    const start = Number(position?.[0] ?? 0);
    const end = start + limit;
    const page = letters.slice(start, end) as unknown as StoredJob[];
    return { jobs: page, position: end < count ? [String(end)] : undefined };
  });
  const redriveAll = vi.fn(async (_name: string, ids: readonly string[]) => ids);
  const backend = { name: "a store", capabilities: { listing: true } };
  return {
    actions: new JobActions(backend as never, { jobs, redriveAll } as never, () => {}),
    jobs,
    redriveAll,
  };
}

describe("redriveAll", () => {
  it("lists no more jobs than it is to act on", async () => {
    const { actions: all, jobs, redriveAll } = actions();
    expect(await all.redriveAll({ limit: 250 })).toBe(250);
    expect(jobs.mock.calls.map(([{ limit }]) => limit)).toEqual([200, 50]);
    expect(redriveAll.mock.calls.map(([, ids]) => ids.length)).toEqual([200, 50]);
  });

  it("looks for an error among 1,000 jobs at a time, however few it is to act on", async () => {
    const { actions: all, jobs, redriveAll } = actions();
    expect(await all.redriveAll({ error: "rare", limit: 12 })).toBe(12);
    expect(jobs.mock.calls.map(([{ limit }]) => limit)).toEqual([1_000, 1_000]);
    expect(redriveAll.mock.calls.map(([, ids]) => ids.length)).toEqual([10, 2]);
  });

  it("acts on at most 200 jobs with an error at a time", async () => {
    const { actions: all, jobs, redriveAll } = actions();
    expect(await all.redriveAll({ error: "common" })).toBe(total - 35);
    expect(jobs).toHaveBeenCalledTimes(4);
    const counts = redriveAll.mock.calls.map(([, ids]) => ids.length);
    expect(Math.max(...counts)).toBe(200);
    expect(await actions().actions.redriveAll({ error: "unheard" })).toBe(0);
  });
});

describe("redriveAll beside another caller", () => {
  it("goes on with the jobs that the other one has left", async () => {
    const { actions: all, redriveAll } = actions(20);
    // The other one has the first ten.
    redriveAll.mockImplementation(async (_name, ids) => ids.filter((id) => Number(id) >= 10));
    expect(await all.redriveAll({ error: "common", limit: 10 })).toBe(10);
    expect(await all.redriveAll({ limit: 10 })).toBe(10);
  });
});

import { expect, test } from "vitest";
import type { StoredJobsView, StoredJobView } from "../../src/wire-stored.ts";
import { fedPage, viewOf } from "../support/page-client.ts";

test("a stored error without a message has no text", async () => {
  const { page } = fedPage();
  const job = { id: "1", jobName: "a", state: "dead-lettered", attempt: 1, errors: [{ attempt: 1 }] };
  const counts = { scheduled: 0, waiting: 0, running: 0, succeeded: 0, deadLettered: 1, cancelled: 0 };
  page.watch({
    name: "other",
    stats: async () => ({ ...counts, oldestWaitingAt: undefined, byName: {} }),
    deadLetters: async () => [],
    cancel: async () => false,
    redrive: async () => false,
    job: async () => job,
    jobs: async () => ({ jobs: [job], cursor: undefined }),
  });
  expect((await viewOf<StoredJobsView>(page, "jobs?engine=other")).jobs).toMatchObject([{ lastError: null }]);
  const stored = await viewOf<StoredJobView>(page, "stored?engine=other&id=1");
  expect(stored.job?.errors).toEqual([{ attempt: 1, message: "", at: null }]);
});

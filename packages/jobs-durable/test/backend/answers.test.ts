import { describe, expect, it } from "vitest";
import { BackendAnswers } from "../../src/backend/answers.ts";
import { zeroCounts } from "../../src/backend.ts";
import type { StoredJob } from "../../src/index.ts";

const answers = new BackendAnswers("graphile-worker");
const letter = {
  id: "a",
  jobName: "send_mail",
  payload: 1,
  attempts: 1,
  error: "no",
  failedAt: new Date(0),
};

const backlog = {
  jobName: "a",
  waiting: 1,
  oldestWaitingAt: undefined,
  deadLettered: 0,
  oldestDeadLetterAt: undefined,
};

const stored: StoredJob = {
  id: "a",
  jobName: "send_mail",
  state: "waiting",
  attempt: 0,
  maxAttempts: 5,
  enqueuedAt: new Date(0),
  runAt: new Date(0),
  priority: 0,
  attributes: {},
  errors: [],
};

function messageOf(check: () => unknown): string {
  try {
    check();
  } catch (error) {
    expect(error).toBeInstanceOf(TypeError);
    return String((error as Error).message);
  }
  throw new Error("nothing was thrown");
}

describe("an answer that the port allows", () => {
  it("is returned as it is", () => {
    const enqueued = [{ id: "a", isDuplicate: false }];
    expect(answers.insert(enqueued, 1)).toBe(enqueued);
    expect(answers.yesOrNo("cancel", false)).toBe(false);
    expect(answers.ids("cancelAll", ["a"])).toEqual(["a"]);
    expect(answers.deadLetters([letter])).toEqual([letter]);
    expect(answers.job(stored)).toBe(stored);
    expect(answers.job(undefined)).toBeUndefined();
    const page = { jobs: [stored], position: undefined };
    expect(answers.jobs(page)).toBe(page);
    const counts = new Map([["send_mail", zeroCounts]]);
    expect(answers.counts(counts)).toBe(counts);
    expect(answers.backlog([{ ...backlog, oldestWaitingAt: new Date(0) }])).toHaveLength(1);
  });

  it("may hold an invalid Date: other programs write to stores, too", () => {
    expect(answers.deadLetters([{ ...letter, failedAt: new Date(Number.NaN) }])).toHaveLength(1);
  });
});

describe("an answer that the port does not allow", () => {
  it.each<[string, () => unknown]>([
    [
      "`insert` of graphile-worker returned undefined, expected an array of 2 objects such as { id, isDuplicate: false }, one for each job",
      () => answers.insert(undefined as never, 2),
    ],
    [
      "`insert` of graphile-worker returned an array of 1, expected an array of 2 objects such as { id, isDuplicate: false }, one for each job",
      () => answers.insert([{ id: "a", isDuplicate: true }], 2),
    ],
    [
      "`insert` of graphile-worker returned true, expected an array of 1 objects such as { id, isDuplicate: false }, one for each job",
      () => answers.insert([true as never], 1),
    ],
    [
      "`insert` of graphile-worker returned an answer whose `id` is undefined, expected a string",
      () => answers.insert([{ isDuplicate: false } as never], 1),
    ],
    [
      "`cancel` of graphile-worker returned 1, expected a boolean",
      () => answers.yesOrNo("cancel", 1 as never),
    ],
    [
      "`counts` of graphile-worker returned an object, expected a Map of counts by job name",
      () => answers.counts({ send_mail: zeroCounts } as never),
    ],
    [
      "`counts` of graphile-worker returned counts whose `waiting` is the number 12 as a string, expected a number",
      () => answers.counts(new Map([["a", { ...zeroCounts, waiting: "12" as never }]])),
    ],
    [
      "`backlog` of graphile-worker returned a backlog whose `waiting` is the bigint 12, expected a number",
      () => answers.backlog([{ ...backlog, waiting: 12n as never }]),
    ],
    [
      "`deadLetters` of graphile-worker returned a dead letter whose `failedAt` is the date 2026-01-02T03:04:05.000Z as a string, expected a Date",
      () => answers.deadLetters([{ ...letter, failedAt: "2026-01-02T03:04:05.000Z" as never }]),
    ],
    [
      "`deadLetters` of graphile-worker returned a dead letter whose `jobName` is undefined, expected a string",
      () => answers.deadLetters([{ ...letter, jobName: undefined as never }]),
    ],
    [
      "`job` of graphile-worker returned a job whose `state` is a string, expected one of scheduled, waiting, running, succeeded, dead-lettered, cancelled",
      () => answers.job({ ...stored, state: "active" as never }),
    ],
    [
      "`job` of graphile-worker returned a job whose `runAt` is 5, expected a Date",
      () => answers.job({ ...stored, runAt: 5 as never }),
    ],
    [
      "`jobs` of graphile-worker returned a page whose `position` is a string, expected an array or undefined",
      () => answers.jobs({ jobs: [], position: "seven" as never }),
    ],
    [
      "`jobs` of graphile-worker returned a job whose `id` is 7, expected a string",
      () => answers.jobs({ jobs: [{ ...stored, id: 7 as never }], position: undefined }),
    ],
    ["`job` of graphile-worker returned null, expected a job or undefined", () => answers.job(null as never)],
  ])("is refused: %s", (message, check) => {
    expect(messageOf(check)).toBe(message);
  });
});

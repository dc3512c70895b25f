import { describe, expect, it } from "vitest";
import { BackendAnswers } from "../../src/backend/answers.ts";
import { type LeasedJob, zeroCounts } from "../../src/backend.ts";
import type { StoredJob } from "../../src/index.ts";
import { fetched } from "../support/scripted-backend.ts";

const told: unknown[] = [];
const answers = new BackendAnswers("graphile-worker", (error) => told.push(error));
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

/** Fetches a job with these fields. Returns what `onError` heard, and whether the job runs. */
function fetchedWith(changes: object): [messages: string[], runs: boolean] {
  told.length = 0;
  const jobs = answers.fetch([{ ...fetched("a"), ...changes } as LeasedJob]);
  return [told.map((error) => String((error as Error).message)), jobs.length === 1];
}

describe("an answer that the port allows", () => {
  it("is returned as it is", () => {
    const jobs = [fetched("a")];
    expect(answers.fetch(jobs)).toEqual(jobs);
    const settled = { isRecorded: true, isCancelled: undefined, next: fetched("b") };
    expect(answers.settle("settleAndFetch", settled)).toBe(settled);
    const enqueued = [{ id: "a", isDuplicate: false }];
    expect(answers.insert(enqueued, 1)).toBe(enqueued);
    expect(answers.yesOrNo("cancel", false)).toBe(false);
    expect(answers.renewLeases(undefined)).toEqual([]);
    expect(answers.cancelRequests(["a"])).toEqual(["a"]);
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
    expect(fetchedWith({ runAt: new Date(Number.NaN) })).toEqual([[], true]);
    expect(answers.deadLetters([{ ...letter, failedAt: new Date(Number.NaN) }])).toHaveLength(1);
  });
});

describe("an answer that the port does not allow", () => {
  it.each<[string, () => unknown]>([
    [
      "`settle` of graphile-worker returned undefined, expected an object such as { isRecorded: true }",
      () => answers.settle("settle", undefined as never),
    ],
    [
      "`settle` of graphile-worker returned an object whose `isRecorded` is the number 1 as a string, expected a boolean",
      () => answers.settle("settle", { isRecorded: "1" } as never),
    ],
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
      "`fetch` of graphile-worker returned null, expected an array of jobs",
      () => answers.fetch(null as never),
    ],
    [
      "`cancelRequests` of graphile-worker returned an array with 7, expected ids of jobs",
      () => answers.cancelRequests([7 as never]),
    ],
    [
      "`renewLeases` of graphile-worker returned an object, expected an array of ids of jobs",
      () => answers.renewLeases({} as never),
    ],
    [
      "`consumer` of graphile-worker returned a consumer whose `renewLeases` is undefined, expected a function",
      () => answers.consumer({ fetch() {}, settle() {}, cancelRequests() {}, close() {} } as never),
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

  it.each<[object, string]>([
    [{ attempt: "3" }, "`attempt` is the number 3 as a string, expected a number"],
    [
      { runAt: "2026-01-02 03:04:05+00" },
      "`runAt` is the date 2026-01-02 03:04:05+00 as a string, expected a Date",
    ],
    [{ enqueuedAt: 5 }, "`enqueuedAt` is 5, expected a Date"],
    [{ isCancelRequested: null }, "`isCancelRequested` is null, expected a boolean"],
  ])("is told of a fetched job, which runs if it can: %o", (changes, problem) => {
    expect(fetchedWith(changes)).toEqual([
      [`\`fetch\` of graphile-worker returned a job whose ${problem}`],
      true,
    ]);
  });

  it.each<[object, string]>([
    [{ id: 7n }, "`id` is the bigint 7, expected a string"],
    [{ name: undefined }, "`name` is undefined, expected a string"],
    [{ envelope: '{"payload":"a secret"}' }, "`envelope` is a string, expected an object"],
  ])("keeps a job from running without what it needs, and shows no payload: %o", (changes, problem) => {
    expect(fetchedWith(changes)).toEqual([
      [`\`fetch\` of graphile-worker returned a job whose ${problem}`],
      false,
    ]);
  });

  it("that is a further job never takes the settlement back", () => {
    told.length = 0;
    const settled = answers.settle("settleAndFetch", { isRecorded: true, next: { id: 1 } as never });
    expect(settled).toEqual({ isRecorded: true, next: undefined });
    expect(told.map(String)).toEqual([
      "WrongAnswerError: `settleAndFetch` of graphile-worker returned a job whose `id` is 1, expected a string",
    ]);
  });
});

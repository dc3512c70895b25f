import { describe, expect, it } from "vitest";
import { BackendAnswers, WrongAnswerError } from "../../src/backend/answers.ts";
import type { JobConsumer, LeasedJob } from "../../src/backend.ts";
import { Bookkeeping } from "../../src/engine/bookkeeping.ts";
import { CheckedConsumer } from "../../src/engine/checked-consumer.ts";
import {
  fetched,
  NextBringingConsumer,
  type ScriptedAnswer,
  ScriptedConsumer,
} from "../support/scripted-backend.ts";

const never = new AbortController().signal;
const job = fetched("a");
let told: unknown[] = [];

function checked(consumer: JobConsumer<LeasedJob>): CheckedConsumer<LeasedJob> {
  told = [];
  const answers = new BackendAnswers("graphile-worker");
  return new CheckedConsumer(consumer, new Bookkeeping([], () => {}), answers, (error) => told.push(error));
}

/** A consumer that gives these answers, checked. */
function answering(answers: {
  readonly fetch?: unknown;
  readonly settle?: unknown;
  readonly renewLeases?: unknown;
  readonly cancelRequests?: unknown;
}): CheckedConsumer<LeasedJob> {
  const consumer = new ScriptedConsumer();
  consumer.onFetch = async () => answers.fetch as never;
  consumer.onSettle = async () => answers.settle as never;
  consumer.onRenewLeases = async () => answers.renewLeases as never;
  consumer.onCancelRequests = async () => answers.cancelRequests as never;
  return checked(consumer);
}

/** Fetches a job with these fields. Returns what `onError` heard, and whether the job runs. */
async function fetchedWith(changes: object): Promise<[messages: string[], runs: boolean]> {
  const jobs = await answering({ fetch: [{ ...job, ...changes }] }).fetch(1, never);
  return [told.map((error) => String((error as Error).message)), jobs.length === 1];
}

/** Settles a job with a consumer that answers so. */
async function settledWith(answer: ScriptedAnswer): Promise<unknown> {
  const consumer = new NextBringingConsumer();
  consumer.onSettle = async () => answer;
  return checked(consumer).settleAndFetch?.(job, { type: "succeeded" });
}

describe("an answer of a consumer that the port allows", () => {
  it("is returned as it is", async () => {
    const jobs = [fetched("a"), fetched("b")];
    expect(await answering({ fetch: jobs }).fetch(2, never)).toEqual(jobs);
    const settled = { isRecorded: true, isCancelled: undefined, next: fetched("b") };
    expect(await settledWith(settled)).toBe(settled);
    expect(await answering({ settle: settled }).settle(job, { type: "succeeded" })).toBe(settled);
    expect(await answering({ renewLeases: undefined }).renewLeases([job])).toEqual([]);
    expect(await answering({ renewLeases: ["a"] }).renewLeases([job])).toEqual(["a"]);
    expect(await answering({ cancelRequests: ["a"] }).cancelRequests([job])).toEqual(["a"]);
  });

  it("may hold an invalid Date: other programs write to stores, too", async () => {
    expect(await fetchedWith({ runAt: new Date(Number.NaN) })).toEqual([[], true]);
  });
});

describe("an answer of a consumer that the port does not allow", () => {
  it.each<[string, () => Promise<unknown>]>([
    [
      "`settle` of graphile-worker returned undefined, expected an object such as { isRecorded: true }",
      () => answering({ settle: undefined }).settle(job, { type: "succeeded" }),
    ],
    [
      "`settle` of graphile-worker returned an object whose `isRecorded` is the number 1 as a string, expected a boolean",
      () => answering({ settle: { isRecorded: "1" } }).settle(job, { type: "succeeded" }),
    ],
    [
      "`fetch` of graphile-worker returned null, expected an array of jobs",
      () => answering({ fetch: null }).fetch(1, never),
    ],
    [
      "`cancelRequests` of graphile-worker returned an array with 7, expected ids of jobs",
      () => answering({ cancelRequests: [7] }).cancelRequests([job]),
    ],
    [
      "`renewLeases` of graphile-worker returned an object, expected an array of ids of jobs",
      () => answering({ renewLeases: {} }).renewLeases([job]),
    ],
    [
      "`consumer` of graphile-worker returned a consumer whose `renewLeases` is undefined, expected a function",
      async () => checked({ fetch() {}, settle() {}, cancelRequests() {}, close() {} } as never),
    ],
  ])("is refused: %s", async (message, ask) => {
    await expect(ask()).rejects.toThrow(new WrongAnswerError(message));
  });

  it.each<[object, string]>([
    [{ attempt: "3" }, "`attempt` is the number 3 as a string, expected a number"],
    [
      { runAt: "2026-01-02 03:04:05+00" },
      "`runAt` is the date 2026-01-02 03:04:05+00 as a string, expected a Date",
    ],
    [{ enqueuedAt: 5 }, "`enqueuedAt` is 5, expected a Date"],
    [{ isCancelRequested: null }, "`isCancelRequested` is null, expected a boolean"],
  ])("is told of a fetched job, which runs if it can: %o", async (changes, problem) => {
    expect(await fetchedWith(changes)).toEqual([
      [`\`fetch\` of graphile-worker returned a job whose ${problem}`],
      true,
    ]);
  });

  it.each<[object, string]>([
    [{ id: 7n }, "`id` is the bigint 7, expected a string"],
    [{ name: undefined }, "`name` is undefined, expected a string"],
    [{ envelope: '{"payload":"a secret"}' }, "`envelope` is a string, expected an object"],
  ])("keeps a job from running without what it needs, and shows no payload: %o", async (changes, problem) => {
    expect(await fetchedWith(changes)).toEqual([
      [`\`fetch\` of graphile-worker returned a job whose ${problem}`],
      false,
    ]);
  });

  it("that is a further job never takes the settlement back", async () => {
    const settled = await settledWith({ isRecorded: true, next: { id: 1 } as never });
    expect(settled).toEqual({ isRecorded: true, next: undefined });
    expect(told.map(String)).toEqual([
      "WrongAnswerError: `settleAndFetch` of graphile-worker returned a job whose `id` is 1, expected a string",
    ]);
  });
});

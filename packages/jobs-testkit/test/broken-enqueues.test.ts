import { beforeAll, describe, expect, it, vi } from "vitest";
import * as options from "./support/broken-enqueue-options.ts";
import * as keys from "./support/broken-keys.ts";
import { failuresOf } from "./support/failures.ts";
import { ListBackend } from "./support/list-backend.ts";
import { type CreateListEngine, listEngines } from "./support/list-engine.ts";
import { eachInQuickTime } from "./support/quick-time.ts";

vi.mock("node:timers/promises", () => import("./support/fake-pause.ts"));

/** Passes with every broken engine: else it alone would have caught all of them. */
const smoke = "smoke: stores one job, and runs it";
const ranked = "priorities: starts jobs by the priority of the enqueue or of the job, or says that it cannot";
const kept = "priorities: keeps the priority of a job that is tried again";
const noPriority = "priorities: refuses what is no priority, and stores nothing";
const race =
  "unique keys: stores one of many jobs that many engines enqueue with one key, or says that it cannot";
const held =
  "unique keys: holds a key while its job runs and is tried again, and frees it when the job has ended";
const cancelled = "unique keys: frees the key of a job that was cancelled, before its run or during it";
const throttled = "unique keys: holds a key for a time from the enqueue, if that is asked for";
const contradictions = "unique keys: refuses keys that contradict other options, and stores nothing";
const attributes =
  "options of an enqueue: bring attributes to every run of the job, on top of those of the runner";
const backoff = "options of an enqueue: bring a backoff of their own, instead of the job's";
const retention =
  "options of an enqueue: remove a job at its end if it is to be retained for no time, unless it is a dead letter";
const checked = "options of an enqueue: are checked at the call, and nothing is stored";
const foreign = "options of an enqueue: that another engine has are refused by their names";

/** Broken engines, each with the tests that must fail. */
const broken: Readonly<Record<string, readonly [createEngine: CreateListEngine, by: readonly string[]]>> = {
  IgnoringPriorities: [listEngines(keys.IgnoringPriorities), [ranked, kept]],
  ReversingPriorities: [listEngines(keys.ReversingPriorities), [ranked, kept]],
  ForgettingPriorities: [listEngines(keys.ForgettingPriorities), [kept]],
  RacingUniqueKeys: [listEngines(keys.RacingUniqueKeys), [race]],
  InventingIds: [listEngines(keys.InventingIds), [race, held, throttled, contradictions]],
  FreeingKeysAtTheStart: [listEngines(keys.FreeingKeysAtTheStart), [held]],
  HoldingKeysOfCancelledJobs: [listEngines(keys.HoldingKeysOfCancelledJobs), [cancelled]],
  FreeingKeysEarly: [listEngines(keys.FreeingKeysEarly), [throttled]],
  LosingAttributes: [listEngines(options.LosingAttributes), [attributes]],
  LosingBackoffs: [listEngines(options.LosingBackoffs), [backoff]],
  RetainingAll: [listEngines(options.RetainingAll), [retention]],
  RetainingNothing: [listEngines(options.RetainingNothing), [retention]],
  RemovingDeadLetters: [listEngines(options.RemovingDeadLetters), [retention]],
  droppingOptions: [
    listEngines(ListBackend, options.droppingOptions),
    [throttled, contradictions, attributes, backoff, retention, checked],
  ],
  clampingPriorities: [listEngines(ListBackend, options.clampingPriorities), [noPriority]],
  ignoringForeignOptions: [listEngines(ListBackend, options.ignoringForeignOptions), [foreign]],
  lookingAtAttributesLate: [listEngines(ListBackend, options.lookingAtAttributesLate), [attributes]],
};

describe("the engine contract", () => {
  const results = new Map<string, string[]>();
  beforeAll(() =>
    eachInQuickTime(Object.entries(broken), async ([what, [createEngine, by]]) => {
      results.set(what, await failuresOf(createEngine, [smoke, ...by]));
    }),
  );

  it.each(Object.entries(broken))("catches %s", (what, [, by]) => {
    expect(results.get(what)).toEqual(by);
  });
});

import { beforeAll, describe, expect, it, vi } from "vitest";
import * as backends from "./support/broken-backends.ts";
import * as concurrencyEngines from "./support/broken-concurrency-engines.ts";
import * as brokenEngines from "./support/broken-engines.ts";
import * as lookups from "./support/broken-lookup-engines.ts";
import * as progressEngines from "./support/broken-progress-engines.ts";
import * as resultEngines from "./support/broken-result-engines.ts";
import * as snoozingEngines from "./support/broken-snoozing-engines.ts";
import { failuresOf } from "./support/failures.ts";
import { ListBackend } from "./support/list-backend.ts";
import { type CreateListEngine, listEngines } from "./support/list-engine.ts";
import { eachInQuickTime, inQuickTime } from "./support/quick-time.ts";

vi.mock("node:timers/promises", () => import("./support/fake-pause.ts"));

/** Passes with every broken engine: else it alone would have caught all of them. */
const smoke = "smoke: stores one job, and runs it";
const runsOnce = "delivery: runs an enqueued job once, with its payload and its delivery";
const manyRunOnce = "delivery: runs each of many jobs exactly once, with any number of workers";
const unknownNames = "delivery: leaves unknown names to a worker that knows them";
const notBefore = "delivery: does not run a job before its time";
const batch = "options of a batch: hold for every job of the batch, each under the id of its position";
const inOrder = "order: starts jobs of one name in the order in which they were enqueued, one at a time";
const partsInOrder = "order: stores every job of a batch of several parts, and starts the first one first";
const unknownTexts = "unknown ids: resolve to false for any text, and change nothing";
const endedIds = "unknown ids: include those of ended, waiting and running jobs";
const oneRedrive = "unknown ids: redrive a dead letter once, if many callers ask at the same time";
const unknownOptions = "input: refuses options that it does not know, by their names";
const keyedParts = "idempotency keys: takes a batch of several parts again, and stores nothing twice";
const secrets = "secrets: are in no error of a refused call";
const forgets = "retention: forgets ended jobs when it is over, and frees their idempotency keys";
const wrongInput = "input: refuses wrong input at the call, and stores nothing";
const backoff = "attempts: waits longer after each attempt, within the bounds of its backoff";
const givesUp =
  "attempts: makes a job a dead letter after its last attempt, by the limit of the job or of the enqueue";
const triesAgain = "attempts: tries a job again until it succeeds, and counts its attempts";
const letters = "dead letters: lists dead letters newest first, with payload and reason";
const redrive = "dead letters: runs a dead letter again, its attempts reset";
const keys = "idempotency keys: stores a job with an idempotency key once, for as long as it is retained";
const keyRace = "idempotency keys: stores one of many jobs that are enqueued at the same time with one key";
const batchKeys = "idempotency keys: takes a key for each position of a batch";
const cancelBefore = "cancellation: cancels a job before it runs";
const cancelElsewhere = "cancellation: cancels a job that runs elsewhere";
const cancelFailing = "cancellation: cancels a job that was cancelled elsewhere and then fails again";
const cancelLast =
  "cancellation: cancels a job that was cancelled elsewhere and then fails at its last attempt";
const cancelReleased =
  "cancellation: does not run a job again that was cancelled elsewhere before it was released";
const cancelRetry = "cancellation: cancels a job that waits for its next attempt";
const bound = "concurrency: never runs more handlers than the concurrency, over all job names";
const fair = "concurrency: lets no job name starve another";
const slot =
  "concurrency: holds the slot of a job that took too long until it has settled, and tries it again";
const timeout = "timeouts: counts a job that took too long as failed, and tries it again";
const graceful = "stopping: lets running jobs finish, and starts no more";
const interrupts = "stopping: releases interrupted jobs without using up an attempt";
const abandons = "stopping: does not wait for ever, and releases abandoned jobs";
const closes = "stopping: closes with its workers, and refuses later calls";
const onlyAttempt = "releasing: delivers an only attempt again, as the first attempt";
const abandonedAttempt = "releasing: does not spend the attempt of a handler that it abandons";
const lease = "leases: runs a job that takes longer than its lease once";
const persists = "leases: keeps enqueued jobs when the engine is closed, if it claims persistence";
const counts = "stats: counts jobs by state and by name";
const dueWaits = "stats: counts due jobs as waiting, even if no worker has polled";
const backlog = "stats: hands its backlog to observers";
const follows = "lookup: follows a job by its id from its enqueue to its end, or says that it cannot";
const noJob = "lookup: finds no job under any other text, and refuses what is no id";
const reschedules = "acting: reschedules a job that waits, or says that it cannot";
const cancelsAll = "acting: cancels all jobs of a name, those that run included, and counts each once";
const redrivesAll = "acting: redrives all dead letters of a name, or those with a text in their error";
const longErrors =
  "acting: finds the text of an error at the end of the first 1,000 characters, and not behind";
const byKey = "lookup: finds a job by the keys of its enqueue";
const listsAll = "listing: lists every job of a name while a worker runs them, or says that it cannot";
const noPayloads = "listing: lists payloads only if asked for";
const cursors = "listing: refuses cursors of other lists, and queries that are not as documented";
const kinds = "payloads: returns every kind of JSON unchanged";
const refusals =
  "payloads: refuses values that JSON would change or drop, with their path, and stores nothing";
const copies = "payloads: stores a copy, and hands out another to every attempt";
const schema =
  "payloads: validates with a schema when a job is enqueued, and hands its output to the handler";
const changedSchema = "payloads: makes a stored payload that no longer fits its schema a dead letter";
const brings = "results: brings what the handler returned, or says that it cannot";
const resultElsewhere = "results: waits for a job that another process runs, through its retries";
const refusesResult =
  "results: rejects with a TypeError if the result is no JSON or too long, and the job has succeeded";
const waitsNoLonger = "results: waits no longer than the caller wants, and leaves the job alone";
const closedWaits = "results: refuses wrong input, and rejects when the engine is closed";
const toldProgress = "progress: is told to observers, and seen in any process while the job runs";
const lastOfMany = "progress: is that of the last report when the job has ended, however many there were";
const laterAttempt = "progress: outlives a retry, and is that of the later attempt from its first report on";
const wrongReports = "progress: refuses wrong reports at the call";
const grows = "changing concurrency: starts more jobs at once if it grows, and no more than it says";
const shrinks = "changing concurrency: lets what runs finish if it shrinks, and starts the rest one by one";
const shrinksIdle =
  "changing concurrency: holds for jobs that come when it has shrunk, and leaves none of them leased";
const wrongConcurrency = "changing concurrency: refuses wrong values, and stays as it was";
const snoozes = "snoozing: runs a job again later, without an attempt spent, or says that it cannot";
const caughtSnooze = "snoozing: lets the end of the handler decide, if the handler catches the snooze";
const cancelledSnooze = "snoozing: cancels a job that was cancelled, here or elsewhere, and then snoozes";
const lateSnooze =
  "snoozing: snoozes after the time limit, and when the worker stops, as long as the handler asks";
const wrongSnooze = "snoozing: counts a snooze for a wrong time as a failure";
const observed = "observation: tells observers of one start and one finish per run, with the delivery";
const healthy = "health: says that the store answers, and how the workers of the process do";
const named = "observation: goes by the name that it is given";
const declared =
  "observation: declares the jobs that its workers and schedules will run, with their objectives";
const carried = "observation: carries headers and correlation from the enqueuing side to the run";
const joined = "observation: carries headers from a failed run to the next attempt of its job";
const cron = "schedules: runs a job by the clock of a time zone, or says that it cannot";

const engines = {
  ...brokenEngines,
  ...snoozingEngines,
  ...resultEngines,
  ...progressEngines,
  ...concurrencyEngines,
};

/** Broken engines, each with the tests that must fail. */
const caught: {
  readonly backends: Readonly<Record<keyof typeof backends, readonly string[]>>;
  readonly engines: Readonly<Record<keyof typeof engines, readonly string[]>>;
  readonly lookups: Readonly<Record<keyof typeof lookups, readonly string[]>>;
} = {
  backends: {
    Dropping: [manyRunOnce],
    RunningTwice: [runsOnce, manyRunOnce, lease, observed],
    CancellingNothing: [cancelBefore, cancelElsewhere, cancelRetry],
    CancellingAnything: [cancelBefore],
    DeafToCancellation: [cancelElsewhere, cancelFailing, cancelLast, cancelledSnooze],
    ForgettingRequests: [cancelReleased],
    HoldingOnToRetries: [cancelRetry],
    SpendingAttempts: [interrupts, onlyAttempt, abandonedAttempt],
    SpendingFirstAttempts: [onlyAttempt, abandonedAttempt],
    LosingWhatComesBack: [interrupts, abandons],
    TakingUnknownNames: [unknownNames],
    Starving: [fair],
    LosingCarriers: [carried],
    LosingRetryHeaders: [joined],
    LosingSizes: [observed],
    LosingCorrelation: [runsOnce, batch, carried],
    OldestDeadLettersFirst: [letters],
    IgnoringLimits: [letters],
    IgnoringKeys: [keys, keyRace, batchKeys],
    ForgettingKeys: [keys],
    StartingEarly: [notBefore, backoff],
    ForgettingDueTimes: [backoff, batch],
    SharingPayloads: [copies],
    LettingLeasesLapse: [lease],
    CountingAllAsWaiting: [counts, backlog],
    CountingDueAsScheduled: [dueWaits],
    HidingItsAge: [counts, dueWaits, backlog],
    KeepingAttempts: [redrive],
    RedrivingAnything: [redrive],
    Forgetful: [persists],
    SpeakingAsciiOnly: [kinds],
    MixingBatchesUp: [batch, kinds],
    LookingAtTheFirst: [batch],
    NewestFirst: [inOrder, partsInOrder],
    StoringTheFirstPart: [keyedParts, partsInOrder],
    FindingBySuffix: [unknownTexts],
    BreakingOnIds: [unknownTexts],
    RedrivingForAll: [oneRedrive],
    CancellingWhatEnded: [endedIds],
    KeepingForEver: [forgets],
    ForgettingEarly: [forgets],
  },
  engines: {
    runningHandlersTwice: [runsOnce, manyRunOnce, lease],
    hidingFailures: [triesAgain, givesUp, timeout],
    givingSlotsAway: [slot],
    givingUpOnTimeouts: [timeout],
    skippingSchemas: [schema, changedSchema],
    takingAnyPayload: [refusals, schema],
    lookingAtPayloadsLate: [copies],
    stoppingWithoutGrace: [graceful],
    stoppingPatiently: [interrupts, abandons],
    leavingWorkersBehind: [closes],
    staying: [closes],
    ignoringSchedules: [cron],
    exceedingConcurrency: [bound, slot, graceful],
    workingAlone: [bound],
    ignoringMaxAttempts: [givesUp],
    hurrying: [backoff],
    ignoringUnknownOptions: [unknownOptions],
    showingPayloads: [secrets],
    takingEmptyIds: [unknownTexts, wrongInput],
    forgettingResults: [brings, resultElsewhere, refusesResult, waitsNoLonger],
    storingAnyResult: [brings, refusesResult],
    failingForResults: [refusesResult],
    sharingResults: [resultElsewhere],
    waitingForResults: [waitsNoLonger],
    waitingBeyondTheEnd: [closedWaits],
    ignoringProgress: [toldProgress, lastOfMany, laterAttempt, wrongReports],
    takingFirstReports: [toldProgress, lastOfMany, wrongReports],
    takingAnyReport: [wrongReports],
    keepingItsConcurrency: [grows, shrinks, shrinksIdle, wrongConcurrency],
    growingOnly: [shrinks, shrinksIdle],
    takingAnyConcurrency: [wrongConcurrency],
    failingSnoozes: [snoozes, caughtSnooze, lateSnooze],
    insistingOnSnoozes: [caughtSnooze],
    failingLateSnoozes: [lateSnooze],
    takingAnySnooze: [wrongSnooze],
    keepingItsName: [named],
    forgettingWorkers: [healthy],
    healthyAfterTheEnd: [healthy],
    forgettingObjectives: [declared],
  },
  lookups: {
    losingRunningJobs: [follows],
    findingNoText: [noJob],
    listingNothingThatRuns: [listsAll],
    forgettingKeys: [byKey],
    reschedulingToNow: [reschedules],
    cancellingOnePortion: [cancelsAll],
    redrivingAnyError: [longErrors, redrivesAll],
    readingShortErrors: [longErrors],
    listingPayloads: [noPayloads],
    beginningAgain: [cursors],
  },
};

const broken: [what: string, createEngine: CreateListEngine, by: readonly string[]][] = [];
for (const [what, Backend] of Object.entries(backends)) {
  broken.push([what, listEngines(Backend), caught.backends[what as keyof typeof backends]]);
}
for (const [what, change] of Object.entries(engines)) {
  broken.push([what, listEngines(ListBackend, change), caught.engines[what as keyof typeof engines]]);
}
for (const [what, change] of Object.entries(lookups)) {
  broken.push([what, listEngines(ListBackend, change), caught.lookups[what as keyof typeof lookups]]);
}

describe("the engine contract", () => {
  const results = new Map<string, string[]>();
  beforeAll(() =>
    eachInQuickTime(broken, async ([what, createEngine, by]) => {
      results.set(what, await failuresOf(createEngine, [smoke, ...by]));
    }),
  );

  it("lets a healthy engine pass", async () => {
    expect(await inQuickTime(() => failuresOf(listEngines()))).toEqual([]);
  });

  it.each(broken)("catches %s", (what, _createEngine, by) => {
    expect(results.get(what)).toEqual(by);
  });
});

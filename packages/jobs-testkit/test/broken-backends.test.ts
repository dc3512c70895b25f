import { type AddressInfo, createServer, type Server } from "node:net";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type BackendContractOptions, backendContract } from "../src/contracts.ts";
import * as brokenKeys from "./support/broken-keys.ts";
import * as lookups from "./support/broken-lookups.ts";
import * as ports from "./support/broken-ports.ts";
import * as progress from "./support/broken-progress.ts";
import * as results from "./support/broken-results.ts";
import * as snoozing from "./support/broken-snoozing.ts";
import type { ListBackend, ListStore } from "./support/list-backend.ts";
import { eachInQuickTime, inQuickTime } from "./support/quick-time.ts";

vi.mock("node:timers/promises", () => import("./support/fake-pause.ts"));

const smoke = "smoke: stores one job, and runs it";
const reclaims = "reclaim: gives a dead worker's job to another once its lease has ended, and not before";
const oneMore =
  "reclaim: delivers a job once more, above its attempts, after its worker died in the last one";
const renews = "renewal: keeps the leases that it is asked to renew, and no others";
const takesBack = "renewal: does not take back a lease that was lost";
const othersLease = "renewal: does not extend the lease of another consumer";
const forgets =
  "retention: forgets jobs that succeeded or were cancelled when it is over, and frees their ids";
const forgetsLetters = "retention: forgets dead letters when theirs is over, and frees their ids";
const fences = "fencing: refuses every outcome from a consumer whose lease another one has by now";
const tokens = "fencing: tells two deliveries to one consumer apart";
const repeats = "fencing: changes nothing if an outcome comes a second time";
const inOrder = "order: is that of enqueuing among jobs that are due, over batches and single jobs";
const byMoment = "order: is that of due moments, whatever was enqueued first";
const aborts = "fetching: loses no job that it has leased when its signal is aborted";
const waits = "fetching: waits while there is no job, and answers with none after some seconds";
const heeds = "fetching: ends soon after its signal was aborted";
const racing = "inserting: stores one of many jobs with one id that come at the same time";
const ending = "inserting: stores nothing if its job ends at the same time";
const places = "address: names the place, without a user or a password";
const closes = "closing: ends every connection that the backend has opened";
const stored = "moments: `enqueuedAt` is when a job was stored, in every delivery";
const afterDeath = "moments: `enqueuedAt` stays after a worker's death";
const twoMoments = "moments: `enqueuedAt` and `runAt` of a job for later are two moments";
const inTransaction =
  "transactions: of the caller's decide whether a job is stored, if the backend claims them";
const persistent = "capabilities: `persistence`: another backend on the store sees the jobs";
const nulls = "capabilities: `nullCharacters`: payloads with null characters and half surrogate pairs";
const letters = "backlog: counts the dead letters of each name, and says since when";
const idle = "backlog: has a row for a name with nothing waiting, so that its gauge does not vanish";
const due = "backlog: counts what is due and waits, and says since when";
const reaches = "cancelling: reaches a job that runs in another process, and outlives its delivery";
const releases = "outcomes: bring a released job back at once, without an attempt spent";
const delays = "outcomes: bring a failed job back after its delay, and not before";
const keepsResults =
  "results: are kept with a success, whatever JSON they are, and without one there is none";
const keepsLarge = "results: are kept up to a mebibyte";
const tellsEnds =
  "results: are told for many jobs at once, each in its state, and in the order of the question";
const recordedResult = "results: are those of the delivery whose outcome was recorded";
const lastReport = "progress: is that of the last report, with its note";
const withOutcomes = "progress: is stored with each outcome, and stays without one";
const notAfterwards = "progress: is not stored for a delivery that has been settled";
const fencedProgress = "progress: is not overwritten by a consumer whose lease another one has by now";
const snoozes = "snoozing: brings a job back after its delay, and spends no attempt, not even the only one";
const keepsAttempts = "snoozing: counts a snoozed job as scheduled, and keeps the attempts that it has spent";
const staysCancelled = "snoozing: does not forget that a job was cancelled before it snoozed";
const retryHeaders =
  "headers of a retry: come with the next delivery, and are replaced by those of the next retry";
const stalledHeaders = "headers of a retry: are not those of an attempt before a stalled one";
const snoozeHeaders = "headers of a retry: come with a snooze, too, if the backend claims `snoozing`";
const toLimit = "deliveries: bring jobs as they were stored, up to the limit, of the consumer's names alone";
const names = "deliveries: bring names, attempts and errors as long as users may make them";
const findsAll = "lookup: finds a job in each state, with its attempts and its times";
const lastMoment = "lookup: tells the last `runAt` that `enqueue` takes as it was given";
const findsCancelled = "lookup: finds a cancelled job, with what was known of it";
const starts = "lookup: counts the attempts that have started, and keeps the start of the last one";
const errors = "lookup: keeps the errors of the last ten attempts, through retries and a redrive";
const noPayload = "lookup: reads the payload only if asked for, and what came with it in any case";
const findsNone = "lookup: finds nothing under an id that no job has";
const moves = "acting: `reschedule` moves the start of what has not started, and of nothing else";
const cancelsAll =
  "acting: `cancelAll` cancels what waits and asks what runs, each job for one of many callers";
const redrivesAll = "acting: `redriveAll` redrives dead letters, each for one of many callers";
const newestFirst = "listing: brings the jobs of a name newest first, each on one page";
const byState = "listing: brings the jobs in one state, and in all of them";
const allNames = "listing: brings the jobs of all names, those of one name together";
const moving = "listing: misses no job that keeps its state while others move, and repeats none in its state";
const positions = "listing: reads payloads only if asked for, and refuses positions of others";
const isAway = "outage: is an EngineUnavailableError if the server is away from the start";
const goesAway = "outage: is an EngineUnavailableError at every call if the server goes away later";

const ranked = "priorities: order the jobs of a name, and enqueues order the jobs of a priority";
const keptRank = "priorities: stay through retries and releases";
const laterRank = "priorities: order jobs that were enqueued for later, once these are due";
const uniqueRace = "unique keys: let one of many jobs be stored that come at the same time";
const perName = "unique keys: hold per job name, and for a job that is to run later";
const keysHeld = "unique keys: hold through retries, snoozes and releases";
const keysOfDead = "unique keys: hold through the death of a worker, and are free once the job is given up";
const keysFreed = "unique keys: are free after every end of their job";
const notAgain = "unique keys: are not held again by a redriven job";
const throttle =
  "unique keys: hold for a time from the enqueue if that is asked for, whatever becomes of the job";
const throttleEnds = "unique keys: that hold for a time are free as soon as their job is cancelled";

const { KnownOutages, ...brokenPorts } = ports;
const broken = { ...brokenPorts, ...lookups, ...snoozing, ...results, ...brokenKeys, ...progress };

/** Maps each broken backend to the tests that must not let it pass. */
const caught: Readonly<Record<keyof typeof broken, readonly string[]>> = {
  ReclaimingNothing: [reclaims, oneMore, tokens, afterDeath],
  ReclaimingEarly: [reclaims],
  RenewingNothing: [renews],
  RenewingAll: [renews],
  TakingLeasesBack: [takesBack],
  ExtendingForOthers: [othersLease],
  KeepingForEver: [forgets, forgetsLetters],
  ForgettingAtOnce: [forgets, forgetsLetters],
  ForgettingAllAlike: [forgets, forgetsLetters],
  SettlingAnything: [fences, tokens],
  SettlingLateFailures: [fences, tokens],
  OneTokenPerWorker: [tokens],
  ForgivingDeaths: [reclaims, oneMore],
  HidingStalls: [reclaims, oneMore],
  GivingUpInSilence: [oneMore],
  NewestFirst: [inOrder],
  IgnoringDueMoments: [byMoment],
  DroppingAfterAborts: [aborts],
  RacingInserts: [racing],
  FreeingIds: [ending],
  ExceedingLimits: [toLimit],
  NeverWaiting: [waits],
  NeverReturning: [waits],
  DeafToAborts: [heeds],
  ShowingPasswords: [places],
  LeavingConnections: [closes],
  StoredWhenLeased: [stored, afterDeath],
  StoredWhenDue: [twoMoments],
  ClaimingTransactions: [inTransaction],
  ClaimingPersistence: [persistent, reclaims],
  ClaimingNullCharacters: [nulls],
  LosingIdleNames: [idle],
  CountingLaterJobs: [due],
  HidingDeadLetters: [letters],
  TellingTheNewestDeadLetter: [letters],
  PingingNothing: [goesAway],
  ForgettingRequests: [reaches],
  CancellingHereAlone: [reaches],
  SpendingReleases: [releases],
  IgnoringDelays: [delays],
  CuttingNames: [names],
  LosingRetryHeaders: [retryHeaders, snoozeHeaders],
  LosingSnoozeHeaders: [snoozeHeaders],
  LosingReleasedHeaders: [retryHeaders],
  KeepingRetryHeaders: [retryHeaders, snoozeHeaders],
  LinkingPastStalls: [stalledHeaders],
  RecordingTwice: [repeats],
  UnknownOutages: [isAway, goesAway],
  LosingEndedJobs: [findsAll, findsCancelled, starts],
  LosingCancelledJobs: [findsCancelled],
  CallingScheduledJobsWaiting: [findsAll, lastMoment],
  ForgettingTheLastDay: [lastMoment],
  MovingStarts: [starts],
  KeepingTheLastError: [errors],
  KeepingAllErrors: [errors],
  ForgettingErrors: [errors],
  ReadingPayloads: [noPayload],
  FindingAnything: [findsNone],
  SavingLateProgress: [notAfterwards, fencedProgress],
  EndingWithoutProgress: [withOutcomes, notAfterwards],
  ForgettingProgress: [lastReport, withOutcomes],
  MergingProgress: [lastReport],
  RedrivingProgress: [withOutcomes],
  TakingRefusedProgress: [fencedProgress],
  LosingResults: [keepsResults, keepsLarge, tellsEnds, recordedResult],
  LosingNull: [keepsResults],
  CuttingResults: [keepsLarge],
  MixingEndsUp: [tellsEnds],
  WaitingForCancelledJobs: [tellsEnds],
  WaitingForUnknownJobs: [tellsEnds],
  KeepingLateResults: [recordedResult],
  HidingErrors: [tellsEnds],
  SpendingSnoozes: [snoozes, keepsAttempts],
  SnoozingBriefly: [snoozes, keepsAttempts],
  WakingCancelledJobs: [staysCancelled],
  SnoozingLostJobs: [fences],
  IgnoringPriorities: [ranked, keptRank, laterRank],
  ReversingPriorities: [ranked, keptRank, laterRank],
  ForgettingPriorities: [keptRank],
  RaisingReleases: [keptRank],
  RacingUniqueKeys: [uniqueRace],
  InventingIds: [uniqueRace, perName],
  SharingUniqueKeys: [perName],
  FreeingKeysOfRetries: [keysHeld],
  FreeingKeysAtTheStart: [keysHeld, keysOfDead],
  FreeingKeysOfTheDead: [keysOfDead],
  HoldingKeysOfDeadLetters: [keysOfDead, keysFreed],
  HoldingKeysOfCancelledJobs: [keysFreed, throttleEnds],
  HoldingKeysAgain: [notAgain],
  FreeingKeysEarly: [throttle],
  HoldingKeysTooLong: [throttle],
  ReschedulingAnything: [moves],
  ReschedulingNothing: [moves],
  CancellingForAll: [cancelsAll],
  CancellingAnyName: [cancelsAll],
  RedrivingForAll: [redrivesAll],
  ListingOldestFirst: [newestFirst],
  CountingPages: [moving],
  ForgettingTheState: [byState],
  EndingEarly: [newestFirst, byState],
  MixingNames: [allNames],
  TakingAnyPosition: [positions],
};

type Options = Omit<BackendContractOptions, "test">;

function optionsFor(Backend: typeof ListBackend): Options {
  const store: ListStore = new Map();
  return {
    createBackend: ({ leaseMs }) => new Backend(store, leaseMs),
    leaseMs: 500,
    transaction: (body) => body({}),
    createWithRetention: (retention) => new Backend(new Map(), undefined, retention),
    async createOutage() {
      const backend = new Backend(store) as ports.UnknownOutages;
      return {
        backend,
        begin() {
          backend.isAway = true;
        },
      };
    },
  };
}

/** Runs tests at the same time. Resolves to the names of those that failed. */
async function failuresOf(options: Options, wanted?: readonly string[]): Promise<string[]> {
  const tests = new Map<string, () => Promise<void>>();
  backendContract({ ...options, test: (name, _options, body) => tests.set(name, body) });
  const failed = await Promise.all(
    (wanted ?? [...tests.keys()]).map(async (name) => {
      const body = tests.get(name);
      if (body === undefined) throw new Error(`the contract has no test named "${name}"`);
      return body().then(
        () => [],
        () => [name],
      );
    }),
  );
  return failed.flat();
}

describe("the backend contract", () => {
  const results = new Map<string, string[]>();
  const server: Server = createServer().listen(0, "127.0.0.1");

  beforeAll(async () => {
    vi.spyOn(console, "info").mockImplementation(() => {});
    ports.LeavingConnections.port = (server.address() as AddressInfo).port;
    await eachInQuickTime(Object.entries(broken), async ([what, Backend]) => {
      const by = caught[what as keyof typeof caught];
      results.set(what, await failuresOf(optionsFor(Backend), [smoke, ...by]));
    });
  });
  afterAll(() => {
    vi.restoreAllMocks();
    server.close();
  });

  it("lets a healthy backend pass", async () => {
    expect(await inQuickTime(() => failuresOf(optionsFor(KnownOutages)))).toEqual([]);
  });

  it("wants a transaction of who claims transactions", async () => {
    const options = { ...optionsFor(ports.ClaimingTransactions), transaction: undefined };
    expect(await inQuickTime(() => failuresOf(options, [smoke, inTransaction]))).toEqual([inTransaction]);
  });

  it.each(Object.entries(caught))("catches %s", (what, by) => {
    expect(results.get(what)).toEqual(by);
  });
});

import { beforeAll, describe, expect, it, vi } from "vitest";
import { backendContract, engineContract } from "../src/contracts.ts";
import { failuresOf } from "./support/failures.ts";
import type { ListStore } from "./support/list-backend.ts";
import { listEngines } from "./support/list-engine.ts";
import { eachInQuickTime, inQuickTime } from "./support/quick-time.ts";
import * as scheduling from "./support/scheduling-backend.ts";

vi.mock("node:timers/promises", () => import("./support/fake-pause.ts"));

const { SchedulingBackend, ...broken } = scheduling;

const byClock = "schedules: runs a job by the clock of a time zone, or says that it cannot";
const engineKeys = "schedules: keeps several schedules of one job by key, or says that it cannot";
const engineNames = "schedules: lists the schedules of one job name, or of all";
const backendNames = "schedules: are listed for one job name, or for all";
const atInterval = "schedules: runs a job at an interval, and says when it was due, or says that it cannot";
const restarts =
  "schedules: runs a run that it missed once, late, if it persists and the service starts again";
const skips = "schedules: skips a run that was cancelled, and goes on with the next one";
const stored = "schedules: stores, replaces, lists and ends schedules";
const backendKeys = "schedules: tells schedules of one job apart by their keys";
const moments = "schedules: are due at the same moments as everywhere, also if the clock changes";
const once =
  "schedules: run once for each moment, whatever becomes of a run and however many consumers there are";
const late = "schedules: run once, late, if no worker took the runs, also if they are stored again";
const changed =
  "schedules: keep the moment of their next run if only the job changes, and not if the rule does";
const bounds = "schedules: `intervals`: are due from the start to the end of a schedule, and end then";
const moved =
  "next runs of schedules: start at the moment to which they were rescheduled, and `schedules` tells it";
const cancelled = "next runs of schedules: are cancelled at once, and the runs after them are stored";

/** Maps each broken backend to the tests of both contracts that must not let it pass. */
const caught: Readonly<Record<keyof typeof broken, readonly string[]>> = {
  IgnoringScheduleNames: [engineNames, backendNames],
  IgnoringTimeZones: [byClock, restarts, moments],
  SchedulingAtOnce: [byClock, atInterval, once, late],
  IgnoringScheduleKeys: [engineKeys, backendKeys],
  LosingScheduledPayloads: [byClock, once, changed],
  ForgettingLateRuns: [restarts, late, changed],
  KeepingSchedules: [byClock, stored, changed],
  RunningSchedulesOnce: [byClock, atInterval, restarts, once, late, bounds],
  CatchingUp: [late],
  LeavingNextRuns: [stored],
  DoublingRuns: [byClock, restarts, stored, once, late],
  IgnoringBounds: [atInterval, bounds],
  ListingNoSchedules: [byClock, engineKeys, atInterval, stored, backendKeys, moments],
  BackdatingSchedules: [stored],
  EndingWithCancelledRuns: [skips, cancelled],
  EndingWithManyCancelledRuns: [cancelled],
  TellingDueMoments: [moved],
  KeepingCancelledRuns: [skips, cancelled],
};

/** Runs tests of both contracts at the same time. Resolves to the names of those that fail, sorted. */
async function failuresOfBoth(
  Backend: typeof SchedulingBackend,
  isWanted: (name: string) => boolean,
): Promise<string[]> {
  const [ofEngine, ofBackend] = [new Set<string>(), new Map<string, () => Promise<void>>()];
  engineContract({ test: (name) => void ofEngine.add(name), createEngine: listEngines() });
  const store: ListStore = new Map();
  backendContract({
    test: (name, _options, body) => ofBackend.set(name, body),
    createBackend: ({ leaseMs }) => new Backend(store, leaseMs),
    leaseMs: 500,
    transaction: (body) => body({}),
  });
  const failed = await Promise.all([
    failuresOf(listEngines(Backend), [...ofEngine].filter(isWanted)),
    ...[...ofBackend]
      .filter(([name]) => isWanted(name))
      .map(([name, body]) =>
        body().then(
          () => [],
          () => [name],
        ),
      ),
  ]);
  return failed.flat().sort();
}

describe("the contracts, of schedules", () => {
  const results = new Map<string, string[]>();

  beforeAll(async () => {
    vi.spyOn(console, "info").mockImplementation(() => {});
    await eachInQuickTime(Object.entries(broken), async ([what, Backend]) => {
      const by = caught[what as keyof typeof caught];
      results.set(what, await failuresOfBoth(Backend, (name) => by.includes(name)));
    });
    return () => vi.restoreAllMocks();
  });

  it("let a healthy backend pass", async () => {
    expect(await inQuickTime(() => failuresOfBoth(SchedulingBackend, () => true))).toEqual([]);
  });

  it.each(Object.entries(caught))("catch %s", (what, by) => {
    expect(results.get(what)).toEqual([...by].sort());
  });
});

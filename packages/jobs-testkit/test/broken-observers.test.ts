import { describe, expect, it } from "vitest";
import * as observers from "./support/broken-observers.ts";
import { failuresOf, observerTestsOf } from "./support/observer-failures.ts";

const returns = "transparency: returns the job's result, and runs the job once";
const throws = "transparency: lets the job's own error through, even undefined";
const leavesErrors = "transparency: leaves the error as it was";
const synchronous = "transparency: has hooks that are synchronous";
const amongOthers = "ordering: works among other observers, which start before it and finish after it";
const nested = "ordering: follows runs within runs";
const concurrent = "ordering: follows many runs at once, which finish in any order";
const sharing = "isolation: works beside another observer of its kind";
const besideThrowing = "isolation: works beside observers that throw";
const memoryOfRuns = "memory: is bounded over any number of runs";
const memoryOfNames = "memory: is bounded over any number of job names";
const memoryOfFailures = "memory: is bounded over runs that fail and are cancelled";
const names = "hostile input: takes any job name";
const attributes = "hostile input: takes any attributes";
const errors = "hostile input: takes any thrown value";
const cancelled = "cancellation: takes a cancelled run, with any reason";
const timedOut = "cancellation: takes a run that took too long, which is a failure";
const carriers = "engines: writes strings to a carrier, and leaves those of others there";
const declared = "engines: takes objectives and reports of progress, with any name and note";
const deliveries = "engines: takes every attempt of a delivery, with any carrier";
const settled = "engines: takes every outcome of a delivery, even of one whose run it has not seen";
const opened = "engines: takes engines that open, whether their backlog can be read or not";
const flush = "lifecycle: flushes in bounded time, any number of times";
const shutdown = "lifecycle: shuts down in bounded time, any number of times, and lets runs go on";
const scopeReturns = "scope: calls its body once, at once, and returns its result";
const scopeThrows = "scope: lets errors of its body and rejected promises through";
const contexts = "contexts: leaves contexts unchanged, and readable for ever";
const budget = "budget: costs at most 5000 ns a run";

/** Those in which a job is run through a runner, which notes whatever the observer throws. */
const wherever = [
  ...[returns, throws, amongOthers, nested, concurrent, sharing, besideThrowing, names, attributes, errors],
  ...[cancelled, timedOut, declared, deliveries, settled, flush, shutdown, contexts],
];

/** The tests that must not let an observer pass; all others must. */
const caught: Readonly<Record<keyof typeof observers, readonly string[]>> = {
  swallowing: [scopeThrows],
  wrappingResults: [scopeReturns, scopeThrows],
  retrying: [throws, errors, scopeThrows],
  postponing: [...wherever, scopeReturns, scopeThrows],
  redacting: [leavesErrors],
  waiting: [synchronous],
  rejecting: [...wherever, synchronous],
  oneAtATime: [nested, concurrent, sharing],
  keyedByName: [nested, concurrent],
  stacking: [nested, concurrent],
  sharingAConnection: [sharing],
  keepingNames: [memoryOfNames],
  keepingFailures: [memoryOfFailures],
  keepingEverything: [memoryOfRuns, memoryOfNames, memoryOfFailures],
  fearingNames: [names],
  countingInAnObject: [names],
  escapingAttributes: [attributes],
  trustingErrors: [throws, errors, cancelled],
  fearingCancellation: [cancelled],
  fearingTimeouts: [errors, timedOut],
  numberingCarriers: [carriers],
  clearingCarriers: [carriers],
  expectingHeaders: [deliveries, settled],
  expectingRuns: [settled],
  splittingNotes: [declared],
  keepingObjectivesByName: [declared],
  expectingObjectives: [declared],
  askingForBacklogs: [opened],
  flushingOnce: [flush],
  endingOnce: [shutdown],
  refusingAfterTheEnd: [shutdown],
  stamping: [contexts],
  slow: [budget],
};

const isLong = (name: string): boolean => /^(memory|budget): /.test(name);

describe("the observer contract", () => {
  it("lets an observer pass that does nothing", async () => {
    const tests = observerTestsOf({ createObserver: () => ({}), budget: { nanosecondsPerRun: 5_000 } });
    expect(await failuresOf(tests)).toEqual([]);
  });

  it.each(Object.entries(observers))("catches %s", async (what, createObserver) => {
    const by = caught[what as keyof typeof observers];
    const tests = observerTestsOf({ createObserver, budget: { nanosecondsPerRun: 5_000 } });
    // Slow tests run only with the observers that they must catch, and once with a healthy one, above.
    const quick = [...tests].filter(([name]) => !isLong(name) || by.includes(name));
    expect((await failuresOf(quick)).sort()).toEqual([...by].sort());
  });
});

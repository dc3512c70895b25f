import {
  combineJobObservers,
  type DeadLetterCount,
  type EngineHealth,
  type JobBacklog,
  type JobObserver,
  type ObservedJobRunner,
} from "@nidus/jobs-observe";
import { withDeadline } from "../errors/deadline.ts";
import { throttledWarning } from "../errors/throttled-warning.ts";
import { Bookkeeping } from "./bookkeeping.ts";

/** How long a reading may take, in milliseconds: a scrape waits for it. */
const answerWithinMs = 2_000;

/** After this time, in milliseconds, a reading that has no answer is asked for again. */
const askAgainAfterMs = 60_000;

/** Reads a store whose queues have workers of their own. */
export interface StoreReadings {
  /** The name of the store in metrics, such as "bullmq". */
  readonly engine: string;
  /** The name of the store in errors. It has no user and no password. */
  readonly address: string;
  /** Tells whether the application has closed its connection. No reading follows. */
  isClosed(): boolean;
  /** Counts what waits, for every job name. */
  backlog(): Promise<readonly JobBacklog[]>;
  /** Counts dead letters, for every job name. */
  deadLetters(): Promise<readonly DeadLetterCount[]>;
  /** Resolves if the store answers. */
  ping(): Promise<unknown>;
}

/**
 * Tells the observers of a runner how to read a store whose queues have workers of their own. A reading rejects if the store does not
 * answer within 2 seconds. A store that is away gets one question of each kind a minute, however often it is read. A process warning says
 * why a reading was rejected, at most one a minute.
 */
export function observeStore(runner: ObservedJobRunner, readings: StoreReadings): void {
  const { engine } = readings;
  const bookkeepers: JobObserver[] = [];
  const warn = throttledWarning(engine);
  let bookkeeping: Bookkeeping | undefined;
  const bounded = <T>(kind: string, read: () => Promise<T>): (() => Promise<T | undefined>) => {
    let reading: Promise<T> | undefined;
    let askedAtMs = 0;
    return async () => {
      if (readings.isClosed()) return undefined;
      if (reading === undefined || performance.now() - askedAtMs > askAgainAfterMs) {
        askedAtMs = performance.now();
        bookkeeping ??= new Bookkeeping(bookkeepers, warn);
        const asked = bookkeeping.run(kind, async () => read());
        const forget = (): void => {
          if (reading === asked) reading = undefined;
        };
        asked.then(forget, forget);
        reading = asked;
      }
      try {
        return await withDeadline(reading, answerWithinMs, `${engine} at ${readings.address}`);
      } catch (error) {
        if (readings.isClosed()) return undefined;
        warn(error);
        throw error;
      }
    };
  };
  const ping = bounded("health", () => readings.ping().then(() => true));
  runner.opened({
    engine,
    backlog: bounded("backlog", () => readings.backlog()),
    deadLetters: bounded("dead-letters", () => readings.deadLetters()),
    async health(): Promise<EngineHealth | undefined> {
      const startMs = performance.now();
      const isReachable = await ping().catch(() => false);
      if (isReachable === undefined) return undefined;
      const latencyMs = isReachable ? performance.now() - startMs : undefined;
      return { engine, isReachable, latencyMs, workers: [] };
    },
    observeBookkeeping: (observer) => void bookkeepers.push(combineJobObservers(observer)),
  });
}

import { invalidArgument, requireKnownKeys } from "@nidus/jobs-core/adapter";
import type { ObservedJobRunner } from "@nidus/jobs-observe";
import { requireTimerMs } from "../job/timer.ts";

/** Options of every engine. */
export interface EngineOptions {
  /** Every delivery runs through it, and its observers hear of what is enqueued and settled. */
  readonly runner: ObservedJobRunner;
  /**
   * Hears of errors that no call of yours can report: of polling, of settling, of renewing leases.
   *
   * @default one process warning a minute
   */
  readonly onError?: ((error: unknown) => void) | undefined;
  /** Milliseconds that a call waits for the server. @default 10,000 */
  readonly answerWithinMs?: number | undefined;
}

/**
 * Refuses wrong options of an engine. Call it before anything is opened, with the names of the options that your engine has beside
 * those of every engine.
 *
 * @throws TypeError or RangeError for an option that is not as documented, or not known.
 */
export function requireEngineOptions(options: EngineOptions, ownNames: readonly string[] = []): void {
  if (typeof options !== "object" || options === null)
    throw invalidArgument("the options", "an object", options);
  requireKnownKeys("the options of the engine", options, [
    ...["runner", "onError", "answerWithinMs"],
    ...ownNames,
  ]);
  const { runner, onError, answerWithinMs } = options;
  if (typeof runner?.runAsync !== "function" || typeof runner.opened !== "function") {
    throw invalidArgument("`runner`", "an ObservedJobRunner", runner);
  }
  if (onError !== undefined && typeof onError !== "function")
    throw invalidArgument("`onError`", "a function", onError);
  if (answerWithinMs !== undefined) requireTimerMs("`answerWithinMs`", answerWithinMs);
}

import { invalidArgument, requireKnownKeys } from "@nidus/jobs-core/adapter";
import type { ObservedJobRunner } from "@nidus/jobs-observe";
import { requireTimerMs } from "../job/timer.ts";
import { requireStorableText } from "./validation.ts";

/** Options of every engine. */
export interface EngineOptions {
  /** Every delivery runs through it, and its observers hear of what is enqueued and settled. */
  readonly runner: ObservedJobRunner;
  /**
   * The engine's name in deliveries, labels and spans. Give each engine of one kind a name of its own, of at most
   * 512 characters.
   *
   * @default the name of the kind, such as "memory", "pg-boss" or "bullmq"
   */
  readonly name?: string | undefined;
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
    ...["runner", "name", "onError", "answerWithinMs"],
    ...ownNames,
  ]);
  const { runner, name, onError, answerWithinMs } = options;
  if (typeof runner?.runAsync !== "function" || typeof runner.opened !== "function") {
    throw invalidArgument("`runner`", "an ObservedJobRunner", runner);
  }
  if (name !== undefined) requireStorableText("`name`", name);
  if (onError !== undefined && typeof onError !== "function")
    throw invalidArgument("`onError`", "a function", onError);
  if (answerWithinMs !== undefined) requireTimerMs("`answerWithinMs`", answerWithinMs);
}

import { requireInRange } from "../job/whole-number.ts";

/** How long engines keep jobs that have ended. Idempotency keys hold for as long. */
export interface RetentionOptions {
  /** Milliseconds for which jobs that succeeded, or were cancelled, are kept: a whole number from 1. @default a day */
  readonly retainSucceededMs?: number | undefined;
  /** Milliseconds for which dead letters are kept: a whole number from 1. @default 14 days */
  readonly retainDeadLettersMs?: number | undefined;
}

/** A retention that was checked, with the defaults filled in. */
export interface Retention {
  readonly retainSucceededMs: number;
  readonly retainDeadLettersMs: number;
}

const dayMs = 24 * 60 * 60 * 1000;

/**
 * Checks an engine's retention and fills in the defaults. Pass `maxMs` if your store cannot keep jobs for any longer.
 *
 * @throws TypeError for a retention that is no number, RangeError for one that is not whole or not from 1 to `maxMs`.
 */
export function requireRetention(
  { retainSucceededMs = dayMs, retainDeadLettersMs = 14 * dayMs }: RetentionOptions,
  maxMs?: number,
): Retention {
  return {
    retainSucceededMs: requireInRange("`retainSucceededMs`", retainSucceededMs, 1, maxMs),
    retainDeadLettersMs: requireInRange("`retainDeadLettersMs`", retainDeadLettersMs, 1, maxMs),
  };
}

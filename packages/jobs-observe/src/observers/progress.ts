import { invalidNumber, requireText } from "@nidus/jobs-core/adapter";
import type { ObservedJobContext, StartedContext } from "../context/context.ts";
import type { JobProgress } from "../context/delivery.ts";
import { currentJob } from "./current-job.ts";

/**
 * Tells the observers how far the current run has come. Call it inside a run, also after awaits. Does nothing outside a
 * run, and in runs whose runner has no `currentJobObserver`. Never blocks; observers may drop reports that come often.
 *
 * @param fraction The share of the work that is done, from 0 to 1.
 * @param note What the run does now, in at most 1,000 characters. Observers may cut it.
 * @throws TypeError or RangeError for any other fraction, or for a note that is no text, is empty or too long.
 */
export function reportProgress(fraction: number, note?: string): void {
  const progress = requireProgress(fraction, note);
  (currentJob() as StartedContext | undefined)?.progressed(progress);
}

/**
 * Makes the description of a progress.
 *
 * @throws TypeError or RangeError for a fraction that is no number from 0 to 1, or for a note that is no text, is empty or too
 * long.
 */
export function requireProgress(fraction: number, note: string | undefined): JobProgress {
  const maxNoteCharacters = 1_000;
  if (typeof fraction !== "number" || !(fraction >= 0 && fraction <= 1)) {
    throw invalidNumber("`fraction`", "a number from 0 to 1", fraction);
  }
  if (note !== undefined && requireText("`note`", note).length > maxNoteCharacters) {
    throw invalidNumber("`note`", `at most ${maxNoteCharacters} characters`, note.length);
  }
  return Object.freeze({ fraction, note });
}

/** For engines: tells the observers of a run how far it has come. Takes the context of the start. Never throws. */
export function tellProgress(run: ObservedJobContext, progress: JobProgress): void {
  // A context of another copy of this package has the method, too.
  (run as StartedContext).progressed(progress);
}

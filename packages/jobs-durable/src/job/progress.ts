import { invalidArgument } from "@nidus/jobs-core/adapter";
import type { JobProgress } from "@nidus/jobs-observe";
import { requireProgress } from "@nidus/jobs-observe/adapter";
import { isStorable } from "./storable.ts";

/**
 * Makes the description of a progress that every store takes.
 *
 * @throws TypeError or RangeError for a fraction that is no number from 0 to 1, or for a note that is no text, is empty or too long.
 */
export function requireStorableProgress(fraction: number, note: string | undefined): JobProgress {
  const progress = requireProgress(fraction, note);
  if (note === undefined) return progress;
  if (!isStorable(note)) throw invalidArgument("`note`", "well-formed text without a null character", note);
  return progress;
}

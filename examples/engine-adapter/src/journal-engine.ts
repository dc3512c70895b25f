import { invalidArgument } from "@nidus/jobs-core/adapter";
import type { JobEngine } from "@nidus/jobs-durable";
import {
  createEngine,
  type EngineOptions,
  type RetentionOptions,
  requireEngineOptions,
  requireRetention,
} from "@nidus/jobs-durable/backend";
import { openJournal } from "./journal.ts";
import { JournalBackend } from "./journal-backend.ts";
import type { StoredJob } from "./stored-job.ts";

/** Options of {@link journalEngine}. */
export interface JournalEngineOptions extends EngineOptions, RetentionOptions {
  /** The journal's file, in a folder that exists. It is made if it is not there, and belongs to one process at a time. */
  readonly file: string;
}

/**
 * An engine on one file of JSON lines, for one process. What has ended is kept for as long as the options say, and left out
 * when the file is next opened by a process. Opening it reads all of it, and blocks for as long.
 *
 * @throws TypeError or RangeError for an option that is not as documented; Error if another process has the file, or it is no
 * journal.
 */
export function journalEngine(options: JournalEngineOptions): JobEngine {
  requireEngineOptions(options, ["file", "retainSucceededMs", "retainDeadLettersMs"]);
  const { file, runner, answerWithinMs, onError } = options;
  const { retainSucceededMs, retainDeadLettersMs } = requireRetention(options);
  if (!file || typeof file !== "string") throw invalidArgument("`file`", "a non-empty string", file);
  const now = Date.now();
  const isKept = ({ state, endedAtMs }: StoredJob): boolean => {
    if (state === "deadLettered") return endedAtMs > now - retainDeadLettersMs;
    return state === "pending" || endedAtMs > now - retainSucceededMs;
  };
  return createEngine(new JournalBackend(file, openJournal(file, isKept)), {
    runner,
    answerWithinMs,
    onError,
  });
}

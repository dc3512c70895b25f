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
  /** The journal's file, in a folder that exists. The engine creates the file if it is missing. It belongs to one process at a time. */
  readonly file: string;
}

/**
 * Opens an engine on one file of JSON lines, for one process. It keeps ended jobs as long as the options say, and drops them when a
 * process next opens the file. Opening reads the whole file and blocks meanwhile.
 *
 * @throws TypeError or RangeError for an invalid option. Error if another process has the file, or the file is no journal.
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

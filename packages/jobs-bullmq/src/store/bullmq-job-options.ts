import { requireBoolean, requireKnownKeys, requireText } from "@nidus/jobs-core/adapter";
import type { EnqueueOptions } from "@nidus/jobs-durable";
import { requireInRange, requireLibraryOptions } from "@nidus/jobs-durable/backend";
import type { JobsOptions } from "bullmq";

/** Options of BullMQ's own that no other engine has, as BullMQ documents them. */
export interface BullmqJobOptions
  extends Pick<
    JobsOptions,
    | "lifo"
    | "keepLogs"
    | "parent"
    | "failParentOnFailure"
    | "continueParentOnFailure"
    | "ignoreDependencyOnFailure"
    | "removeDependencyOnFailure"
  > {}

/** Says how a job is enqueued with BullMQ. */
export interface BullmqEnqueueOptions extends EnqueueOptions {
  /** Options that only BullMQ has, such as `{ lifo: true }`: the job starts before the others of priority 0. */
  readonly bullmq?: BullmqJobOptions | undefined;
}

const flags = [
  "lifo",
  "failParentOnFailure",
  "continueParentOnFailure",
  "ignoreDependencyOnFailure",
  "removeDependencyOnFailure",
] as const satisfies readonly (keyof BullmqJobOptions)[];

const known = [...flags, "keepLogs", "parent"];

/** Options of BullMQ that Nidus decides on, and what to use instead. */
const owned: Readonly<Record<string, string>> = {
  jobId: "`idempotencyKey`",
  delay: "`runAt`",
  timestamp: "`runAt`",
  attempts: "`maxAttempts`",
  backoff: "`backoff`",
  priority: "`priority`",
  deduplication: "`uniqueKey`",
  debounce: "`uniqueKey`",
  removeOnComplete: "`retainMs`",
  removeOnFail: "the engine's `retainDeadLettersMs`",
  repeat: "`engine.schedule()`",
  repeatJobKey: "`engine.schedule()`",
  prevMillis: "`engine.schedule()`",
  stackTraceLimit: "an observer, which gets the whole error",
  sizeLimit: "a schema: a payload has at most 1 MiB",
  telemetry: "an observer",
  name: "the job's `name`",
  data: "the payload",
};

/** @throws TypeError or RangeError for an option that is unknown or wrong, or that Nidus decides on. */
export function requireBullmqJobOptions(options: unknown): void {
  requireLibraryOptions(options, { option: "bullmq", known, owned });
  const { keepLogs, parent, ...rest } = options as BullmqJobOptions;
  for (const flag of flags) if (rest[flag] !== undefined) requireBoolean(`\`bullmq.${flag}\``, rest[flag]);
  if (keepLogs !== undefined) requireInRange("`bullmq.keepLogs`", keepLogs, 0);
  if (parent === undefined) return;
  requireKnownKeys("`bullmq.parent`", parent, ["id", "queue"]);
  requireText("`bullmq.parent.id`", parent.id);
  requireText("`bullmq.parent.queue`", parent.queue);
}

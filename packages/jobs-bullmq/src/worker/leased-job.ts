import type { JobAttemptError } from "@nidus/jobs-durable";
import type { LeasedJob } from "@nidus/jobs-durable/backend";
import type { Job } from "bullmq";
import type { Lease } from "../bullmq-internals/index.ts";
import type { StoredData } from "../store/stored-data.ts";
import type { QueueConsumer } from "./queue-consumer.ts";

/** A job that BullMQ has leased to this process. */
export interface BullmqLeasedJob extends LeasedJob {
  readonly consumer: QueueConsumer;
  readonly stored: Job<StoredData>;
  readonly lease: Lease;
  /** The seconds for which the job is kept after it has succeeded. Undefined if its options say anything else. */
  readonly ownRetentionSeconds: number | undefined;
  /** Whether this process knows of a cancel request. */
  isRequested: boolean;
  /** Whether its outcome puts it back as it was: "released" or "snoozed". */
  isGoingBack: boolean;
  /** The errors of its attempts, the newest first. */
  readonly errors: readonly JobAttemptError[];
  /** Digits that its settlement writes, so that it can be told from the settlement of another attempt. */
  mark: string | undefined;
}

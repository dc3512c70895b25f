import type { Settlement } from "@nidus/jobs-durable";
import type { StorageSettings } from "./dialect.ts";
import type { PgBossFetchedJob } from "./pg-boss-source.ts";
import { queueName } from "./queue-name.ts";

/** A settlement as the statement takes it. */
export interface SettlementRow {
  readonly queue: string;
  readonly id: string;
  readonly lease: string;
  readonly retry_count: number;
  readonly enqueued_at: Date;
  readonly state: string;
  readonly delay_ms?: number;
  readonly is_unspent?: boolean;
  readonly output: object;
  readonly deletion_seconds?: number;
}

/** PostgreSQL has no moment that is further away than some 290,000 years. */
const maxDelayMs = 1000 * 365 * 24 * 60 * 60 * 1000;

const maxInteger = 2 ** 31 - 1;

/** Builds what is to be stored of a job. The lease stays beside the output: it tells by whom the settlement was recorded. */
export function settlementRow(
  job: PgBossFetchedJob,
  settlement: Settlement,
  settings: StorageSettings,
): SettlementRow {
  const { id, name, lease, retryCount, enqueuedAt } = job;
  const message = "error" in settlement ? { message: settlement.error } : {};
  return {
    queue: queueName(name),
    id,
    lease,
    retry_count: retryCount,
    enqueued_at: enqueuedAt,
    output: { ...message, lease },
    ...columnsOf(settlement, settings),
  };
}

function columnsOf(
  settlement: Settlement,
  { retainDeadLettersSeconds }: StorageSettings,
): Pick<SettlementRow, "state" | "delay_ms" | "is_unspent" | "deletion_seconds"> {
  switch (settlement.type) {
    case "succeeded":
      return { state: "completed" };
    case "retried":
      return { state: "retry", delay_ms: Math.min(settlement.delayMs, maxDelayMs) };
    case "dead-lettered":
      return { state: "failed", deletion_seconds: Math.min(retainDeadLettersSeconds, maxInteger) };
    case "cancelled":
      return { state: "cancelled" };
    case "handed-back":
      return { state: "retry", is_unspent: true };
  }
}

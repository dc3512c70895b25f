import { describe, refusal, requireWholeNumber } from "@nidus/jobs-core";
import {
  DurableEngine,
  type DurableEngineOptions,
  defaultRetention,
  EngineUnavailableError,
  type JobEngine,
  type RetentionOptions,
  requireEngineOptions,
  warnNowAndThen,
  withDeadline,
} from "@nidus/jobs-durable";
import type { ConnectionOptions } from "bullmq";
import { BullmqBackend } from "./bullmq-backend.ts";
import { addressOf, requireConnection } from "./connection.ts";
import { discreet } from "./discreet-error.ts";
import { warnOfLosses } from "./persistence.ts";
import { Queues } from "./queues.ts";

/** Options of {@link bullmqEngine}. */
export interface BullmqEngineOptions extends DurableEngineOptions, RetentionOptions {
  /**
   * As BullMQ takes it: options such as `{ host, port }` or `{ url }` (`redis:` or `rediss:`), or a client of yours, made with
   * `maxRetriesPerRequest: null`, which stays yours to close.
   */
  readonly connection: ConnectionOptions;
  /** The first part of the names of BullMQ's queues, without ":" and ".". @default "nidus" */
  readonly queue?: string | undefined;
  /** The first part of Redis keys. @default "bull", as BullMQ has it */
  readonly prefix?: string | undefined;
  /**
   * Milliseconds after a worker's death in which its job is delivered again, at the latest about twice that: a whole number
   * from 100. @default 30,000
   */
  readonly leaseMs?: number | undefined;
}

const startWithinMs = 10_000;

/**
 * Durable jobs on BullMQ. Resolves once Redis has answered.
 *
 * @throws (rejects with) TypeError or RangeError for an option that is not as documented; EngineUnavailableError naming a server
 * that cannot be reached or refuses the user, and never its password.
 */
export async function bullmqEngine(options: BullmqEngineOptions): Promise<JobEngine> {
  requireEngineOptions(options);
  const {
    connection,
    queue = "nidus",
    prefix = "bull",
    leaseMs = 30_000,
    onError: tell = warnNowAndThen(),
    retainSucceededMs = defaultRetention.retainSucceededMs,
    retainDeadLettersMs = defaultRetention.retainDeadLettersMs,
  } = options;
  requireConnection(connection);
  if (typeof queue !== "string" || !/^[^:.]+$/.test(queue)) {
    throw refusal("`queue`", 'a non-empty string without ":" and "."', queue);
  }
  requireWholeNumber("`leaseMs`", leaseMs);
  if (leaseMs < 100) throw refusal("`leaseMs`", "at least 100", leaseMs, RangeError);
  requireWholeNumber("`retainSucceededMs`", retainSucceededMs);
  requireWholeNumber("`retainDeadLettersMs`", retainDeadLettersMs);

  const onError = (error: unknown): void => tell(discreet(error));
  const address = addressOf(connection);
  let lastError: unknown;
  let refuse = (_error: unknown): void => {};
  // Trying again does not help: it is not waited for.
  const refused = new Promise<never>((_, reject) => {
    refuse = reject;
  });
  const queues = new Queues(queue, prefix, connection, (error) => {
    lastError = error;
    if (isRefusal(error)) refuse(error);
    onError(error);
  });
  try {
    const ready = queues.client.then((client) => warnOfLosses(client, address));
    await withDeadline(Promise.race([ready, refused]), startWithinMs, `Redis at ${address}`);
  } catch (error) {
    queues.close().catch(() => {});
    const last = lastError ?? error;
    throw new EngineUnavailableError(`Redis at ${address} ${whatIsWrong(last)} (${describe(last)})`, {
      cause: discreet(error),
    });
  }
  const retention = {
    succeededSeconds: Math.ceil(retainSucceededMs / 1000),
    deadLettersSeconds: Math.ceil(retainDeadLettersMs / 1000),
  };
  const backend = new BullmqBackend(queues, { queue, address, leaseMs, retention, onError });
  return new DurableEngine(backend, { ...options, onError });
}

/** What Redis says where the credentials are missing or wrong, or do not suffice. */
const refusals = {
  credentials: /\b(NOAUTH|WRONGPASS|invalid (username-)?password)\b/i,
  permission: /\bNOPERM\b/,
};

function isRefusal(error: unknown): boolean {
  return Object.values(refusals).some((refusal) => refusal.test(String(error)));
}

function whatIsWrong(error: unknown): string {
  if (refusals.credentials.test(String(error))) return "refuses the user or the password";
  return refusals.permission.test(String(error))
    ? "does not let its user do what BullMQ needs"
    : "is unreachable";
}

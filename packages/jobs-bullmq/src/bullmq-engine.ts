import { invalidArgument, requireBoolean } from "@nidus/jobs-core/adapter";
import type { JobEngine } from "@nidus/jobs-durable";
import {
  createEngine,
  type EngineOptions,
  neverThrowing,
  type RetentionOptions,
  requireEngineOptions,
  requireInRange,
  requireRetention,
  throttledWarning,
} from "@nidus/jobs-durable/backend";
import type { ConnectionOptions } from "bullmq";
import { BullmqBackend } from "./bullmq-backend.ts";
import { addressOf, hasHashTag, isCluster, requireConnection } from "./connection/connection-options.ts";
import { notReadyError } from "./connection/opening-error.ts";
import { redacted, rejecting } from "./connection/redacted-error.ts";
import { noHashTag } from "./connection/server-checks.ts";
import type { BullmqEnqueueOptions } from "./store/bullmq-job-options.ts";
import { openQueues } from "./store/open-queues.ts";

/** Options of {@link bullmqEngine}. */
export interface BullmqEngineOptions extends EngineOptions, RetentionOptions {
  /**
   * BullMQ's own option: `{ host, port }`, `{ url }` (`redis:` or `rediss:`), or a client of yours, which stays yours to close. Make
   * the client with `maxRetriesPerRequest: null`. For a cluster, pass an ioredis `Cluster`.
   */
  readonly connection: ConnectionOptions;
  /** The first part of the names of BullMQ's queues, without ":" and ".". @default "nidus" */
  readonly queue?: string | undefined;
  /** The first part of Redis keys. On a cluster it needs a hash tag, such as "{nidus}". @default "bull", as in BullMQ */
  readonly prefix?: string | undefined;
  /**
   * Milliseconds until the job of a dead worker is delivered again, which may take about twice as long: a whole number from 100 to
   * a day. @default 30,000
   */
  readonly leaseMs?: number | undefined;
  /**
   * Whether this process removes jobs that ended longer ago than its retention. Say false in a process that only reads a store in use, such as
   * one for the jobs page. Others do the upkeep, by their own retention. @default true
   */
  readonly upkeep?: boolean | undefined;
}

/** The options that other engines do not have. */
const ownOptions: readonly (keyof BullmqEngineOptions)[] = [
  "connection",
  "queue",
  "prefix",
  "leaseMs",
  "upkeep",
  "retainSucceededMs",
  "retainDeadLettersMs",
];

/** A day, as with pg-boss. BullMQ sets timers of half the lease, and a timer that is too long fires at once. */
const maxLeaseMs = 24 * 60 * 60 * 1000;

/**
 * Opens durable jobs on BullMQ. Resolves once Redis has answered.
 *
 * @throws (rejects with) TypeError or RangeError for an option that is not as documented; EngineUnavailableError for a server
 * that is unreachable or not ready; Error for a server that refuses the user or what the engine needs, has a certificate that is not
 * trusted, is a replica, or is a cluster that the options do not fit; the error of Redis or BullMQ for any other failure. No error has a password.
 */
export async function bullmqEngine(options: BullmqEngineOptions): Promise<JobEngine<BullmqEnqueueOptions>> {
  requireEngineOptions(options, ownOptions);
  const {
    runner,
    name = "bullmq",
    answerWithinMs,
    connection,
    queue = "nidus",
    prefix = "bull",
    leaseMs = 30_000,
    upkeep = true,
  } = options;
  // Listeners of BullMQ and of sockets call it, too: what it throws there would end the process.
  const tell = neverThrowing(options.onError ?? throttledWarning(name));
  requireConnection(connection);
  if (typeof queue !== "string" || !/^[^:.]+$/.test(queue)) {
    throw invalidArgument("`queue`", 'a non-empty string without ":" and "."', queue);
  }
  if (typeof prefix !== "string" || prefix === "")
    throw invalidArgument("`prefix`", "a non-empty string", prefix);
  if (isCluster(connection) && !hasHashTag(`${prefix}:${queue}`)) throw noHashTag("`connection`");
  requireInRange("`leaseMs`", leaseMs, 100, maxLeaseMs);
  requireBoolean("`upkeep`", upkeep);
  const { retainSucceededMs, retainDeadLettersMs } = requireRetention(options);

  // BullMQ emits an error of the shared connection on each queue and worker that uses it.
  const told = new WeakSet<WeakKey>();
  const onError = (error: unknown): void => {
    if (typeof error === "object" && error !== null) {
      if (told.has(error)) return;
      told.add(error);
    }
    tell(redacted(error));
  };
  const address = addressOf(connection);
  const queues = await openQueues(queue, prefix, connection, address, onError);
  const retention = {
    succeededSeconds: Math.ceil(retainSucceededMs / 1000),
    deadLettersSeconds: Math.ceil(retainDeadLettersMs / 1000),
  };
  const backend = new BullmqBackend(queues, {
    queue,
    address,
    leaseMs,
    retention,
    hasUpkeep: upkeep,
    onError,
  });
  const explain = (error: unknown): unknown =>
    notReadyError(redacted(error), `${backend.name} at ${address}`);
  return createEngine(rejecting(backend, explain), { runner, name, answerWithinMs, onError }).start();
}

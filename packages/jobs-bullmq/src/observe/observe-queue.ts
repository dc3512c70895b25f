import { invalidArgument, requireFunction } from "@nidus/jobs-core/adapter";
import { observeStore } from "@nidus/jobs-durable/backend";
import type { ObservedJobRunner } from "@nidus/jobs-observe";
import { isQueueClosed, readBareQueue } from "../bullmq-internals/index.ts";

/** The part of a BullMQ queue that {@link observeBullmqQueue} needs. Every `Queue` of BullMQ from 5.0 on has it. */
export interface BullmqQueueLike {
  /** The name of the queue. */
  readonly name: string;
  /** Returns the key of a part of the queue in Redis. */
  toKey(type: string): string;
}

/**
 * Lets observers read a BullMQ queue that you have: how many jobs wait and since when, how many have failed for the last time, and
 * whether Redis answers. The jobs count under the name of the queue, as those of `observeBullmqProcessor` do.
 *
 * A reading costs one script on the queue's own connection, which blocks nothing else. It rejects if Redis does not answer within 2
 * seconds. Reading ends when you close the queue. Call it once for each queue in a process.
 *
 * @throws TypeError for a value that is no queue.
 */
export function observeBullmqQueue(runner: ObservedJobRunner, queue: BullmqQueueLike): void {
  if (typeof queue?.name !== "string" || typeof queue.toKey !== "function") {
    throw invalidArgument("`queue`", "a BullMQ queue", queue);
  }
  requireFunction("`runner.opened`", runner?.opened);
  const { name: jobName } = queue;
  runner.declare({ name: jobName, engine: "bullmq", queue: jobName });
  observeStore(runner, {
    engine: "bullmq",
    address: `the queue "${jobName}"`,
    isClosed: () => isQueueClosed(queue),
    async backlog() {
      const { waiting, oldestWaitingMs } = await readBareQueue(queue);
      return [{ jobName, waiting, oldestWaitingAt: dateOf(oldestWaitingMs) }];
    },
    async deadLetters() {
      const { failed, oldestFailedMs } = await readBareQueue(queue);
      return [{ jobName, count: failed, oldestAt: dateOf(oldestFailedMs) }];
    },
    ping: () => readBareQueue(queue),
  });
}

function dateOf(ms: number | undefined): Date | undefined {
  return ms === undefined ? undefined : new Date(ms);
}

import { isDate } from "node:util/types";
import { jobSpanConvention, type SpanConvention } from "./semantic-conventions.ts";

/**
 * Names spans and attributes as the messaging conventions of OpenTelemetry do: `send <queue>` for an enqueue, `process <queue>` for the
 * run of a stored job. Adds the attributes that the queue page of Sentry reads. Runs that no engine delivered are no messages: they are
 * named as `jobSpanConvention` does.
 *
 * The conventions are still in development. They have renamed `messaging.system` to `messaging.system.name`, and few tools read the
 * new name yet: spans have both.
 */
export const messagingSpanConvention: SpanConvention = {
  runName: (context) =>
    context.delivery === undefined ? jobSpanConvention.runName(context) : `process ${context.delivery.queue}`,
  runAttributes: (context) => {
    const { delivery, attributes, jobName } = context;
    if (delivery === undefined) return jobSpanConvention.runAttributes(context);
    return {
      ...attributes,
      ...operation("process", "process", delivery.engine, delivery.queue),
      ...message(delivery.jobId, delivery.correlationId, delivery.payloadBytes),
      "messaging.message.retry.count": Math.max(0, delivery.attempt - 1),
      "job.name": jobName,
    };
  },
  recordedRunAttributes: (context) => ({
    ...jobSpanConvention.recordedRunAttributes(context),
    ...latency(context.startedAtMs, context.delivery?.runAt),
  }),
  endAttributes: jobSpanConvention.endAttributes,
  enqueueName: ({ queue }) => `send ${queue}`,
  enqueueAttributes: ({ jobName, engine, queue, count, jobIds, correlationId, payloadBytes }) => ({
    ...operation("send", "publish", engine, queue),
    ...message(count === 1 ? jobIds?.[0] : undefined, correlationId, payloadBytes),
    // The conventions have it on batches alone.
    ...(count === 1 ? {} : { "messaging.batch.message_count": count }),
    "job.name": jobName,
  }),
};

/** `sentryName` is the operation in the terms of Sentry, which reads `sentry.op`. */
function operation(
  name: "send" | "process",
  sentryName: "publish" | "process",
  system: string,
  queue: string,
) {
  return {
    "messaging.system": system,
    "messaging.system.name": system,
    "messaging.operation.name": name,
    "messaging.operation.type": name,
    "messaging.destination.name": queue,
    "sentry.op": `queue.${sentryName}`,
  };
}

function message(id: string | undefined, conversationId: string | undefined, bodySize: number | undefined) {
  return {
    ...(id === undefined ? {} : { "messaging.message.id": id }),
    ...(conversationId === undefined ? {} : { "messaging.message.conversation_id": conversationId }),
    ...(bodySize === undefined ? {} : { "messaging.message.body.size": bodySize }),
  };
}

/** How long a message waited, in milliseconds, as Sentry reads it. Other queues may state no valid date. */
function latency(startedAtMs: number, runAt: unknown) {
  const waitedMs = isDate(runAt) ? startedAtMs - runAt.getTime() : Number.NaN;
  return Number.isFinite(waitedMs) ? { "messaging.message.receive.latency": Math.max(0, waitedMs) } : {};
}

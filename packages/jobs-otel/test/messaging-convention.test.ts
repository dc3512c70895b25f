import { asyncJob, job } from "@nidus/jobs-core";
import type { EnqueuedJobContext, JobDelivery } from "@nidus/jobs-observe";
import { type Attributes, SpanKind } from "@opentelemetry/api";
import * as published from "@opentelemetry/semantic-conventions/incubating";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { messagingSpanConvention as convention, otelJobObserver } from "../src/index.ts";
import { registerContextManager, resetGlobalApi } from "./support/global-api.ts";
import { recordSpans } from "./support/recorded-spans.ts";
import { deliveryOf, strictRunner } from "./support/runner.ts";

beforeEach(registerContextManager);
afterEach(() => {
  vi.restoreAllMocks();
  resetGlobalApi();
});

/** Attributes of no published convention, which the queue page of Sentry reads. */
const ofSentry = ["messaging.message.receive.latency", "messaging.message.retry.count", "sentry.op"];

const attributeNames = Object.entries(published)
  .filter(([name]) => name.startsWith("ATTR_"))
  .map(([, value]) => value as string);
const operationTypes = Object.entries(published)
  .filter(([name]) => name.startsWith("MESSAGING_OPERATION_TYPE_VALUE_"))
  .map(([, value]) => value as string);

function expectPublished(attributes: Attributes): void {
  const others = Object.keys(attributes).filter((name) => !/^(job\.|tenant$)/.test(name));
  expect(others.filter((name) => ![...attributeNames, ...ofSentry].includes(name))).toEqual([]);
  expect(operationTypes).toContain(attributes[published.ATTR_MESSAGING_OPERATION_TYPE]);
  // What the convention requires of every messaging span.
  for (const name of [published.ATTR_MESSAGING_OPERATION_NAME, published.ATTR_MESSAGING_SYSTEM_NAME]) {
    expect(attributes[name]).toEqual(expect.any(String));
  }
}

async function spanOfRun(given: Partial<JobDelivery>, isFailing = false) {
  const { tracer, spans } = recordSpans();
  const runner = strictRunner(otelJobObserver({ tracer, convention })).runIdGenerator(() => "run-1");
  const run = asyncJob("digest", async () => {
    if (isFailing) throw new RangeError("no");
  });
  await runner
    .context("tenant", "acme")
    .runAsync(run, { delivery: deliveryOf(given) })
    .catch(() => {});
  return spans.only("process mail");
}

function spanOfEnqueue(given: Partial<EnqueuedJobContext> = {}) {
  const { tracer, spans } = recordSpans();
  strictRunner(otelJobObserver({ tracer, convention })).enqueued({
    jobName: "digest",
    engine: "bullmq",
    queue: "mail",
    count: 1,
    jobIds: ["job-7"],
    correlationId: "order-9",
    payloadBytes: 12,
    carrier: {},
    ...given,
  });
  return spans.only("send mail");
}

describe("messagingSpanConvention", () => {
  test("names the run of a stored job as a message that is processed", async () => {
    const nowMs = Date.parse("2031-05-06T07:08:09Z");
    // The start of a run follows the monotonic clock, which is milliseconds apart from that of `Date`.
    for (const clock of [Date, performance]) vi.spyOn(clock, "now").mockReturnValue(nowMs);
    const runAt = new Date(nowMs - 5_000);
    const span = await spanOfRun({ engine: "bullmq", correlationId: "order-9", payloadBytes: 12, runAt });

    expect(span.kind).toBe(SpanKind.CONSUMER);
    expect(span.attributes).toEqual({
      tenant: "acme",
      "messaging.system": "bullmq",
      "messaging.system.name": "bullmq",
      "messaging.operation.name": "process",
      "messaging.operation.type": "process",
      "messaging.destination.name": "mail",
      "messaging.message.id": "job-7",
      "messaging.message.conversation_id": "order-9",
      "messaging.message.body.size": 12,
      "messaging.message.retry.count": 1,
      "messaging.message.receive.latency": 5_000,
      "sentry.op": "queue.process",
      "job.name": "digest",
      "job.run_id": "run-1",
    });
    expectPublished(span.attributes);
  });

  test("names an enqueue as a message that is sent", () => {
    const span = spanOfEnqueue();

    expect(span.kind).toBe(SpanKind.PRODUCER);
    expect(span.attributes).toEqual({
      "messaging.system": "bullmq",
      "messaging.system.name": "bullmq",
      "messaging.operation.name": "send",
      "messaging.operation.type": "send",
      "messaging.destination.name": "mail",
      "messaging.message.id": "job-7",
      "messaging.message.conversation_id": "order-9",
      "messaging.message.body.size": 12,
      "sentry.op": "queue.publish",
      "job.name": "digest",
    });
    expectPublished(span.attributes);
  });

  test("counts the messages of a batch, and names none of them", () => {
    const { attributes } = spanOfEnqueue({ count: 2, jobIds: ["job-7", "job-8"], payloadBytes: undefined });
    expect(attributes[published.ATTR_MESSAGING_BATCH_MESSAGE_COUNT]).toBe(2);
    expect(attributes).not.toHaveProperty([published.ATTR_MESSAGING_MESSAGE_ID]);
    expect(attributes).not.toHaveProperty([published.ATTR_MESSAGING_MESSAGE_BODY_SIZE]);
    expectPublished(attributes);
  });

  test("leaves out what a queue does not know", async () => {
    const { attributes } = spanOfEnqueue({
      jobIds: undefined,
      correlationId: undefined,
      payloadBytes: undefined,
    });
    expect(Object.keys(attributes).filter((name) => name.startsWith("messaging.message."))).toEqual([]);

    const span = await spanOfRun({ attempt: 0, runAt: "soon" as never });
    expect(span.attributes["messaging.message.retry.count"]).toBe(0);
    expect(span.attributes).not.toHaveProperty(["messaging.message.receive.latency"]);
    const early = await spanOfRun({ runAt: new Date(Date.now() + 60_000) });
    expect(early.attributes["messaging.message.receive.latency"]).toBe(0);
  });

  test("gives a failure the class of its error", async () => {
    const span = await spanOfRun({}, true);
    expect(span.attributes[published.ATTR_ERROR_TYPE]).toBe("RangeError");
  });

  test("names a run that no engine delivered as the default convention does", () => {
    const { tracer, spans } = recordSpans();
    strictRunner(otelJobObserver({ tracer, convention })).run(job("reindex", () => {}));
    const span = spans.only("job.run");
    expect(span.attributes["job.name"]).toBe("reindex");
    expect(Object.keys(span.attributes).filter((name) => name.startsWith("messaging."))).toEqual([]);
  });
});

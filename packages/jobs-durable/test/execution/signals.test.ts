import { ObservedJobRunner } from "@nidus/jobs-observe";
import { describe, expect, it } from "vitest";
import { defineJob, type JobHandlerContext, memoryEngine } from "../../src/index.ts";

async function ran(
  run: (index: number, context: JobHandlerContext) => unknown,
  count: number,
): Promise<void> {
  await using engine = memoryEngine({ runner: new ObservedJobRunner() });
  const job = defineJob<number>({ name: "signals", run });
  await engine.enqueueMany(
    job,
    Array.from({ length: count }, (_, index) => index),
  );
  await engine.work({ jobs: [job] });
  await expect.poll(async () => (await engine.stats()).succeeded).toBe(count);
}

describe("the signals of deliveries", () => {
  it("are never those of another one, once a handler has looked at them", async () => {
    const seen = new Set<AbortSignal>();
    await ran((index, context) => {
      if (index % 2 === 0) seen.add(context.signal);
    }, 20);
    expect(seen.size).toBe(10);
  });

  it("that are asked for after the end are no other delivery's", async () => {
    const contexts: JobHandlerContext[] = [];
    const during: AbortSignal[] = [];
    await ran((index, context) => {
      if (index === 0) contexts.push(context);
      else during.push(context.signal);
    }, 5);
    const late = contexts[0]?.signal;
    expect(late).toBeInstanceOf(AbortSignal);
    expect(during).not.toContain(late);
    expect(late?.aborted).toBe(false);
  });
});

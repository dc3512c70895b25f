import assert from "node:assert/strict";
import type { JobConsumer, JobOutcome, LeasedJob, SettleResult } from "@nidus/jobs-durable/backend";
import { withinLimit } from "../contract/time-limit.ts";

/** How long a test waits for a job, in milliseconds. */
const patienceMs = 60_000;

/** How long one fetch may wait before it answers with no job. */
export const longestFetchMs = 20_000;

/** A consumer, and how a worker uses it. */
export class TestedConsumer {
  readonly consumer: JobConsumer<LeasedJob>;
  #isClosed = false;

  constructor(consumer: JobConsumer<LeasedJob>) {
    this.consumer = consumer;
  }

  /** Fetches once. A signal that is not given is never aborted. */
  async fetch(limit: number, signal: AbortSignal = new AbortController().signal): Promise<LeasedJob[]> {
    const jobs = await withinLimit(
      this.consumer.fetch(limit, signal),
      longestFetchMs,
      "a `fetch` that should answer with no job after some seconds",
    );
    assert.ok(Array.isArray(jobs), "`fetch` resolves to an array");
    assert.ok(jobs.length <= limit, `\`fetch(${limit})\` resolved to ${jobs.length} jobs`);
    return [...jobs];
  }

  /** Fetches until so many jobs have come, without renewing a lease. */
  async take(count: number, withinMs: number = patienceMs): Promise<LeasedJob[]> {
    const startMs = performance.now();
    const taken: LeasedJob[] = [];
    do {
      taken.push(...(await this.fetch(count - taken.length)));
    } while (taken.length < count && performance.now() - startMs < withinMs);
    assert.equal(taken.length, count, `so many of ${count} jobs came within ${withinMs} ms`);
    return taken;
  }

  async next(withinMs?: number): Promise<LeasedJob> {
    const [job] = await this.take(1, withinMs);
    return job as LeasedJob;
  }

  /** Fetches for so long, in milliseconds. Resolves to the jobs that came. */
  async takeFor(ms: number, limit = 1): Promise<LeasedJob[]> {
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(), ms);
    const taken: LeasedJob[] = [];
    while (!controller.signal.aborted) taken.push(...(await this.fetch(limit, controller.signal)));
    clearTimeout(timer);
    return taken;
  }

  /** Records an outcome, and checks the shape of the answer. Resolves to whether it was recorded. */
  async settle(job: LeasedJob, outcome: JobOutcome): Promise<boolean> {
    const result: SettleResult = await this.consumer.settle(job, outcome);
    assert.equal(typeof result?.isRecorded, "boolean", "`settle` resolves to `{ isRecorded }`");
    return result.isRecorded;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.consumer.close();
  }
}

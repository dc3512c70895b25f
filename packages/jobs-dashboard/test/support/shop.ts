import { type DurableJob, defineJob, type JobEngine, PermanentJobError } from "@nidus/jobs-durable";
import type { ObservedJobRunner } from "@nidus/jobs-observe";
import { expect, vi } from "vitest";

/** A service with one job of each fate. */
export interface Shop {
  readonly engine: JobEngine;
  readonly mail: DurableJob<{ to: string }>;
  readonly charge: DurableJob<{ order: number }>;
  readonly exporting: DurableJob<{ account: string }>;
  readonly invoice: DurableJob<{ invoice: number }>;
  /** The orders that were charged: filled once `isRepaired`. */
  readonly charged: number[];
  /** Makes `charge` succeed from now on, or fail. */
  repair(isNowRepaired?: boolean): void;
  /** Waits until the counts of a job are these. */
  until(
    jobName: string,
    counts: Partial<Record<"waiting" | "running" | "succeeded" | "deadLettered" | "cancelled", number>>,
  ): Promise<void>;
  /** Waits until a job is a dead letter. */
  untilDead(jobId: string): Promise<void>;
  close(): Promise<void>;
}

/** Opens a shop on an engine. */
export async function openShop(
  open: (runner: ObservedJobRunner) => JobEngine | Promise<JobEngine>,
  runner: ObservedJobRunner,
): Promise<Shop> {
  const engine = await open(runner);
  const charged: number[] = [];
  let isRepaired = false;
  const mail = defineJob<{ to: string }>({ name: "mail", run: () => undefined });
  const charge = defineJob<{ order: number }>({
    name: "charge",
    maxAttempts: 1,
    run({ order }) {
      if (isRepaired) return void charged.push(order);
      throw new PermanentJobError(`the provider refused order ${order}`, {
        cause: new Error("socket hang up"),
      });
    },
  });
  const exporting = defineJob<{ account: string }>({
    name: "export",
    run: (_payload, { signal }) =>
      new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
  });
  const invoice = defineJob<{ invoice: number }>({ name: "invoice", run: () => undefined });
  const worker = await engine.work({ jobs: [mail, charge], concurrency: 5 });
  const exporter = await engine.work({ jobs: [exporting], concurrency: 2 });
  return {
    ...{ engine, mail, charge, exporting, invoice, charged },
    repair(isNowRepaired = true) {
      isRepaired = isNowRepaired;
    },
    until: (jobName, counts) =>
      vi.waitFor(async () => expect((await engine.stats()).byName[jobName]).toMatchObject(counts), {
        timeout: 120_000,
        interval: 50,
      }),
    untilDead: (jobId) =>
      vi.waitFor(async () => expect((await engine.job(jobId))?.state).toBe("dead-lettered"), {
        timeout: 120_000,
        interval: 50,
      }),
    async close() {
      await Promise.all([worker, exporter].map((each) => each.stop({ graceMs: 0, abortMs: 1_000 })));
      await engine.close();
    },
  };
}

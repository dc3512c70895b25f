import { readFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { AsyncJobQueue, asyncJob } from "@nidus/jobs-core";
import { defineJob, memoryEngine } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { prometheusJobObserver } from "@nidus/jobs-prometheus";
import { describe, expect, it } from "vitest";

// vitest.config.ts runs this file with the pool `vmThreads`, in which errors of Node are of another realm than the test's own.
describe("in a realm of its own", () => {
  const missing = (): Promise<string> => readFile("/no/such/file", "utf8");

  it("errors of Node are no errors of the test", async () => {
    const error = await missing().catch((thrown: unknown) => thrown);
    expect(error).toHaveProperty("code", "ENOENT");
    expect(error instanceof Error).toBe(false);
  });

  it("a queue tells a run that fails from a run that is cancelled, and both from a success", async () => {
    const metrics = prometheusJobObserver();
    const controller = new AbortController();
    const queue = new AsyncJobQueue();
    queue.push(asyncJob("succeeds", async () => {}));
    queue.push(asyncJob("fails", missing));
    queue.push(
      asyncJob("is_cancelled", (signal: AbortSignal) => {
        controller.abort();
        return pause(60_000, undefined, { signal });
      }),
    );
    const report = await queue.drain({
      runner: new ObservedJobRunner([metrics]),
      signal: controller.signal,
    });
    expect(report.completed).toEqual(["succeeds"]);
    expect(report.toJSON().failed).toMatchObject([
      { jobName: "fails", message: expect.stringContaining("ENOENT") },
    ]);
    const text = await metrics.metrics();
    for (const [name, status] of [
      ["succeeds", "success"],
      ["fails", "failure"],
      ["is_cancelled", "cancelled"],
    ]) {
      expect(text).toContain(`nidus_jobs_finished_total{job_name="${name}",status="${status}"} 1`);
    }
  });

  it("an engine stores jobs, runs them, and keeps the text of an error", async () => {
    // Node 20 gives other realms no Symbol.asyncDispose, so that `await using` is not for them.
    const engine = memoryEngine({ runner: new ObservedJobRunner() });
    const seen: unknown[] = [];
    const job = defineJob<{ to: string[] }>({
      name: "mail",
      maxAttempts: 1,
      async run(payload) {
        seen.push(payload);
        if (payload.to.length === 0) await missing();
      },
    });
    await engine.enqueueMany(job, [{ to: ["ada"] }, { to: [] }]);
    await engine.work({ jobs: [job] });
    await expect.poll(() => engine.stats()).toMatchObject({ succeeded: 1, deadLettered: 1 });
    expect(seen).toEqual([{ to: ["ada"] }, { to: [] }]);
    const [letter] = await engine.deadLetters();
    expect(letter?.error).toContain("ENOENT");
    await engine.close();
  });
});

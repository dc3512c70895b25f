import { defineJob, PermanentJobError } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { recordingObserver } from "@nidus/jobs-testkit";
import { describe, expect, it } from "vitest";
import { breakingLink, type CommandKind } from "../support/breaking-link.ts";
import { describeEngines } from "../support/describe-engines.ts";
import { locksOf } from "../support/locks.ts";

const soon = { timeout: 120_000 };

describeEngines("an answer of Redis that is lost", ({ bullmqEngine, redis }) => {
  /** An engine behind a link that breaks. A lost job would come again after half a minute, too late here. */
  async function open() {
    const link = await breakingLink(redis().port);
    const recorder = recordingObserver();
    const queue = `lost-${crypto.randomUUID()}`;
    const errors: unknown[] = [];
    const engine = await bullmqEngine({
      runner: new ObservedJobRunner(recorder),
      connection: { host: "127.0.0.1", port: link.port },
      queue,
      onError: (error) => errors.push(error),
    });
    const close = async (): Promise<void> => {
      await engine.close();
      await link.close();
    };
    return { link, recorder, engine, queue, errors, [Symbol.asyncDispose]: close };
  }

  const endings: [what: string, command: CommandKind, outcomes: string[]][] = [
    ["a success", "complete", ["succeeded"]],
    ["a retry", "delay", ["retried", "succeeded"]],
    ["a snooze", "delay", ["snoozed", "succeeded"]],
    ["a dead letter", "fail", ["dead-lettered"]],
    ["a cancellation", "fail", ["cancelled"]],
  ];
  const numbers = [
    ["one name", 1],
    ["several names", 2],
  ] as const;

  describe.each(numbers)("with %s", (_names, count) => {
    it.each(endings)("tells %s once, and runs the rest", async (what, command, outcomes) => {
      await using opened = await open();
      const { link, recorder, engine, queue } = opened;
      const attempts: (number | undefined)[] = [];
      let hasBegun = false;
      const first = defineJob<{ isFirst: boolean }>({
        name: "first",
        backoff: { baseMs: 10, maxMs: 10 },
        async run({ isFirst }, { signal, delivery, snooze }) {
          attempts.push(delivery?.attempt);
          if (!isFirst || delivery === undefined || hasBegun) return;
          hasBegun = true;
          if (what === "a cancellation") {
            await engine.cancel(delivery.jobId);
            await expect.poll(() => signal.aborted).toBe(true);
          }
          link.loseAnswerTo(command);
          if (what === "a snooze") snooze(10);
          if (what === "a retry") throw new Error("not yet");
          if (what === "a dead letter") throw new PermanentJobError("never");
          signal.throwIfAborted();
        },
      });
      const other = defineJob({ name: "other", run() {} });
      await engine.enqueue(first, { isFirst: true });
      // A job that comes with the lost answer has a single attempt.
      await engine.enqueueMany(first, [{ isFirst: false }, { isFirst: false }], { maxAttempts: 1 });
      const worker = await engine.work({ jobs: [first, other].slice(0, count) });
      await expect
        .poll(() => [...recorder.outcomesOf("first")].sort(), soon)
        .toEqual([...outcomes, "succeeded", "succeeded"].sort());
      expect(link.lost).toBe(1);
      expect(attempts).toHaveLength(outcomes.length + 2);
      expect(await engine.stats()).toMatchObject({ running: 0, waiting: 0, scheduled: 0 });
      expect(await locksOf(redis(), queue)).toEqual([]);
      // The slot is free.
      await engine.enqueue(first, { isFirst: false });
      await expect.poll(() => recorder.outcomesOf("first").length, soon).toBe(outcomes.length + 3);
      const report = await worker.stop();
      expect(report.started).toBe(outcomes.length + 3);
    });

    it("runs what a fetch brought, in its only attempt", async () => {
      await using opened = await open();
      const { link, recorder, engine, queue } = opened;
      const seen: string[] = [];
      const job = defineJob<string>({
        name: "first",
        maxAttempts: 1,
        run: (payload, { delivery }) => void seen.push(`${payload} ${delivery?.attempt}`),
      });
      const other = defineJob({ name: "other", run() {} });
      link.loseAnswerTo("fetch");
      await engine.enqueueMany(job, ["a", "b", "c"]);
      await engine.work({ jobs: [job, other].slice(0, count) });
      await expect.poll(() => [...seen].sort(), soon).toEqual(["a 1", "b 1", "c 1"]);
      await expect.poll(() => recorder.outcomesOf("first"), soon).toEqual(Array(3).fill("succeeded"));
      expect(link.lost).toBe(1);
      expect(await locksOf(redis(), queue)).toEqual([]);
    });

    it("leaves no job leased that a fetch brought, if the engine closes", async () => {
      await using opened = await open();
      const { link, engine, queue } = opened;
      const jobs = ["first", "other"].map((name) => defineJob({ name, run() {} }));
      link.loseAnswerTo("fetch");
      await engine.enqueue(jobs[0] as (typeof jobs)[number], undefined);
      await engine.work({ jobs: jobs.slice(0, count) });
      await expect.poll(() => link.lost, soon).toBe(1);
      expect(await locksOf(redis(), queue)).toHaveLength(1);
      await engine.close();
      expect(await locksOf(redis(), queue)).toEqual([]);
    });

    it("delivers what was released as the first attempt that it was", async () => {
      await using opened = await open();
      const { link, engine, queue } = opened;
      const attempts: (number | undefined)[] = [];
      const job = defineJob({
        name: "first",
        maxAttempts: 1,
        async run(_, { signal, delivery }) {
          attempts.push(delivery?.attempt);
          if (attempts.length > 1) return;
          await new Promise((resolve) => signal.addEventListener("abort", resolve));
          signal.throwIfAborted();
        },
      });
      const other = defineJob({ name: "other", run() {} });
      await engine.enqueue(job, undefined);
      const jobs = [job, other].slice(0, count);
      const worker = await engine.work({ jobs });
      await expect.poll(() => attempts, soon).toEqual([1]);
      link.loseAnswerTo("handBack");
      expect(await worker.stop({ graceMs: 0 })).toMatchObject({ interrupted: 1 });
      await engine.work({ jobs });
      await expect.poll(async () => (await engine.stats()).succeeded, soon).toBe(1);
      expect(attempts).toEqual([1, 1]);
      expect(link.lost).toBe(1);
      expect(await locksOf(redis(), queue)).toEqual([]);
    });
  });
});

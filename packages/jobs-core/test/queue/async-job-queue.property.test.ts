import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AsyncJob, AsyncJobQueue, asyncJob } from "../../src/index.ts";

interface Step {
  /** How many turns of the microtask queue the job waits. */
  readonly waits: number;
  readonly fails: boolean;
  readonly pushes: number;
  /** Whether the signal is aborted from inside this job. */
  readonly aborts: boolean;
}

const steps = fc.array(
  fc.record({
    waits: fc.nat({ max: 4 }),
    fails: fc.boolean(),
    pushes: fc.nat({ max: 2 }),
    aborts: fc.constant(false),
  }),
  { maxLength: 30 },
);

const abortingSteps = fc
  .tuple(steps, fc.nat())
  .map(([list, at]) =>
    list.map((step, index) => ({ ...step, aborts: list.length > 0 && index === at % list.length })),
  );

class Scenario {
  readonly queue = new AsyncJobQueue();
  readonly started: string[] = [];
  readonly aborting = new AbortController();
  running = 0;
  mostRunning = 0;
  pushed = 0;

  constructor(plan: readonly Step[]) {
    for (const [index, step] of plan.entries()) this.#push(`${index}`, step);
  }

  #push(name: string, step: Step): void {
    this.pushed++;
    this.queue.push(this.#job(name, step));
  }

  #job(name: string, step: Step): AsyncJob {
    return asyncJob(name, async () => {
      this.started.push(name);
      this.mostRunning = Math.max(this.mostRunning, ++this.running);
      for (let i = 0; i < step.waits; i++) await undefined;
      for (let i = 0; i < step.pushes; i++) this.#push(`${name}.${i}`, { ...step, pushes: 0, aborts: false });
      if (step.aborts) this.aborting.abort();
      this.running--;
      if (step.fails) throw new Error("planned");
    });
  }
}

const names = (report: {
  completed: readonly string[];
  failed: readonly { jobName: string }[];
}): string[] => [...report.completed, ...report.failed.map((failure) => failure.jobName)];

describe("AsyncJobQueue, whatever the jobs do", () => {
  it("drains each job once within the concurrency, also in overlapping drains", async () => {
    await fc.assert(
      fc.asyncProperty(
        steps,
        fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }),
        async (plan, limits) => {
          const scenario = new Scenario(plan);
          const reports = await Promise.all(
            limits.map((concurrency) => scenario.queue.drain({ concurrency })),
          );
          expect(reports.flatMap(names).sort()).toEqual([...scenario.started].sort());
          expect(new Set(scenario.started).size).toBe(scenario.started.length);
          expect(scenario.started.length).toBe(scenario.pushed);
          expect(scenario.queue.size).toBe(0);
          expect(scenario.mostRunning).toBeLessThanOrEqual(limits.reduce((sum, limit) => sum + limit, 0));
        },
      ),
    );
  });

  it("reports every job of a runAll that is aborted halfway", async () => {
    await fc.assert(
      fc.asyncProperty(abortingSteps, fc.integer({ min: 1, max: 5 }), async (plan, concurrency) => {
        const scenario = new Scenario(plan);
        const { signal } = scenario.aborting;
        const report = await scenario.queue.runAll({ concurrency, signal });
        expect([...names(report), ...report.notStarted].sort()).toEqual(
          plan.map((_, index) => `${index}`).sort(),
        );
        expect(names(report).sort()).toEqual([...scenario.started].sort());
        expect(report.wasAborted).toBe(plan.length > 0);
        expect(scenario.mostRunning).toBeLessThanOrEqual(concurrency);
        expect(scenario.queue.size).toBe(scenario.pushed);
      }),
    );
  });

  it("keeps the jobs that an aborted drain did not start", async () => {
    await fc.assert(
      fc.asyncProperty(abortingSteps, fc.integer({ min: 1, max: 5 }), async (plan, concurrency) => {
        const scenario = new Scenario(plan);
        const { signal } = scenario.aborting;
        const report = await scenario.queue.drain({ concurrency, signal });
        expect(names(report).sort()).toEqual([...scenario.started].sort());
        expect(scenario.queue.size).toBe(scenario.pushed - scenario.started.length);
        expect(report.notStarted).toEqual([]);
      }),
    );
  });
});

import { asyncJob, job } from "@nidus/jobs-core";
import { describe, expect, it } from "vitest";
import { currentJob, currentJobObserver, type JobObserver, ObservedJobRunner } from "../../src/index.ts";
import { settled } from "../support/settled.ts";

describe("currentJob", () => {
  it("is the run that the code is part of, across awaits and in concurrent runs", async () => {
    const runner = new ObservedJobRunner(currentJobObserver());
    const look = (name: string) =>
      asyncJob(name, async () => {
        const before = currentJob();
        await settled();
        const inTimer = await new Promise((resolve) => setTimeout(() => resolve(currentJob()), 1));
        return before === inTimer && before?.jobName === name;
      });
    const results = await Promise.all(
      Array.from({ length: 50 }, (_, i) => runner.runAsync(look(`job ${i}`))),
    );
    expect(results.every(Boolean)).toBe(true);
    expect(runner.run(job("sync", () => currentJob()?.jobName))).toBe("sync");
  });

  it("is undefined outside a run, and in runs that did not opt in", () => {
    expect(currentJob()).toBeUndefined();
    expect(new ObservedJobRunner().run(job("x", () => currentJob()))).toBeUndefined();
  });

  it("is set in the hooks of other observers, and ends with the run", () => {
    const names: (string | undefined)[] = [];
    const looking: JobObserver = {
      onJobStarted: () => void names.push(currentJob()?.jobName),
      onJobFinished: () => void names.push(currentJob()?.jobName),
    };
    new ObservedJobRunner([looking, currentJobObserver()]).run(job("x", () => {}));
    expect(names).toEqual(["x", "x"]);
    expect(currentJob()).toBeUndefined();
  });

  it("is the inner run within a run", () => {
    const runner = new ObservedJobRunner(currentJobObserver());
    const names = runner.run(
      job("outer", () => [runner.run(job("inner", () => currentJob()?.jobName)), currentJob()?.jobName]),
    );
    expect(names).toEqual(["inner", "outer"]);
  });
});

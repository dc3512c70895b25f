import { asyncJob, job } from "@nidus/jobs-core";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { combineJobObservers, currentJob, currentJobObserver, type JobObserver } from "../src/index.ts";
import { Recorder } from "./support/recorder.ts";
import { settled } from "./support/settled.ts";

/** Another copy of the package, like that of a second bundle in the process. */
let copy: typeof import("../src/index.ts");

beforeEach(async () => {
  vi.resetModules();
  copy = await import("../src/index.ts");
  expect(copy.currentJob).not.toBe(currentJob);
});

describe("two copies of the package", () => {
  it("see the same current job", async () => {
    for (const [observer, read] of [
      [currentJobObserver(), copy.currentJob],
      [copy.currentJobObserver(), currentJob],
    ] as const) {
      const runner = new copy.ObservedJobRunner(observer);
      const reading = asyncJob("digest", async () => {
        await settled();
        return read()?.jobName;
      });
      expect(await runner.runAsync(reading)).toBe("digest");
    }
  });

  it("accept each other's lists of observers as lists", () => {
    const broken: JobObserver = {
      onJobStarted() {
        throw new Error("broken");
      },
    };
    const recorder = new Recorder();
    const failed: JobObserver[] = [];
    const runner = new copy.ObservedJobRunner(combineJobObservers(broken, recorder), {
      onObserverError: (_, observer) => failed.push(observer),
    });
    runner.run(job("a", () => {}));
    expect(failed).toEqual([broken]);
    expect(recorder.story).toEqual(["started", "finished success"]);
  });
});

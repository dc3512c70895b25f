import { asyncJob, job } from "@nidus/jobs-core";
import { describe, expect, it, vi } from "vitest";
import { requireProgress, startedContext, tellProgress } from "../../src/adapter.ts";
import {
  currentJobObserver,
  type JobObserver,
  type JobProgress,
  type ObservedJobContext,
  ObservedJobRunner,
  reportProgress,
} from "../../src/index.ts";
import { settled } from "../support/settled.ts";

/** Keeps what it hears of progress, such as "mail 0.5 half". */
function listener() {
  const heard: string[] = [];
  const contexts: ObservedJobContext[] = [];
  const observer: JobObserver = {
    onJobProgressed(context, { fraction, note }) {
      heard.push(`${context.jobName} ${fraction} ${note}`);
      contexts.push(context);
    },
  };
  return { heard, contexts, observer };
}

describe("reportProgress", () => {
  it("tells the observers of the run, also after awaits and in concurrent runs", async () => {
    const { heard, observer } = listener();
    const runner = new ObservedJobRunner([currentJobObserver(), observer]);
    const reporting = (name: string) =>
      asyncJob(name, async () => {
        reportProgress(0);
        await settled();
        reportProgress(0.5, "half");
      });
    await Promise.all([runner.runAsync(reporting("mail")), runner.runAsync(reporting("digest"))]);
    runner.run(job("sync", () => reportProgress(1)));
    expect(heard.sort()).toEqual([
      "digest 0 undefined",
      "digest 0.5 half",
      "mail 0 undefined",
      "mail 0.5 half",
      "sync 1 undefined",
    ]);
  });

  it("passes the context of the start, and a progress that observers cannot change", () => {
    const { contexts, observer } = listener();
    const progresses: JobProgress[] = [];
    const keeping: JobObserver = {
      onJobStarted: (context) => void contexts.push(context),
      onJobProgressed: (_, progress) => void progresses.push(progress),
    };
    const runner = new ObservedJobRunner([currentJobObserver(), observer, keeping]);
    runner.run(job("mail", () => reportProgress(0.25)));
    expect(contexts).toHaveLength(2);
    expect(startedContext(contexts[0] as ObservedJobContext)).toBe(contexts[1]);
    expect(progresses.map(Object.isFrozen)).toEqual([true]);
  });

  it("does nothing outside a run, and in runs without currentJobObserver", () => {
    const { heard, observer } = listener();
    reportProgress(0.5);
    new ObservedJobRunner(observer).run(job("mail", () => reportProgress(0.5)));
    expect(heard).toEqual([]);
  });

  it("belongs to the inner run within a run", () => {
    const { heard, observer } = listener();
    const runner = new ObservedJobRunner([currentJobObserver(), observer]);
    runner.run(
      job("outer", () => {
        runner.run(job("inner", () => reportProgress(1)));
        reportProgress(0.5);
      }),
    );
    expect(heard).toEqual(["inner 1 undefined", "outer 0.5 undefined"]);
  });

  it("keeps what observers throw and reject with from the run and from each other", async () => {
    const { heard, observer } = listener();
    const failed: unknown[] = [];
    const throwing: JobObserver = {
      onJobProgressed() {
        throw "thrown";
      },
    };
    const rejecting = { onJobProgressed: () => Promise.reject("rejected") };
    const runner = new ObservedJobRunner(
      [currentJobObserver(), throwing, rejecting as JobObserver, observer],
      {
        onObserverError: (error) => failed.push(error),
      },
    );
    runner.run(job("mail", () => reportProgress(0.5)));
    await settled();
    expect(heard).toEqual(["mail 0.5 undefined"]);
    expect(failed.sort()).toEqual(["rejected", "thrown"]);
  });

  it.each([-0.1, 1.1, Number.NaN, Infinity])("refuses the fraction %d", (fraction) => {
    expect(() => reportProgress(fraction)).toThrow(RangeError);
    expect(() => reportProgress(fraction)).toThrow("expected `fraction` to be a number from 0 to 1");
  });

  it.each(["0.5", true, null, undefined, {}])("refuses %j, which is no number", (fraction) => {
    expect(() => reportProgress(fraction as never)).toThrow(TypeError);
  });

  it("refuses a note that is no text, or over 1,000 characters", () => {
    expect(() => reportProgress(0.5, "")).toThrow("expected `note` to be a non-empty string");
    expect(() => reportProgress(0.5, 7 as never)).toThrow(TypeError);
    reportProgress(0.5, "x".repeat(1_000));
    expect(() => reportProgress(0.5, "x".repeat(1_001))).toThrow(
      new RangeError("expected `note` to be at most 1000 characters, got 1001"),
    );
  });

  it("reaches the observers of a run of another copy of the package", async () => {
    vi.resetModules();
    const copy = await import("../../src/index.ts");
    expect(copy.reportProgress).not.toBe(reportProgress);
    const { heard, observer } = listener();
    const runner = new copy.ObservedJobRunner([copy.currentJobObserver(), observer]);
    runner.run(job("mail", () => reportProgress(0.5)));
    expect(heard).toEqual(["mail 0.5 undefined"]);
  });
});

describe("tellProgress", () => {
  it("tells the observers of a run whose context an engine got by `onContext`", async () => {
    const { heard, contexts, observer } = listener();
    let run: ObservedJobContext | undefined;
    const started: ObservedJobContext[] = [];
    const runner = new ObservedJobRunner([
      observer,
      { onJobStarted: (context) => void started.push(context) },
    ]);
    const reporting = asyncJob("mail", async () => {
      await settled();
      tellProgress(run as ObservedJobContext, requireProgress(0.5, "half"));
    });
    await runner.runAsync(reporting, {
      onContext: (context) => {
        run = context;
      },
    });
    expect(heard).toEqual(["mail 0.5 half"]);
    expect(contexts).toEqual(started);
    expect(run).toBe(started[0]);
  });
});

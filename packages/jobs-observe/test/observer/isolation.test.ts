import { asyncJob, job } from "@nidus/jobs-core";
import { describe, expect, it, vi } from "vitest";
import { combineJobObservers, type JobObserver, ObservedJobRunner } from "../../src/index.ts";
import { Recorder } from "../support/recorder.ts";
import { settled } from "../support/settled.ts";

const broken = new Error("the observer broke");
const throwing = (): never => {
  throw broken;
};

/** Misbehaving observers, and the reports that a successful async run causes. */
const misbehaving: [string, JobObserver, reports: string[]][] = [
  ["throws at the start", { onJobStarted: throwing }, ["the observer broke"]],
  ["throws at the finish", { onJobFinished: throwing }, ["the observer broke"]],
  ["rejects at the start", { onJobStarted: (async () => throwing()) as never }, ["the observer broke"]],
  ["rejects at the finish", { onJobFinished: (async () => throwing()) as never }, ["the observer broke"]],
  ["never settles", { onJobStarted: (() => new Promise(() => {})) as never }, []],
  ["throws before it calls run", { runInScope: throwing }, ["the observer broke"]],
  [
    "throws after it called run",
    {
      runInScope(_, run) {
        run();
        return throwing();
      },
    },
    ["the observer broke"],
  ],
  ["forgets to call run", { runInScope: (() => {}) as never }, ["runInScope never called `run`"]],
  [
    "calls run twice",
    {
      runInScope(_, run) {
        run();
        return run();
      },
    },
    ["runInScope called `run` twice"],
  ],
  ["returns something else", { runInScope: ((_: unknown, run: () => unknown) => void run()) as never }, []],
  [
    "rejects after it called run",
    {
      runInScope: (async (_: unknown, run: () => unknown) => {
        await run();
        throw broken;
      }) as never,
    },
    ["the observer broke"],
  ],
  [
    "calls run later",
    {
      runInScope: (async (_: unknown, run: () => unknown) => {
        await undefined;
        await run();
      }) as never,
    },
    ["runInScope never called `run`", "runInScope called `run` twice"],
  ],
];

describe.each(misbehaving)("an observer that %s", (_, observer, reports) => {
  const observed = (): {
    runner: ObservedJobRunner;
    before: Recorder;
    after: Recorder;
    reported: string[];
  } => {
    const [before, after, reported] = [new Recorder(), new Recorder(), [] as string[]];
    const runner = new ObservedJobRunner([before, observer, after], {
      onObserverError: (error, culprit) => {
        expect(culprit).toBe(observer);
        reported.push((error as Error).message);
      },
    });
    return { runner, before, after, reported };
  };

  it("does not change a run that succeeds, and is reported", async () => {
    const { runner, before, after, reported } = observed();
    let executions = 0;
    const result = {};
    const work = asyncJob("work", async () => {
      executions++;
      await settled();
      return result;
    });
    expect(await runner.runAsync(work)).toBe(result);
    await settled();
    expect(executions).toBe(1);
    for (const recorder of [before, after]) expect(recorder.story).toEqual(["started", "finished success"]);
    expect(reported.sort()).toEqual([...reports].sort());
  });

  it("does not change runs that fail or are synchronous", async () => {
    for (const value of [new Error("the job's own"), undefined]) {
      const { runner, before, after } = observed();
      const fail = (): never => {
        throw value;
      };
      const rejected = await runner.runAsync(asyncJob("fail", async () => fail())).then(
        () => "resolved",
        (thrown: unknown) => ({ thrown }),
      );
      expect(rejected).toEqual({ thrown: value });
      let caught: unknown = "nothing";
      try {
        runner.run(job("fail", fail));
      } catch (thrown) {
        caught = thrown;
      }
      expect(caught).toBe(value);
      expect(runner.run(job("work", () => 7))).toBe(7);
      await settled();
      const story = [
        "started",
        "finished failure",
        "started",
        "finished failure",
        "started",
        "finished success",
      ];
      for (const recorder of [before, after]) expect(recorder.story).toEqual(story);
    }
  });
});

describe("the job's own error", () => {
  it("is not reported when a scope lets it through", async () => {
    const reported: unknown[] = [];
    const scopes: JobObserver[] = [
      { runInScope: (_, run) => run() },
      { runInScope: (async (_: unknown, run: () => unknown) => await run()) as never },
    ];
    const runner = new ObservedJobRunner(scopes, { onObserverError: (error) => reported.push(error) });
    const failure = new Error("the job's own");
    await expect(runner.runAsync(asyncJob("fail", () => Promise.reject(failure)))).rejects.toBe(failure);
    expect(() =>
      runner.run(
        job("fail", () => {
          throw failure;
        }),
      ),
    ).toThrow(failure);
    await settled();
    expect(reported).toEqual([]);
  });
});

describe("onObserverError", () => {
  it("may fail itself", async () => {
    for (const onObserverError of [throwing, (async () => throwing()) as never]) {
      const runner = new ObservedJobRunner({ onJobStarted: throwing }, { onObserverError });
      expect(runner.run(job("work", () => 1))).toBe(1);
    }
    await settled();
  });

  it("is a process warning by default, one for each observer", async () => {
    const warnings: Error[] = [];
    const note = (warning: Error): void => void warnings.push(warning);
    process.on("warning", note);
    try {
      const runner = new ObservedJobRunner([{ onJobStarted: throwing }, { onJobFinished: throwing }]);
      const derived = runner.context("a", 1);
      for (let i = 0; i < 5; i++) {
        runner.run(job("work", () => {}));
        derived.run(job("work", () => {}));
      }
      await settled();
      expect(warnings.map(({ name }) => name)).toEqual(["NidusWarning", "NidusWarning"]);
      expect(warnings[0]?.message).toContain("the observer broke");
    } finally {
      process.off("warning", note);
    }
  });
});

describe("combineJobObservers", () => {
  it("is treated like a list by a runner", () => {
    const [recorder, reported] = [new Recorder(), [] as JobObserver[]];
    const bad: JobObserver = { onJobStarted: throwing };
    const combined = combineJobObservers(bad, combineJobObservers(recorder));
    const runner = new ObservedJobRunner(combined, {
      onObserverError: (_, observer) => reported.push(observer),
    });
    runner.run(job("work", () => {}));
    expect(reported).toEqual([bad]);
    expect(recorder.story).toEqual(["started", "finished success"]);
  });

  it("works alone, and beside other observers", () => {
    const [first, second, order] = [new Recorder(), new Recorder(), [] as string[]];
    const scope = (name: string): JobObserver => ({
      runInScope: (_, run) => {
        order.push(name);
        return run();
      },
    });
    const runner = new ObservedJobRunner([combineJobObservers(first, scope("a")), scope("b"), second]);
    runner.run(job("work", () => {}));
    expect(order).toEqual(["a", "b"]);
    for (const { story } of [first, second]) expect(story).toEqual(["started", "finished success"]);
  });
});

describe("scopes", () => {
  it("are read at every run, and a getter that throws is reported", async () => {
    const reported: unknown[] = [];
    let scope: () => JobObserver["runInScope"] = () => undefined;
    const observer: JobObserver = {
      get runInScope() {
        return scope();
      },
    };
    const recorder = new Recorder();
    const runner = new ObservedJobRunner([observer, recorder], {
      onObserverError: (error) => reported.push((error as Error).message),
    });
    const run = vi.fn();
    runner.run(job("work", run));
    const entered = vi.fn((_, body) => body());
    scope = () => entered;
    runner.run(job("work", run));
    expect(entered).toHaveBeenCalledOnce();
    expect(reported).toEqual([]);
    scope = throwing;
    runner.run(job("work", run));
    await settled();
    expect(run).toHaveBeenCalledTimes(3);
    expect(recorder.story).toHaveLength(6);
    expect(reported).toEqual(["the observer broke"]);
  });

  it("hold both hooks of every observer, start in order and finish in reverse", async () => {
    const order: string[] = [];
    const observer = (name: string): JobObserver => ({
      runInScope(_, run) {
        order.push(`${name} enters`);
        return run();
      },
      onJobStarted: () => void order.push(`${name} started`),
      onJobFinished: () => void order.push(`${name} finished`),
    });
    await new ObservedJobRunner([observer("a"), observer("b")]).runAsync(
      asyncJob("work", async () => {
        await settled();
        order.push("work");
      }),
    );
    expect(order).toEqual([
      "a enters",
      "b enters",
      "a started",
      "b started",
      "work",
      "b finished",
      "a finished",
    ]);
  });
});

import { deepEqual, equal, match } from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { asyncJob, job } from "@nidus/jobs-core";
import {
  currentJob,
  currentJobObserver,
  type JobObserver,
  jobObserverChannel,
  type ObservedJobContext,
  ObservedJobRunner,
} from "@nidus/jobs-observe";
import type { Checks } from "./check.ts";

export const checks: Checks = {
  "observers start in order and finish in reverse, and break nothing"() {
    const seen: string[] = [];
    const errors: unknown[] = [];
    const observer = (name: string): JobObserver => ({
      onJobStarted: () => void seen.push(`${name} started`),
      onJobFinished(_context, status) {
        seen.push(`${name} ${status}`);
        throw new Error(name);
      },
    });
    const onObserverError = (error: unknown): void => void errors.push((error as Error).message);
    const runner = new ObservedJobRunner([observer("a"), observer("b")], { onObserverError });
    equal(runner.run(job("add", () => 2)), 2);
    deepEqual(seen, ["a started", "b started", "b success", "a success"]);
    deepEqual(errors, ["b", "a"]);
  },

  "a context has the attributes, a run id, the time and the duration"() {
    const finished: ObservedJobContext[] = [];
    const before = Date.now();
    const runner = new ObservedJobRunner({ onJobFinished: (context) => void finished.push(context) });
    runner.context("request_id", "req-123").run(job("add", () => {}));
    const [context] = finished;
    deepEqual({ ...context?.attributes }, { request_id: "req-123" });
    match(context?.runId ?? "", /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    const secondsApart = Math.abs((context?.startedAtMs ?? 0) - before) / 1_000;
    equal(secondsApart < 5, true, `the run began ${secondsApart} s from when it did`);
    equal((context?.durationMs ?? -1) >= 0, true);
  },

  async "an aborted run is cancelled, and one that is late has failed"() {
    const ends: string[] = [];
    const runner = new ObservedJobRunner({ onJobFinished: (_context, status) => void ends.push(status) });
    const sleeper = asyncJob("sleeper", (signal) => pause(60_000, undefined, { signal }));
    const aborting = new AbortController();
    const cancelled = runner.runAsync(sleeper, { signal: aborting.signal });
    aborting.abort();
    await cancelled.catch(() => {});
    await runner.runAsync(sleeper, { signal: AbortSignal.timeout(5) }).catch(() => {});
    deepEqual(ends, ["cancelled", "failure"]);
  },

  async "a channel is read with for await, until it is closed"() {
    const [observer, receiver] = jobObserverChannel();
    const runner = new ObservedJobRunner(observer);
    const events: string[] = [];
    const reading = (async () => {
      for await (const { type, context } of receiver) events.push(`${context.jobName} ${type}`);
    })();
    await runner.runAsync(asyncJob("first", () => pause(1)));
    runner.run(job("second", () => {}));
    receiver.close();
    await reading;
    deepEqual(events, ["first started", "first finished", "second started", "second finished"]);
  },

  async "currentJob is the run's own across awaits, timers and events"() {
    const runner = new ObservedJobRunner(currentJobObserver());
    const asks = (name: string) =>
      asyncJob(name, async () => {
        await Promise.resolve();
        await pause(2);
        await new Promise((resolve) => setImmediate(resolve));
        await new Promise<void>((resolve) => queueMicrotask(resolve));
        return currentJob()?.jobName;
      });
    const names = await Promise.all([runner.runAsync(asks("first")), runner.runAsync(asks("second"))]);
    deepEqual(names, ["first", "second"]);
    equal(currentJob(), undefined);
  },
};

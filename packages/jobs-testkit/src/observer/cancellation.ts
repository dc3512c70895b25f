import assert from "node:assert/strict";
import { asyncJob } from "@nidus/jobs-core";
import type { JobObserver } from "@nidus/jobs-observe";
import type { Behaviour } from "./behaviour.ts";
import type { Subject } from "./subject.ts";
import { thrownBy } from "./thrown.ts";

/** Runs a job that waits until its signal is aborted with this reason. Returns the status that neighbouring observers hear. */
async function abortedWith(subject: Subject, reason: unknown): Promise<string> {
  const heard: string[] = [];
  const neighbour: JobObserver = { onJobFinished: (_context, status) => void heard.push(status) };
  const controller = new AbortController();
  const waiting = asyncJob("waiting", async (signal) => {
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    signal.throwIfAborted();
  });
  const running = subject.runner({ after: neighbour }).runAsync(waiting, { signal: controller.signal });
  controller.abort(reason);
  assert.equal((await thrownBy(() => running)).value, controller.signal.reason);
  return heard.join();
}

export const cancellation: Behaviour = (declare) => {
  declare("takes a cancelled run, with any reason", async ({ subject }) => {
    assert.equal(await abortedWith(subject, undefined), "cancelled");
    assert.equal(await abortedWith(subject, new DOMException("the user left", "AbortError")), "cancelled");
    assert.equal(await abortedWith(subject, new Error("the worker stops")), "cancelled");
    assert.equal(await abortedWith(subject, "a text"), "cancelled");
    assert.equal(await abortedWith(subject, null), "cancelled");
    await subject.hasThrownNothing();
  });

  declare("takes a run that took too long, which is a failure", async ({ subject }) => {
    const reason = new DOMException("too late", "TimeoutError");
    assert.equal(await abortedWith(subject, reason), "failure");
    await subject.hasThrownNothing();
  });
};

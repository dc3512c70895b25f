import assert from "node:assert/strict";
import { asyncJob, job } from "@nidus/jobs-core";
import type { Behaviour } from "./behaviour.ts";
import type { Subject } from "./subject.ts";

async function runSome(subject: Subject): Promise<void> {
  const runner = subject.runner();
  for (let run = 0; run < 10; run++) {
    assert.equal(runner.run(job("sync", () => run)), run);
    assert.equal(await runner.runAsync(asyncJob("async", async () => run)), run);
  }
}

export const lifecycle: Behaviour = (declare) => {
  declare("flushes in bounded time, any number of times", async ({ subject }) => {
    await subject.forceFlush();
    await runSome(subject);
    await subject.forceFlush();
    await subject.forceFlush();
    await runSome(subject);
    await Promise.all([subject.forceFlush(), subject.forceFlush()]);
    await subject.hasThrownNothing();
  });

  declare("shuts down in bounded time, any number of times, and lets runs go on", async ({ subject }) => {
    await runSome(subject);
    await Promise.all([subject.shutdown(), subject.shutdown()]);
    await subject.shutdown();
    await runSome(subject);
    await subject.forceFlush();
    await subject.shutdown();
    await subject.hasThrownNothing();
  });
};

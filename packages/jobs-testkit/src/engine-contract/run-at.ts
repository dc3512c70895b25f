import assert from "node:assert/strict";
import { defineJob } from "@nidus/jobs-durable";
import type { Check } from "./check.ts";
import { eventually } from "./eventually.ts";

/** Clocks of a server and of this process, both rounded. */
const clockSlackMs = 25;

/** A job waits for its time. */
export function runAt(check: Check): void {
  check("runAt: a job does not run before its time, and is scheduled until then", async (stage) => {
    const runs: { atMs: number; runAt: Date | undefined }[] = [];
    const job = defineJob({
      name: stage.name(),
      run: (_, { delivery }) => void runs.push({ atMs: Date.now(), runAt: delivery?.runAt }),
    });
    const engine = await stage.engine();
    await stage.work(engine, { jobs: [job] });
    const later = new Date(Date.now() + 1_500);
    await engine.enqueue(job, undefined, { runAt: later });
    const { scheduled, waiting, oldestWaitingAt } = await stage.counts(engine, job.name);
    assert.deepEqual(
      { scheduled, waiting, oldestWaitingAt },
      { scheduled: 1, waiting: 0, oldestWaitingAt: undefined },
    );

    await eventually(() => assert.equal(runs.length, 1));
    const [run] = runs as [{ atMs: number; runAt: Date }];
    assert.ok(
      run.atMs >= later.getTime() - clockSlackMs,
      `it ran ${later.getTime() - run.atMs} ms before its time`,
    );
    assert.ok(
      Math.abs(run.runAt.getTime() - later.getTime()) <= clockSlackMs,
      "the delivery says when it was due",
    );
    await eventually(async () => assert.equal((await stage.counts(engine, job.name)).succeeded, 1));
  });

  check("runAt: a time that has passed is at once", async (stage) => {
    let runs = 0;
    const job = defineJob({ name: stage.name(), run: () => void runs++ });
    const engine = await stage.engine();
    await stage.work(engine, { jobs: [job] });
    await engine.enqueue(job, undefined, { runAt: new Date(Date.now() - 3_600_000) });
    await eventually(() => assert.equal(runs, 1));
  });
}

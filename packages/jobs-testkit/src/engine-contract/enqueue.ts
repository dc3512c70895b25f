import assert from "node:assert/strict";
import { defineJob } from "@nidus/jobs-durable";
import type { JobDelivery } from "@nidus/jobs-observe";
import type { Check } from "./check.ts";
import { eventually } from "./eventually.ts";

/** Clocks of a server and of this process, both rounded. */
const clockSlackMs = 1_000;

/** A job that was enqueued runs once. */
export function enqueue(check: Check): void {
  check("enqueue: the handler runs once, with the payload and its delivery", async (stage) => {
    const runs: { payload: unknown; delivery: JobDelivery | undefined }[] = [];
    const job = defineJob<{ to: string }>({
      name: stage.name(),
      maxAttempts: 4,
      run: (payload, { delivery }) => void runs.push({ payload, delivery }),
    });
    const engine = await stage.engine();
    const beforeMs = Date.now();
    const { id, isDuplicate } = await engine.enqueue(job, { to: "ada" });
    const afterMs = Date.now();
    assert.equal(isDuplicate, false);
    assert.match(id, /./);

    await stage.work(engine, { jobs: [job] });
    await eventually(async () => assert.equal((await stage.counts(engine, job.name)).succeeded, 1));

    assert.equal(runs.length, 1, "the handler ran once");
    const [{ payload, delivery }] = runs as [{ payload: unknown; delivery: JobDelivery }];
    assert.deepEqual(payload, { to: "ada" });
    const { engine: engineName, jobId, attempt, maxAttempts, queue, enqueuedAt, runAt } = delivery;
    assert.deepEqual(
      { engineName, jobId, attempt, maxAttempts },
      { engineName: engine.name, jobId: id, attempt: 1, maxAttempts: 4 },
    );
    assert.match(queue, /./);
    assert.equal(delivery.correlationId, undefined);
    assert.deepEqual(delivery.carrier, {});
    for (const time of [enqueuedAt, runAt]) {
      assert.ok(time.getTime() >= beforeMs - clockSlackMs, `${time.toISOString()} is when it was enqueued`);
      assert.ok(time.getTime() <= afterMs + clockSlackMs, `${time.toISOString()} is when it was enqueued`);
    }
  });

  check("enqueue: a worker that waits already takes the job", async (stage) => {
    const runs: number[] = [];
    const job = defineJob<number>({ name: stage.name(), run: (payload) => void runs.push(payload) });
    const engine = await stage.engine();
    await stage.work(engine, { jobs: [job] });
    await engine.enqueue(job, 1);
    await eventually(() => assert.deepEqual(runs, [1]));
    await engine.enqueue(job, 2);
    await eventually(() => assert.deepEqual(runs, [1, 2]));
  });
}

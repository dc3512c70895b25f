import assert from "node:assert/strict";
import { defineJob } from "@nidus/jobs-durable";
import { eventually } from "../contract/eventually.ts";
import type { Behaviour } from "../contract/test-plan.ts";
import { countsOf, type Kit } from "./kit.ts";

export const observation: Behaviour<Kit> = (declare) => {
  declare("tells observers of one start and one finish per run, with the delivery", async (kit) => {
    const { engine, recorder } = await kit.open();
    const job = defineJob<number>({ name: kit.name("observed"), run() {} });
    const stored = await engine.enqueueMany(job, [1, 2, 3]);
    await engine.work({ jobs: [job], concurrency: 3 });
    await eventually(async () => assert.equal((await countsOf(engine, job.name)).succeeded, 3));
    await eventually(() => assert.equal(recorder.settled.length, 3));
    assert.equal(recorder.runs.length, 3);
    for (const run of recorder.runs) {
      assert.equal(run.jobName, job.name);
      assert.equal(run.status, "success");
      assert.equal(run.delivery?.engine, engine.name);
      assert.equal(run.delivery.payloadBytes, 1);
      assert.equal(typeof run.durationMs, "number");
    }
    assert.equal(new Set(recorder.runs.map(({ runId }) => runId)).size, 3);
    const [enqueued] = recorder.enqueued;
    assert.equal(enqueued?.jobName, job.name);
    assert.equal(enqueued.engine, engine.name);
    assert.equal(enqueued.queue, recorder.settled[0]?.delivery.queue);
    assert.deepEqual(
      enqueued.jobIds,
      stored.map(({ id }) => id),
    );
  });

  declare("goes by the name that it is given", async (kit) => {
    const { engine, recorder } = await kit.open({ name: "orders" });
    assert.equal(engine.name, "orders");
    const job = defineJob({ name: kit.name("named"), run() {} });
    await engine.enqueue(job);
    await engine.work({ jobs: [job] });
    await eventually(() => assert.equal(recorder.settled.length, 1));
    assert.equal(recorder.opened[0]?.engine, "orders");
    assert.equal(recorder.enqueued[0]?.engine, "orders");
    assert.equal(recorder.settled[0]?.delivery.engine, "orders");
  });

  declare("declares the jobs that its workers and schedules will run, with their objectives", async (kit) => {
    const { engine, recorder } = await kit.open();
    const objectives = { succeedEveryMs: 60_000, finishWithinMs: 1_000 };
    const worked = ["a", "b"].map((of) => defineJob({ name: kit.name(of), objectives, run() {} }));
    await engine.work({ jobs: worked });
    const scheduled = defineJob({ name: kit.name("c"), objectives, run() {} });
    const expected = worked.map(({ name }) => name);
    if (engine.capabilities.schedules) {
      await engine.schedule(scheduled, "0 3 1 1 *", undefined);
      await engine.unschedule(scheduled);
      expected.push(scheduled.name);
    }
    assert.deepEqual(
      recorder.declared.map(({ jobName }) => jobName),
      expected,
    );
    for (const { engine: name, queue, objectives: told } of recorder.declared) {
      assert.deepEqual(told, objectives);
      assert.equal(name, engine.name);
      assert.equal(typeof queue, "string");
    }
  });

  declare("carries headers and correlation from the enqueuing side to the run", async (kit) => {
    const headers = { traceparent: "00-1-2-01", tracestate: "a=b" };
    const producer = await kit.open(
      {},
      { onJobEnqueued: ({ carrier }) => void Object.assign(carrier, headers) },
    );
    const consumer = producer.engine.capabilities.persistence ? await kit.open() : producer;
    const job = defineJob({
      name: kit.name("carried"),
      backoff: { baseMs: 1, maxMs: 1 },
      run(_, { delivery }) {
        if (delivery?.attempt === 1) throw new Error("once");
      },
    });
    await producer.engine.enqueue(job, undefined, { correlationId: "order 7" });
    await consumer.engine.work({ jobs: [job] });
    await eventually(() =>
      assert.deepEqual(consumer.recorder.outcomesOf(job.name), ["retried", "succeeded"]),
    );
    for (const { delivery } of consumer.recorder.runs) {
      assert.deepEqual({ ...delivery?.carrier }, headers);
      assert.equal(delivery?.correlationId, "order 7");
    }
  });

  declare("carries headers from a failed run to the next attempt of its job", async (kit) => {
    const written: (string | undefined)[] = [];
    const { engine, recorder } = await kit.open(
      {},
      {
        onJobFinished({ runId, delivery }) {
          written.push(runId);
          // The second attempt is one without a tracing observer.
          if (delivery?.nextCarrier === undefined || delivery.attempt === 2) return;
          Object.assign(delivery.nextCarrier, { traceparent: runId, "too-long": "x".repeat(20_000) });
        },
      },
    );
    const job = defineJob({
      name: kit.name("joined"),
      backoff: { baseMs: 1, maxMs: 1 },
      run(_, { delivery }) {
        if ((delivery?.attempt ?? 0) < 4) throw new Error("not yet");
      },
    });
    await engine.enqueue(job);
    await engine.work({ jobs: [job] });
    await eventually(() =>
      assert.deepEqual(recorder.outcomesOf(job.name), ["retried", "retried", "retried", "succeeded"]),
    );
    const previous = recorder.runs.map(({ delivery }) => delivery?.previousCarrier);
    assert.deepEqual(
      previous.map((carrier) => carrier && { ...carrier }),
      [undefined, { traceparent: written[0] }, undefined, { traceparent: written[2] }],
    );
  });
};

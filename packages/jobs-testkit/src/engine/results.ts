import assert from "node:assert/strict";
import { JobError } from "@nidus/jobs-core";
import { defineJob, NoResultError, UnsupportedError } from "@nidus/jobs-durable";
import { deferred } from "../contract/deferred.ts";
import { eventually } from "../contract/eventually.ts";
import type { Behaviour } from "../contract/test-plan.ts";
import { countsOf, type Kit } from "./kit.ts";

const quick = { baseMs: 1, maxMs: 1 };

const values: readonly unknown[] = [
  undefined,
  null,
  0,
  -1.5e300,
  false,
  "",
  'größe \u{1f600} \\ "',
  [],
  [1, [null, "two"], {}],
  { nested: { list: [{ a: true }] }, empty: "" },
];

/** Long enough for a busy machine: no test waits for it. */
const patient = { timeoutMs: 60_000 };

/** Also for an error of another copy of the package. */
function isNoResult(error: unknown): boolean {
  return NoResultError.isInstance(error);
}

export const results: Behaviour<Kit> = (declare) => {
  declare("brings what the handler returned, or says that it cannot", async (kit) => {
    const { engine } = await kit.open();
    const job = defineJob<number>({ name: kit.name("result"), run: (index) => values[index] });
    const enqueued = await engine.enqueueMany(
      job,
      values.map((_, index) => index),
    );
    if (!engine.capabilities.results) {
      await assert.rejects(engine.result(enqueued[0]?.id ?? ""), (error) =>
        UnsupportedError.isInstance(error),
      );
      return;
    }
    // Some wait before the job runs, and some come when it has ended.
    const early = enqueued.map(({ id }) => engine.result(id, patient));
    await engine.work({ jobs: [job], concurrency: 3 });
    assert.deepEqual(await Promise.all(early), values);
    assert.deepEqual(await Promise.all(enqueued.map(({ id }) => engine.result(id))), values);
    if (!engine.capabilities.persistence) return;
    const { engine: elsewhere } = await kit.open();
    assert.deepEqual(await Promise.all(enqueued.map(({ id }) => elsewhere.result(id))), values);
  });

  declare("waits for a job that another process runs, through its retries", async (kit) => {
    const { engine } = await kit.open();
    if (!engine.capabilities.results) return;
    const { engine: elsewhere } = engine.capabilities.persistence ? await kit.open() : { engine };
    const job = defineJob<number>({
      name: kit.name("elsewhere"),
      backoff: quick,
      run(value, { delivery }) {
        if (delivery?.attempt !== 3) throw new Error("not yet");
        return { value };
      },
    });
    const { id } = await elsewhere.enqueue(job, 7);
    const waits = [1, 2, 3].map(() => elsewhere.result(id, patient));
    await engine.work({ jobs: [job] });
    const [first, ...others] = await Promise.all(waits);
    assert.deepEqual(first, { value: 7 });
    for (const other of others) {
      assert.deepEqual(other, first);
      assert.notEqual(other, first, "each caller has a copy of its own");
    }
  });

  declare("rejects with the error of a dead letter", async (kit) => {
    const { engine } = await kit.open();
    if (!engine.capabilities.results) return;
    const job = defineJob({
      name: kit.name("dead"),
      maxAttempts: 2,
      backoff: quick,
      run(_, { delivery }) {
        throw new Error(`attempt ${delivery?.attempt}`);
      },
    });
    const { id } = await engine.enqueue(job, undefined);
    const early = engine.result(id, patient);
    early.catch(() => {});
    await engine.work({ jobs: [job] });
    for (const result of [early, engine.result(id, patient)]) {
      await assert.rejects(result, (error) => JobError.isInstance(error) && error.message === "attempt 2");
    }
  });

  declare(
    "rejects with a TypeError if the result is no JSON or too long, and the job has succeeded",
    async (kit) => {
      const { engine, recorder } = await kit.open();
      if (!engine.capabilities.results) return;
      const cycle: { self?: unknown } = {};
      cycle.self = cycle;
      const refused: readonly (readonly [unknown, RegExp])[] = [
        [{ at: new Date() }, /`result\.at`.*Date/],
        [() => {}, /`result`.*function/],
        [cycle, /cycle/],
        ["x".repeat(1024 * 1024), /result of at most 1048576 bytes/],
      ];
      const job = defineJob<number>({ name: kit.name("refused"), run: (index) => refused[index]?.[0] });
      const enqueued = await engine.enqueueMany(
        job,
        refused.map((_, index) => index),
      );
      const early = enqueued.map(({ id }) => engine.result(id, patient));
      for (const result of early) result.catch(() => {});
      await engine.work({ jobs: [job] });
      await eventually(() => assert.equal(recorder.outcomesOf(job.name).length, refused.length));
      assert.deepEqual(new Set(recorder.outcomesOf(job.name)), new Set(["succeeded"]));
      for (const [index, { id }] of enqueued.entries()) {
        const isRight = (error: unknown): boolean =>
          error instanceof TypeError && refused[index]?.[1].test(error.message) === true;
        await assert.rejects(early[index] ?? Promise.resolve(), isRight);
        await assert.rejects(engine.result(id), isRight);
      }
    },
  );

  declare("rejects at once if there is nothing to wait for, and when the job is cancelled", async (kit) => {
    const { engine } = await kit.open();
    if (!engine.capabilities.results) return;
    for (const id of [crypto.randomUUID(), "no id of this store: '\"\\%", "x".repeat(2_000)]) {
      await assert.rejects(engine.result(id, patient), isNoResult, id.slice(0, 40));
    }
    const job = defineJob({ name: kit.name("cancelled"), run() {} });
    const { id } = await engine.enqueue(job, undefined);
    const early = engine.result(id, patient);
    early.catch(() => {});
    assert.equal(await engine.cancel(id), true);
    await assert.rejects(early, isNoResult);
    await assert.rejects(engine.result(id, patient), isNoResult);
  });

  declare("waits no longer than the caller wants, and leaves the job alone", async (kit) => {
    const { engine } = await kit.open();
    if (!engine.capabilities.results) return;
    const end = deferred();
    const job = defineJob({
      name: kit.name("slow"),
      run: async () => {
        await end.promise;
        return "done";
      },
    });
    const { id } = await engine.enqueue(job, undefined);
    await engine.work({ jobs: [job] });
    await assert.rejects(engine.result(id, { timeoutMs: 1 }), { name: "TimeoutError" });
    const controller = new AbortController();
    const aborted = engine.result(id, { ...patient, signal: controller.signal });
    const reason = new Error("the request was closed");
    controller.abort(reason);
    await assert.rejects(aborted, (error) => error === reason);
    await assert.rejects(
      engine.result(id, { signal: AbortSignal.abort(reason) }),
      (error) => error === reason,
    );
    await eventually(async () => assert.equal((await countsOf(engine, job.name)).running, 1));
    end.resolve();
    assert.equal(await engine.result(id, patient), "done");
  });

  declare("refuses wrong input, and rejects when the engine is closed", async (kit) => {
    const { engine } = await kit.open();
    if (!engine.capabilities.results) return;
    const job = defineJob({ name: kit.name("closed"), run() {} });
    const { id } = await engine.enqueue(job, undefined, { runAt: new Date(Date.now() + 3_600_000) });
    await assert.rejects(engine.result(""), TypeError);
    await assert.rejects(engine.result(id, { timeoutMs: 0 }), RangeError);
    await assert.rejects(engine.result(id, { timeoutMs: "5" as never }), TypeError);
    await assert.rejects(engine.result(id, { signal: {} as never }), TypeError);
    await assert.rejects(engine.result(id, { timeout: 5 } as object), /TypeError: unknown option "timeout"/);
    const waiting = engine.result(id, patient);
    const told = assert.rejects(waiting, /closed/);
    await engine.close();
    await told;
    await assert.rejects(engine.result(id, patient), /closed/);
  });
};

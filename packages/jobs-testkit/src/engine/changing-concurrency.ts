import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { type DurableJob, defineJob } from "@nidus/jobs-durable";
import { deferred } from "../contract/deferred.ts";
import { eventually } from "../contract/eventually.ts";
import type { Behaviour } from "../contract/test-plan.ts";
import { countsOf, type Kit } from "./kit.ts";

/** A job whose runs a test ends, and what its runs saw. */
class Gate {
  readonly job: DurableJob<number>;
  readonly attempts: (number | undefined)[] = [];
  running = 0;
  /** The most that ran at a time since it was last set to 0. */
  most = 0;
  #isOpen = false;
  #ends: (() => void)[] = [];

  constructor(name: string) {
    this.job = defineJob<number>({
      name,
      run: async (_, { delivery }) => {
        this.attempts.push(delivery?.attempt);
        this.most = Math.max(this.most, ++this.running);
        const end = deferred();
        this.#ends.push(end.resolve);
        if (this.#isOpen) await pause(5);
        else await end.promise;
        this.running--;
      },
    });
  }

  /** Ends what runs. */
  end(): void {
    for (const end of this.#ends.splice(0)) end();
  }

  /** Ends what runs, and lets all others end by themselves. */
  open(): void {
    this.#isOpen = true;
    this.end();
  }
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

export const changingConcurrency: Behaviour<Kit> = (declare) => {
  declare("starts more jobs at once if it grows, and no more than it says", async (kit) => {
    const { engine } = await kit.open();
    const gate = new Gate(kit.name("grow"));
    await engine.enqueueMany(gate.job, numbers(6));
    const worker = await engine.work({ jobs: [gate.job] });
    assert.equal(worker.concurrency, 1);
    await eventually(() => assert.equal(gate.running, 1));
    worker.concurrency = 4;
    assert.equal(worker.concurrency, 4);
    await eventually(() => assert.equal(gate.running, 4));
    gate.open();
    await eventually(async () => assert.equal((await countsOf(engine, gate.job.name)).succeeded, 6));
    assert.equal(gate.most, 4);
  });

  declare("lets what runs finish if it shrinks, and starts the rest one by one", async (kit) => {
    const { engine } = await kit.open();
    const gate = new Gate(kit.name("shrink"));
    await engine.enqueueMany(gate.job, numbers(12));
    const worker = await engine.work({ jobs: [gate.job], concurrency: 4 });
    await eventually(() => assert.equal(gate.running, 4));
    worker.concurrency = 1;
    assert.equal(gate.running, 4, "no handler was interrupted");
    gate.most = 0;
    gate.end();
    await eventually(() => assert.equal(gate.attempts.length, 5));
    gate.open();
    await eventually(async () => assert.equal((await countsOf(engine, gate.job.name)).succeeded, 12));
    assert.equal(gate.most, 1, `${gate.most} handlers ran at a time`);
    assert.deepEqual(
      gate.attempts,
      numbers(12).map(() => 1),
      "each ran once, in its first attempt",
    );
    const { started, succeeded, interrupted } = await worker.stop();
    assert.deepEqual({ started, succeeded, interrupted }, { started: 12, succeeded: 12, interrupted: 0 });
  });

  declare("holds for jobs that come when it has shrunk, and leaves none of them leased", async (kit) => {
    const { engine } = await kit.open();
    const gate = new Gate(kit.name("idle"));
    const worker = await engine.work({ jobs: [gate.job], concurrency: 8 });
    // The worker waits for jobs with room for eight.
    await pause(300);
    worker.concurrency = 2;
    await engine.enqueueMany(gate.job, numbers(8));
    await eventually(() => assert.equal(gate.running, 2));
    await eventually(async () => {
      const { running, waiting } = await countsOf(engine, gate.job.name);
      assert.deepEqual({ running, waiting }, { running: 2, waiting: 6 }, "the others wait for any worker");
    });
    gate.open();
    await eventually(async () => assert.equal((await countsOf(engine, gate.job.name)).succeeded, 8));
    assert.equal(gate.most, 2);
    assert.deepEqual(
      gate.attempts,
      numbers(8).map(() => 1),
      "a job that went back has spent an attempt",
    );
  });

  declare("refuses wrong values, and stays as it was", async (kit) => {
    const { engine } = await kit.open();
    const gate = new Gate(kit.name("wrong"));
    const worker = await engine.work({ jobs: [gate.job], concurrency: 3 });
    for (const wrong of [0, -1, 1.5, Number.NaN, Infinity]) {
      assert.throws(() => {
        worker.concurrency = wrong;
      }, RangeError);
    }
    for (const wrong of ["2", undefined, null]) {
      assert.throws(() => {
        worker.concurrency = wrong as never;
      }, TypeError);
    }
    assert.equal(worker.concurrency, 3);
  });
};

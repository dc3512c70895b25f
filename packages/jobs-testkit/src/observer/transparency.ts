import assert from "node:assert/strict";
import { asyncJob, job } from "@nidus/jobs-core";
import type { Behaviour } from "./behaviour.ts";
import { contextsOfRun } from "./contexts-of-run.ts";
import { thrownBy } from "./thrown.ts";

export const transparency: Behaviour = (declare) => {
  declare("returns the job's result, and runs the job once", async ({ subject }) => {
    const runner = subject.runner();
    let runs = 0;
    for (const result of [undefined, null, 7, "text", { an: "object" }, () => {}]) {
      assert.equal(runner.run(job("sync", () => [++runs, result]))[1], result);
      const later = await runner.runAsync(asyncJob("async", async () => [++runs, result] as const));
      assert.equal(later[1], result);
      const atOnce = await runner.runAsync(asyncJob("at_once", () => [++runs, result] as const));
      assert.equal(atOnce[1], result);
    }
    assert.equal(runs, 18);
    await subject.hasThrownNothing();
  });

  declare("lets the job's own error through, even undefined", async ({ subject }) => {
    const runner = subject.runner();
    let runs = 0;
    for (const error of [new RangeError("full"), "text", 7, { an: "object" }, null, undefined]) {
      const fail = (): never => {
        runs++;
        throw error;
      };
      const attempts = [
        () => runner.run(job("sync", fail)),
        () => runner.runAsync(asyncJob("async", async () => fail())),
        () => runner.runAsync(asyncJob("at_once", fail)),
      ];
      for (const attempt of attempts) assert.ok(Object.is((await thrownBy(attempt)).value, error));
    }
    assert.equal(runs, 18);
    await subject.hasThrownNothing();
  });

  declare("leaves the error as it was", async ({ subject }) => {
    const runner = subject.runner();
    const error = Object.assign(new RangeError("mailbox full", { cause: new Error("quota") }), { code: 552 });
    const before = propertiesOf(error);
    await thrownBy(() =>
      runner.run(
        job("failing", () => {
          throw error;
        }),
      ),
    );
    assert.deepEqual(propertiesOf(error), before);
    assert.equal(Object.getPrototypeOf(error), RangeError.prototype);
  });

  declare("has hooks that are synchronous", async ({ subject: { observer } }) => {
    const { started, finished } = contextsOfRun();
    const returned: [hook: string, unknown][] = [];
    const hear = (): void => {
      returned.push(["onJobStarted", observer.onJobStarted?.(started)]);
      returned.push(["onJobFinished", observer.onJobFinished?.(finished, "success")]);
    };
    if (observer.runInScope === undefined) hear();
    else observer.runInScope(started, hear);
    for (const [hook, value] of returned) {
      const isPromise = typeof (value as PromiseLike<unknown> | undefined)?.then === "function";
      // A rejection would otherwise end the process.
      if (isPromise) await Promise.allSettled([value]);
      assert.ok(!isPromise, `${hook} returned a promise, and no runner waits for it`);
    }
  });
};

function propertiesOf(error: Error): object {
  return Object.fromEntries(Reflect.ownKeys(error).map((key) => [key, Reflect.get(error, key) as unknown]));
}

import assert from "node:assert/strict";
import { asyncJob, job } from "@nidus/jobs-core";
import type { Behaviour } from "./behaviour.ts";
import { hostileErrors } from "./hostile-errors.ts";
import { hostileTexts } from "./hostile-texts.ts";
import { leavingSharedObjectsAlone } from "./shared-objects.ts";
import { thrownBy } from "./thrown.ts";

export const hostileInput: Behaviour = (declare) => {
  declare("takes any job name", async ({ subject }) => {
    const runner = subject.runner();
    const error = new Error("as expected");
    await leavingSharedObjectsAlone(async () => {
      for (const name of hostileTexts) {
        assert.equal(runner.run(job(name, () => name)), name);
        await thrownBy(() => runner.runAsync(asyncJob(name, () => Promise.reject(error))));
      }
    });
    await subject.hasThrownNothing();
  });

  declare("takes any attributes", async ({ subject }) => {
    const runner = subject.runner();
    const task = job("with_attributes", () => {});
    runner.context({}).run(task);
    await leavingSharedObjectsAlone(async () => {
      for (const text of hostileTexts) {
        runner.context(text, text).run(task);
        runner.context({ [text]: true, size: Number.NaN, limit: Infinity, empty: "" }).run(task);
      }
      runner.context(Object.fromEntries(hostileTexts.map((text) => [text, text]))).run(task);
    });
    await subject.hasThrownNothing();
  });

  declare("takes any thrown value", async ({ subject }) => {
    const runner = subject.runner();
    for (const [what, error] of hostileErrors()) {
      const fail = (): never => {
        throw error;
      };
      const sync = await thrownBy(() => runner.run(job("sync", fail)));
      assert.ok(Object.is(sync.value, error), `the job threw ${what}, and the runner something else`);
      const later = await thrownBy(() => runner.runAsync(asyncJob("async", async () => fail())));
      assert.ok(
        Object.is(later.value, error),
        `the job rejected with ${what}, and the runner with something else`,
      );
    }
    await subject.hasThrownNothing();
  });
};

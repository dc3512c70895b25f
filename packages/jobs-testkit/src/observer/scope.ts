import assert from "node:assert/strict";
import type { Behaviour } from "./behaviour.ts";
import { contextsOfRun } from "./contexts-of-run.ts";
import type { Subject } from "./subject.ts";
import { thrownBy } from "./thrown.ts";

/** Calls the scope as a runner does. Returns the scope's result, and how often it called its body. */
function enter(
  subject: Subject,
  body: () => unknown,
): { readonly returned: unknown; readonly calls: number } {
  const { started, finished } = contextsOfRun({ tenant: "a" });
  const { observer } = subject;
  let calls = 0;
  const returned = observer.runInScope?.(started, () => {
    calls++;
    observer.onJobStarted?.(started);
    try {
      return body();
    } finally {
      observer.onJobFinished?.(finished, "success");
    }
  });
  return { returned, calls };
}

export const scope: Behaviour = (declare) => {
  declare("calls its body once, at once, and returns its result", async ({ subject }) => {
    if (subject.observer.runInScope === undefined) return;
    for (const result of [undefined, 7, { an: "object" }, Promise.resolve("later")]) {
      const { returned, calls } = enter(subject, () => result);
      assert.equal(calls, 1);
      assert.equal(returned, result);
    }
    const { returned } = enter(subject, () => enter(subject, () => "nested").returned);
    assert.equal(returned, "nested");
  });

  declare("lets errors of its body and rejected promises through", async ({ subject }) => {
    if (subject.observer.runInScope === undefined) return;
    for (const error of [new Error("full"), undefined]) {
      let calls = 0;
      const fail = (): never => {
        calls++;
        throw error;
      };
      const { value } = await thrownBy(() => enter(subject, fail).returned);
      assert.ok(Object.is(value, error), "another error came back");
      assert.equal(calls, 1);
      const rejected = Promise.reject(error);
      const { returned } = enter(subject, () => rejected);
      await Promise.allSettled([rejected, returned]);
      assert.equal(returned, rejected);
    }
  });
};

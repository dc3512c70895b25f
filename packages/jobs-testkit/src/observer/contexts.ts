import assert from "node:assert/strict";
import { job } from "@nidus/jobs-core";
import type { JobObserver, ObservedJobContext } from "@nidus/jobs-observe";
import type { Behaviour } from "./behaviour.ts";

/** Reads every property of a context. */
function contentOf(context: ObservedJobContext): object {
  const { runId, jobName, attributes, startedAtMs, durationMs, delivery } = context;
  const keys = Reflect.ownKeys(context).map(String);
  return { runId, jobName, attributes: { ...attributes }, startedAtMs, durationMs, delivery, keys };
}

/** Reads every context before the observer has seen it, or after. */
function reader(contents: object[], contexts: ObservedJobContext[]): JobObserver {
  const read = (context: ObservedJobContext): void => {
    contexts.push(context);
    contents.push(contentOf(context));
  };
  return { onJobStarted: read, onJobFinished: read };
}

export const contexts: Behaviour = (declare) => {
  declare("leaves contexts unchanged, and readable for ever", async ({ subject }) => {
    const seen: ObservedJobContext[] = [];
    const beforeIt: object[] = [];
    const afterIt: object[] = [];
    const runner = subject
      .runner({ before: reader(beforeIt, seen), after: reader(afterIt, []) })
      .context({ tenant: "a", size: 3 });
    runner.run(job("read", () => {}));
    const asTheyWere = [beforeIt[0], afterIt[1]];
    assert.deepEqual([afterIt[0], beforeIt[1]], asTheyWere);
    await subject.shutdown();
    assert.deepEqual(seen.map(contentOf), asTheyWere);
    await subject.hasThrownNothing();
  });
};

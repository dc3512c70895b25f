import assert from "node:assert/strict";
import { asyncJob, job } from "@nidus/jobs-core";
import type { JobObserver } from "@nidus/jobs-observe";
import type { Behaviour } from "./behaviour.ts";
import type { Subject } from "./subject.ts";
import { thrownBy } from "./thrown.ts";

function refuse(): never {
  throw new Error("a neighbour that always throws");
}

const throwing: JobObserver = { onJobStarted: refuse, onJobFinished: refuse, runInScope: refuse };

async function runsWell(runner: ReturnType<Subject["runner"]>): Promise<void> {
  const error = new Error("as expected");
  assert.equal(runner.run(job("works", () => "well")), "well");
  assert.equal(await runner.runAsync(asyncJob("works", async () => "well")), "well");
  const { value } = await thrownBy(() => runner.runAsync(asyncJob("fails", () => Promise.reject(error))));
  assert.equal(value, error);
}

export const isolation: Behaviour = (declare) => {
  declare("works beside another observer of its kind", async ({ subject, create }) => {
    const other = await create();
    const both = subject.runner({ after: other.observer });
    await runsWell(both);
    const others = other.runner();
    await both.runAsync(asyncJob("around", () => runsWell(others)));
    await subject.shutdown();
    await runsWell(others);
    await runsWell(other.runner({ before: subject.observer }));
    await other.forceFlush();
    await subject.hasThrownNothing();
    await other.hasThrownNothing();
  });

  declare("works beside observers that throw", async ({ subject }) => {
    await runsWell(subject.runner({ before: throwing }));
    await runsWell(subject.runner({ after: throwing }));
    await subject.hasThrownNothing();
  });
};

import { test as nodeTest } from "node:test";
import { currentJobObserver, type JobObserver } from "@nidus/jobs-observe";
import { it, test } from "vitest";
import { observerContract } from "../src/contracts.ts";

const createObserver = currentJobObserver;

// The test functions of both runners are what it takes, as they are.
observerContract({ test: nodeTest, createObserver });
observerContract({ test, createObserver });
observerContract({ test: it.sequential, createObserver, budget: { nanosecondsPerRun: 200 } });
observerContract({ test, createObserver, budget: undefined });

// A class or an object, at once or later, with or without a way to flush and to end it.
class Counting implements JobObserver {
  onJobStarted(): void {}
}
observerContract({ test, createObserver: () => new Counting() });
observerContract({ test, createObserver: async () => ({ observer: new Counting() }) });
observerContract({
  test,
  createObserver: () => ({ observer: {}, forceFlush: async () => {}, shutdown: () => {} }),
});

// @ts-expect-error A test without a body tests nothing.
observerContract({ test: (name: string, body: string) => [name, body], createObserver });
// @ts-expect-error An observer has to be created.
observerContract({ test, createObserver: () => undefined });
// @ts-expect-error An observer is no test's to share: it is made by a function.
observerContract({ test, createObserver: new Counting() });
// @ts-expect-error A budget has a unit.
observerContract({ test, createObserver, budget: 200 });

import assert from "node:assert/strict";
import { setImmediate as nextTurn } from "node:timers/promises";
import { invalidArgument } from "@nidus/jobs-core/adapter";
import { type JobObserver, ObservedJobRunner } from "@nidus/jobs-observe";
import { endsInTime } from "./ends-in-time.ts";

/** An observer, and what its author has to flush and to end it. */
export interface ObserverUnderTest {
  /** The observer itself. */
  readonly observer: JobObserver;
  /** Sends what is buffered. */
  forceFlush?(): void | Promise<void>;
  /** Sends what is buffered and ends. */
  shutdown?(): void | Promise<void>;
}

/** Makes a fresh observer, which shares nothing with those that were made before. It may be async. */
export type CreateObserver = () => JobObserver | ObserverUnderTest | Promise<JobObserver | ObserverUnderTest>;

/** Observers that stand beside the one under test. */
export interface Neighbours {
  readonly before?: JobObserver;
  readonly after?: JobObserver;
}

/** The observer under test, the runners that it observes, and what they heard it throw. */
export class Subject {
  readonly observer: JobObserver;
  readonly #created: ObserverUnderTest;
  /** The first of them says enough, and keeping all of them would look like a leak. */
  #firstError: unknown;
  #errorCount = 0;

  /** @throws TypeError for what is neither an observer nor an object with one. */
  constructor(created: JobObserver | ObserverUnderTest) {
    requireObject("what `createObserver` makes", created);
    this.#created = isObserver(created) ? { observer: created } : created;
    this.observer = this.#created.observer;
    requireObject("the `observer` that `createObserver` makes", this.observer);
  }

  /** A runner with this observer; what it throws is noted, what its neighbours throw is not. */
  runner({ before, after }: Neighbours = {}): ObservedJobRunner {
    const observers = [before, this.observer, after].filter((observer) => observer !== undefined);
    return new ObservedJobRunner(observers, {
      onObserverError: (error, observer) => {
        if (observer === before || observer === after) return;
        if (this.#errorCount++ === 0) this.#firstError = error;
      },
    });
  }

  /** @throws AssertionError if the observer has thrown anything, or rejected with it. */
  async hasThrownNothing(): Promise<void> {
    // What hooks reject with is heard some microtasks later.
    await nextTurn();
    const text = `the observer threw ${this.#errorCount} times, first ${textOf(this.#firstError)}`;
    assert.ok(this.#errorCount === 0, text);
  }

  /** @throws (rejects with) AssertionError if it takes too long; whatever it fails with. */
  async forceFlush(): Promise<void> {
    await endsInTime("forceFlush", async () => this.#created.forceFlush?.());
  }

  /** @throws (rejects with) AssertionError if it takes too long; whatever it fails with. */
  async shutdown(): Promise<void> {
    await endsInTime("shutdown", async () => this.#created.shutdown?.());
  }
}

const hooks: readonly (keyof JobObserver)[] = [
  "onJobStarted",
  "onJobFinished",
  "runInScope",
  "onJobDeclared",
  "onEngineOpened",
  "onJobEnqueued",
  "onJobSettled",
];

/** What has a hook is an observer, whatever else it has; so is what has no observer in it. */
function isObserver(created: JobObserver | ObserverUnderTest): created is JobObserver {
  return hooks.some((hook) => hook in created) || !("observer" in created);
}

function requireObject(what: string, value: object): void {
  if (typeof value !== "object" || !value) throw invalidArgument(what, "an object", value);
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

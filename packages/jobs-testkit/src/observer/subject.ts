import assert from "node:assert/strict";
import { setImmediate as nextTurn } from "node:timers/promises";
import { invalidArgument } from "@nidus/jobs-core/adapter";
import { type JobObserver, ObservedJobRunner } from "@nidus/jobs-observe";
import { endsInTime } from "./ends-in-time.ts";

/** An observer with its functions to flush and to shut down. */
export interface ObserverUnderTest {
  /** The observer itself. */
  readonly observer: JobObserver;
  /** Sends buffered data. */
  forceFlush?(): void | Promise<void>;
  /** Sends buffered data and ends. */
  shutdown?(): void | Promise<void>;
}

/** Makes a fresh observer, which shares nothing with earlier ones. It may be async. */
export type CreateObserver = () => JobObserver | ObserverUnderTest | Promise<JobObserver | ObserverUnderTest>;

/** Observers that stand beside the one under test. */
export interface Neighbours {
  readonly before?: JobObserver;
  readonly after?: JobObserver;
}

/** The observer under test, with the runners that it observes and the errors that it threw. */
export class Subject {
  readonly observer: JobObserver;
  readonly #created: ObserverUnderTest;
  /** Only the first error: keeping all of them would look like a leak. */
  #firstError: unknown;
  #errorCount = 0;

  /** @throws TypeError if the value is neither an observer nor an object with one. */
  constructor(created: JobObserver | ObserverUnderTest) {
    requireObject("what `createObserver` makes", created);
    this.#created = isObserver(created) ? { observer: created } : created;
    this.observer = this.#created.observer;
    requireObject("the `observer` that `createObserver` makes", this.observer);
  }

  /** Makes a runner with this observer. It notes the errors of this observer, and not those of `neighbours`. */
  runner({ before, after }: Neighbours = {}): ObservedJobRunner {
    const observers = [before, this.observer, after].filter((observer) => observer !== undefined);
    return new ObservedJobRunner(observers, {
      onObserverError: (error, observer) => {
        if (observer === before || observer === after) return;
        if (this.#errorCount++ === 0) this.#firstError = error;
      },
    });
  }

  /** Checks that the observer has thrown nothing. @throws AssertionError if it has thrown or rejected. */
  async hasThrownNothing(): Promise<void> {
    // The runner notices the rejection of a hook some microtasks later.
    await nextTurn();
    const text = `the observer threw ${this.#errorCount} times, first ${textOf(this.#firstError)}`;
    assert.ok(this.#errorCount === 0, text);
  }

  /** Flushes. @throws (rejects with) AssertionError if it takes too long; its own error if it rejects. */
  async forceFlush(): Promise<void> {
    await endsInTime("forceFlush", async () => this.#created.forceFlush?.());
  }

  /** Shuts the observer down. @throws (rejects with) AssertionError if it takes too long; its own error if it rejects. */
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
  "onJobProgressed",
];

/** Tells whether a value is an observer: it has a hook, or it has no property `observer`. */
function isObserver(created: JobObserver | ObserverUnderTest): created is JobObserver {
  return hooks.some((hook) => hook in created) || !("observer" in created);
}

function requireObject(what: string, value: object): void {
  if (typeof value !== "object" || !value) throw invalidArgument(what, "an object", value);
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

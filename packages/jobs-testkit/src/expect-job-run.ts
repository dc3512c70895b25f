import { AssertionError } from "node:assert";
import { invalidArgument, requireText } from "@nidus/jobs-core/adapter";
import type { JobAttributes, JobResultStatus } from "@nidus/jobs-observe";
import { describeExpectedFailure, type ExpectedFailure, isExpectedFailure } from "./expected-failure.ts";
import type { JobRecorder, RecordedRun } from "./recording-observer.ts";
import { listOfRuns } from "./run-list.ts";

/**
 * Expects something of a job's runs. Each call throws an AssertionError of `node:assert` if no run fits. It returns an expectation of
 * the runs that fit, so that chained calls hold for one and the same run.
 */
export interface JobRunExpectation {
  /** Expects a run that succeeded. */
  toHaveSucceeded(): JobRunExpectation;
  /** Expects a run that failed, with this error if one is given. @throws TypeError if it is no pattern, string or class. */
  toHaveFailed(expected?: ExpectedFailure): JobRunExpectation;
  /** Expects a run that was cancelled. */
  toHaveBeenCancelled(): JobRunExpectation;
  /** Expects a run with these attributes, and possibly others. @throws TypeError if they are no object. */
  withAttributes(attributes: JobAttributes): JobRunExpectation;
  /** Expects this number of runs, finished or not. @throws TypeError or RangeError if it is no whole number from 0. */
  toHaveRun(times: number): JobRunExpectation;
}

/**
 * Expects something of the runs of one job: `expectJobRun(recorder, "send_digest").toHaveSucceeded()`. The message of a failed
 * expectation lists the runs.
 *
 * @throws TypeError if `recorder` is no recorder, or if the name is not a non-empty string.
 */
export function expectJobRun(recorder: Pick<JobRecorder, "runs">, jobName: string): JobRunExpectation {
  if (!Array.isArray(recorder?.runs)) throw invalidArgument("`recorder`", "a JobRecorder", recorder);
  requireText("`jobName`", jobName);
  const all = [...recorder.runs];
  const runs = all.filter((run) => run.jobName === jobName);
  return new Expectation(all, `of "${jobName}"`, runs);
}

/** Selects runs. */
interface Wanted {
  /** Describes the selected runs, such as "that succeeded". */
  readonly text: string;
  readonly fits: (run: RecordedRun) => boolean;
  /** Returns the part of a run that test runners compare with `expected` in the difference that they show. */
  readonly actual: (run: RecordedRun) => unknown;
  readonly expected: unknown;
}

class Expectation implements JobRunExpectation {
  readonly #all: readonly RecordedRun[];
  /** Describes the runs, such as `of "send_digest" that failed`. */
  readonly #text: string;
  readonly #runs: readonly RecordedRun[];

  constructor(all: readonly RecordedRun[], text: string, runs: readonly RecordedRun[]) {
    this.#all = all;
    this.#text = text;
    this.#runs = runs;
  }

  toHaveSucceeded(): Expectation {
    return this.#narrow(ended("success", "that succeeded"), this.toHaveSucceeded);
  }

  toHaveFailed(expected?: ExpectedFailure): Expectation {
    if (expected === undefined) return this.#narrow(ended("failure", "that failed"), this.toHaveFailed);
    const wanted: Wanted = {
      text: `that failed with ${describeExpectedFailure(expected)}`,
      fits: ({ status, error }) =>
        status === "failure" && error !== undefined && isExpectedFailure(expected, error),
      actual: ({ error }) => error?.message,
      expected,
    };
    return this.#narrow(wanted, this.toHaveFailed);
  }

  toHaveBeenCancelled(): Expectation {
    return this.#narrow(ended("cancelled", "that was cancelled"), this.toHaveBeenCancelled);
  }

  withAttributes(attributes: JobAttributes): Expectation {
    if (typeof attributes !== "object" || !attributes)
      throw invalidArgument("`attributes`", "an object", attributes);
    const wanted: Wanted = {
      text: `with the attributes ${JSON.stringify(attributes)}`,
      fits: (run) =>
        Object.entries(attributes).every(
          ([key, value]) => Object.hasOwn(run.attributes, key) && Object.is(run.attributes[key], value),
        ),
      actual: (run) => run.attributes,
      expected: attributes,
    };
    return this.#narrow(wanted, this.withAttributes);
  }

  toHaveRun(times: number): Expectation {
    if (!Number.isSafeInteger(times) || times < 0) {
      const Refusal = typeof times === "number" ? RangeError : TypeError;
      throw invalidArgument("`times`", "a whole number from 0", times, Refusal);
    }
    const count = this.#runs.length;
    if (count === times) return this;
    const message = `expected ${times === 1 ? "1 run" : `${times} runs`} ${this.#text}, got ${count}`;
    throw this.#failure(message, count, times, this.toHaveRun);
  }

  #narrow({ text, fits, actual, expected }: Wanted, caller: Caller): Expectation {
    const fitting = this.#runs.filter(fits);
    const narrowed = `${this.#text} ${text}`;
    if (fitting.length > 0) return new Expectation(this.#all, narrowed, fitting);
    throw this.#failure(`expected a run ${narrowed}, got none`, this.#runs.map(actual), [expected], caller);
  }

  #failure(message: string, actual: unknown, expected: unknown, caller: Caller): AssertionError {
    return new AssertionError({
      message: `${message}; ${listOfRuns(this.#all)}`,
      actual,
      expected,
      operator: caller.name,
      stackStartFn: caller,
    });
  }
}

/** The method that the test called: the stack starts there. */
type Caller = (...args: never) => unknown;

function ended(status: JobResultStatus, text: string): Wanted {
  return { text, fits: (run) => run.status === status, actual: (run) => run.status, expected: status };
}

import { job } from "@nidus/jobs-core";
import { type JobAttributes, type ObservedJobContext, ObservedJobRunner } from "@nidus/jobs-observe";

/** What observers are given of one run. */
export interface ContextsOfRun {
  readonly started: ObservedJobContext;
  readonly finished: ObservedJobContext;
}

/** The contexts of a run that no other observer has heard of, for hooks to be called with. */
export function contextsOfRun(attributes: JobAttributes = {}): ContextsOfRun {
  const contexts: ObservedJobContext[] = [];
  const keep = (context: ObservedJobContext): void => void contexts.push(context);
  const runner = new ObservedJobRunner({ onJobStarted: keep, onJobFinished: keep });
  runner.context(attributes).run(job("called_directly", () => {}));
  const [started, finished] = contexts as [ObservedJobContext, ObservedJobContext];
  return { started, finished };
}

import { job } from "@nidus/jobs-core";
import { type JobAttributes, type ObservedJobContext, ObservedJobRunner } from "@nidus/jobs-observe";

/** The contexts that observers get of one run. */
export interface ContextsOfRun {
  readonly started: ObservedJobContext;
  readonly finished: ObservedJobContext;
}

/** Makes the contexts of a run that no other observer has heard of, to call hooks with. */
export function contextsOfRun(attributes: JobAttributes = {}): ContextsOfRun {
  const contexts: ObservedJobContext[] = [];
  const keep = (context: ObservedJobContext): void => void contexts.push(context);
  const runner = new ObservedJobRunner({ onJobStarted: keep, onJobFinished: keep });
  runner.context(attributes).run(job("called_directly", () => {}));
  const [started, finished] = contexts as [ObservedJobContext, ObservedJobContext];
  return { started, finished };
}

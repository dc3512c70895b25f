import type { JobError } from "@nidus/jobs-core";
import type { JobObserver, JobResultStatus, ObservedJobContext } from "../../src/index.ts";

/** The events that an observer received, in order. */
export interface Heard {
  readonly hook: "started" | "finished";
  readonly context: ObservedJobContext;
  readonly status?: JobResultStatus;
  readonly error?: JobError | undefined;
}

export class Recorder implements JobObserver {
  readonly heard: Heard[] = [];

  onJobStarted(context: ObservedJobContext): void {
    this.heard.push({ hook: "started", context });
  }

  onJobFinished(context: ObservedJobContext, status: JobResultStatus, error?: JobError): void {
    this.heard.push({ hook: "finished", context, status, error });
  }

  /** Such as ["started", "finished success"]. */
  get story(): string[] {
    return this.heard.map(({ hook, status }) => (status === undefined ? hook : `${hook} ${status}`));
  }
}

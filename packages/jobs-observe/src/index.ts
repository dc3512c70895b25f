export type { JobAttributes } from "./attributes.ts";
export {
  type JobEventReceiver,
  type JobObserverChannelOptions,
  jobObserverChannel,
  type ObservedJobEvent,
  type PlainJobEvent,
} from "./channel.ts";
export type { ObservedJobContext, ObservedJobData } from "./context.ts";
export { currentJob, currentJobObserver } from "./current-job.ts";
export type { JobObserver, JobResultStatus } from "./observer.ts";
export { combineJobObservers, type ObserverErrorHandler } from "./observer-list.ts";
export { ObservedJobRunner, type ObservedJobRunnerOptions, type RunAsyncOptions } from "./runner.ts";

// For authors of observers and engines.

export { startedContext } from "./context.ts";
export type {
  DeclaredJobContext,
  EnqueuedJobContext,
  JobBacklog,
  JobDelivery,
  OpenedEngineContext,
  SettledJobContext,
} from "./delivery.ts";

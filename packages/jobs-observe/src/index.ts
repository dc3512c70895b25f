export type { JobAttributes } from "./context/attributes.ts";
export type { ObservedJobContext, ObservedJobData } from "./context/context.ts";
export type { JobObjectives } from "./context/objectives.ts";
export type { JobObserver, JobResultStatus } from "./observer/observer.ts";
export { combineJobObservers, type ObserverErrorHandler } from "./observer/observer-list.ts";
export {
  type JobEventReceiver,
  type JobObserverChannelOptions,
  jobObserverChannel,
  type ObservedJobEvent,
  type PlainJobEvent,
} from "./observers/channel.ts";
export { currentJob, currentJobObserver } from "./observers/current-job.ts";
export { reportProgress } from "./observers/progress.ts";
export {
  type DeclaredJob,
  ObservedJobRunner,
  type ObservedJobRunnerOptions,
  type RunAsyncOptions,
} from "./runner/runner.ts";

// Types for authors of observers and engines, who find functions in `@nidus/jobs-observe/adapter`.

export type {
  DeclaredJobContext,
  DeclaredJobOptions,
  EnqueuedJobContext,
  JobDelivery,
  JobProgress,
  SettledJobContext,
} from "./context/delivery.ts";
export type {
  DeadLetterCount,
  EngineHealth,
  JobBacklog,
  JobScheduleTimes,
  WorkerHealth,
  WorkerState,
} from "./context/engine-readings.ts";
export type { OpenedEngineContext } from "./observer/observer.ts";

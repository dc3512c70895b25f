export { type JobLogMixinOptions, jobLogMixin } from "./job-log-mixin.ts";
export type { LoggerLike } from "./logger-like.ts";
export { type PinoJobObserverOptions, pinoJobObserver } from "./pino-job-observer.ts";

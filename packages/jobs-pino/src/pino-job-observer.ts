import type { JobError } from "@nidus/jobs-core";
import {
  cutText,
  invalidArgument,
  requireBoolean,
  requireKnownKeys,
  requireWholeNumber,
} from "@nidus/jobs-core/adapter";
import type { JobObserver } from "@nidus/jobs-observe";
import { boundedError, thrownType } from "./bounded-error.ts";
import { enqueuedFields, finishedFields, runFields, settledFields } from "./job-fields.ts";
import type { LoggerLike } from "./logger-like.ts";

/** Where lines about jobs go, and at which levels: names of the logger's own, or `"silent"` for no line. */
export interface PinoJobObserverOptions {
  /** A pino logger, or a child of one. */
  readonly logger: LoggerLike;
  /** Of a run that starts, and of jobs that are enqueued. @default "debug" */
  readonly startLevel?: string | undefined;
  /** Of a run that succeeded. @default "info" */
  readonly finishLevel?: string | undefined;
  /** Of a run or a job that was cancelled, and of a delivery that will be repeated or that stalled. @default "warn" */
  readonly warningLevel?: string | undefined;
  /** Of a run that failed, a job that became a dead letter, and one that its engine lost. @default "error" */
  readonly failureLevel?: string | undefined;
  /** Whether lines carry the messages and stacks of errors; their types they always do. @default true */
  readonly recordErrorMessage?: boolean | undefined;
  /**
   * How many characters of an error's message and of its stack a line carries, each with those of its causes: a whole number from 1.
   * If they are longer, `err` has the error's type, message and stack alone, and the texts are cut. @default 4096
   */
  readonly maxErrorLength?: number | undefined;
}

const optionNames: readonly (keyof PinoJobObserverOptions)[] = [
  "logger",
  "startLevel",
  "finishLevel",
  "warningLevel",
  "failureLevel",
  "recordErrorMessage",
  "maxErrorLength",
];

/**
 * One structured line for each start and each finish of a run, and, where an engine runs the jobs, for those that are enqueued
 * and for deliveries that do not succeed. A line whose level is disabled costs the question whether it is, and makes no run id.
 * Cancellations carry no error. Whether writing blocks is for the logger's destination to say.
 *
 * @throws TypeError or RangeError for an option that is not as documented.
 */
export function pinoJobObserver(options: PinoJobObserverOptions): JobObserver {
  requireKnownKeys("the options of pinoJobObserver", options ?? {}, optionNames);
  const {
    logger,
    startLevel = "debug",
    finishLevel = "info",
    warningLevel = "warn",
    failureLevel = "error",
    recordErrorMessage = true,
    maxErrorLength = 4_096,
  } = options ?? {};
  if (typeof logger?.isLevelEnabled !== "function" || typeof logger.levels?.values !== "object") {
    throw invalidArgument("`logger`", "a pino logger", logger);
  }
  // By the name of a level at each line: pino replaces these methods when the logger's level changes.
  const methods = logger as unknown as Readonly<Record<string, LoggerLike["info"]>>;
  for (const [option, level] of Object.entries({ startLevel, finishLevel, warningLevel, failureLevel })) {
    if (level !== "silent" && !Object.hasOwn(logger.levels.values, level)) {
      throw invalidArgument(`\`${option}\``, "a level of the logger", level);
    }
  }
  requireBoolean("`recordErrorMessage`", recordErrorMessage);
  requireWholeNumber("`maxErrorLength`", maxErrorLength);

  const log = (level: string, message: string, fieldsOf: () => object, error?: JobError): void => {
    if (!logger.isLevelEnabled(level)) return;
    const fields = fieldsOf();
    if (error && recordErrorMessage) {
      try {
        methods[level]?.({ ...fields, err: boundedError(error, maxErrorLength) }, message);
        return;
      } catch {
        // Serializers read from the error and write into it, which it may not let them. The line then has its type alone.
      }
    }
    methods[level]?.(
      { ...fields, err: error && { type: cutText(thrownType(error), maxErrorLength) } },
      message,
    );
  };

  // The same words in all lines of a kind, so that they can be found and counted by them.
  const finishes = {
    success: [finishLevel, "job run succeeded"],
    failure: [failureLevel, "job run failed"],
    cancelled: [warningLevel, "job run cancelled"],
  } as const;
  const settlements = {
    // The line about the run has said so.
    succeeded: undefined,
    retried: [warningLevel, "job will be retried"],
    stalled: [warningLevel, "job stalled"],
    cancelled: [warningLevel, "job cancelled"],
    "dead-lettered": [failureLevel, "job dead-lettered"],
    lost: [failureLevel, "job lost"],
  } as const;

  return {
    onJobStarted(context) {
      log(startLevel, "job run started", () => runFields(context));
    },

    onJobFinished(context, status, error) {
      const [level, message] = finishes[status];
      log(level, message, () => finishedFields(context, status), status === "failure" ? error : undefined);
    },

    onJobEnqueued(context) {
      log(startLevel, "job enqueued", () => enqueuedFields(context));
    },

    onJobSettled(context) {
      const settlement = settlements[context.outcome];
      if (settlement === undefined) return;
      const [level, message] = settlement;
      const failure = context.outcome === "cancelled" ? undefined : context.error;
      log(level, message, () => settledFields(context), failure);
    },
  };
}

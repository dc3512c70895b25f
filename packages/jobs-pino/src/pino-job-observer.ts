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

/**
 * Which logger writes the lines about jobs, and at which levels. A level is any level of the logger, or `"silent"` for
 * no line.
 */
export interface PinoJobObserverOptions {
  /** A pino logger, or a child of one. */
  readonly logger: LoggerLike;
  /** Level of the start of a run, and of jobs that are enqueued. @default "debug" */
  readonly startLevel?: string | undefined;
  /** Level of a run that succeeded. @default "info" */
  readonly finishLevel?: string | undefined;
  /** Level of a run or job that was cancelled, and of a delivery that will be retried or that stalled. @default "warn" */
  readonly warningLevel?: string | undefined;
  /** Level of a run that failed, a job that became a dead letter, and a run that its engine lost. @default "error" */
  readonly failureLevel?: string | undefined;
  /** Whether lines carry the messages and stacks of errors. They always carry the error types. @default true */
  readonly recordErrorMessage?: boolean | undefined;
  /**
   * How many characters of an error's message and of its stack a line carries, each including those of its causes: a
   * whole number from 1. If they are longer, `err` has only the error's type, message and stack, and the texts are cut.
   * @default 4096
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
 * Writes one structured line for each start and each finish of a run. If an engine runs the jobs, it also writes a line
 * for enqueues and for deliveries that do not succeed. A disabled level costs one check and makes no run id.
 * Cancellations carry no error. Writing blocks if the logger's destination blocks.
 *
 * @throws TypeError or RangeError for an invalid option.
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
  // Looked up by name for each line: pino replaces these methods when the logger's level changes.
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
        // Serializers read the error and write into it, which it may not allow. The line then has its type alone.
      }
    }
    methods[level]?.(
      { ...fields, err: error && { type: cutText(thrownType(error), maxErrorLength) } },
      message,
    );
  };

  // Each kind of line has a fixed message, so that you can find and count it.
  const finishes = {
    success: [finishLevel, "job run succeeded"],
    failure: [failureLevel, "job run failed"],
    cancelled: [warningLevel, "job run cancelled"],
  } as const;
  const settlements = {
    // The line about the run says so already.
    succeeded: undefined,
    retried: [warningLevel, "job will be retried"],
    snoozed: [startLevel, "job snoozed"],
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

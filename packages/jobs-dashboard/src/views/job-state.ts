import type { JobObjectives } from "@nidus/jobs-observe";
import type { JobActivity } from "../process/job-activity.ts";
import type { JobState, ProcessFigures, StoredFigures } from "../wire.ts";
import { spoken, sum } from "./time.ts";

/** The states, worst first. */
export const states: readonly JobState[] = ["failing", "stuck", "late", "no-worker", "slow", "fine"];

/** Limits of jobs without objectives. They are those of the alerts. */
const failureShare = 0.1;
const fewestFailures = 5;
const stuckAfterMs = 3_600_000;
const lateAfterMs = 600_000;
/** Within the last minutes of the sparkline. */
const judgedMinutes = 15;
/** A job that waits this long while nothing of its name runs has no worker. */
const noWorkerAfterMs = 60_000;

/** A job as far as its state depends on it. */
interface Facts {
  readonly activity: JobActivity | undefined;
  readonly process: ProcessFigures | null;
  readonly stored: StoredFigures | null;
  readonly now: number;
}

/** Decides how a job does, and says why in a few words. */
export function stateOf(facts: Facts): { readonly state: JobState; readonly reason: string } {
  const reasons: [JobState, string | undefined][] = [
    ["failing", failing(facts)],
    ["stuck", stuck(facts)],
    ["late", late(facts)],
    ["no-worker", withoutWorker(facts)],
    ["slow", slow(facts)],
  ];
  const worst = reasons.find(([, reason]) => reason !== undefined);
  return worst === undefined
    ? { state: "fine", reason: "" }
    : { state: worst[0], reason: worst[1] as string };
}

function failing({ activity, process }: Facts): string | undefined {
  if (activity === undefined || process === null) return undefined;
  if (activity.isRetrying) return "Its last attempt failed";
  const finished = sum(process.finished.slice(-judgedMinutes));
  const failed = sum(process.failed.slice(-judgedMinutes));
  if (failed === 0) return undefined;
  const share = failed / finished;
  const text = `${failed} of ${finished} runs failed in ${judgedMinutes} min`;
  if (failed >= fewestFailures && share > failureShare) return text;
  const hasFailedLast = activity.lastStatus === "failure";
  return failed === finished || (hasFailedLast && share > failureShare) ? text : undefined;
}

function stuck({ activity, process, now }: Facts): string | undefined {
  if (process?.oldestRunningAt == null) return undefined;
  const limitMs = objectivesOf(activity).finishWithinMs ?? stuckAfterMs;
  const ageMs = now - process.oldestRunningAt;
  return ageMs > limitMs ? `A run takes longer than ${spoken(limitMs)}` : undefined;
}

function late({ activity, process, stored, now }: Facts): string | undefined {
  const { startWithinMs = lateAfterMs, succeedEveryMs } = objectivesOf(activity);
  if (stored?.oldestWaitingAt != null && now - stored.oldestWaitingAt > startWithinMs) {
    return `A job has waited for more than ${spoken(startWithinMs)}`;
  }
  if (succeedEveryMs === undefined || process?.lastSuccessAt == null) return undefined;
  return now - process.lastSuccessAt > succeedEveryMs
    ? `No success for more than ${spoken(succeedEveryMs)}`
    : undefined;
}

function withoutWorker({ activity, process, stored, now }: Facts): string | undefined {
  if (stored?.oldestWaitingAt == null || stored.running > 0 || (process?.running ?? 0) > 0) return undefined;
  const hasStarted = activity !== undefined && performance.now() - activity.lastStartMs < noWorkerAfterMs;
  if (hasStarted || now - stored.oldestWaitingAt <= noWorkerAfterMs) return undefined;
  return `${stored.waiting.toLocaleString("en")} waiting, none running`;
}

function slow({ activity, process }: Facts): string | undefined {
  const { finishWithinMs } = objectivesOf(activity);
  if (finishWithinMs === undefined || process?.p95Ms == null) return undefined;
  return process.p95Ms > finishWithinMs ? `p95 is above its objective, ${spoken(finishWithinMs)}` : undefined;
}

function objectivesOf(activity: JobActivity | undefined): JobObjectives {
  return activity?.objectives ?? {};
}

import type { LeasedJob } from "../backend/job-backend.ts";
import { HandlerContext } from "./handler-context.ts";
import { AbortControllerPool, HandlerSignal } from "./handler-signal.ts";
import { JobExecution } from "./job-execution.ts";
import { Slots } from "./slots.ts";

/**
 * Makes one object of each class that a delivery has objects of, for a worker to keep. If a garbage collection finds no object of a class,
 * V8 drops the code that it optimised for that class. Without these objects, every full collection of an idle worker would do so, and
 * compiling it anew took a tenth of the processor time of the next 10,000 jobs.
 */
export function keptDelivery(): unknown {
  const moment = new Date(0);
  const job: LeasedJob = {
    id: "",
    name: "",
    envelope: {},
    attempt: 1,
    maxAttempts: 1,
    enqueuedAt: moment,
    runAt: moment,
    isCancelRequested: false,
    followsStalled: false,
  };
  const pool = new AbortControllerPool();
  const execution = new JobExecution(job, "", "", pool);
  const context = new HandlerContext(execution.delivery, new HandlerSignal(pool), false, () => {});
  return [execution, context, new Slots(1).take()];
}

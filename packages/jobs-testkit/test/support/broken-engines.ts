import { setTimeout as pause } from "node:timers/promises";
import {
  type DurableJob,
  type EnqueueOptions,
  type JobEngine,
  type JobWithPayload,
  PermanentJobError,
} from "@nidus/jobs-durable";
import { overriding, performing } from "./overriding.ts";

/** Runs the handler twice for one delivery. */
export function runningHandlersTwice(engine: JobEngine): JobEngine {
  return performing(engine, (job) => async (stored, context) => {
    await job.perform(stored, context);
    return job.perform(stored, context);
  });
}

/** Does not wait for a handler whose time is up. */
export function givingSlotsAway(engine: JobEngine): JobEngine {
  return performing(engine, (job) => async (stored, context) => {
    const running = job.perform(stored, context);
    if (job.timeoutMs === undefined) return running;
    running.catch(() => {});
    const late = pause(job.timeoutMs + 20).then(() => Promise.reject(new Error("too late")));
    return Promise.race([running, late]);
  });
}

/** Hands payloads out as they were stored. */
export function skippingSchemas(engine: JobEngine): JobEngine {
  return performing(engine, (job) => async (stored, context) => job.handle(stored as never, context));
}

/** Takes any payload, as JSON.stringify does. */
export function takingAnyPayload(engine: JobEngine): JobEngine {
  const lax = <Input>(job: DurableJob<Input, never>): DurableJob<Input, never> => ({
    ...job,
    encode: async (payload) => JSON.stringify(payload),
  });
  return overriding(engine, {
    enqueue: (job: JobWithPayload<never>, payload: unknown, options?: EnqueueOptions) =>
      engine.enqueue(lax(job), payload as never, options),
    enqueueMany: (job, payloads, options) => engine.enqueueMany(lax(job), payloads as never, options),
  });
}

/** Stores what the payload has become by then. */
export function lookingAtPayloadsLate(engine: JobEngine): JobEngine {
  return overriding(engine, {
    async enqueue(job: JobWithPayload<never>, payload: unknown, options?: EnqueueOptions) {
      await pause(5);
      return engine.enqueue(job, payload as never, options);
    },
  });
}

/** Interrupts handlers at once when a worker is stopped. */
export function stoppingWithoutGrace(engine: JobEngine): JobEngine {
  return overriding(engine, {
    async work(options) {
      const worker = await engine.work(options);
      return overriding(worker, { stop: () => worker.stop({ graceMs: 0, abortMs: 10 }) });
    },
  });
}

/** Waits for handlers as long as they take. */
export function stoppingPatiently(engine: JobEngine): JobEngine {
  return overriding(engine, {
    async work(options) {
      const worker = await engine.work(options);
      return overriding(worker, { stop: () => worker.stop() });
    },
  });
}

/** Leaves its workers running when it is closed. */
export function leavingWorkersBehind(engine: JobEngine): JobEngine {
  return overriding(engine, {
    async close() {
      void engine.close();
    },
  });
}

/** Has no end. */
export function staying(engine: JobEngine): JobEngine {
  return overriding(engine, { async close() {} });
}

/** Ignores schedules, instead of refusing them. */
export function ignoringSchedules(engine: JobEngine): JobEngine {
  return overriding(engine, { async schedule() {}, unschedule: async () => false });
}

/** Works one job more at a time than it was told. */
export function exceedingConcurrency(engine: JobEngine): JobEngine {
  return overriding(engine, {
    work: ({ concurrency = 1, ...options }) => engine.work({ ...options, concurrency: concurrency + 1 }),
  });
}

/** Works one job at a time, whatever it was told. */
export function workingAlone(engine: JobEngine): JobEngine {
  return overriding(engine, { work: ({ jobs }) => engine.work({ jobs }) });
}

/** Gives every failed job the attempts that its definition has, whatever was said when it was enqueued. */
export function ignoringMaxAttempts(engine: JobEngine): JobEngine {
  return overriding(engine, {
    enqueue: (
      job: JobWithPayload<never>,
      payload: unknown,
      { maxAttempts: _, ...options }: EnqueueOptions = {},
    ) => engine.enqueue(job, payload as never, options),
  });
}

/** Tries again at once. */
export function hurrying(engine: JobEngine): JobEngine {
  return overriding(engine, {
    work: ({ jobs, ...options }) =>
      engine.work({ ...options, jobs: jobs.map((job) => ({ ...job, backoff: { baseMs: 1, maxMs: 1 } })) }),
  });
}

/** Gives a job up whose time is up. */
export function givingUpOnTimeouts(engine: JobEngine): JobEngine {
  return performing(engine, (job) => async (stored, context) => {
    try {
      return await job.perform(stored, context);
    } catch (error) {
      throw (error as Error).name === "TimeoutError" ? new PermanentJobError("too late") : error;
    }
  });
}

/** Takes failures for successes. */
export function hidingFailures(engine: JobEngine): JobEngine {
  return performing(engine, (job) => async (stored, context) => {
    await job.perform(stored, context).catch(() => {});
  });
}

/** Leaves options aside that it does not know. */
export function ignoringUnknownOptions(engine: JobEngine): JobEngine {
  return overriding(engine, {
    enqueue: (
      job: JobWithPayload<never>,
      payload: unknown,
      { runAt, idempotencyKey, correlationId, maxAttempts }: EnqueueOptions = {},
    ) => engine.enqueue(job, payload as never, { runAt, idempotencyKey, correlationId, maxAttempts }),
  });
}

/** Says what it was given when it refuses it. */
export function showingPayloads(engine: JobEngine): JobEngine {
  return overriding(engine, {
    enqueue: async (job: JobWithPayload<never>, payload: unknown, options?: EnqueueOptions) => {
      try {
        return await engine.enqueue(job, payload as never, options);
      } catch (error) {
        throw Object.assign(error as Error, { command: { name: "add", args: [payload] } });
      }
    },
  });
}

/** Asks its store for the empty id. */
export function takingEmptyIds(engine: JobEngine): JobEngine {
  return overriding(engine, {
    cancel: async (jobId) => jobId !== "" && engine.cancel(jobId),
  });
}

/** Has one name, whatever it is told. */
export function keepingItsName(engine: JobEngine): JobEngine {
  return overriding(engine, { name: "list" });
}

/** Declares jobs by their names alone. */
export function forgettingObjectives(engine: JobEngine): JobEngine {
  return overriding(engine, {
    work: ({ jobs, ...options }) =>
      engine.work({ ...options, jobs: jobs.map((job) => ({ ...job, objectives: undefined })) }),
  });
}

/** Knows its store and not its workers. */
export function forgettingWorkers(engine: JobEngine): JobEngine {
  return overriding(engine, { health: async () => ({ ...(await engine.health()), workers: [] }) });
}

/** Is as healthy as ever after its end. */
export function healthyAfterTheEnd(engine: JobEngine): JobEngine {
  return overriding(engine, {
    health: () =>
      engine.health().catch(() => ({ engine: engine.name, isReachable: true, latencyMs: 0, workers: [] })),
  });
}

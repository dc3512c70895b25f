import type { EnqueueOptions, JobEngine, JobWithPayload } from "@nidus/jobs-durable";
import type { NewJob } from "@nidus/jobs-durable/backend";
import { ListBackend, type ListedJob } from "./list-backend.ts";
import { overriding } from "./overriding.ts";

/** An envelope without one of its members. */
function without(member: string, envelopeText: string): string {
  return JSON.stringify({ ...(JSON.parse(envelopeText) as object), [member]: undefined });
}

/** Forgets the attributes of an enqueue. */
export class LosingAttributes extends ListBackend {
  override add({ envelopeText, ...job }: NewJob): boolean {
    return super.add({ ...job, envelopeText: without("attributes", envelopeText) });
  }
}

/** Forgets the backoff of an enqueue. */
export class LosingBackoffs extends ListBackend {
  override add({ envelopeText, ...job }: NewJob): boolean {
    return super.add({ ...job, envelopeText: without("backoff", envelopeText) });
  }
}

/** Retains every job for the engine's time. */
export class RetainingAll extends ListBackend {
  override add(job: NewJob): boolean {
    return super.add({ ...job, retainMs: undefined });
  }
}

/** Removes a dead letter that was to be retained for no time. */
export class RemovingDeadLetters extends ListBackend {
  override countsOf(jobs: readonly ListedJob[]): ReturnType<ListBackend["countsOf"]> {
    return super.countsOf(jobs.filter(({ state, retainMs }) => state !== "deadLettered" || retainMs !== 0));
  }
}

/** Removes a job that succeeds before its time. */
export class RetainingNothing extends ListBackend {
  override add(job: NewJob): boolean {
    return super.add({ ...job, retainMs: job.retainMs === undefined ? undefined : 0 });
  }
}

/** An engine that changes the options of each enqueue. */
function enqueuing(
  engine: JobEngine,
  change: (options: EnqueueOptions | undefined) => EnqueueOptions | undefined,
): JobEngine {
  return overriding(engine, {
    enqueue: (job: JobWithPayload<never>, payload: unknown, options?: EnqueueOptions) =>
      engine.enqueue(job, payload as never, change(options)),
    enqueueMany: (job, payloads, options) => engine.enqueueMany(job, payloads, change(options)),
  });
}

/** Drops options that it cannot keep, instead of refusing them. */
export function droppingOptions(engine: JobEngine): JobEngine {
  return enqueuing(engine, (options) => {
    const { attributes, backoff, retainMs, uniqueForMs, ...rest } = options ?? {};
    return { ...rest, ...(rest.uniqueKey !== undefined && { idempotencyKey: undefined }) };
  });
}

/** Takes the nearest priority for a wrong one. */
export function clampingPriorities(engine: JobEngine): JobEngine {
  return enqueuing(engine, (options) => {
    if (typeof options?.priority !== "number") return options;
    const priority = Math.min(Math.max(Math.round(options.priority) || 0, 0), 9);
    return { ...options, priority };
  });
}

/** Ignores the options of other engines. */
export function ignoringForeignOptions(engine: JobEngine): JobEngine {
  return enqueuing(engine, (options) => {
    const { bullmq, pgBoss, ...rest } = (options ?? {}) as Record<string, unknown>;
    return rest;
  });
}

/** Looks at the attributes when the payload has been encoded. */
export function lookingAtAttributesLate(engine: JobEngine): JobEngine {
  return overriding(engine, {
    async enqueue(job: JobWithPayload<never>, payload: unknown, options?: EnqueueOptions) {
      await null;
      return engine.enqueue(job, payload as never, options);
    },
  });
}

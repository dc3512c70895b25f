import type { JobAttributes, JobDelivery } from "@nidus/jobs-observe";
import { EngineReader } from "../engines/engine-reader.ts";
import type { WatchedEngine } from "../engines/watched-engine.ts";
import type { JobDashboardOptions, RedactableJob, RedactedJob } from "../options.ts";
import { ProcessActivity } from "../process/process-activity.ts";
import type { DeliveryFacts, ShownAttributes } from "../wire.ts";
import { timeOf } from "./time.ts";

/** The two sources of the page, and the rules of what it shows. */
export class PageModel {
  readonly process: ProcessActivity = new ProcessActivity();
  readonly readers: Map<string, EngineReader> = new Map();
  readonly #options: JobDashboardOptions;

  constructor(options: JobDashboardOptions) {
    this.#options = options;
  }

  /** Adds an engine. An engine that is added twice is watched once. */
  watch(engine: WatchedEngine): void {
    if ([...this.readers.values()].some((reader) => reader.engine === engine)) return;
    let key = engine.name;
    for (let number = 2; this.readers.has(key); number++) key = `${engine.name}-${number}`;
    this.readers.set(key, new EngineReader(engine, key));
  }

  get title(): string {
    return this.#options.title ?? this.process.service ?? "Jobs";
  }

  get canShowPayloads(): boolean {
    return this.#options.redact !== undefined;
  }

  /** Finds the key of the watched engine that made a delivery. */
  keyOf(engineName: string): string | null {
    for (const [key, { engine }] of this.readers) if (engine.name === engineName) return key;
    return null;
  }

  traceUrl(traceId: string | undefined): string | null {
    return traceId === undefined ? null : (this.#options.traceUrl?.replaceAll("{traceId}", traceId) ?? null);
  }

  delivery(delivery: JobDelivery | undefined): DeliveryFacts | null {
    if (delivery === undefined) return null;
    const { engine, queue, jobId, attempt, maxAttempts, enqueuedAt, runAt, correlationId } = delivery;
    return {
      engine,
      engineKey: this.keyOf(engine),
      queue,
      jobId,
      attempt,
      maxAttempts,
      enqueuedAt: timeOf(enqueuedAt),
      runAt: timeOf(runAt),
      correlationId: correlationId ?? null,
    };
  }

  /** Returns all keys of the attributes, and the values that `redact` shows. */
  attributes(job: {
    readonly jobName: string;
    readonly jobId?: string | undefined;
    readonly attributes: JobAttributes;
  }): ShownAttributes {
    const { jobName, jobId, attributes } = job;
    const keys = Object.keys(attributes);
    if (keys.length === 0) return {};
    const shown = this.redact({ jobName, jobId, payload: undefined, attributes })?.attributes;
    return Object.fromEntries(keys.map((key) => [key, shownValue(shown, key)]));
  }

  /** Returns what `redact` shows of a job. Undefined hides everything. */
  redact(job: RedactableJob): RedactedJob | undefined {
    try {
      const shown = this.#options.redact?.(job);
      return shown && { payload: shown.payload, attributes: shown.attributes };
    } catch {
      // A part of the page that cannot be redacted stays hidden.
      return undefined;
    }
  }
}

function shownValue(shown: JobAttributes | undefined, key: string): string | number | boolean | null {
  try {
    if (typeof shown !== "object" || shown === null || !Object.hasOwn(shown, key)) return null;
    const value: unknown = shown[key];
    if (typeof value === "string") return value.slice(0, 1_000);
    return typeof value === "number" || typeof value === "boolean" ? value : null;
  } catch {
    // A value that cannot be read stays hidden: getters and proxies may throw.
    return null;
  }
}

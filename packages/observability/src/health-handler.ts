import { invalidArgument, propertyOf, requireKnownKeys } from "@nidus/jobs-core/adapter";
import type { EngineHealth, WorkerHealth } from "@nidus/jobs-observe";
import { answer, isReading, type RequestHandler } from "./http-answer.ts";

/** What a {@link HealthHandler} looks at. */
export interface HealthHandlerOptions {
  /** Engines of any kind. The handler asks each whether its store answers, and how its workers in this process do. @default none */
  readonly engines?: readonly { readonly name: string; health(): Promise<EngineHealth> }[] | undefined;
  /** Workers of engines that are not in `engines`. @default none */
  readonly workers?: readonly { health(): WorkerHealth }[] | undefined;
}

/** Handles requests of `node:http`, Express, or the raw objects of Fastify. The promise it returns never rejects. */
export type HealthHandler = RequestHandler;

/** The JSON that a {@link HealthHandler} answers with. */
export interface HealthReport {
  /**
   * - `ok`: every store answers, and no worker is stuck.
   * - `degraded`: a store does not answer. A restart of this process would not help.
   * - `stuck`: a worker no longer asks its store, which answers. A restart helps.
   */
  readonly status: "ok" | "degraded" | "stuck";
  readonly engines: readonly EngineHealth[];
  readonly workers: readonly WorkerHealth[];
}

/** How long the handler waits for an engine, in milliseconds: probes of orchestrators often wait for a second. */
const answerWithinMs = 900;

/**
 * Answers GET and HEAD with a {@link HealthReport}: 503 if a worker is stuck, else 200. The answer comes within a second, and
 * tells no addresses and no errors.
 *
 * @throws TypeError for an unknown option, or for a value without `health`.
 */
export function healthHandler(options: HealthHandlerOptions = {}): HealthHandler {
  requireKnownKeys("the options of healthHandler", options, ["engines", "workers"]);
  const { engines = [], workers = [] } = options;
  requireHealths("engines", engines);
  requireHealths("workers", workers);
  return async (request, response) => {
    if (!isReading(request, response)) return;
    const report = reportOf(await Promise.all(engines.map(engineHealth)), workers.flatMap(workerHealth));
    const status = report.status === "stuck" ? 503 : 200;
    answer(response, status, "application/json", `${JSON.stringify(report)}\n`, {
      "Cache-Control": "no-store",
    });
  };
}

function requireHealths(name: string, values: unknown): void {
  const haveHealth =
    Array.isArray(values) && [...values].every((each) => typeof propertyOf(each, "health") === "function");
  if (!haveHealth) throw invalidArgument(`\`${name}\``, "an array of objects with `health()`", values);
}

function reportOf(engines: readonly EngineHealth[], workers: readonly WorkerHealth[]): HealthReport {
  const states = [...workers, ...engines.flatMap((engine) => engine.workers)].map(({ state }) => state);
  const isDegraded = states.includes("server-unreachable") || engines.some(({ isReachable }) => !isReachable);
  const status = states.includes("stuck") ? "stuck" : isDegraded ? "degraded" : "ok";
  return { status, engines, workers };
}

/** Returns the health of an engine. One that cannot tell in time, such as a closed one, counts as unreachable. */
async function engineHealth(
  engine: NonNullable<HealthHandlerOptions["engines"]>[number],
): Promise<EngineHealth> {
  const name = propertyOf(engine, "name");
  const unknown = {
    engine: typeof name === "string" ? name : "?",
    isReachable: false,
    latencyMs: undefined,
    workers: [],
  };
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<EngineHealth>((resolve) => {
    timer = setTimeout(() => resolve(unknown), answerWithinMs);
  });
  try {
    return checked(await Promise.race([engine.health(), late]));
  } catch {
    return unknown;
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Returns a health that can be answered with. Engines and workers may be of other authors.
 *
 * @throws whatever keeps it from that: the part then counts as one that cannot tell.
 */
function checked<Health extends EngineHealth | WorkerHealth>(health: Health): Health {
  const workers: readonly WorkerHealth[] = "workers" in health ? health.workers : [health];
  if (!workers.every(({ state }) => typeof state === "string")) throw new TypeError("a worker has no state");
  JSON.stringify(health);
  return health;
}

function workerHealth(worker: { health(): WorkerHealth }): readonly WorkerHealth[] {
  try {
    return [checked(worker.health())];
  } catch {
    return [];
  }
}

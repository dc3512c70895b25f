import { cutText } from "@nidus/jobs-core/adapter";
import type { OpenedEngineContext } from "@nidus/jobs-observe";
import type { Meter, ObservableResult } from "@opentelemetry/api";
import { jobInstruments } from "./semantic-conventions.ts";

/** How long a collection waits for an engine, in milliseconds. */
const answerWithinMs = 2_000;

/** Longer names of engines are cut, and further engines than this are left out: a reader keeps each in memory. */
const maxNameLength = 256;
const maxEngines = 1_000;

/** Says at each collection whether the engines answer. An engine that cannot tell is left out, and so is a closed one. */
export class EnginesUp {
  readonly #engines = new Set<OpenedEngineContext>();
  readonly #meter: Meter;
  #isObserved = false;

  constructor(meter: Meter) {
    this.#meter = meter;
  }

  add(engine: OpenedEngineContext): void {
    if (engine.health === undefined || this.#engines.size >= maxEngines) return;
    if (!this.#isObserved) this.#observe();
    this.#isObserved = true;
    this.#engines.add(engine);
  }

  #observe(): void {
    const { name, ...declaration } = jobInstruments.engineUp;
    this.#meter.createObservableGauge(name, declaration).addCallback((result) => this.#collect(result));
  }

  async #collect(result: ObservableResult): Promise<void> {
    const up = new Map<string, boolean>();
    await Promise.all(
      [...this.#engines].map(async (engine) => {
        const isUp = await isReachable(engine);
        if (isUp === undefined) return void this.#engines.delete(engine);
        const name = cutText(engine.engine, maxNameLength);
        up.set(name, isUp && up.get(name) !== false);
      }),
    );
    for (const [name, isUp] of up) result.observe(isUp ? 1 : 0, { "job.engine": name });
  }
}

/** Resolves to undefined once the engine is closed. Never rejects. */
async function isReachable(engine: OpenedEngineContext): Promise<boolean | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), answerWithinMs);
  });
  try {
    return await Promise.race([engine.health?.().then((health) => health?.isReachable), late]);
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}

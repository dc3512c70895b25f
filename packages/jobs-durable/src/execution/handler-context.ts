import type { JobDelivery, JobProgress } from "@nidus/jobs-observe";
import { UnsupportedError } from "../errors/errors.ts";
import type { JobHandlerContext } from "../job/durable-job.ts";
import { requireStorableProgress } from "../job/progress.ts";
import { JobSnooze } from "../job/snooze.ts";
import type { HandlerSignal } from "./handler-signal.ts";

/**
 * The second argument of a handler. Its signal is a property that can be copied with the others. The signal is made when the
 * property is read. All contexts share one getter: V8 makes a hidden class for each getter, and the class holds its getter until
 * the next full collection. A getter of one context would thus hold its whole execution.
 */
export class HandlerContext implements JobHandlerContext {
  static readonly #property: PropertyDescriptor & ThisType<HandlerContext> = {
    enumerable: true,
    get() {
      return this.#signal.forHandler();
    },
  };

  readonly delivery: JobDelivery;
  declare readonly signal: AbortSignal;
  readonly #signal: HandlerSignal;
  readonly #canSnooze: boolean;
  readonly #onProgress: (progress: JobProgress) => void;

  constructor(
    delivery: JobDelivery,
    signal: HandlerSignal,
    canSnooze: boolean,
    onProgress: (progress: JobProgress) => void,
  ) {
    this.delivery = delivery;
    this.#signal = signal;
    this.#canSnooze = canSnooze;
    this.#onProgress = onProgress;
    Object.defineProperty(this, "signal", HandlerContext.#property);
  }

  // Fields: handlers take them out of the context, and copy it.
  readonly progress = (fraction: number, note?: string): void => {
    this.#onProgress(requireStorableProgress(fraction, note));
  };

  readonly snooze = (ms: number): never => {
    if (!this.#canSnooze) throw new UnsupportedError(`${this.delivery.engine} cannot snooze`);
    const snooze = new JobSnooze(ms);
    this.#signal.snooze(snooze);
    throw snooze;
  };
}

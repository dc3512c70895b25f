import type { JobDelivery } from "@nidus/jobs-observe";
import type { JobHandlerContext } from "../job/durable-job.ts";
import type { HandlerSignal } from "./handler-signal.ts";

/**
 * What a handler gets beside its payload. Its signal is a property that can be copied with the others, and is asked for when it
 * is read. All contexts share one getter: V8 makes a hidden class for each, and that of a getter of one's own would hold it, and
 * with it the whole execution, until the next full collection.
 */
export class HandlerContext implements JobHandlerContext {
  static readonly #property: PropertyDescriptor & ThisType<HandlerContext> = {
    enumerable: true,
    get() {
      return this.#signal.see();
    },
  };

  readonly delivery: JobDelivery;
  declare readonly signal: AbortSignal;
  readonly #signal: HandlerSignal;

  constructor(delivery: JobDelivery, signal: HandlerSignal) {
    this.delivery = delivery;
    this.#signal = signal;
    Object.defineProperty(this, "signal", HandlerContext.#property);
  }
}

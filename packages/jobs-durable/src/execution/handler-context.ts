import type { JobDelivery } from "@nidus/jobs-observe";
import type { JobHandlerContext } from "../job/durable-job.ts";

/**
 * What a handler gets beside its payload. Its signal is a property that can be copied with the others, and is asked for when it
 * is read. All contexts share one getter: V8 makes a hidden class for each, and that of a getter of one's own would hold it, and
 * with it the whole delivery, until the next full collection.
 */
export class HandlerContext implements JobHandlerContext {
  static readonly #signal: PropertyDescriptor & ThisType<HandlerContext> = {
    enumerable: true,
    get() {
      return this.#see();
    },
  };

  readonly delivery: JobDelivery;
  declare readonly signal: AbortSignal;
  readonly #see: () => AbortSignal;

  constructor(delivery: JobDelivery, see: () => AbortSignal) {
    this.delivery = delivery;
    this.#see = see;
    Object.defineProperty(this, "signal", HandlerContext.#signal);
  }
}

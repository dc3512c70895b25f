import { neverAbortedSignal } from "@nidus/jobs-core/adapter";
import type { AbortControllerPool } from "./abort-controller-pool.ts";

/** The signal of one execution. Its controller goes back to the pool at the end, unless a handler has looked at the signal. */
export class HandlerSignal {
  readonly #pool: AbortControllerPool;
  readonly #controller: AbortController;
  #isSeen = false;
  #isOver = false;

  constructor(pool: AbortControllerPool) {
    this.#pool = pool;
    this.#controller = pool.take();
  }

  /** For the runner, which lets go of it when the run ends. */
  get forRunner(): AbortSignal {
    return this.#controller.signal;
  }

  /** For the handler, which may keep it. */
  forHandler(): AbortSignal {
    // Asked for only when all was over, it would be another execution's.
    if (this.#isOver && !this.#isSeen) return neverAbortedSignal();
    this.#isSeen = true;
    return this.#controller.signal;
  }

  /** Aborts the signal, unless the handler has ended: from then on, the controller may be another execution's. */
  abort(message: string): void {
    if (!this.#isOver) this.#controller.abort(new DOMException(message, "AbortError"));
  }

  /** The handler has ended. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (!this.#isSeen) this.#pool.giveBack(this.#controller);
  }
}

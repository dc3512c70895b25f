import { setMaxListeners } from "node:events";
import { neverAbortedSignal, propertyOf } from "@nidus/jobs-core/adapter";
import type { JobSnooze } from "../job/snooze.ts";

/**
 * Controllers whose signal no handler has looked at, for the next delivery to use: making one, and collecting it, costs more than
 * everything else around a handler.
 */
export class AbortControllerPool {
  readonly #controllers: AbortController[] = [];

  take(): AbortController {
    return this.#controllers.pop() ?? new AbortController();
  }

  /** Keeps a controller for a later run, unless it was aborted. */
  giveBack(controller: AbortController): void {
    if (!controller.signal.aborted) this.#controllers.push(controller);
  }
}

/**
 * The signal of one execution. Its controller goes back to the pool at the end, unless a handler has looked at the signal. The runner
 * gets this object in place of the signal: it looks there only for the reason of a cancellation, and a snooze is one.
 */
export class HandlerSignal {
  readonly #pool: AbortControllerPool;
  readonly #controller: AbortController;
  #isSeen = false;
  #isOver = false;
  #snooze: JobSnooze | undefined;

  constructor(pool: AbortControllerPool) {
    this.#pool = pool;
    this.#controller = pool.take();
  }

  /** For the runner, which drops it when the run ends. */
  get forRunner(): AbortSignal {
    return this as unknown as AbortSignal;
  }

  get aborted(): boolean {
    return this.#snooze !== undefined || this.#controller.signal.aborted;
  }

  get reason(): unknown {
    return this.#snooze ?? this.#controller.signal.reason;
  }

  /** The runner asks for it. It adds no listener. */
  addEventListener(): void {}

  /** The handler snoozes, unless it catches this. */
  snooze(snooze: JobSnooze): void {
    this.#snooze = snooze;
  }

  /** Returns the snooze with which a handler has ended, if it has: thrown as it is, or as the cause of another error. */
  snoozeIn(thrown: unknown): JobSnooze | undefined {
    const snooze = this.#snooze;
    return snooze !== undefined && (thrown === snooze || propertyOf(thrown, "cause") === snooze)
      ? snooze
      : undefined;
  }

  /** For the handler, which may keep it. */
  forHandler(): AbortSignal {
    // Asked for only when all was over, it would be another execution's.
    if (this.#isOver && !this.#isSeen) return neverAbortedSignal();
    // Handlers may add any number of listeners. The runner does the same for real signals.
    if (!this.#isSeen) setMaxListeners(0, this.#controller.signal);
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

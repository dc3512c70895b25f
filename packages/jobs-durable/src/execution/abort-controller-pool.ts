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

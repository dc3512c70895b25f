/**
 * Controllers whose signal no handler has looked at, for the next delivery to use: making one, and collecting it, costs more than
 * everything else around a handler.
 */
export class AbortControllerPool {
  readonly #controllers: AbortController[] = [];

  take(): AbortController {
    return this.#controllers.pop() ?? new AbortController();
  }

  /** One that was aborted is spent. */
  giveBack(controller: AbortController): void {
    if (!controller.signal.aborted) this.#controllers.push(controller);
  }
}

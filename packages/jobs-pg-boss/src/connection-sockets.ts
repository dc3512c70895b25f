import { Socket } from "node:net";

/** Sockets of a pool, which does not end while a server that has gone silent owes it an answer. */
export class ConnectionSockets {
  readonly #open = new Set<Socket>();
  #isDestroyed = false;
  #onceEmpty: (() => void) | undefined;

  /** Makes a socket for node-postgres: the option `stream`. */
  readonly create = (): Socket => {
    const socket = new Socket();
    this.#open.add(socket);
    socket.once("close", () => {
      this.#open.delete(socket);
      if (this.#open.size === 0) this.#onceEmpty?.();
    });
    // node-postgres connects it first, and then hears of its end.
    if (this.#isDestroyed) setImmediate(() => socket.destroy());
    return socket;
  };

  /** Resolves when the server has closed all of them. */
  async closed(): Promise<void> {
    if (this.#open.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#onceEmpty = resolve;
    });
  }

  /** Ends all of them, and those that are still to come, without asking the server. */
  destroy(): void {
    this.#isDestroyed = true;
    for (const socket of this.#open) socket.destroy();
  }
}

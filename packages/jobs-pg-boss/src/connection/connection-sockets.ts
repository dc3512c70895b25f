import { Socket } from "node:net";

/** Keeps the sockets of a pool, to destroy them if the server no longer answers: until then the pool does not end. */
export class ConnectionSockets {
  readonly #open = new Set<Socket>();
  #isDestroyed = false;
  #onceEmpty: (() => void) | undefined;

  /** Makes a socket for node-postgres, as its option `stream`. */
  readonly create = (): Socket => {
    const socket = new Socket();
    this.#open.add(socket);
    socket.once("close", () => {
      this.#open.delete(socket);
      if (this.#open.size === 0) this.#onceEmpty?.();
    });
    // node-postgres must connect the socket before it can notice its end.
    if (this.#isDestroyed) setImmediate(() => socket.destroy());
    return socket;
  };

  /** Resolves when all sockets are closed. */
  async closed(): Promise<void> {
    if (this.#open.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#onceEmpty = resolve;
    });
  }

  /** Destroys all sockets, and those that are created later, without asking the server. */
  destroy(): void {
    this.#isDestroyed = true;
    for (const socket of this.#open) socket.destroy();
  }
}

import { ListeningConnection } from "./listening-connection.ts";
import type { ListenerSetUp, Subscription } from "./subscription.ts";

/** Listens for PostgreSQL's notifications, over one connection of its own for all subscriptions. Without any, it has none. */
export class NotificationListener {
  readonly #setUp: ListenerSetUp;
  readonly #subscriptions = new Set<Subscription>();
  #connection: ListeningConnection | undefined;

  constructor(setUp: ListenerSetUp) {
    this.#setUp = setUp;
  }

  /** Begins to listen, as soon as there is a connection. Returns a function that ends it, and never rejects. */
  subscribe(subscription: Subscription): () => Promise<void> {
    this.#subscriptions.add(subscription);
    this.#connection ??= new ListeningConnection(this.#setUp, this.#subscriptions);
    this.#connection.added(subscription);
    return () => this.#unsubscribe(subscription);
  }

  async #unsubscribe(subscription: Subscription): Promise<void> {
    if (!this.#subscriptions.delete(subscription)) return;
    if (this.#subscriptions.size > 0) return this.#connection?.removed(subscription);
    await this.close();
  }

  /** Looks whether the connection still lives, if nothing was heard of it for some time. It may be dead without a sign. */
  check(): void {
    this.#connection?.check();
  }

  /** Never rejects, and does not wait for a server that is silent. */
  async close(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    this.#subscriptions.clear();
    await connection?.close();
  }
}

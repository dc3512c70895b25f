import type { Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { withDeadline } from "@nidus/jobs-durable/backend";
import type { Client } from "pg";
import { SerialClient } from "./serial-client.ts";
import { redactedError } from "./start-error.ts";
import type { ListenerSetUp, Subscription } from "./subscription.ts";

/** How long the server may take to answer, or to deliver a message. */
const answerWithinMs = 5_000;

/** How long the server may take to close the connection. */
const endWithinMs = 500;

/** After how long without a sign the connection is checked. */
const silentMs = 30_000;

/** How often `onError` hears that the connection is lost, at most. */
const tellEveryMs = 60_000;

/** The waits between two tries to connect. Half of each is random, so that processes do not come back together. */
const waitMs = { first: 250, longest: 5_000 };

/** The wait after a connection that delivers nothing, as behind a pooler: the server's configuration may change. */
const deafWaitMs = 10 * 60_000;

const deaf = new Error(
  "PostgreSQL's notifications do not arrive, as behind a connection pooler: workers find other processes' jobs by polling",
);

/** A connection that listens for all subscriptions, and is opened again whenever it is lost. */
export class ListeningConnection {
  readonly #setUp: ListenerSetUp;
  readonly #subscriptions: ReadonlySet<Subscription>;
  readonly #stopping = new AbortController();
  readonly #ended: Promise<void>;
  /** The client that listens. */
  #client: SerialClient | undefined;
  #onLost: (reason: unknown) => void = () => {};
  #onProbe: { readonly payload: string; readonly arrived: () => void } | undefined;
  #heardAtMs = 0;
  #isChecking = false;

  constructor(setUp: ListenerSetUp, subscriptions: ReadonlySet<Subscription>) {
    this.#setUp = setUp;
    this.#subscriptions = subscriptions;
    this.#ended = this.#run();
  }

  /** A subscription was added. */
  added(subscription: Subscription): void {
    const client = this.#client;
    if (client === undefined) return;
    this.#listen(client, subscription)
      .then(() => this.#announce(client, subscription))
      .catch((error) => this.#onLost(error));
  }

  /** A subscription was removed, and others are left. */
  async removed(subscription: Subscription): Promise<void> {
    const { channel } = subscription;
    const client = this.#client;
    if (client === undefined) return;
    try {
      await this.#withdraw(client, subscription);
      // A subscription that was added meanwhile has asked to listen already.
      const isUsed = [...this.#subscriptions].some((other) => other.channel === channel);
      if (!isUsed) await client.query(`UNLISTEN ${channel}`);
    } catch (error) {
      // A new connection does without it.
      this.#onLost(error);
    }
  }

  check(): void {
    const client = this.#client;
    if (client === undefined || this.#isChecking || performance.now() - this.#heardAtMs < silentMs) return;
    this.#isChecking = true;
    client
      .query("SELECT 1")
      .then(
        () => this.#heard(),
        (error) => this.#onLost(error),
      )
      .finally(() => {
        this.#isChecking = false;
      });
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    this.#onLost("closed");
    await this.#ended;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    let failures = 0;
    let toldAtMs = Number.NEGATIVE_INFINITY;
    while (!signal.aborted) {
      const reason = await this.#connect(() => {
        failures = 0;
      });
      if (signal.aborted) return;
      if (performance.now() - toldAtMs >= tellEveryMs && !(reason === deaf && failures > 0)) {
        toldAtMs = performance.now();
        this.#setUp.onError(reason === deaf ? deaf : lost(reason));
      }
      const fullMs = Math.min(waitMs.first * 2 ** failures, waitMs.longest);
      const inMs = reason === deaf ? deafWaitMs : (fullMs * (1 + Math.random())) / 2;
      failures++;
      // An abort ends it early.
      await pause(inMs, undefined, { signal }).catch(() => {});
    }
  }

  /** Listens until the connection is lost. Resolves to the reason, and never rejects. */
  async #connect(onSuccess: () => void): Promise<unknown> {
    const { client, socket } = this.#setUp.createClient();
    const ended = new Promise<unknown>((resolve) => {
      this.#onLost = resolve;
      // The listener stays: an error without a listener would end the process.
      client.on("error", resolve);
      client.on("end", () => resolve(new Error("the server closed the connection")));
    });
    try {
      const opened = this.#open(client).then(onSuccess);
      await Promise.race([opened, ended.then((reason) => Promise.reject(reason))]);
      return await ended;
    } catch (error) {
      return error;
    } finally {
      this.#client = undefined;
      for (const subscription of this.#subscriptions) subscription.onLost?.();
      await endOf(client, socket);
    }
  }

  async #open(client: Client): Promise<void> {
    await client.connect();
    client.on("notification", ({ channel, payload = "" }) => this.#receive(channel, payload));
    const serial = new SerialClient(client, answerWithinMs);
    const listening = new Set<Subscription>();
    for (const subscription of this.#subscriptions) {
      await this.#listen(serial, subscription);
      listening.add(subscription);
    }
    await this.#probe(serial);
    // Some may be added meanwhile: the loop reaches them, too.
    for (const subscription of this.#subscriptions) {
      if (!listening.has(subscription)) await this.#listen(serial, subscription);
      await this.#announce(serial, subscription);
      // `removed` has no client before this loop ends.
      if (!this.#subscriptions.has(subscription)) await this.#withdraw(serial, subscription);
    }
    this.#client = serial;
    this.#heard();
  }

  async #listen(client: SerialClient, { channel }: Subscription): Promise<void> {
    await client.query(`LISTEN ${channel}`);
  }

  async #announce(client: SerialClient, subscription: Subscription): Promise<void> {
    // It may have been removed while the server was asked to listen.
    if (!this.#subscriptions.has(subscription)) return;
    const { announcement } = subscription;
    if (announcement !== undefined) await client.query(announcement.begin, announcement.values);
    subscription.onListening();
  }

  async #withdraw(client: SerialClient, { announcement }: Subscription): Promise<void> {
    if (announcement !== undefined) await client.query(announcement.end, announcement.values);
  }

  /** Finds out whether messages arrive: a pooler accepts LISTEN, and may give the server's connection to another client. */
  async #probe(client: SerialClient): Promise<void> {
    const [subscription] = this.#subscriptions;
    if (subscription === undefined) return;
    // No queue and no id has a space in front.
    const payload = ` ${crypto.randomUUID()}`;
    const arrival = new Promise<void>((resolve) => {
      this.#onProbe = { payload, arrived: resolve };
    });
    await this.#setUp.notify(subscription.channel, payload);
    try {
      await withDeadline(arrival, answerWithinMs, "LISTEN");
    } catch {
      // The pooler would keep it.
      await client.query("UNLISTEN *");
      throw deaf;
    }
  }

  #receive(channel: string, payload: string): void {
    this.#heard();
    if (payload.startsWith(" ")) {
      if (payload === this.#onProbe?.payload) this.#onProbe.arrived();
      return;
    }
    for (const subscription of this.#subscriptions) {
      if (subscription.channel === channel) subscription.onMessage(payload);
    }
  }

  #heard(): void {
    this.#heardAtMs = performance.now();
  }
}

function lost(reason: unknown): Error {
  const error = redactedError(reason);
  error.message = `the connection that listens for new jobs is lost (${error.message}): workers poll until it is back`;
  return error;
}

/** Ends a client, and its socket if the server is silent. */
async function endOf(client: Client, socket: Socket): Promise<void> {
  const timer = setTimeout(() => socket.destroy(), endWithinMs);
  await client.end().catch(() => {});
  clearTimeout(timer);
}

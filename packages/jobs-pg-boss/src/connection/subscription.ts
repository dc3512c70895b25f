import type { Socket } from "node:net";
import type { Client } from "pg";

/** A channel to listen on, and the functions that are told. */
export interface Subscription {
  readonly channel: string;
  /** A statement to run on the connection while it listens, and one to run at the end, with their values. */
  readonly announcement?:
    | { readonly begin: string; readonly end: string; readonly values: readonly unknown[] }
    | undefined;
  /** Called with each payload. */
  onMessage(payload: string): void;
  /** Called each time that the connection begins to listen: earlier messages may be lost. */
  onListening(): void;
  /** Called when the connection is lost. */
  onLost?(): void;
}

/** The parts of an engine that listening uses. */
export interface ListenerSetUp {
  /** Makes a client, with the socket that it will use. */
  createClient(): { readonly client: Client; readonly socket: Socket };
  /** Sends a message over another connection. */
  notify(channel: string, payload: string): Promise<unknown>;
  readonly onError: (error: unknown) => void;
}

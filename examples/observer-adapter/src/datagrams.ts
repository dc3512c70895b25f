import { createSocket, type Socket } from "node:dgram";
import { setTimeout as pause } from "node:timers/promises";

/** What fits into one Ethernet frame, with the headers of IPv6 and UDP. */
const maxBytes = 1_432;
/** How long a line waits for others that go with it. */
const maxWaitMs = 100;
/** Datagrams that the operating system has not taken yet. More than these are dropped: memory is bounded. */
const maxInFlight = 1_000;
/** A name server may be away. */
const flushLimitMs = 1_000;

/** Lines on their way to an agent, as many to a datagram as fit. Nothing in it keeps the process alive, or throws. */
export class Datagrams {
  readonly #host: string;
  readonly #port: number;
  readonly #socket: Socket = createSocket("udp4");
  readonly #inFlight: Set<Promise<void>> = new Set();
  #lines: string[] = [];
  #bytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #closing: Promise<void> | undefined;

  constructor(host: string, port: number) {
    this.#host = host;
    this.#port = port;
    this.#socket.unref();
    this.#socket.on("error", () => {
      // The callback of the datagram that failed has heard of it.
    });
  }

  /** Adds a line, to be sent soon. Does nothing once it is closed. */
  add(line: string): void {
    if (this.#closing !== undefined) return;
    const bytes = Buffer.byteLength(line) + 1;
    if (this.#bytes + bytes > maxBytes) this.#send();
    this.#lines.push(line);
    this.#bytes += bytes;
    this.#timer ??= setTimeout(() => this.#send(), maxWaitMs).unref();
  }

  /** Sends what is there. Resolves when the operating system has taken it, or after a second. */
  async flush(): Promise<void> {
    if (this.#closing === undefined) this.#send();
    const late = new AbortController();
    await Promise.race([
      Promise.all(this.#inFlight),
      pause(flushLimitMs, undefined, { signal: late.signal }).catch(() => {}),
    ]);
    late.abort();
  }

  /** Sends what is there, and ends. May be repeated. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#send();
    await this.flush();
    this.#socket.close();
  }

  #send(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#lines.length === 0) return;
    const text = this.#lines.join("\n");
    this.#lines = [];
    this.#bytes = 0;
    if (this.#inFlight.size >= maxInFlight) return;
    // An error means that the datagram is lost, as others are on the way.
    const sending = new Promise<void>((resolve) => {
      this.#socket.send(text, this.#port, this.#host, () => resolve());
    });
    this.#inFlight.add(sending);
    void sending.then(() => this.#inFlight.delete(sending));
  }
}

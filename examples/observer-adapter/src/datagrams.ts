import { createSocket, type Socket } from "node:dgram";
import { setTimeout as pause } from "node:timers/promises";

/** The bytes that fit into one Ethernet frame beside the headers of IPv6 and UDP. */
const maxBytes = 1_432;
/** The time that a line waits for others in its datagram. */
const maxWaitMs = 100;
/** The most datagrams that wait for the operating system. Further ones are dropped, so that memory is bounded. */
const maxInFlight = 1_000;
/** Bounds a wait for a name server that does not answer. */
const flushLimitMs = 1_000;

/** Sends lines to an agent, as many per datagram as fit. It neither throws nor keeps the process alive. */
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
      // The callback of the failed datagram has received the error.
    });
  }

  /** Adds a line, which is sent soon. Does nothing after `close`. */
  add(line: string): void {
    if (this.#closing !== undefined) return;
    const bytes = Buffer.byteLength(line) + 1;
    if (this.#bytes + bytes > maxBytes) this.#send();
    this.#lines.push(line);
    this.#bytes += bytes;
    this.#timer ??= setTimeout(() => this.#send(), maxWaitMs).unref();
  }

  /** Sends all lines. Resolves when the operating system has taken them, or after a second. */
  async flush(): Promise<void> {
    if (this.#closing === undefined) this.#send();
    const late = new AbortController();
    await Promise.race([
      Promise.all(this.#inFlight),
      pause(flushLimitMs, undefined, { signal: late.signal }).catch(() => {}),
    ]);
    late.abort();
  }

  /** Sends all lines and ends. You may call it again. */
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
    // An error means that the datagram is lost, like others on the network.
    const sending = new Promise<void>((resolve) => {
      this.#socket.send(text, this.#port, this.#host, () => resolve());
    });
    this.#inFlight.add(sending);
    void sending.then(() => this.#inFlight.delete(sending));
  }
}

import type { PageModel } from "../views/page-model.ts";
import { type View, views } from "../views/views.ts";
import { answer, refused } from "./answers.ts";

/** How many viewers the page has at most. */
const maxStreams = 100;

/** The time between two snapshots, in milliseconds. */
const everyMs = 1_000;

/** A stream without changes says this often that it lives. Proxies end silent connections. */
const aliveEveryMs = 10_000;

/** A stream ends after this time. The browser opens a new one, and `authorize` is asked again. */
const endAfterMs = 300_000;

interface Stream {
  readonly view: string;
  readonly controller: ReadableStreamDefaultController<Uint8Array>;
  /** Kept with the stream: the signal of a request that nothing holds never fires. */
  readonly request: Request;
  readonly endAtMs: number;
  sentId: string;
  sentAtMs: number;
}

/** A snapshot of a view as an event, and an id that follows from its contents. */
interface Snapshot {
  readonly id: string;
  readonly event: string;
}

/** Sent instead of a snapshot. It has no id, so a browser that connects again is told again. */
const failed: Snapshot = {
  id: "failed",
  event: 'event: failed\ndata: {"error":"the page could not make this view"}\n\n',
};

const encoder = new TextEncoder();

/** Sends snapshots of views to browsers: once a second at most, and one snapshot for all viewers of a view. */
export class Streams {
  readonly #model: PageModel;
  readonly #streams = new Set<Stream>();
  #timer: NodeJS.Timeout | undefined;
  /** The views whose snapshot is being made. */
  readonly #making = new Set<string>();
  #isEnded = false;

  constructor(model: PageModel) {
    this.#model = model;
  }

  get size(): number {
    return this.#streams.size;
  }

  /**
   * Answers with a stream of the view that `view` names, such as "job?name=send_mail". It ends when the viewer leaves: when the body is
   * cancelled, or when the request is aborted, which is all that happens if a server drops the answer unread.
   */
  open(view: string, request: Request): Response {
    if (viewOf(view) === undefined) return refused(404, "there is no such view");
    if (this.#streams.size >= maxStreams || this.#isEnded) {
      return refused(503, "the page has too many viewers", { "Retry-After": "10" });
    }
    let stream: Stream;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        const endAtMs = performance.now() + endAfterMs;
        const sentId = request.headers.get("last-event-id") ?? "";
        stream = { view, controller, request, endAtMs, sentId, sentAtMs: performance.now() };
        controller.enqueue(encoder.encode("retry: 1000\n\n"));
        this.#streams.add(stream);
        request.signal.addEventListener("abort", () => this.#close(stream));
        if (request.signal.aborted) this.#close(stream);
        this.#wake(0);
      },
      cancel: () => void this.#streams.delete(stream),
    });
    return answer(200, "text/event-stream; charset=utf-8", body, {
      // A proxy or middleware that compresses would hold the events back.
      "Cache-Control": "no-store, no-transform",
      "X-Accel-Buffering": "no",
    });
  }

  /** Sends all viewers a snapshot soon, after an action. */
  refresh(): void {
    this.#wake(0);
  }

  /** Ends all streams. */
  end(): void {
    this.#isEnded = true;
    clearTimeout(this.#timer);
    for (const stream of this.#streams) this.#close(stream);
  }

  #wake(afterMs: number): void {
    clearTimeout(this.#timer);
    if (this.#streams.size === 0 || this.#isEnded) return;
    this.#timer = setTimeout(() => this.#tick(), afterMs);
    this.#timer.unref?.();
  }

  #tick(): void {
    const nowMs = performance.now();
    for (const stream of this.#streams) {
      if (nowMs > stream.endAtMs) this.#close(stream);
      else if (nowMs - stream.sentAtMs > aliveEveryMs) this.#write(stream, "event: alive\ndata:\n\n");
    }
    // Each view is made by itself: a slow one holds up no other.
    for (const { view } of this.#streams) if (!this.#making.has(view)) void this.#show(view);
    this.#wake(everyMs);
  }

  async #show(view: string): Promise<void> {
    this.#making.add(view);
    const { id, event } = await snapshotOf(this.#model, view);
    this.#making.delete(view);
    for (const stream of this.#streams) {
      if (stream.view === view && stream.sentId !== id) this.#write(stream, event, id);
    }
  }

  #write(stream: Stream, text: string, id = stream.sentId): void {
    // A slow reader gets the latest snapshot once it has read the one before.
    if ((stream.controller.desiredSize ?? 0) <= 0) return;
    stream.controller.enqueue(encoder.encode(text));
    stream.sentId = id;
    stream.sentAtMs = performance.now();
  }

  #close(stream: Stream): void {
    this.#streams.delete(stream);
    try {
      stream.controller.close();
    } catch {
      // The browser has left at the same moment.
    }
  }
}

/** Finds a view by its address. Payloads are not sent again and again. */
function viewOf(address: string): View | undefined {
  const [name = ""] = address.split("?", 1);
  return name === "payload" ? undefined : views.get(name);
}

async function snapshotOf(model: PageModel, address: string): Promise<Snapshot> {
  const parameters = new URLSearchParams(address.slice(address.indexOf("?") + 1));
  try {
    const data = JSON.stringify(await (viewOf(address) as View)(model, parameters));
    const id = idOf(data);
    return { id, event: `id: ${id}\ndata: ${data}\n\n` };
  } catch {
    return failed;
  }
}

/** Hashes a text (FNV-1a, twice 32 bits with different seeds). A snapshot with the same contents has the same id. */
function idOf(text: string): string {
  let [a, b] = [0x811c9dc5, 0x1b873593];
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    a = Math.imul(a ^ code, 0x01000193);
    b = Math.imul(b ^ code, 0x85ebca6b);
  }
  return `${(a >>> 0).toString(36)}-${(b >>> 0).toString(36)}-${text.length.toString(36)}`;
}

import { clearLine, cursorTo } from "node:readline";

/** As many lines a second as anybody can make something of. */
const maxLinesPerSecond = 200;

/** A stream that falls behind is given no more: what waits in it is memory. */
const maxWaitingBytes = 1024 * 1024;

/** A stream of lines and, on a terminal, below them one that changes. Lines that come too fast are counted instead. */
export class Terminal {
  readonly isLive: boolean;
  readonly #stream: NodeJS.WritableStream;
  #status = "";
  #secondStartMs = Number.NEGATIVE_INFINITY;
  #linesInSecond = 0;
  #skipped = 0;

  constructor(stream: NodeJS.WritableStream) {
    this.#stream = stream;
    this.isLive = (stream as Partial<NodeJS.WriteStream>).isTTY === true;
  }

  line(text: string): void {
    const now = performance.now();
    if (now - this.#secondStartMs >= 1000) {
      this.#tellSkipped();
      this.#secondStartMs = now;
      this.#linesInSecond = 0;
    }
    const { writable, writableLength } = this.#stream as Partial<NodeJS.WriteStream>;
    if (writable === false) return;
    if (this.#linesInSecond === maxLinesPerSecond || (writableLength ?? 0) > maxWaitingBytes) this.#skipped++;
    else {
      this.#linesInSecond++;
      this.#write(text);
    }
  }

  #tellSkipped(): void {
    if (this.#skipped === 0) return;
    const skipped = this.#skipped;
    this.#skipped = 0;
    this.#write(`… and ${skipped} more lines`);
  }

  #write(text: string): void {
    const status = this.#status;
    this.status("");
    this.#stream.write(`${text}\n`);
    this.status(status);
  }

  /** Replaces the line that changes; an empty text removes it. */
  status(text: string): void {
    if (!this.isLive || text === this.#status) return;
    if (this.#status !== "") {
      cursorTo(this.#stream, 0);
      clearLine(this.#stream, 0);
    }
    this.#status = text;
    // A line that wraps could not be cleared. A terminal that does not know its width says 0.
    const { columns } = this.#stream as Partial<NodeJS.WriteStream>;
    if (text !== "") this.#stream.write(text.slice(0, (columns || 80) - 1));
  }

  /** Says what was left out and removes the line that changes; a last line is written however many there were. */
  end(text: string): void {
    this.#tellSkipped();
    this.status("");
    if (text !== "") this.#write(text);
  }
}

/** More lines than this are of no use to a reader. */
const maxLinesPerSecond = 200;

/** A stream that falls behind by this many bytes gets no more lines: they would wait in memory. */
const maxWaitingBytes = 1024 * 1024;

/** Moves a terminal's cursor to the start of the line and clears the line. */
const clearLine = "\u001b[1G\u001b[2K";

/** Writes lines to a stream and, on a terminal, keeps a status line below them. Counts the lines that come too fast. */
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
    const { writableLength } = this.#stream as Partial<NodeJS.WriteStream>;
    if (this.#linesInSecond === maxLinesPerSecond || (writableLength ?? 0) > maxWaitingBytes) this.#skipped++;
    else {
      this.#linesInSecond++;
      this.#writeLine(text);
    }
  }

  #tellSkipped(): void {
    if (this.#skipped === 0) return;
    const skipped = this.#skipped;
    this.#skipped = 0;
    this.#writeLine(`… and ${skipped} more lines`);
  }

  #writeLine(text: string): void {
    const status = this.#status;
    this.status("");
    this.#write(`${text}\n`);
    this.status(status);
  }

  /** Writes nothing to a stream that has ended or failed: its error would end the process. */
  #write(text: string): void {
    const { writable } = this.#stream as Partial<NodeJS.WriteStream>;
    if (writable !== false) this.#stream.write(text);
  }

  /** Replaces the status line. An empty text removes it. */
  status(text: string): void {
    if (!this.isLive || text === this.#status) return;
    if (this.#status !== "") this.#write(clearLine);
    this.#status = text;
    // A line that wraps could not be cleared. A terminal that does not know its width reports 0.
    const { columns } = this.#stream as Partial<NodeJS.WriteStream>;
    if (text !== "") this.#write(text.slice(0, (columns || 80) - 1));
  }

  /** Reports how many lines were skipped and removes the status line. Writes a last line, however many there were. */
  end(text: string): void {
    this.#tellSkipped();
    this.status("");
    if (text !== "") this.#writeLine(text);
  }
}

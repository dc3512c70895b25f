import { Writable } from "node:stream";

/** A stream that keeps what is written to it: a plain one, or one that says that it is a terminal. */
export class Written extends Writable {
  text = "";
  readonly isTTY: boolean | undefined;
  readonly columns: number;
  readonly #hasColours: boolean;
  #isStuck = false;

  constructor({
    isTerminal = false,
    hasColours = false,
    columns = 80,
  }: {
    readonly isTerminal?: boolean;
    readonly hasColours?: boolean;
    readonly columns?: number;
  } = {}) {
    super();
    this.isTTY = isTerminal || undefined;
    this.columns = columns;
    this.#hasColours = hasColours;
  }

  hasColors(): boolean {
    return this.#hasColours;
  }

  /** Takes nothing more, like a pipe that nobody reads. */
  stick(): void {
    this.#isStuck = true;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    if (this.#isStuck) return;
    this.text += chunk;
    done();
  }

  get lines(): string[] {
    return this.text.split("\n").slice(0, -1);
  }
}

import { Writable } from "node:stream";

/** Makes a stream that keeps its output: a plain stream, or one that claims to be a terminal. */
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

  /** Accepts no more, like a pipe without a reader. */
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

/**
 * BullMQ's command that leases a job. It can be repeated for leases that differ in time and token alone, if the tokens are as long. BullMQ takes
 * longer to make a command than to send it.
 */
export class LeaseCommand {
  /** The name of BullMQ's script, with its version. */
  readonly name: string;
  readonly #keys: readonly unknown[];
  readonly #packedOptions: Buffer;
  readonly #tokenAt: number;
  readonly #tokenLength: number;

  /** `values` are what BullMQ passes for a lease with this token: keys, the time, and packed options that have the token. */
  constructor(name: string, values: readonly unknown[], token: string) {
    this.name = name;
    this.#keys = values.slice(0, -2);
    this.#packedOptions = values.at(-1) as Buffer;
    this.#tokenAt = this.#packedOptions.indexOf(token, 0, "latin1");
    this.#tokenLength = token.length;
  }

  /** Whether the command can be repeated with this token. */
  isRepeatableWith(token: string): boolean {
    return this.#tokenAt >= 0 && token.length === this.#tokenLength;
  }

  /** Returns what to pass for a lease with another token, at a time in Unix milliseconds. */
  valuesFor(token: string, nowMs: number): readonly unknown[] {
    const packedOptions = Buffer.from(this.#packedOptions);
    packedOptions.write(token, this.#tokenAt, "latin1");
    return [...this.#keys, nowMs, packedOptions];
  }
}

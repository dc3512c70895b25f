/** BullMQ packs a time as this byte and a number of eight bytes. */
const timeMark = 0xcb;

/** BullMQ has made a command that is looked at within this time. */
const madeWithinMs = 60_000;

/** The parts of a command that differ from job to job, except for the data: BullMQ's packed arguments and options. */
interface PackedJob {
  readonly packed: Buffer;
  readonly packedOptions: Buffer;
}

/** The command with which BullMQ adds a job. It can be repeated for jobs that differ in id, data and time alone. */
export class AddCommand {
  /** The name of BullMQ's script, with its version. */
  readonly name: string;
  readonly keys: readonly unknown[];
  /** The job for which BullMQ made the command. */
  readonly job: PackedJob;
  readonly #idAt: number;
  readonly #timeAt: number;
  readonly #optionsIdAt: number;

  /** `values` are what BullMQ passes for the job of this id: keys, packed arguments, data and packed options. */
  constructor(name: string, values: readonly unknown[], id: string) {
    const [packed, , packedOptions] = values.slice(-3) as [Buffer, string, Buffer];
    this.name = name;
    this.keys = values.slice(0, -3);
    this.job = { packed, packedOptions };
    this.#idAt = packed.indexOf(id, 0, "latin1");
    this.#timeAt = placeOfTime(packed, this.#idAt + id.length);
    this.#optionsIdAt = packedOptions.indexOf(id, 0, "latin1");
  }

  /** Whether the id and the time of the job are where another id and time can be written. */
  get isRepeatable(): boolean {
    return this.#idAt >= 0 && this.#timeAt >= 0;
  }

  /** Returns the parts for another job, which is added now. Its id is as long. */
  packedFor(id: string): PackedJob {
    const packed = Buffer.from(this.job.packed);
    packed.write(id, this.#idAt, "latin1");
    packed.writeDoubleBE(Date.now(), this.#timeAt);
    const packedOptions = Buffer.from(this.job.packedOptions);
    if (this.#optionsIdAt >= 0) packedOptions.write(id, this.#optionsIdAt, "latin1");
    return { packed, packedOptions };
  }
}

/** Finds the time at which a job was added. -1 if it is not there. */
function placeOfTime(packed: Buffer, start: number): number {
  const last = packed.length - 9;
  for (
    let at = packed.indexOf(timeMark, start);
    at >= 0 && at <= last;
    at = packed.indexOf(timeMark, at + 1)
  ) {
    if (Math.abs(packed.readDoubleBE(at + 1) - Date.now()) < madeWithinMs) return at + 1;
  }
  return -1;
}

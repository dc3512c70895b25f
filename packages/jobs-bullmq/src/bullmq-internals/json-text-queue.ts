import { Job, type JobJson, Queue } from "bullmq";

/** Data that are JSON text already. */
class JsonText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  /** Keeps BullMQ from turning the text to text again. */
  toJSON(): null {
    return null;
  }
}

/** Returns data for `add` and `addBulk` of a JsonTextQueue, which stores this text as it is. */
export function jsonText<Data>(text: string): Data {
  return new JsonText(text) as Data;
}

/** BullMQ calls `asJSON` to store a job. */
class JsonTextJob<Data, Result, Name extends string> extends Job<Data, Result, Name> {
  override asJSON(): JobJson {
    const stored = super.asJSON();
    const data: unknown = this.data;
    return data instanceof JsonText ? { ...stored, data: data.text } : stored;
  }
}

/** A BullMQ queue that also takes data that are JSON text: BullMQ would turn a value to text again. */
export class JsonTextQueue<Data> extends Queue<Data> {
  protected override get Job(): typeof Job {
    return JsonTextJob;
  }
}

/** Data of more bytes than this are read in part, unless the payload is asked for. Everything else in them is smaller. */
const wholeBytes = 4_096;

/** The end of the data, in which the engine has written when the job can start. */
const tailBytes = 100;

/** A function for scripts: reads what a hash has of a job. False if the hash is no job's. */
export const readFields: string = `
local function readFields(hash, id, state, withPayload)
  local fields = redis.pcall('HMGET', hash, 'timestamp', 'opts', 'nidusRunAt', 'processedOn', 'finishedOn', 'atm', 'stc', 'nidusErrors',
    'nidusCancelledAt', 'progress')
  if fields.err or not fields[1] then return false end
  local data, tail = redis.call('HGET', hash, 'data') or '', false
  if not withPayload and #data > ${wholeBytes} then
    tail = string.sub(data, -${tailBytes})
    data = string.sub(data, 1, ${wholeBytes})
  end
  return { id, state, data, tail, fields }
end`;

/** The fields of a job, as Redis has them. Other programs may have written any text. */
export interface StoredFields {
  readonly id: string;
  readonly state: "scheduled" | "waiting" | "running" | "succeeded" | "dead-lettered" | "cancelled";
  /** The data, or their beginning if there is a `tail`. */
  readonly data: string;
  /** The end of data whose middle was not read. */
  readonly tail: string | undefined;
  readonly timestamp: string;
  readonly opts: string | null;
  readonly runAt: string | null;
  readonly processedOn: string | null;
  readonly finishedOn: string | null;
  readonly made: string | null;
  readonly stalled: string | null;
  readonly errors: string | null;
  readonly progress: string | null;
  /** It has a fraction if the job was running. */
  readonly cancelledAt: string | null;
}

/** The answer of `readFields`. */
export type FieldsAnswer = readonly [
  id: string,
  state: StoredFields["state"],
  data: string,
  tail: string | null,
  fields: readonly [timestamp: string, ...others: (string | null)[]],
];

export function storedFieldsFrom([id, state, data, tail, fields]: FieldsAnswer): StoredFields {
  const [timestamp, opts = null, runAt = null, processedOn = null, finishedOn = null, ...more] = fields;
  const [made = null, stalled = null, errors = null, cancelledAt = null, progress = null] = more;
  const times = { timestamp, runAt, processedOn, finishedOn, cancelledAt };
  return { id, state, data, tail: tail ?? undefined, opts, made, stalled, errors, progress, ...times };
}
